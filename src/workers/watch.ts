/**
 * The running attempts of one channel: polls those that are due, many at once where the upstream can list. The next
 * poll follows from an attempt's age, so an unchanged answer writes nothing.
 */
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Exchange, Json, Observation, TaskMaker } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import { pollDelayMs } from '../core/task.ts';
import { advanceTask, type Running } from '../flows/advance-task.ts';
import type { FlowContext } from '../flows/context.ts';
import { Loop } from '../lib/loop.ts';
import { MinHeap } from '../lib/min-heap.ts';
import { SetBack } from '../lib/set-back.ts';

/** Most refs in one poll round (Kling lists 500 a page, so a few pages tell of all). */
const POLL_BATCH_MAX = 2_000;
/** Single polls under way at once where the upstream cannot list. */
const POLLS_AT_ONCE = 8;
const POLL_TIMEOUT_MS = 30_000;
/** Between two rounds: what falls due meanwhile shares the next one's pages. */
const ROUND_GAP_MS = 500;
/** A round is followed by a rest in proportion, so that a slow upstream is not asked without pause. */
const REST_FACTOR = 4;
const REST_MAX_MS = 5_000;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

interface Polled extends Running {
  /** The part of the provider that makes it, and reads its ref. */
  maker: TaskMaker<TaskRequest>;
  ref: Json;
  acceptedAt: number;
  deadlineAt: number;
  jitter: number;
  /** Polls in a row that broke. */
  failures: number;
  /** Grows with every new appointment: an older place in the heap is void. */
  version: number;
}

/** A place in the schedule. */
interface Due {
  polled: Polled;
  at: number;
  version: number;
}

