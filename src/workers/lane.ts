/**
 * The lane of one channel: submits what waits, settles what is in doubt, has watched what runs. It holds its schedule
 * in memory and rebuilds it from the store at start; correctness rests on the store's compare-and-set, the lane is for
 * economy.
 */
import { isDeepStrictEqual } from 'node:util';
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Exchange, Json } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext, Slot } from '../flows/context.ts';
import { handOver } from '../flows/hand-over.ts';
import { makerOf } from '../flows/maker.ts';
import { settleDoubt } from '../flows/settle-doubt.ts';
import { submitAttempt, type OnRefused, type SubmitOutcome } from '../flows/submit-attempt.ts';
import { Loop } from '../lib/loop.ts';
import { SetBack } from '../lib/set-back.ts';
import { Watch } from './watch.ts';

/** A submit is left alone this long after its deadline: the request may still be on its way. */
const DOUBT_GRACE_MS = 5_000;
/** How many waiting tasks are taken up at once. */
const FILL_MAX = 64;
const BACKOFF_MAX_MS = 60_000;

interface Doubt {
  task: Task;
  attemptId: string;
  dueAt: number;
  /** What was heard of it so far, for the flight recorder. */
  exchanges: Exchange[];
}

export interface LaneOptions {
  ctx: FlowContext;
  row: ChannelRow;
  /** How many times faster than real time the upstream works (1 for real ones). */
  speed: number;
  onError: (error: unknown, where: string) => void;
}

export class Lane {
  readonly #ctx: FlowContext;
  readonly #speed: number;
  readonly #onError: LaneOptions['onError'];
  readonly #watch: Watch;
  readonly #submits: Loop;
  readonly #doubts = new Map<string, Doubt>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #setBack = new SetBack();
  #row: ChannelRow;
  #submitting = 0;
  /** Whether tasks may be waiting in the store; true until a look says otherwise. */
  #waiting = true;
  /** A look at who waits is under way: a free place may be theirs. */
  #looking = false;
  #loaded = false;
  #stopped = false;
  #pausedUntil = 0;
  #refusals = 0;
  /** The last refusal was about the channel itself. */
  #isDown = false;
  /** Most submits under way: one after a refusal, twice as many with every acceptance, then any number. */
  #submitsMax = Infinity;
  /** Requests per second: the earliest time of the next submit. */
  #nextSubmitAt = 0;

