/** A gateway in memory for the tests of dialects: keeps what it was asked for, and its tasks move only when told. */
import { Readable } from 'node:stream';
import { GatewayError, type ErrorCode, type Warning } from '../../core/errors.ts';
import type {
  Content,
  Estimate,
  FeatureEstimate,
  Gateway,
  Json,
  ModelCard,
  ModelDetail,
  Principal,
  ResourceRow,
  TaskView,
} from '../../core/ports.ts';
import { isFeature, type FeatureMakes, type LooseFeature } from '../../core/request/feature.ts';
import type { Claim, LooseVideo, VideoRequest } from '../../core/request/types.ts';
import type { Task, TaskResult } from '../../core/task.ts';
import { createFakeFiles, type FakeFiles } from './fake-files.ts';
import { createFakeWebhooks } from './fake-webhooks.ts';
import { featureTask, quote, requestOf, taskIn } from './fake-task.ts';

export { strictPrincipal, testPrincipal } from './fake-task.ts';

const linkExpiresAt = 1_780_977_941;

export interface FakeGateway extends Gateway, FakeFiles {
  /** Every loose input of a create, dry runs included. */
  asked: LooseVideo[];
  askedFeatures: LooseFeature[];
  /** All tasks, oldest first. */
  tasks: Task[];
  /** The bytes every finished task has. */
  film: Buffer;
  /** Every verb refuses with this until it is null again. */
  refusal: GatewayError | null;
  /** Warnings of whatever is asked for next. */
  warnings: Warning[];
  modelCards: ModelCard[];
  models: ModelDetail[];
  /** What the next feature makes; with an answer it is immediate. */
  nextFeature: { makes: FeatureMakes; answer?: TaskResult };
  resources: ResourceRow[];
  presets: Json[];
  /** Puts a task of the account into the given state, as the engine would. */
  seed(state: Task['state'], changes?: Partial<Task>): Task;
  refuse(code: ErrorCode, message: string, options?: { param?: string; retryAfterMs?: number }): void;
}

export function createFakeGateway(): FakeGateway {
  const gateway: FakeGateway = {
    ...createFakeFiles(check),
    asked: [],
    askedFeatures: [],
    tasks: [],
    film: Buffer.from('0123456789abcdefghij'),
    refusal: null,
    warnings: [],
    modelCards: [
      { id: 'kling-2.5', ownedBy: 'kling' },
      { id: 'kling-v1-6', ownedBy: 'kling' },
    ],
    models: [],
    nextFeature: { makes: 'video' },
    resources: [],
    presets: [],
    seed(state, changes = {}) {
      const task = { ...taskIn(state, gateway.tasks.length + 1), ...changes };
      gateway.tasks.push(task);
      return task;
    },
    refuse(code, message, options = {}) {
      gateway.refusal = new GatewayError(code, message, options);
    },
    createVideo: createVideo as Gateway['createVideo'],
    createFeature: createFeature as Gateway['createFeature'],
    async findTask(principal, id) {
      check();
      return viewOf(find(principal, id));
    },
    async listTasks(principal, query) {
      check();
      const mine = tasksOf(principal).filter((task) => (query.surface ?? task.surface) === task.surface);
      if (query.order === 'desc') mine.reverse();
      const start = query.after === undefined ? 0 : mine.findIndex((task) => task.id === query.after) + 1;
      const page = mine.slice(start, start + query.limit);
      return { tasks: page.map(viewOf), hasMore: start + page.length < mine.length };
    },
    async searchTasks(principal, { states, createdFrom, createdTo, cursor, limit }) {
      check();
      const found = tasksOf(principal)
        .filter(({ createdAt }) => createdAt >= createdFrom && createdAt <= createdTo)
        .filter(({ id, state }) => (cursor === null || id < cursor) && (states?.includes(state) ?? true))
        .reverse();
      const page = found.slice(0, limit);
      return { tasks: page.map(viewOf), cursor: found.length > limit ? page.at(-1)!.id : null };
    },
    async pageTasks(principal, query) {
      check();
      const mine = tasksOf(principal)
        .filter((task) => task.surface === query.surface)
        .reverse();
      return mine.slice((query.page - 1) * query.pageSize, query.page * query.pageSize).map(viewOf);
    },
    async deleteTask(principal, id) {
      check();
      const task = find(principal, id);
      if (task.state === 'in_progress') throw new GatewayError('task_running', `${task.id} is running.`);
      gateway.tasks.splice(gateway.tasks.indexOf(task), 1);
    },
    async content(principal, id, variant) {
      check();
      const task = find(principal, id);
      if (task.state !== 'completed') {
        throw new GatewayError('task_not_completed', `${task.id} is ${task.state}.`);
      }
      if (variant !== 'video') {
        throw new GatewayError('variant_not_available', `${task.id} has no ${variant}.`, {
          param: 'variant',
        });
      }
      return contentOf(task, gateway.film);
    },
    async listResources(principal, kind, { page, pageSize }) {
      check();
      const mine = gateway.resources.filter(
        (row) => row.accountId === principal.accountId && row.kind === kind,
      );
      return mine.reverse().slice((page - 1) * pageSize, page * pageSize);
    },
    async findResource(principal, kind, id) {
      check();
      return resource(principal, kind, id);
    },
    async deleteResource(principal, kind, id) {
      check();
      const row = resource(principal, kind, id);
      gateway.resources.splice(gateway.resources.indexOf(row), 1);
      return row;
    },
    async listPresets(_principal, _family, _kind, { page, pageSize }) {
      check();
      return gateway.presets.slice((page - 1) * pageSize, page * pageSize);
    },
    async wallet(principal) {
      check();
      return {
        accountId: principal.accountId,
        availableMicros: 9_999_720_000n,
        heldMicros: 140_000n,
        toppedUpMicros: 10_000_000_000n,
        currency: 'USD',
      };
    },
    webhooks: createFakeWebhooks(check),
    findModel: (_principal, name) =>
      gateway.models.find((model) => model.card.id.toLowerCase() === name.toLowerCase()) ?? null,
    listModels: () => [],
    listModelCards: () => gateway.modelCards,
  };

  function check(): void {
    if (gateway.refusal !== null) throw gateway.refusal;
  }

  function tasksOf(principal: Principal): Task[] {
    return gateway.tasks.filter((task) => task.accountId === principal.accountId);
  }

  function find(principal: Principal, id: string): Task {
    const task = tasksOf(principal).find((each) => each.id === id || each.externalTaskId === id);
    if (task !== undefined) return task;
    throw new GatewayError('task_not_found', 'There is no task of this id.');
  }

  function resource(principal: Principal, kind: string, id: string): ResourceRow {
    const row = gateway.resources.find(
      (each) => each.accountId === principal.accountId && each.kind === kind && each.id === id,
    );
    if (row !== undefined) return row;
    throw new GatewayError('not_found', `There is no ${kind} ${id} in this account.`);
  }

  async function createVideo(
    principal: Principal,
    loose: LooseVideo,
    options: { dryRun: boolean },
  ): Promise<TaskView | Estimate> {
    check();
    gateway.asked.push(loose);
    const requestedModel = textOf(loose.model) ?? loose.surface.model;
    if (requestedModel === null) {
      throw new GatewayError('missing_required_parameter', 'model is required.', { param: 'model' });
    }
    const request = { ...requestOf(requestedModel), prompt: textOf(loose.prompt) ?? '' };
    if (options.dryRun) return estimateOf(request, gateway.warnings);
    const task = gateway.seed('queued', {
      accountId: principal.accountId,
      surface: loose.surface.surface,
      requestedModel,
      request,
      warnings: gateway.warnings,
      externalTaskId: textOf(loose.externalTaskId),
    });
    return viewOf(task);
  }

  async function createFeature(
    principal: Principal,
    loose: LooseFeature,
    options: { dryRun: boolean },
  ): Promise<TaskView | FeatureEstimate> {
    check();
    gateway.askedFeatures.push(loose);
    const { makes, answer } = gateway.nextFeature;
    const asked = featureTask(loose.operation, makes, {
      immediate: answer !== undefined,
      ...(loose.model === null ? {} : { requestedModel: loose.model }),
    });
    const { warnings } = gateway;
    if (options.dryRun) return featureEstimateOf(asked, warnings);
    const task = gateway.seed(answer === undefined ? 'queued' : 'completed', {
      ...asked,
      accountId: principal.accountId,
      surface: loose.surface,
      warnings,
      externalTaskId: typeof loose.externalTaskId === 'string' ? loose.externalTaskId : null,
      result: answer ?? null,
    });
    return viewOf(task);
  }

  return gateway;
}

