/**
 * The running attempts of one channel: polls those that are due, many at once where the upstream can list. The next
 * poll follows from an attempt's age, so an unchanged answer writes nothing.
 */
import { UpstreamError } from '../core/errors.ts';
import { setImmediate as turn } from 'node:timers/promises';
import type { ChannelRow, Exchange, Observation, TaskMaker, Weight } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import { pollDelayMs } from '../core/task.ts';
import { advanceTask } from '../flows/advance-task.ts';
import type { FlowContext } from '../flows/context.ts';
import { listExchange } from '../flows/list-exchange.ts';
import { makerOf } from '../flows/maker.ts';
import { Loop } from '../lib/loop.ts';
import { SetBack } from '../lib/set-back.ts';
import type { Accepted } from './accepted.ts';
import { PollTable, type Watched } from './poll-table.ts';

/** Most refs in one poll round. */
const POLL_BATCH_MAX = 2_000;
/**
 * With so many due, a list is read page after page, down to the oldest of them, and a second round over the same pages
 * would cost as much as the first: everything that is due, or soon will be, is asked about in one.
 */
const CROWD = 500;
const CROWD_BATCH_MAX = 100_000;
const CROWD_AHEAD_MS = 3_000;
/** Attempts handled at once; then others have a turn. */
const STEP = 500;
/** Single polls under way at once where the upstream cannot list. */
const POLLS_AT_ONCE = 8;
const POLL_TIMEOUT_MS = 30_000;
/** A page of some hundreds of tasks may take a second. */
const POLL_TIMEOUT_PER_REF_MS = 2;
/** Spreads the first polls of what was taken up: a dead node's tasks are looked at as soon as its lane is ours. */
const TAKEN_UP_WITHIN_MS = 1_000;
/** Between two rounds: what falls due meanwhile shares the next one's pages. */
const ROUND_GAP_MS = 500;
/** A round is followed by a rest in proportion, so that a slow upstream is not asked without pause. */
const REST_FACTOR = 4;
const REST_MAX_MS = 5_000;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

type Maker = TaskMaker<TaskRequest>;

/** What many attempts have in common. */
interface Kind extends Weight {
  /** The part of the provider that makes it, and reads its ref. */
  maker: Maker;
}

/** What has ended, and how long it kept its place. */
export interface Ended extends Weight {
  keptMs: number;
  /** The upstream had no place for it after all: its task waits again. */
  isReturned: boolean;
}