export interface WatchOptions {
  ctx: FlowContext;
  /** The channel as it is configured now. */
  row: () => ChannelRow;
  /** How many times faster than real time the upstream works. */
  speed: number;
  onError: (error: unknown, where: string) => void;
  /** An attempt is over and its place is free. */
  onEnded: () => void;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #running = new Map<string, Polled>();
  readonly #due = new MinHeap<Due>((entry) => entry.at);
  readonly #setBack = new SetBack();
  readonly #loop: Loop;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#loop = new Loop({
      clock: options.ctx.clock,
      step: () => this.#step(),
      onError: (error) => options.onError(error, 'poll'),
    });
  }

  /** Attempts that are watched. */
  get size(): number {
    return this.#running.size;
  }

  /** Polls this attempt from now on. */
  add(accepted: Omit<Polled, 'jitter' | 'failures' | 'version'>): void {
    const polled: Polled = { ...accepted, jitter: this.#options.ctx.random(), failures: 0, version: 0 };
    this.#running.set(polled.taskId, polled);
    this.#schedule(polled, this.#nextPollAt(polled));
    this.#loop.wake();
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    const polled = this.#running.get(taskId);
    if (polled === undefined) return;
    this.#schedule(polled, this.#options.ctx.clock.now());
    this.#loop.wake();
  }

  /** Waits for polls in hand; none begins after. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #schedule(polled: Polled, at: number): void {
    polled.version++;
    this.#due.push({ polled, at, version: polled.version });
  }

  #nextPollAt(polled: Polled): number {
    const { ctx, speed } = this.#options;
    const now = ctx.clock.now();
    const backoffMs =
      polled.failures === 0
        ? 0
        : Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(polled.failures - 1, 10)) / speed;
    return now + backoffMs + pollDelayMs(now - polled.acceptedAt, polled.jitter, speed);
  }

  #isCurrent({ polled, version }: Due): boolean {
    return version === polled.version && this.#running.get(polled.taskId) === polled;
  }

  async #step(): Promise<number> {
    const due = this.#takeDue();
    const { clock } = this.#options.ctx;
    const startedAt = clock.now();
    try {
      await this.#poll(due.map(({ polled }) => polled));
    } finally {
      for (const entry of due) {
        // A push that came meanwhile has made its own appointment: this answer may have been older.
        if (this.#isCurrent(entry)) this.#schedule(entry.polled, this.#nextPollAt(entry.polled));
      }
    }
    const next = this.#due.peek()?.at ?? Infinity;
    if (due.length === 0) return next;
    const now = clock.now();
    const restMs = Math.min(REST_MAX_MS, Math.max(ROUND_GAP_MS, REST_FACTOR * (now - startedAt)));
    return Math.max(next, now + restMs / this.#options.speed);
  }

  #takeDue(): Due[] {
    const now = this.#options.ctx.clock.now();
    this.#appointAnew(this.#setBack.take(now));
    const due: Due[] = [];
    for (;;) {
      const entry = this.#due.peek();
      if (entry === undefined || entry.at > now || due.length >= POLL_BATCH_MAX) return due;
      this.#due.pop();
      if (this.#isCurrent(entry)) due.push(entry);
    }
  }

  /** After the clock was put back, polls would wait until it is again as late as it was. */
  #appointAnew(byMs: number): void {
    if (byMs === 0) return;
    for (const polled of this.#running.values()) {
      polled.acceptedAt -= byMs;
      this.#schedule(polled, this.#nextPollAt(polled));
    }
  }

  async #poll(due: Polled[]): Promise<void> {
    const now = this.#options.ctx.clock.now();
    for (const polled of due) if (polled.deadlineAt <= now) await this.#forgetIfOver(polled);
    const open = due.filter((polled) => this.#running.has(polled.taskId));
    const single: Polled[] = [];
    const together: Promise<void>[] = [];
    for (const [maker, polled] of Map.groupBy(open, ({ maker }) => maker)) {
      if (maker.pollMany === undefined || polled.length === 1) single.push(...polled);
      else together.push(this.#pollTogether(maker, polled));
    }
    await Promise.all([...together, this.#pollSingly(single)]);
  }

  /** The deadline may have ended the task behind our back; its upstream may never say anything any more. */
  async #forgetIfOver(polled: Polled): Promise<void> {
    const open = await this.#options.ctx.store.getAttempt(polled.attemptId);
    if (open === null || open.attempt.endedAt !== null) this.#forget(polled);
  }

  async #pollTogether(maker: Polled['maker'], due: Polled[]): Promise<void> {
    let observations: (Observation | null)[];
    try {
      // One answer speaks of many tasks, possibly of several accounts: it is not kept with any of them.
      const channel = this.#options.ctx.channels.open(this.#options.row(), null);
      const refs = due.map((polled) => polled.ref);
      observations = await maker.pollMany!(refs, channel, AbortSignal.timeout(POLL_TIMEOUT_MS));
    } catch (error) {
      for (const polled of due) polled.failures++;
      this.#noNews(error);
      return;
    }
    await Promise.all(due.map((polled, index) => this.#observe(polled, observations[index] ?? null, [])));
  }

  async #pollSingly(due: Polled[]): Promise<void> {
    const queue = due.values();
    const worker = async (): Promise<void> => {
      for (const polled of queue) await this.#pollOne(polled);
    };
    await Promise.all(Array.from({ length: Math.min(POLLS_AT_ONCE, due.length) }, worker));
  }

  async #pollOne(polled: Polled): Promise<void> {
    const exchanges: Exchange[] = [];
    let observation: Observation;
    try {
      const channel = this.#options.ctx.channels.open(this.#options.row(), (exchange) =>
        exchanges.push(exchange),
      );
      observation = await polled.maker.poll(polled.ref, channel, AbortSignal.timeout(POLL_TIMEOUT_MS));
    } catch (error) {
      polled.failures++;
      this.#noNews(error);
      return;
    }
    await this.#observe(polled, observation, exchanges.slice(-1));
  }

  /** Never rejects: what could not be recorded is observed again. */
  async #observe(polled: Polled, observation: Observation | null, exchanges: Exchange[]): Promise<void> {
    polled.failures = 0;
    if (observation === null) return;
    try {
      const outcome = await advanceTask(this.#options.ctx, polled, observation, exchanges);
      if (outcome === 'ended') this.#forget(polled);
    } catch (error) {
      polled.failures++;
      this.#options.onError(error, 'poll');
    }
  }

  #forget(polled: Polled): void {
    this.#running.delete(polled.taskId);
    this.#options.onEnded();
  }

  /** A poll that failed is no news of the task; what is not the upstream's doing is reported. */
  #noNews(error: unknown): void {
    if (!(error instanceof UpstreamError) && !isAbort(error)) this.#options.onError(error, 'poll');
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
