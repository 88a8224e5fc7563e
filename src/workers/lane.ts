/**
 * The lane of one channel: submits what waits, polls what runs, settles what is in doubt. It holds its schedule in
 * memory and rebuilds it from the store at start; correctness rests on the store's compare-and-set, the lane is for
 * economy.
 */
import { UpstreamError } from '../core/errors.ts';
import type { Channel, ChannelRow, Exchange, Json, Observation } from '../core/ports.ts';
import { pollDelayMs, type Task } from '../core/task.ts';
import { advanceTask, type Running } from '../flows/advance-task.ts';
import type { FlowContext, Slot } from '../flows/context.ts';
import { settleDoubt } from '../flows/settle-doubt.ts';
import { submitAttempt, type SubmitOutcome } from '../flows/submit-attempt.ts';
import { Loop } from '../lib/loop.ts';
import { MinHeap } from '../lib/min-heap.ts';

/** A submit is left alone this long after its deadline: the request may still be on its way. */
const DOUBT_GRACE_MS = 5_000;
/** How many waiting tasks are taken up at once. */
const FILL_MAX = 64;
/** Most refs in one poll round (Kling lists 500 a page). */
const POLL_BATCH_MAX = 500;
/** Single polls under way at once where the upstream cannot list. */
const POLLS_AT_ONCE = 8;
const POLL_TIMEOUT_MS = 30_000;
const BACKOFF_MAX_MS = 60_000;

interface Polled extends Running {
  ref: Json;
  acceptedAt: number;
  jitter: number;
  nextAt: number;
  /** A push arrived, or it has ended: an older place in the heap is void. */
  version: number;
}

interface Doubt {
  task: Task;
  attemptId: string;
  dueAt: number;
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
  #row: ChannelRow;
  readonly #running = new Map<string, Polled>();
  readonly #due = new MinHeap<{ polled: Polled; at: number; version: number }>((entry) => entry.at);
  readonly #doubts = new Map<string, Doubt>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #submits: Loop;
  readonly #polls: Loop;
  #submitting = 0;
  /** Whether tasks may be waiting in the store; true until a look says otherwise. */
  #waiting = true;
  #loaded = false;
  #stopped = false;
  #pausedUntil = 0;
  #refusals = 0;
  #pollFailures = 0;
  /** Requests per second: the earliest time of the next submit. */
  #nextSubmitAt = 0;