function textOf(claims: readonly Claim[]): string | null {
  const value = claims[0]?.value;
  return value === undefined || value === null ? null : String(value);
}

function viewOf(task: Task): TaskView {
  if (task.state !== 'completed') return { task, links: null };
  const link = (file: string) => `https://gateway.test/content/${task.id}/${file}?signature=1`;
  return {
    task,
    links: {
      video: link('video.mp4'),
      cover: isFeature(task.request) ? null : link('cover'),
      watermarked: task.request.watermark ? link('watermarked.mp4') : null,
      outputs: (task.result?.outputs ?? []).map(({ key }) => link(key.slice(key.lastIndexOf('/') + 1))),
      expiresAt: linkExpiresAt,
    },
  };
}

function contentOf(task: Task, film: Buffer): Content {
  return {
    bytes: film.length,
    contentType: 'video/mp4',
    etag: '"film"',
    modifiedAt: task.endedAt ?? task.updatedAt,
    filename: `${task.id}.mp4`,
    open: async (range) =>
      Readable.from([film.subarray(range?.start ?? 0, range === undefined ? film.length : range.end + 1)]),
  };
}

function estimateOf(request: VideoRequest, warnings: Warning[]): Estimate {
  return {
    quote,
    resolved: {
      request,
      sources: { seconds: 'default', aspectRatio: 'default', prompt: 'prompt' },
      warnings,
      externalTaskId: null,
      callbackUrl: null,
      maxCostMicros: null,
      priority: 0,
    },
    balanceAfterMicros: 9_999_860_000n,
    warnings,
  };
}

function featureEstimateOf(
  { request, tier }: ReturnType<typeof featureTask>,
  warnings: Warning[],
): FeatureEstimate {
  return {
    quote: { ...quote, tier, unit: 'call', quantity: 1, quantityMax: 1 },
    resolved: { request, tier, quantity: 1, quantityMax: 1, sources: { model: 'default' }, warnings },
    balanceAfterMicros: 9_999_860_000n,
    warnings,
  };
}