export interface WatchOptions {
  ctx: FlowContext;
  /** The channel as it is configured now. */
  row: () => ChannelRow;
  /** How many times faster than real time the upstream works. */
  speed: number;
  onError: (error: unknown, where: string) => void;
  /** An attempt is over and its place is free. */
  onEnded: (ended: Ended) => void;
  /** The upstream had no place for a task of this pool after all: it is about to wait again. */
  onReturn: (pool: string) => void;
  /** Whether the channel is still ours to poll. */
  isOurs: () => boolean;
  /** A round of polls brought an answer. */
  onAnswer: () => void;
  /** A round of polls brought none; `reason` is a sentence. */
  onSilence: (reason: string) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #table = new PollTable();
  /** A table holds a position here: a provider has few parts and pools, and its tasks weigh little. */
  readonly #kinds: Kind[] = [];
  readonly #setBack = new SetBack();
  /** Cuts polls in hand off, so that nobody waits for them, nor polls beside them. */
  readonly #stopping = new AbortController();
  readonly #loop: Loop;
  /** Of the round under way: polls that were answered, and what was heard instead of an answer. */
  #answers = 0;
  #silence: string | null = null;
  /** When the next round may begin, whatever falls due before. */
  #restsUntil = 0;
  /** A push is worth a round before that. */
  #isHinted = false;
  /** What the loop sleeps for (Unix ms); in the past while a round is under way, which looks for itself at its end. */
  #sleepsUntil = Infinity;

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
    return this.#table.size;
  }

  has(attempt: { taskId: string; attemptId: string }): boolean {
    return this.#table.watches(attempt);
  }

  /** Polls this attempt from now on, which counts so much at the upstream. */
  add({ request, ...accepted }: Accepted, weight: Weight): void {
    const { ctx, row } = this.#options;
    const maker = makerOf(ctx.providers.get(row().provider), request)!;
    const watched: Watched = {
      ...accepted,
      kind: this.#numberOf({ maker, ...weight }),
      jitter: ctx.random(),
      failures: 0,
    };
    // A task that was ended by hand and is retried: what ran before is the new attempt's now, or nobody's.
    const before = this.#table.has(watched.taskId) ? this.#table.find(watched.taskId) : null;
    if (before !== null && before.attemptId !== watched.attemptId) this.#forget(before);
    const firstPollAt = this.#firstPollAt(watched);
    this.#table.add(watched, firstPollAt);
    if (firstPollAt < this.#sleepsUntil) this.#loop.wake();
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    if (!this.#table.appoint(taskId, this.#options.ctx.clock.now())) return;
    this.#isHinted = true;
    this.#loop.wake();
  }

  /** Ends polls in hand; none begins after. What was answered is still taken in. */
  stop(): Promise<void> {
    this.#stopping.abort(new Error('somebody else polls from now on'));
    return this.#loop.stop();
  }

  #numberOf(kind: Kind): number {
    const known = this.#kinds.findIndex(
      ({ maker, pool, units }) => maker === kind.maker && pool === kind.pool && units === kind.units,
    );
    return known >= 0 ? known : this.#kinds.push(kind) - 1;
  }

  /** Of what somebody else polled until now nobody knows when that was: it is asked about soon, whatever its age. */
  #firstPollAt({ acceptedAt, jitter }: Watched): number {
    const { ctx, speed } = this.#options;
    const soon = ctx.clock.now() + (jitter * TAKEN_UP_WITHIN_MS) / speed;
    return Math.max(acceptedAt + pollDelayMs(0, jitter, speed), soon);
  }

  #nextPollAt({ failures, acceptedAt, jitter }: Pick<Watched, 'failures' | 'acceptedAt' | 'jitter'>): number {
    const { ctx, speed } = this.#options;
    const now = ctx.clock.now();
    const backoffMs =
      failures === 0 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(failures - 1, 10)) / speed;
    return now + backoffMs + pollDelayMs(now - acceptedAt, jitter, speed);
  }

  async #step(): Promise<number> {
    const { clock } = this.#options.ctx;
    this.#sleepsUntil = -Infinity;
    const leftMs = this.#restsUntil - clock.now();
    // Woken by what falls due before. (A longer rest is none: the clock was put back.)
    if (!this.#isHinted && leftMs > 0 && leftMs <= REST_MAX_MS) return this.#sleep(this.#restsUntil);
    this.#isHinted = false;
    // Whoever took over polls them; if nobody did, the next look finds out.
    if (!this.#options.isOurs()) return this.#sleep(clock.now() + ROUND_GAP_MS);
    const due = await this.#takeDue();
    const startedAt = clock.now();
    try {
      await this.#poll(due);
    } finally {
      this.#tellRound();
      for (const [index, watched] of due.entries()) {
        if (index > 0 && index % STEP === 0) await turn();
        this.#table.keep(watched);
        // A push that came meanwhile has made its own appointment: this answer may have been older.
        if (!this.#table.isAppointed(watched.taskId)) {
          this.#table.appoint(watched.taskId, this.#nextPollAt(watched));
        }
      }
    }
    if (due.length === 0) return this.#sleep(0);
    const now = clock.now();
    const restMs = Math.min(REST_MAX_MS, Math.max(ROUND_GAP_MS, REST_FACTOR * (now - startedAt)));
    this.#restsUntil = now + restMs / this.#options.speed;
    return this.#sleep(this.#restsUntil);
  }

  /** Until something is due, and no less than that. Said at once, so that nobody's first poll is overlooked. */
  #sleep(atLeastUntil: number): number {
    this.#sleepsUntil = Math.max(this.#table.nextAt, atLeastUntil);
    return this.#sleepsUntil;
  }

  async #takeDue(): Promise<Watched[]> {
    const now = this.#options.ctx.clock.now();
    const byMs = this.#setBack.take(now);
    // After the clock was put back, polls would wait until it is again as late as it was.
    if (byMs > 0) this.#table.shiftBack(byMs, (watched) => this.#nextPollAt(watched));
    if (!this.#listsAll || this.#table.dueAt(now, CROWD) < CROWD) {
      return this.#table.takeDue(now, POLL_BATCH_MAX);
    }
    const due: Watched[] = [];
    while (due.length < CROWD_BATCH_MAX) {
      const some = this.#table.takeDue(now + CROWD_AHEAD_MS / this.#options.speed, STEP);
      for (const watched of some) due.push(watched);
      if (some.length < STEP) break;
      await turn();
    }
    return due;
  }

  get #listsAll(): boolean {
    return this.#kinds.every(({ maker }) => maker.pollMany !== undefined);
  }

  async #poll(due: Watched[]): Promise<void> {
    const now = this.#options.ctx.clock.now();
    for (const watched of due) if (watched.deadlineAt <= now) await this.#forgetIfOver(watched);
    const open = due.filter((watched) => this.#table.watches(watched));
    const single: Watched[] = [];
    const together: Promise<void>[] = [];
    for (const [maker, watched] of Map.groupBy(open, ({ kind }) => this.#kinds[kind]!.maker)) {
      if (maker.pollMany === undefined || watched.length === 1) single.push(...watched);
      else together.push(this.#pollTogether(maker, watched));
    }
    await Promise.all([...together, this.#pollSingly(single)]);
  }

  /** The deadline may have ended the task behind our back; its upstream may never say anything any more. */
  async #forgetIfOver(watched: Watched): Promise<void> {
    const open = await this.#options.ctx.store.getAttempt(watched.attemptId);
    if (open === null || open.attempt.endedAt !== null) this.#forget(watched);
  }

  async #pollTogether(maker: Maker, due: Watched[]): Promise<void> {
    let observations: (Observation | null)[];
    const at = this.#options.ctx.clock.now();
    try {
      // One answer speaks of many tasks, possibly of several accounts: it is not kept with any of them.
      const channel = this.#options.ctx.channels.open(this.#options.row(), null);
      const refs = due.map((polled) => polled.ref);
      const timeoutMs = POLL_TIMEOUT_MS + refs.length * POLL_TIMEOUT_PER_REF_MS;
      observations = await maker.pollMany!(refs, channel, this.#limit(timeoutMs));
    } catch (error) {
      for (const polled of due) polled.failures++;
      this.#noNews(error);
      return;
    }
    const poll = { at, durationMs: this.#options.ctx.clock.now() - at, tasks: due.length };
    for (let from = 0; from < due.length; from += STEP) {
      if (from > 0) await turn();
      const some = due.slice(from, from + STEP);
      await Promise.all(
        some.map((polled, index) => {
          const observation = observations[from + index] ?? null;
          return this.#observe(polled, observation, listExchange(observation, poll));
        }),
      );
    }
  }

  async #pollSingly(due: Watched[]): Promise<void> {
    const queue = due.values();
    const worker = async (): Promise<void> => {
      for (const polled of queue) await this.#pollOne(polled);
    };
    await Promise.all(Array.from({ length: Math.min(POLLS_AT_ONCE, due.length) }, worker));
  }

  async #pollOne(polled: Watched): Promise<void> {
    const exchanges: Exchange[] = [];
    let observation: Observation;
    try {
      const channel = this.#options.ctx.channels.open(this.#options.row(), (exchange) =>
        exchanges.push(exchange),
      );
      observation = await this.#kinds[polled.kind]!.maker.poll(
        polled.ref,
        channel,
        this.#limit(POLL_TIMEOUT_MS),
      );
    } catch (error) {
      polled.failures++;
      this.#noNews(error);
      return;
    }
    await this.#observe(polled, observation, exchanges.slice(-1));
  }

  /** Never rejects: what could not be recorded is observed again. */
  async #observe(polled: Watched, observation: Observation | null, exchanges: Exchange[]): Promise<void> {
    polled.failures = 0;
    this.#answers++;
    if (observation === null) return;
    try {
      // Before it waits again: nobody must take it up at once.
      if (observation.status === 'failed' && observation.isRetryable) {
        this.#options.onReturn(this.#kinds[polled.kind]!.pool);
      }
      const outcome = await advanceTask(this.#options.ctx, polled, observation, exchanges);
      if (outcome !== 'running') this.#forget(polled, outcome === 'returned');
    } catch (error) {
      polled.failures++;
      this.#options.onError(error, 'poll');
    }
  }

  #forget(polled: Watched, isReturned = false): void {
    if (!this.#table.watches(polled)) return;
    this.#table.remove(polled.taskId);
    const { pool, units } = this.#kinds[polled.kind]!;
    const keptMs = this.#options.ctx.clock.now() - polled.acceptedAt;
    this.#options.onEnded({ pool, units, keptMs, isReturned });
  }

  #limit(timeoutMs: number): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeoutMs)]);
  }

  /** A poll that failed is no news of the task; what is not the upstream's doing is reported. */
  #noNews(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof UpstreamError) {
      // Who says that it is busy is there.
      if (error.kind === 'busy') this.#answers++;
      else this.#silence = error.publicMessage;
    } else if (isAbort(error)) this.#silence = 'The upstream did not answer a poll in time.';
    else this.#options.onError(error, 'poll');
  }

  /** What a round heard, whatever the number of its polls. */
  #tellRound(): void {
    if (this.#answers > 0) this.#options.onAnswer();
    else if (this.#silence !== null) this.#options.onSilence(this.#silence);
    this.#answers = 0;
    this.#silence = null;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