  constructor(options: LaneOptions) {
    const { ctx, speed, onError } = options;
    this.#ctx = ctx;
    this.#row = options.row;
    this.#speed = speed;
    this.#onError = onError;
    this.#submits = new Loop({
      clock: ctx.clock,
      step: () => this.#submitStep(),
      onError: (error) => onError(error, 'submit'),
    });
    this.#watch = new Watch({
      ctx,
      row: () => this.#row,
      speed,
      onError,
      onEnded: () => {
        if (this.#waiting) this.#submits.wake();
      },
    });
  }

  /** Rebuilds the schedule from the store, then works by itself. */
  async start(): Promise<void> {
    const open = await this.#ctx.store.openAttemptsOf(this.#row.id);
    for (const { attempt, task } of open) {
      if (attempt.state === 'accepted' && attempt.ref !== null) {
        this.#watchTask(task, attempt.id, attempt.ref, attempt.acceptedAt ?? attempt.createdAt);
      } else {
        this.#doubt(task, attempt.id, attempt.submitDeadlineAt + DOUBT_GRACE_MS, []);
      }
    }
    this.#loaded = true;
    this.#submits.wake();
  }

  /** Takes nothing up any more; waits for submits and polls in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#submits.stop(), this.#watch.stop()]);
    // The last step may have begun submits of its own.
    await Promise.all(this.#inHand);
  }

  /** Channels have changed: this one's settings, or others that could take what waits here. */
  configure(row: ChannelRow): void {
    if (!isDeepStrictEqual(row, this.#row)) {
      this.#row = row;
      this.#pausedUntil = 0;
      this.#refusals = 0;
      this.#submitsMax = Infinity;
    }
    this.wake();
  }

  /** Tasks may have begun to wait. */
  wake(): void {
    this.#waiting = true;
    this.#submits.wake();
  }

  /** A place for a request that will submit by itself; null when it must wait its turn. */
  reserve(): Slot | null {
    if (!this.#loaded || this.#waiting || this.#looking || !this.#mayStart()) return null;
    this.#take();
    return {
      submit: (task, attemptId) => this.#hold(this.#submit(task, attemptId)),
      release: () => this.#give(),
      leave: (task, attemptId) => {
        this.lookAfter(task, attemptId);
        this.#give();
      },
    };
  }

  /** An attempt that nobody submits any more, and of which we do not know whether the store has it. */
  lookAfter(task: Task, attemptId: string): void {
    this.#doubt(task, attemptId, this.#ctx.clock.now() + DOUBT_GRACE_MS, []);
    this.#submits.wake();
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    this.#watch.hint(taskId);
  }

  /** Not resting after a refusal that was about the channel itself. */
  get isHealthy(): boolean {
    return !this.#isDown || this.#ctx.clock.now() >= this.#pausedUntil;
  }

  get inUse(): number {
    return this.#watch.size + this.#doubts.size + this.#submitting;
  }

  /** The channel's own cap, else what its upstream allows by default. */
  get #concurrency(): number {
    const provider = this.#ctx.providers.get(this.#row.provider);
    return this.#row.concurrency ?? provider?.concurrencyDefault ?? Infinity;
  }

  #mayStart(): boolean {
    const now = this.#ctx.clock.now();
    return (
      !this.#stopped &&
      this.#row.enabled &&
      now >= this.#pausedUntil &&
      now >= this.#nextSubmitAt &&
      this.#submitting < this.#submitsMax &&
      this.inUse < this.#concurrency
    );
  }

  #take(): void {
    this.#submitting++;
    const perSecond = this.#row.requestsPerSecond;
    if (perSecond !== null) {
      this.#nextSubmitAt = Math.max(this.#nextSubmitAt, this.#ctx.clock.now()) + 1000 / perSecond;
    }
  }

  #give(): void {
    this.#submitting--;
    if (this.#waiting) this.#submits.wake();
  }

  async #submitStep(): Promise<number> {
    this.#appointAnew(this.#setBack.take(this.#ctx.clock.now()));
    for (const doubt of this.#doubts.values()) {
      if (doubt.dueAt > this.#ctx.clock.now()) continue;
      this.#doubts.delete(doubt.attemptId);
      this.#submitting++;
      void this.#hold(this.#settle(doubt));
    }
    if (this.#row.enabled) while (this.#waiting && this.#mayStart()) await this.#fill();
    else if (this.#waiting) await this.#handOver();

    let dueAt = Math.min(Infinity, ...this.#doubts.values().map((doubt) => doubt.dueAt));
    const gate = Math.max(this.#pausedUntil, this.#nextSubmitAt);
    if (this.#waiting && gate > this.#ctx.clock.now()) dueAt = Math.min(dueAt, gate);
    return dueAt;
  }

  /** After the clock was put back, what is to be done at a time would wait until it is again as late as it was. */
  #appointAnew(byMs: number): void {
    if (byMs === 0) return;
    this.#pausedUntil -= byMs;
    this.#nextSubmitAt -= byMs;
    for (const doubt of this.#doubts.values()) doubt.dueAt -= byMs;
  }

  /** Takes up as many of those who wait as there is room for, in order of arrival. */
  async #fill(): Promise<void> {
    const room = Math.min(this.#concurrency - this.inUse, this.#submitsMax - this.#submitting);
    const limit = this.#row.requestsPerSecond === null ? Math.min(room, FILL_MAX) : 1;
    const tasks = await this.#look(limit);
    if (tasks.length === 0) return;
    const at = this.#ctx.clock.now();
    const attempts = tasks.map((task) => ({
      id: this.#ctx.newId('att_'),
      taskId: task.id,
      channelId: this.#row.id,
      owner: this.#ctx.owner,
      submitDeadlineAt: at + this.#ctx.settings.submitTimeoutMs,
      at,
    }));
    let opened: Set<string>;
    try {
      opened = new Set(await this.#ctx.store.openAttempts(attempts));
    } catch (error) {
      tasks.forEach((task, index) => this.lookAfter(task, attempts[index]!.id));
      this.#submitting -= tasks.length;
      this.#waiting = true;
      throw error;
    }
    tasks.forEach((task, index) => {
      const attemptId = attempts[index]!.id;
      if (opened.has(attemptId)) void this.#hold(this.#submit(task, attemptId));
      else this.#submitting--;
    });
  }

  /** Those who wait, first come first; their places are taken before anybody else can ask for one. */
  async #look(limit: number): Promise<Task[]> {
    this.#waiting = false;
    this.#looking = true;
    try {
      const tasks = await this.#ctx.store.waitingTasks(this.#row.id, limit);
      if (tasks.length === limit) this.#waiting = true;
      for (const _ of tasks) this.#take();
      return tasks;
    } catch (error) {
      this.#waiting = true;
      throw error;
    } finally {
      this.#looking = false;
    }
  }

  /** A channel that is switched off or deleted submits nothing: what waits goes where it can be made. */
  async #handOver(): Promise<void> {
    this.#waiting = false;
    try {
      for (const { task, attemptId } of await handOver(this.#ctx, this.#row)) {
        this.lookAfter(task, attemptId);
      }
    } catch (error) {
      this.#waiting = true;
      throw error;
    }
  }

  /** Submits with a place already taken; never rejects. */
  #submit(task: Task, attemptId: string): Promise<void> {
    return this.#settleOutcome(task, attemptId, () =>
      submitAttempt(this.#ctx, this.#row, task, attemptId, this.#onRefused),
    );
  }

  #settle({ task, attemptId, exchanges }: Doubt): Promise<void> {
    return this.#settleOutcome(task, attemptId, () =>
      settleDoubt(this.#ctx, this.#row, task, attemptId, exchanges, this.#onRefused),
    );
  }

  async #settleOutcome(task: Task, attemptId: string, work: () => Promise<SubmitOutcome>): Promise<void> {
    const doubtDueAt = this.#ctx.clock.now() + this.#ctx.settings.submitTimeoutMs + DOUBT_GRACE_MS;
    try {
      const outcome = await work();
      if (outcome.kind === 'accepted') {
        this.#speedUp();
        this.#watchTask(task, attemptId, outcome.ref, outcome.acceptedAt);
      } else if (outcome.kind === 'doubt') {
        this.#doubt(task, attemptId, doubtDueAt, outcome.exchanges);
      }
    } catch (error) {
      // Not recorded: neither accepted nor refused as far as the store knows, so it is in doubt.
      if (!(error instanceof UpstreamError)) this.#onError(error, 'submit');
      this.#doubt(task, attemptId, doubtDueAt, []);
    } finally {
      this.#submitting--;
      this.#submits.wake();
    }
  }

  #watchTask(task: Task, attemptId: string, ref: Json, acceptedAt: number): void {
    this.#watch.add({
      attemptId,
      taskId: task.id,
      started: task.state === 'in_progress',
      maker: makerOf(this.#ctx.providers.get(this.#row.provider), task.request)!,
      ref,
      acceptedAt,
      deadlineAt: task.deadlineAt,
    });
  }

  #doubt(task: Task, attemptId: string, dueAt: number, exchanges: Exchange[]): void {
    this.#doubts.set(attemptId, { task, attemptId, dueAt, exchanges });
  }

  #speedUp(): void {
    this.#isDown = false;
    this.#refusals = 0;
    this.#submitsMax = this.#submitsMax >= FILL_MAX ? Infinity : this.#submitsMax * 2;
  }

  /** "Not now": wait as told, else ever longer; after that, one submit tries the water. */
  readonly #onRefused: OnRefused = ({ retryAfterMs, isHere, isDown }) => {
    this.#isDown = isDown;
    if (isHere) this.#submitsMax = 1;
    const now = this.#ctx.clock.now();
    // Refusals of submits that were under way together are one piece of news.
    const isNews = now >= this.#pausedUntil;
    if (!isNews && retryAfterMs === null) return;
    const backoffMs = Math.min(BACKOFF_MAX_MS, 1_000 * 2 ** Math.min(this.#refusals, 10)) / this.#speed;
    if (isNews) this.#refusals++;
    const pauseMs = retryAfterMs ?? backoffMs * (0.75 + 0.5 * this.#ctx.random());
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs);
  };

  /** Work that a stop waits for. */
  #hold(work: Promise<void>): Promise<void> {
    this.#inHand.add(work);
    void work.finally(() => this.#inHand.delete(work));
    return work;
  }
}
