/** A gateway in memory for the tests of dialects: keeps what it was asked for, and its tasks move only when told. */
import { Readable } from 'node:stream';
import { GatewayError, type ErrorCode, type Warning } from '../../core/errors.ts';
import type { Content, Estimate, Gateway, ModelCard, Principal, Quote, TaskView } from '../../core/ports.ts';
import type { Claim, LooseVideo, VideoRequest } from '../../core/request/types.ts';
import type { Task } from '../../core/task.ts';

export const testPrincipal: Principal = { accountId: 'acct_1', keyId: 'key_1', responseStyle: 'superset' };
export const strictPrincipal: Principal = { ...testPrincipal, keyId: 'key_2', responseStyle: 'strict' };

/** 2026-06-08T04:05:41Z. Long past, so that the progress of a running task stands still at 99. */
const createdAt = 1_780_891_541_000;
const linkExpiresAt = 1_780_977_941;

export interface FakeGateway extends Gateway {
  /** Every loose input of a create, dry runs included. */
  asked: LooseVideo[];
  /** All tasks, oldest first. */
  tasks: Task[];
  /** The bytes every finished task has. */
  film: Buffer;
  /** Every verb refuses with this until it is null again. */
  refusal: GatewayError | null;
  /** Warnings of whatever is asked for next. */
  warnings: Warning[];
  modelCards: ModelCard[];
  /** Puts a task of the account into the given state, as the engine would. */
  seed(state: Task['state'], changes?: Partial<Task>): Task;
  refuse(code: ErrorCode, message: string, options?: { param?: string; retryAfterMs?: number }): void;
}

export function createFakeGateway(): FakeGateway {
  const gateway: FakeGateway = {
    asked: [],
    tasks: [],
    film: Buffer.from('0123456789abcdefghij'),
    refusal: null,
    warnings: [],
    modelCards: [
      { id: 'kling-2.5', ownedBy: 'kling' },
      { id: 'kling-v1-6', ownedBy: 'kling' },
    ],
    seed(state, changes = {}) {
      const task = { ...taskIn(state, gateway.tasks.length + 1), ...changes };
      gateway.tasks.push(task);
      return task;
    },
    refuse(code, message, options = {}) {
      gateway.refusal = new GatewayError(code, message, options);
    },
    createVideo: createVideo as Gateway['createVideo'],
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

  return gateway;
}

function textOf(claims: Claim[]): string | null {
  const value = claims[0]?.value;
  return value === undefined || value === null ? null : String(value);
}

function viewOf(task: Task): TaskView {
  if (task.state !== 'completed') return { task, links: null };
  const link = (file: string) => `https://gateway.test/content/${task.id}/${file}?signature=1`;
  const hasWatermark = task.request.watermark;
  return {
    task,
    links: {
      video: link('video.mp4'),
      cover: link('cover'),
      watermarked: hasWatermark ? link('watermarked.mp4') : null,
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

function taskIn(state: Task['state'], number: number): Task {
  const request = requestOf('kling-2.5');
  const hasStarted = state !== 'queued' && state !== 'cancelled';
  const endedAt =
    state === 'completed' || state === 'failed' || state === 'cancelled' ? createdAt + 59_000 : null;
  return {
    id: `task_${String(number).padStart(32, '0')}`,
    accountId: testPrincipal.accountId,
    keyId: testPrincipal.keyId,
    state,
    surface: 'openai.videos',
    requestedModel: 'kling-2.5',
    model: 'kling-v2-5-turbo',
    tier: 'kling-2.5-720p-mute',
    request,
    quote,
    warnings: [],
    externalTaskId: null,
    callbackUrl: null,
    channelId: 'channel_1',
    createdAt,
    startedAt: hasStarted ? createdAt + 3_000 : null,
    endedAt,
    updatedAt: endedAt ?? createdAt + (hasStarted ? 3_000 : 0),
    deadlineAt: createdAt + 86_400_000,
    mediaExpiresAt: null,
    error: state === 'failed' ? { code: 'task_failed', message: 'The reference cannot be reached.' } : null,
    result:
      state === 'completed'
        ? { outputs: [], width: 1280, height: 720, durationSeconds: 5.041, hasSound: false }
        : null,
    chargeMicros: state === 'completed' ? quote.amountMicros : null,
    metadata: {},
  };
}

const quote: Quote = {
  tier: 'kling-2.5-720p-mute',
  unit: 'second',
  quantity: 5,
  quantityMax: 5,
  unitPriceMicros: 28_000n,
  amountMicros: 140_000n,
  currency: 'USD',
  priceBook: 'default',
};

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
    },
    balanceAfterMicros: 9_999_860_000n,
    warnings,
  };
}

function requestOf(requestedModel: string): VideoRequest {
  return {
    family: 'kling',
    operation: 'text-to-video',
    model: 'kling-v2-5-turbo',
    requestedModel,
    prompt: 'a cat with a ball of yarn',
    negativePrompt: null,
    seconds: 5,
    resolution: '720P',
    quality: 'std',
    aspectRatio: '16:9',
    sound: false,
    firstFrame: null,
    lastFrame: null,
    references: [],
    referenceVideo: null,
    cfgScale: null,
    cameraControl: null,
    staticMask: null,
    dynamicMasks: [],
    multiShot: null,
    voiceIds: [],
    elementIds: [],
    motion: null,
    audio: null,
    watermark: false,
    retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
    compliance: {},
    extensions: {},
  };
}
