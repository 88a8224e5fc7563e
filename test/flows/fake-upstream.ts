/**
 * An upstream that does as it is told: it accepts, breaks off, refuses, hangs and lies, and keeps count of everything
 * it was asked. Its dedup handle is the client reference, as at the real ones.
 */
import { UpstreamError } from '../../src/core/errors.ts';
import type { Clock, Json, Observation, Provider, TaskMaker } from '../../src/core/ports.ts';
import type { VideoRequest } from '../../src/core/request/types.ts';

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
  /** Whether it can make a request, by prompt. */
  missing: (prompt: string) => string | null = () => null;
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
    const video: TaskMaker<VideoRequest> = {
      missing: (request) => this.missing(request.prompt),
      submit: async (request, taskId, channel) => this.#submit(request, taskId, channel.id),
      poll: async (ref) => this.#poll(idOf(ref)),
    };
    if (hasLists) video.pollMany = async (refs) => this.#list(refs.map(idOf));
    if (hasLookup) {
      video.lookup = async (_request, taskId) => {
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
      serves: ['kling-v1-6'],
      probe: async () => ({ ok: true, message: '' }),
      video,
    };
  }

  async #submit(request: VideoRequest, taskId: string, channelId: string): Promise<{ ref: Json }> {
    const call = { at: this.#clock.now(), taskId, prompt: request.prompt, channelId };
    this.submits.push(call);
    const answer = this.answer(call);
    if (typeof answer === 'object') {
      throw new UpstreamError(answer.refuse, `The upstream refuses: ${answer.refuse}.`, {
        upstreamCode: '1303',
        ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
      });
    }
    if (answer === 'reset') throw new UpstreamError('ambiguous', 'The connection broke.');
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
