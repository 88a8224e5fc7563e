/**
 * An upstream that does as it is told: it accepts, breaks off, refuses, hangs and lies, and keeps count of everything
 * it was asked. Its dedup handle is the client reference, as at the real ones.
 */
import { UpstreamError } from '../../src/core/errors.ts';
import type { Channel, Clock, Json, Observation, Provider, TaskMaker, Weight } from '../../src/core/ports.ts';
import {
  isFeature,
  type FeatureRequest,
  type ResourceKind,
  type TaskRequest,
} from '../../src/core/request/feature.ts';
import type { Media, VideoRequest } from '../../src/core/request/types.ts';
import { featureModel } from '../../src/families/kling/features/fields.ts';

export type SubmitAnswer =
  | 'accept'
  /** It has the task, and we get no answer. */
  | 'accept-then-reset'
  /** It has nothing, and we get no answer. */
  | 'reset'
  /** It has the task; the answer comes when `release()` is called. */
  | 'slow'
  /** Asked about the handle first: known, although this is the first we hear of it. */
  | 'duplicate'
  | { refuse: 'busy' | 'channel' | 'rejected' | 'content_policy' | 'unavailable'; retryAfterMs?: number };

export interface SubmitCall {
  at: number;
  taskId: string;
  prompt: string;
  channelId: string;
  request: TaskRequest;
}

export interface FakeUpstreamOptions {
  id: string;
  clock: Clock;
  /** False: there is no way to ask whether a submit arrived. */
  hasLookup?: boolean;
  /** True: polls come as lists. */
  hasLists?: boolean;
}

export class FakeUpstream {
  readonly submits: SubmitCall[] = [];
  readonly lookups: { at: number; taskId: string }[] = [];
  readonly polls: { at: number; taskId: string }[] = [];
  /** What it has accepted, by dedup handle, with what a poll will say. */
  readonly tasks = new Map<string, Observation>();
  /** Decides about every submit. */
  answer: (call: SubmitCall) => SubmitAnswer = () => 'accept';
  /** Polls and look-ups break while set. */
  isOut = false;
  /** What it says of a task it has just accepted. */
  firstNews: Observation = { status: 'submitted' };
  /** What it answers at once to those who expect that. */
  finding: (call: SubmitCall) => Observation = () => ({
    status: 'succeeded',
    outputs: [],
    cost: null,
    data: {},
  });
  /** What was deleted here. */
  readonly removed: { kind: ResourceKind; upstreamId: string; channelId: string }[] = [];
  /** Whether it can make a request, by prompt. */
  missing: (prompt: string) => string | null = () => null;
  /** What a task counts here. */
  weigh: (request: TaskRequest) => Weight = () => ({ pool: '', units: 1 });
  /** What a probe is told. */
  probe = { ok: true, message: 'It works.' };
  /** When it was probed. */
  readonly probes: number[] = [];
  readonly provider: Provider;
  readonly #clock: Clock;
  #released: (() => void)[] = [];
  running = 0;
  runningMost = 0;

  constructor(options: FakeUpstreamOptions) {
    this.#clock = options.clock;
    this.provider = this.#describe(options);
  }

