/**
 * The verbs that dialects call, over the flows. A caller's GET reads the store and never reaches an upstream.
 */
import { GatewayError } from '../core/errors.ts';
import { mayUseModel } from '../core/limits.ts';
import type {
  Content,
  CreateOnce,
  Estimate,
  FeatureEstimate,
  FileRow,
  Gateway,
  ModelCard,
  ModelSpec,
  Principal,
  TaskQuery,
  TaskSearch,
  TaskView,
  Variant,
} from '../core/ports.ts';
import type { LooseFeature } from '../core/request/feature.ts';
import type { LooseVideo } from '../core/request/types.ts';
import type { Task } from '../core/task.ts';
import { removeTask } from './cancel-task.ts';
import type { FlowContext } from './context.ts';
import { createFile, deleteFile, findFile, readFile, replayFile } from './files.ts';
import { modelDetail } from './model-detail.ts';
import { readContent } from './read-content.ts';
import { createOnce, hasKey } from './once.ts';
import { createQueuePlaces } from './queue-places.ts';
import { createRepeats } from './repeats.ts';
import { deleteResource, findResource, listPresets } from './resources.ts';
import { estimateFeature, submitFeature } from './submit-feature.ts';
import { estimateTask, submitTask } from './submit-task.ts';
import { viewOf } from './view.ts';
import { createWebhooks } from './webhooks.ts';

export function createGateway(ctx: FlowContext): Gateway {
  const { store, clock } = ctx;
  const once = createOnce({ store, clock });
  const repeats = createRepeats({ store, clock, once, viewOf: (task) => viewOf(ctx, task) });

  const places = createQueuePlaces(ctx);

  async function withPlace({ responseStyle }: Principal, view: TaskView): Promise<TaskView> {
    const found = responseStyle === 'strict' ? null : places.of(view.task);
    const place = found instanceof Promise ? await found : found;
    return place === null ? view : { ...view, place };
  }

  async function owned(principal: Principal, idOrExternalId: string): Promise<Task> {
    const task = await ctx.store.findTask(principal.accountId, idOrExternalId);
    if (task !== null) return task;
    throw new GatewayError(
      'task_not_found',
      `There is no task ${JSON.stringify(idOrExternalId)} in this account.`,
    );
  }

  function createVideo(principal: Principal, loose: LooseVideo, options: CreateOnce): Promise<TaskView>;
  function createVideo(principal: Principal, loose: LooseVideo, options: { dryRun: true }): Promise<Estimate>;
  async function createVideo(
    principal: Principal,
    loose: LooseVideo,
    options: CreateOnce | { dryRun: true },
  ): Promise<TaskView | Estimate> {
    if (options.dryRun) return estimateTask(ctx, principal, loose);
    const view = options.intent
      ? await repeats(principal, options.intent, (pending) => submitTask(ctx, principal, loose, pending))
      : await submitTask(ctx, principal, loose);
    return withPlace(principal, view);
  }

  function createFeature(principal: Principal, loose: LooseFeature, options: CreateOnce): Promise<TaskView>;
  function createFeature(
    principal: Principal,
    loose: LooseFeature,
    options: { dryRun: true },
  ): Promise<FeatureEstimate>;
  async function createFeature(
    principal: Principal,
    loose: LooseFeature,
    options: CreateOnce | { dryRun: true },
  ): Promise<TaskView | FeatureEstimate> {
    if (options.dryRun) return estimateFeature(ctx, principal, loose);
    const view = options.intent
      ? await repeats(principal, options.intent, (pending) => submitFeature(ctx, principal, loose, pending))
      : await submitFeature(ctx, principal, loose);
    return withPlace(principal, view);
  }

  return {
    createVideo,
    createFeature,
    listResources({ accountId }, kind, { page, pageSize }) {
      const at = ctx.clock.now();
      return ctx.store.pageResources({ accountId, kind, at, offset: (page - 1) * pageSize, limit: pageSize });
    },
    findResource: (principal, kind, id) => findResource(ctx, principal, kind, id),
    deleteResource: (principal, kind, id) => deleteResource(ctx, principal, kind, id),
    listPresets: (_principal, family, kind, query) => listPresets(ctx, family, kind, query),
    async wallet({ accountId }) {
      const [wallet, toppedUpMicros] = await Promise.all([
        ctx.store.getWallet(accountId),
        ctx.store.toppedUp(accountId),
      ]);
      return { ...wallet, toppedUpMicros, currency: ctx.priceBook.currency };
    },
    async createFile(principal, input, intent) {
      if (!hasKey(intent)) return createFile(ctx, principal, input, null);
      return once<FileRow & { replayed?: true }>(principal.accountId, intent, {
        create: (pending) => createFile(ctx, principal, input, pending),
        replay: async (used) => replayFile(used),
      });
    },
    findFile: (principal, id) => findFile(ctx, principal, id),
    async listFiles({ accountId }, query) {
      const at = ctx.clock.now();
      const files = await ctx.store.listFiles({ accountId, at, ...query, limit: query.limit + 1 });
      return { files: files.slice(0, query.limit), hasMore: files.length > query.limit };
    },
    deleteFile: (principal, id) => deleteFile(ctx, principal, id),
    fileContent: (principal, id) => readFile(ctx, principal, id),
    findModel: ({ limits }, name) =>
      mayUseModel(limits, namesOf(ctx, name)) ? modelDetail(ctx, name) : null,
    async findTask(principal, idOrExternalId) {
      return withPlace(principal, viewOf(ctx, await owned(principal, idOrExternalId)));
    },
    async listTasks(principal: Principal, query: TaskQuery) {
      const tasks = await ctx.store.listTasks({
        accountId: principal.accountId,
        order: query.order,
        limit: query.limit + 1,
        ...(query.surface !== undefined && { surface: query.surface }),
        ...(query.after !== undefined && { after: query.after }),
      });
      return {
        tasks: await Promise.all(
          tasks.slice(0, query.limit).map((task) => withPlace(principal, viewOf(ctx, task))),
        ),
        hasMore: tasks.length > query.limit,
      };
    },
    async searchTasks(principal: Principal, search: TaskSearch) {
      const page = await ctx.store.searchTasks({ accountId: principal.accountId, ...search });
      const views = page.rows.map((task) => withPlace(principal, viewOf(ctx, task)));
      return { tasks: await Promise.all(views), cursor: page.nextCursor };
    },
    async pageTasks(principal, { surface, page, pageSize }) {
      const tasks = await ctx.store.pageTasks({
        accountId: principal.accountId,
        surface,
        offset: (page - 1) * pageSize,
        limit: pageSize,
      });
      return tasks.map((task) => viewOf(ctx, task));
    },
    async deleteTask(principal, idOrExternalId) {
      await removeTask(ctx, await owned(principal, idOrExternalId));
    },
    async content(principal: Principal, taskId: string, variant: Variant): Promise<Content> {
      return readContent(ctx, await owned(principal, taskId), variant);
    },
    webhooks: createWebhooks(ctx, (accountId) => accountId),
    listModels(): ModelSpec[] {
      return ctx.catalogue.models;
    },
    listModelCards({ limits }): ModelCard[] {
      const cards = ctx.catalogue.modelCards;
      if (limits === undefined) return cards;
      return cards.filter(({ id }) => mayUseModel(limits, namesOf(ctx, id)));
    },
  };
}

/** By which a list of models may allow what goes by this name: itself, and the models it may settle on. */
function namesOf(ctx: FlowContext, name: string): string[] {
  const entry = ctx.catalogue.find(name);
  return entry === null ? [name] : [name, entry.model.id, ...(entry.alias?.models ?? [])];
}