  constructor(options: LaneOptions) {
    this.#ctx = options.ctx;
    this.#row = options.row;
    this.#speed = options.speed;
    this.#onError = options.onError;
    const { clock } = options.ctx;
    this.#submits = new Loop({
      clock,
      step: () => this.#submitStep(),
      onError: (error) => this.#onError(error, 'submit'),
    });
    this.#polls = new Loop({
      clock,
      step: () => this.#pollStep(),
      onError: (error) => this.#onError(error, 'poll'),
    });
  }

  /** Rebuilds the schedule from the store, then works by itself. */
  async start(): Promise<void> {
    const open = await this.#ctx.store.openAttemptsOf(this.#row.id);
    for (const { attempt, task } of open) {
      if (attempt.state === 'accepted' && attempt.ref !== null) {
        this.#watch({
          attemptId: attempt.id,
          taskId: task.id,
          started: task.state === 'in_progress',
          ref: attempt.ref,
          acceptedAt: attempt.acceptedAt ?? attempt.createdAt,
        });
      } else {
        this.#doubt(task, attempt.id, attempt.submitDeadlineAt + DOUBT_GRACE_MS);
      }
    }
    this.#loaded = true;
    this.#submits.wake();
    this.#polls.wake();
  }

  /** Takes nothing up any more; waits for submits and polls in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#submits.stop(), this.#polls.stop(), ...this.#inHand]);
  }

  /** The channel's settings changed. */
  configure(row: ChannelRow): void {
    this.#row = row;
    this.#pausedUntil = 0;
    this.#submits.wake();
  }

  /** Tasks may have begun to wait. */
  wake(): void {
    this.#waiting = true;
    this.#submits.wake();
  }

  /** A place for a request that will submit by itself; null when it must wait its turn. */
  reserve(): Slot | null {
    if (!this.#loaded || this.#waiting || !this.#mayStart()) return null;
    this.#take();
    let used = false;
    return {
      submit: (task, attemptId) => {
        used = true;
        return this.#submit(task, attemptId);
      },
      release: () => {
        if (!used) this.#give();
      },
    };
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    for (const polled of this.#running.values()) {
      if (polled.taskId !== taskId) continue;
      this.#schedule(polled, this.#ctx.clock.now());
      this.#polls.wake();
      return;
    }
  }

  get inUse(): number {
    return this.#running.size + this.#doubts.size + this.#submitting;
  }

  // ------------------------------------------------------------------------------------ submitting

  #mayStart(): boolean {
    const now = this.#ctx.clock.now();
    return (
      !this.#stopped &&
      this.#row.enabled &&
      now >= this.#pausedUntil &&
      now >= this.#nextSubmitAt &&
      this.inUse < (this.#row.concurrency ?? Infinity)
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
    const now = this.#ctx.clock.now();
    let dueAt = Infinity;
    for (const doubt of this.#doubts.values()) {
      if (doubt.dueAt <= now) {
        this.#doubts.delete(doubt.attemptId);
        this.#submitting++;
        this.#hold(this.#settle(doubt));
      } else {
        dueAt = Math.min(dueAt, doubt.dueAt);
      }
    }
    while (this.#waiting && this.#mayStart()) {
      const room = (this.#row.concurrency ?? Infinity) - this.inUse;
      const limit = this.#row.requestsPerSecond === null ? Math.min(room, FILL_MAX) : 1;
      this.#waiting = false;
      const tasks = await this.#ctx.store.waitingTasks(this.#row.id, limit);
      if (tasks.length === limit) this.#waiting = true;
      if (tasks.length === 0) break;
      await this.#takeUp(tasks);
    }
    if (this.#waiting) {
      const gate = Math.max(this.#pausedUntil, this.#nextSubmitAt);
      if (gate > this.#ctx.clock.now()) dueAt = Math.min(dueAt, gate);
    }
    return dueAt;
  }

  async #takeUp(tasks: Task[]): Promise<void> {
    const at = this.#ctx.clock.now();
    const attempts = tasks.map((task) => ({
      id: this.#ctx.newId('att_'),
      taskId: task.id,
      channelId: this.#row.id,
      owner: this.#ctx.owner,
      submitDeadlineAt: at + this.#ctx.settings.submitTimeoutMs,
      at,
    }));
    for (const _ of tasks) this.#take();
    let opened: Set<string>;
    try {
      opened = new Set(await this.#ctx.store.openAttempts(attempts));
    } catch (error) {
      this.#submitting -= tasks.length;
      this.#waiting = true;
      throw error;
    }
    tasks.forEach((task, index) => {
      const attemptId = attempts[index]!.id;
      if (opened.has(attemptId)) this.#hold(this.#submit(task, attemptId));
      else this.#submitting--;
    });
  }

  /** Submits with a place already taken; never rejects. */
  async #submit(task: Task, attemptId: string): Promise<void> {
    await this.#settleOutcome(task, attemptId, () => submitAttempt(this.#ctx, this.#row, task, attemptId));
  }

  async #settle(doubt: Doubt): Promise<void> {
    const { task, attemptId } = doubt;
    await this.#settleOutcome(task, attemptId, () => settleDoubt(this.#ctx, this.#row, task, attemptId));
  }

  async #settleOutcome(task: Task, attemptId: string, work: () => Promise<SubmitOutcome>): Promise<void> {
    const submitDeadlineAt = this.#ctx.clock.now() + this.#ctx.settings.submitTimeoutMs;
    try {
      const outcome = await work();
      if (outcome.kind === 'accepted') {
        this.#refusals = 0;
        this.#watch({
          attemptId,
          taskId: task.id,
          started: false,
          ref: outcome.ref,
          acceptedAt: outcome.acceptedAt,
        });
        this.#polls.wake();
      } else if (outcome.kind === 'doubt') {
        this.#doubt(task, attemptId, submitDeadlineAt + DOUBT_GRACE_MS);
        this.#submits.wake();
      } else if (outcome.kind === 'waiting') {
        this.#pause(outcome.retryAfterMs);
        if (outcome.channelId === this.#row.id) this.#waiting = true;
      }
    } catch (error) {
      // Not recorded: neither accepted nor refused as far as the store knows, so it is in doubt.
      if (!(error instanceof UpstreamError)) this.#onError(error, 'submit');
      this.#doubt(task, attemptId, submitDeadlineAt + DOUBT_GRACE_MS);
    } finally {
      this.#submitting--;
      this.#submits.wake();
    }
  }

  #doubt(task: Task, attemptId: string, dueAt: number): void {
    this.#doubts.set(attemptId, { task, attemptId, dueAt });
  }

  /** After a refusal that says "not now": wait as told, else ever longer; one submit tries the water afterwards. */
  #pause(retryAfterMs: number | null): void {
    const backoffMs = Math.min(BACKOFF_MAX_MS, 1_000 * 2 ** Math.min(this.#refusals, 10)) / this.#speed;
    this.#refusals++;
    this.#pausedUntil = Math.max(
      this.#pausedUntil,
      this.#ctx.clock.now() + (retryAfterMs ?? backoffMs * (0.75 + 0.5 * this.#ctx.random())),
    );
  }

  // ------------------------------------------------------------------------------------ polling

  #watch(accepted: Omit<Polled, 'jitter' | 'nextAt' | 'version'>): void {
    const polled: Polled = { ...accepted, jitter: this.#ctx.random(), nextAt: 0, version: 0 };
    this.#running.set(polled.attemptId, polled);
    const now = this.#ctx.clock.now();
    this.#schedule(polled, now + pollDelayMs(now - polled.acceptedAt, polled.jitter, this.#speed));
  }

  #schedule(polled: Polled, at: number): void {
    polled.version++;
    polled.nextAt = at;
    this.#due.push({ polled, at, version: polled.version });
  }

  async #pollStep(): Promise<number> {
    const due = this.#takeDue();
    if (due.length > 0) await this.#poll(due);
    const next = this.#due.peek();
    return next === undefined ? Infinity : next.at;
  }

  #takeDue(): Polled[] {
    const now = this.#ctx.clock.now();
    const due: Polled[] = [];
    for (;;) {
      const entry = this.#due.peek();
      if (entry === undefined || entry.at > now || due.length >= POLL_BATCH_MAX) return due;
      this.#due.pop();
      if (entry.version === entry.polled.version && this.#running.has(entry.polled.attemptId))
        due.push(entry.polled);
    }
  }

  async #poll(due: Polled[]): Promise<void> {
    const maker = this.#ctx.providers.get(this.#row.provider)!.video!;
    let failed = false;
    if (due.length > 1 && maker.pollMany !== undefined) {
      // One answer speaks of many tasks, possibly of several accounts: it is not kept with any of them.
      const channel = this.#ctx.channels.open(this.#row, () => {});
      try {
        const refs = due.map((polled) => polled.ref);
        const observations = await maker.pollMany(refs, channel, AbortSignal.timeout(POLL_TIMEOUT_MS));
        await Promise.all(
          due.map(async (polled, index) => {
            const observation = observations[index] ?? null;
            if (observation !== null) await this.#observe(polled, observation, []);
          }),
        );
      } catch (error) {
        failed = this.#noNews(error);
      }
    } else {
      const queue = [...due];
      const one = async (): Promise<void> => {
        for (let polled = queue.shift(); polled !== undefined; polled = queue.shift()) {
          const exchanges: Exchange[] = [];
          const channel = this.#ctx.channels.open(this.#row, (exchange) => exchanges.push(exchange));
          try {
            const observation = await this.#pollOne(polled, channel);
            await this.#observe(polled, observation, exchanges.slice(-1));
          } catch (error) {
            failed = this.#noNews(error) || failed;
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(POLLS_AT_ONCE, due.length) }, one));
    }
    this.#pollFailures = failed ? this.#pollFailures + 1 : 0;
    const penaltyMs = failed
      ? Math.min(BACKOFF_MAX_MS, 500 * 2 ** Math.min(this.#pollFailures, 10)) / this.#speed
      : 0;
    const now = this.#ctx.clock.now();
    for (const polled of due) {
      if (!this.#running.has(polled.attemptId) || polled.nextAt > now) continue;
      this.#schedule(
        polled,
        now + penaltyMs + pollDelayMs(now - polled.acceptedAt, polled.jitter, this.#speed),
      );
    }
  }

  #pollOne(polled: Polled, channel: Channel): Promise<Observation> {
    const maker = this.#ctx.providers.get(this.#row.provider)!.video!;
    return maker.poll(polled.ref, channel, AbortSignal.timeout(POLL_TIMEOUT_MS));
  }

  async #observe(polled: Polled, observation: Observation, exchanges: Exchange[]): Promise<void> {
    const outcome = await advanceTask(this.#ctx, polled, observation, exchanges);
    if (outcome === 'running') return;
    this.#running.delete(polled.attemptId);
    if (this.#waiting) this.#submits.wake();
  }

  /** A poll that failed is no news of the task; anything else is a fault of ours and is reported. */
  #noNews(error: unknown): true {
    if (!(error instanceof UpstreamError) && !isAbort(error)) this.#onError(error, 'poll');
    return true;
  }

  #hold(work: Promise<void>): void {
    this.#inHand.add(work);
    void work.finally(() => this.#inHand.delete(work));
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