  /** Lets all slow submits be answered. */
  release(): void {
    for (const resolve of this.#released.splice(0)) resolve();
  }

  /** What polls say of the task from now on. */
  set(taskId: string, news: Observation): void {
    this.tasks.set(taskId, news);
  }

  submitsOf(taskId: string): number {
    return this.submits.filter((call) => call.taskId === taskId).length;
  }

  pollsOf(taskId: string): number {
    return this.polls.filter((call) => call.taskId === taskId).length;
  }

  #describe({ id, hasLookup = true, hasLists = false }: FakeUpstreamOptions): Provider {
    const maker: TaskMaker<TaskRequest> = {
      missing: (request) => this.missing(request.prompt),
      weigh: (request) => this.weigh(request),
      submit: async (request, taskId, channel) => this.#submit(request, taskId, channel),
      poll: async (ref) => this.#poll(idOf(ref)),
    };
    if (hasLists) maker.pollMany = async (refs) => this.#list(refs.map(idOf));
    if (hasLookup) {
      maker.lookup = async (_request, taskId) => {
        this.lookups.push({ at: this.#clock.now(), taskId });
        this.#mustBeUp();
        return this.tasks.has(taskId) ? { ref: { id: taskId } } : null;
      };
    }
    return {
      id,
      title: id,
      baseUrlDefault: 'http://upstream.invalid',
      credentials: {},
      parseCredential: (value) => value as Json,
      sandboxCredential: {},
      serves: ['kling-v1-6', 'kling-v2-1', 'kling-v2-6', 'kling-v3-omni', featureModel],
      probe: async () => {
        this.probes.push(this.#clock.now());
        return this.probe;
      },
      video: maker as TaskMaker<VideoRequest>,
      feature: maker as TaskMaker<FeatureRequest>,
      resources: {
        presets: async (kind) => [{ [`${kind}_id`]: `preset-of-${id}` }],
        remove: async (kind, upstreamId, channel) => {
          this.#mustBeUp();
          this.removed.push({ kind, upstreamId, channelId: channel.id });
        },
      },
    };
  }

  async #submit(
    request: TaskRequest,
    taskId: string,
    channel: Channel,
  ): Promise<{ ref: Json; observation?: Observation }> {
    for (const media of mediaOf(request)) if (media.kind === 'stored') await channel.readMedia(media);
    const call = { at: this.#clock.now(), taskId, prompt: request.prompt, channelId: channel.id, request };
    this.submits.push(call);
    const answer = this.answer(call);
    if (typeof answer === 'object') {
      throw new UpstreamError(answer.refuse, `The upstream refuses: ${answer.refuse}.`, {
        upstreamCode: '1303',
        ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
      });
    }
    if (answer === 'reset') throw new UpstreamError('ambiguous', 'The connection broke.');
    if (isFeature(request) && request.immediate) {
      if (answer === 'accept-then-reset') throw new UpstreamError('ambiguous', 'The connection broke.');
      if (answer === 'slow') await new Promise<void>((resolve) => this.#released.push(resolve));
      return { ref: { id: taskId }, observation: this.finding(call) };
    }
    if (answer === 'duplicate') {
      this.#take(taskId);
      throw new UpstreamError('duplicate', 'The handle is taken.');
    }
    if (this.tasks.has(taskId)) throw new UpstreamError('duplicate', 'The handle is taken.');
    this.#take(taskId);
    if (answer === 'accept-then-reset') throw new UpstreamError('ambiguous', 'The connection broke.');
    if (answer === 'slow') await new Promise<void>((resolve) => this.#released.push(resolve));
    return { ref: { id: taskId } };
  }

  #take(taskId: string): void {
    this.tasks.set(taskId, this.firstNews);
    this.running++;
    this.runningMost = Math.max(this.runningMost, this.running);
  }

  #poll(taskId: string): Observation {
    this.polls.push({ at: this.#clock.now(), taskId });
    this.#mustBeUp();
    const news = this.tasks.get(taskId) ?? { status: 'unknown' };
    if (news.status === 'succeeded' || news.status === 'failed') this.running--;
    return news;
  }

  #list(taskIds: string[]): (Observation | null)[] {
    const at = this.#clock.now();
    this.polls.push(...taskIds.map((taskId) => ({ at, taskId })));
    this.#mustBeUp();
    return taskIds.map((taskId) => this.tasks.get(taskId) ?? null);
  }

  #mustBeUp(): void {
    if (this.isOut) throw new UpstreamError('ambiguous', 'The upstream broke off without an answer.');
  }
}

function idOf(ref: Json): string {
  return (ref as { id: string }).id;
}

/** Those places that stories fill. */
function mediaOf(request: TaskRequest): Media[] {
  if (isFeature(request)) return request.media.map(({ media }) => media);
  const { firstFrame, lastFrame, references, referenceVideo, audio } = request;
  return [firstFrame, lastFrame, ...references, referenceVideo?.media ?? null, audio].filter(
    (media) => media !== null,
  );
}
