/**
 * The lane of one channel, held by one process: submits what waits, settles what is in doubt, has watched what runs. It
 * holds its schedule in memory and rebuilds it from the store at start; correctness rests on the store's
 * compare-and-set, the lane is for economy.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Exchange, Json, RunningAttempt, Weight } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import { bringHome } from '../flows/bring-home.ts';
import type { FlowContext, Slot } from '../flows/context.ts';
import { handOver } from '../flows/hand-over.ts';
import { makerOf, weightOf } from '../flows/maker.ts';
import { probeChannel } from '../flows/probe-channel.ts';
import { settleDoubt } from '../flows/settle-doubt.ts';
import { submitAttempt, type OnRefused, type SubmitOutcome } from '../flows/submit-attempt.ts';
import { Loop } from '../lib/loop.ts';
import { SetBack } from '../lib/set-back.ts';
import type { HealthBook } from './health-book.ts';
import { LaneHealth } from './lane-health.ts';
import { LanePool } from './lane-pool.ts';
import { Watch, type Ended } from './watch.ts';

/** Open attempts read in one step of ten milliseconds. More than these are loaded while the gateway serves already. */
const LOADED_AT_ONCE = 500;
const LOAD_AGAIN_MS = 1_000;
/** A submit is left alone this long after its deadline: the request may still be on its way. */
const DOUBT_GRACE_MS = 5_000;
/** Whoever took the lane over has its work; if nobody did, it is ours again after so long. */
const NOT_OURS_MS = 500;
/** How many waiting tasks are taken up at once. */
const FILL_MAX = 64;
/** How often the pace of a pool is written down for those who ask how long they have to wait. */
const PACE_EVERY_MS = 30_000;

/** Room at the upstream that a task keeps until it has ended there. */
interface Place {
  pool: LanePool;
  units: number;
}

interface Doubt {
  task: Task;
  attemptId: string;
  place: Place;
  dueAt: number;
  /** What was heard of it so far, for the flight recorder. */
  exchanges: Exchange[];
}

export interface LaneOptions {
  ctx: FlowContext;
  row: ChannelRow;
  /** How many times faster than real time the upstream works (1 for real ones). */
  speed: number;
  /** False as soon as another process may hold the lane. */
  isOurs: () => boolean;
  /** Where routing reads how this channel is. */
  health: HealthBook;
  onError: (error: unknown, where: string) => void;
}

export class Lane {
  readonly #ctx: FlowContext;
  readonly #speed: number;
  readonly #isOurs: () => boolean;
  readonly #onError: LaneOptions['onError'];
  readonly #health: LaneHealth;
  readonly #watch: Watch;
  readonly #submits: Loop;
  readonly #pools = new Map<string, LanePool>();
  readonly #doubts = new Map<string, Doubt>();
  /** Attempts whose outcome is being found out. */
  readonly #settling = new Set<string>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #setBack = new SetBack();
  readonly #pacedAt = new Map<LanePool, number>();
  #row: ChannelRow;
  #submitting = 0;
  /** Tasks may have begun to wait, in whatever pool; true until a look says otherwise. */
  #hasNews = true;
  #isLooking = false;
  #loaded = false;
  #loading: Promise<void> = Promise.resolve();
  #stopped = false;
  /** It has just come into trouble: what waits goes where it can be made. */
  #mustHandOver = false;
  /** It works again, or others do not: something may wait elsewhere that belongs here. */
  #mayBringHome = true;
  /** Requests per second: the earliest time of the next submit. */
  #nextSubmitAt = 0;

  constructor(options: LaneOptions) {
    const { ctx, speed, onError } = options;
    this.#ctx = ctx;
    this.#row = options.row;
    this.#speed = speed;
    this.#isOurs = options.isOurs;
    this.#onError = onError;
    this.#submits = new Loop({
      clock: ctx.clock,
      step: () => this.#submitStep(),
      onError: (error) => onError(error, 'submit'),
    });
    this.#health = new LaneHealth({
      channelId: this.#row.id,
      clock: ctx.clock,
      book: options.health,
      random: () => ctx.random(),
      speed,
      onOpened: () => {
        this.#mustHandOver = true;
        this.wake();
      },
      onClosed: () => {
        this.#mayBringHome = true;
        this.wake();
      },
    });
    this.#watch = new Watch({
      ctx,
      row: () => this.#row,
      isOurs: options.isOurs,
      speed,
      onError,
      onEnded: (ended) => this.#noteEnd(ended),
      onReturn: (pool) => this.#pool(pool).pauseAfterReturn(this.#now()),
      onAnswer: () => this.#health.answered('poll'),
      onSilence: (reason) => this.#health.silence('poll', reason),
    });
  }

  /** Rebuilds the schedule from the store, then works by itself. */
  async start(): Promise<void> {
    for (const { pool, taskMs } of await this.#ctx.store.lanePaces(this.#row.id)) {
      this.#pool(pool).taskMs = taskMs;
    }
    if ((await this.#ctx.store.openAttemptCount(this.#row.id)) <= LOADED_AT_ONCE) await this.#load();
    else this.#loading = this.#hold(this.#loadPatiently());
  }

  async #load(): Promise<void> {
    const { store } = this.#ctx;
    let after: string | null = null;
    for (let isMore = true; isMore;) {
      const some = await store.openAttemptsOf(this.#row.id, after, LOADED_AT_ONCE);
      if (this.#stopped) return;
      isMore = some.length === LOADED_AT_ONCE;
      if (isMore) await turn();
      for (const running of some) {
        after = running.attemptId;
        if (this.#knows(running.attemptId, running.taskId)) continue;
        const { ref, request } = running;
        if (ref !== null) {
          this.#watchAttempt({ ...running, ref }, this.#enter(this.#weigh(request)));
          continue;
        }
        const open = await store.getAttempt(running.attemptId);
        if (open === null || open.attempt.endedAt !== null) continue;
        const dueAt = open.attempt.submitDeadlineAt + DOUBT_GRACE_MS;
        this.#doubt(open.task, running.attemptId, this.#enter(this.#weigh(request)), dueAt, []);
      }
    }
    this.#loaded = true;
    this.#submits.wake();
  }

  /** While others are served: what comes in meanwhile waits its turn. Never rejects. */
  async #loadPatiently(): Promise<void> {
    while (!this.#loaded && !this.#stopped) {
      try {
        await this.#load();
      } catch (error) {
        this.#onError(error, 'load');
        await this.#ctx.clock.sleep(LOAD_AGAIN_MS);
      }
    }
  }

  /**
   * Looks after what others began on this channel since `since` (Unix ms): a request of another process that did not
   * live to see its answer, or a process that only slept while it was replaced.
   */
  async adopt(since: number): Promise<void> {
    await this.#loading;
    const { store, clock, owner } = this.#ctx;
    for (const { attemptId, taskId } of await store.openAttemptKeys(this.#row.id, since)) {
      const doubt = this.#doubts.get(attemptId);
      if (doubt === undefined && this.#knows(attemptId, taskId)) continue;
      const open = await store.getAttempt(attemptId);
      if (open === null) continue;
      const { state, ref, submitDeadlineAt, acceptedAt, createdAt, endedAt } = open.attempt;
      // Whoever was submitting it has recorded how that ended.
      if (doubt !== undefined && state !== 'submitting') doubt.dueAt = clock.now();
      if (endedAt !== null || this.#knows(attemptId, taskId)) continue;
      const dueAt = submitDeadlineAt + DOUBT_GRACE_MS;
      const isAccepted = state === 'accepted' && ref !== null;
      // Ours, and under way just now.
      if (!isAccepted && open.attempt.owner === owner && dueAt > clock.now()) continue;
      const place = this.#enter(this.#weigh(open.task.request));
      if (isAccepted) this.#watchTask(open.task, attemptId, place, ref, acceptedAt ?? createdAt);
      else this.#doubt(open.task, attemptId, place, dueAt, []);
    }
    this.#submits.wake();
  }

  #knows(attemptId: string, taskId: string): boolean {
    return (
      this.#watch.has({ taskId, attemptId }) || this.#doubts.has(attemptId) || this.#settling.has(attemptId)
    );
  }

  /** Whether submits are under way, whose outcome is not recorded yet. */
  get isSubmitting(): boolean {
    return this.#submitting > 0;
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
      for (const pool of this.#pools.values()) pool.startAnew();
      this.#health.tryNow();
    }
    this.#mayBringHome = true;
    this.wake();
  }

  /** Tasks may have begun to wait. */
  wake(): void {
    this.#hasNews = true;
    this.#submits.wake();
  }

  /** A place for a request that will submit by itself; null when it must wait its turn. */
  reserve(request: TaskRequest): Slot | null {
    if (!this.#loaded || this.#hasNews || this.#isLooking) return null;
    const { pool: name, units } = this.#weigh(request);
    const pool = this.#pool(name);
    if (pool.isWaiting || pool.isLooking || !this.#mayStart(pool, units)) return null;
    const place = this.#take(pool, units);
    return {
      submit: (task, attemptId) => this.#hold(this.#submit(task, attemptId, place)),
      release: () => {
        this.#endSubmit(pool);
        this.#leave(place);
      },
      leave: (task, attemptId) => {
        this.#doubt(task, attemptId, place, this.#ctx.clock.now() + DOUBT_GRACE_MS, []);
        this.#endSubmit(pool);
        this.#submits.wake();
      },
    };
  }

  /** An attempt that nobody submits any more, and of which we do not know whether the store has it. */
  lookAfter(task: Task, attemptId: string): void {
    const place = this.#enter(this.#weigh(task.request));
    this.#doubt(task, attemptId, place, this.#ctx.clock.now() + DOUBT_GRACE_MS, []);
    this.#submits.wake();
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    this.#watch.hint(taskId);
  }

  /** What somebody else heard who asked this channel: it accepted (null), or refused. */
  heard(refusal: UpstreamError | null): void {
    if (refusal === null) this.#health.accepted();
    else this.#heed(refusal);
  }

  /** Attempts under way: submitting, in doubt or running. */
  get inUse(): number {
    return this.#watch.size + this.#doubts.size + this.#submitting;
  }

  /** The channel's own cap, else what its upstream allows by default: units in each pool. */
  get #concurrency(): number {
    const provider = this.#ctx.providers.get(this.#row.provider);
    return this.#row.concurrency ?? provider?.concurrencyDefault ?? Infinity;
  }

  #weigh(request: TaskRequest): Weight {
    return weightOf(this.#ctx.providers.get(this.#row.provider), request);
  }

  #pool(name: string): LanePool {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new LanePool(name);
      this.#pools.set(name, pool);
    }
    return pool;
  }

  #mayStart(pool: LanePool, units: number): boolean {
    const now = this.#ctx.clock.now();
    return (
      !this.#stopped &&
      this.#isOurs() &&
      this.#row.enabled &&
      this.#health.isTrusted &&
      now >= pool.pausedUntil &&
      now >= this.#nextSubmitAt &&
      pool.hasRoom(units, this.#concurrency)
    );
  }

  #enter({ pool: name, units }: Weight): Place {
    const pool = this.#pool(name);
    pool.units += units;
    return { pool, units };
  }

  #leave({ pool, units }: Place): void {
    pool.units -= units;
    if (pool.isWaiting || this.#mayBringHome) this.#submits.wake();
  }

  #take(pool: LanePool, units: number): Place {
    this.#submitting++;
    pool.submitting++;
    pool.units += units;
    const perSecond = this.#row.requestsPerSecond;
    if (perSecond !== null) {
      this.#nextSubmitAt = Math.max(this.#nextSubmitAt, this.#ctx.clock.now()) + 1000 / perSecond;
    }
    return { pool, units };
  }

  #endSubmit(pool: LanePool): void {
    this.#submitting--;
    pool.submitting--;
    if (pool.isWaiting) this.#submits.wake();
  }

  async #submitStep(): Promise<number> {
    if (!this.#isOurs()) return this.#ctx.clock.now() + NOT_OURS_MS;
    this.#appointAnew(this.#setBack.take(this.#ctx.clock.now()));
    for (const doubt of this.#doubts.values()) {
      if (doubt.dueAt > this.#ctx.clock.now()) continue;
      this.#doubts.delete(doubt.attemptId);
      this.#submitting++;
      doubt.place.pool.submitting++;
      void this.#hold(this.#settle(doubt));
    }
    if (this.#hasNews) await this.#findPools();
    if (this.#mayBegin) await this.#begin();
    else if (!this.#row.enabled && this.#anyWaiting)
      await this.#handOver('the channel was switched off or deleted', false);
    return this.#dueAt();
  }

  /** Whether it is known how much room there is. */
  get #mayBegin(): boolean {
    return this.#row.enabled && this.#loaded;
  }

  /** Submits what may be submitted; tries, after trouble, whether that is over. */
  async #begin(): Promise<void> {
    if (this.#mustHandOver) {
      this.#mustHandOver = false;
      // What came here meanwhile had nowhere else to go.
      if (!this.#health.isTrusted) await this.#handOver('the channel is in trouble', true);
    }
    if (this.#ctx.clock.now() >= this.#health.retryAt && !this.#stopped) await this.#tryAgain();
    for (const pool of this.#pools.values()) {
      while (pool.isWaiting && this.#mayStart(pool, pool.nextUnits)) await this.#fill(pool, FILL_MAX);
    }
    if (this.#mayBringHome && this.#health.isTrusted && !this.#stopped) await this.#bringHome();
  }

  #dueAt(): number {
    const now = this.#ctx.clock.now();
    let dueAt = Math.min(Infinity, ...this.#doubts.values().map((doubt) => doubt.dueAt));
    if (!this.#mayBegin) return dueAt;
    dueAt = Math.min(dueAt, this.#health.retryAt);
    for (const pool of this.#pools.values()) {
      const gate = Math.max(pool.pausedUntil, this.#nextSubmitAt);
      if (pool.isWaiting && gate > now) dueAt = Math.min(dueAt, gate);
    }
    return dueAt;
  }

  /** After the clock was put back, what is to be done at a time would wait until it is again as late as it was. */
  #appointAnew(byMs: number): void {
    if (byMs === 0) return;
    this.#nextSubmitAt -= byMs;
    this.#health.shiftBack(byMs);
    for (const pool of this.#pools.values()) pool.pausedUntil -= byMs;
    for (const doubt of this.#doubts.values()) doubt.dueAt -= byMs;
  }

  get #anyWaiting(): boolean {
    return this.#pools.values().some((pool) => pool.isWaiting);
  }

  /** Finds out in which pools somebody waits. */
  async #findPools(): Promise<void> {
    this.#hasNews = false;
    this.#isLooking = true;
    try {
      const names = new Set(await this.#ctx.store.waitingPools(this.#row.id));
      for (const name of names) this.#pool(name);
      for (const pool of this.#pools.values()) {
        pool.isWaiting = names.has(pool.name);
        pool.nextUnits = 1;
      }
    } catch (error) {
      this.#hasNews = true;
      throw error;
    } finally {
      this.#isLooking = false;
    }
  }

  /** Takes up as many of those who wait for a pool as there is room for, whoever's turn it is. */
  async #fill(pool: LanePool, most: number): Promise<void> {
    const room = Math.min(most, pool.roomFor(this.#concurrency));
    const taken = await this.#look(pool, this.#row.requestsPerSecond === null ? room : 1);
    if (taken.length === 0) return;
    const at = this.#ctx.clock.now();
    const attempts = taken.map(({ task }) => ({
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
      taken.forEach(({ task, place }, index) => {
        this.#doubt(task, attempts[index]!.id, place, at + DOUBT_GRACE_MS, []);
        this.#endSubmit(pool);
      });
      pool.isWaiting = true;
      throw error;
    }
    taken.forEach(({ task, place }, index) => {
      const attemptId = attempts[index]!.id;
      if (opened.has(attemptId)) {
        void this.#hold(this.#submit(task, attemptId, place));
      } else {
        this.#endSubmit(pool);
        this.#leave(place);
      }
    });
  }

  /** Those who are next, as far as they fit; their places are taken before anybody else can ask for one. */
  async #look(pool: LanePool, limit: number): Promise<{ task: Task; place: Place }[]> {
    pool.isWaiting = false;
    pool.isLooking = true;
    try {
      const taken: { task: Task; place: Place }[] = [];
      const tasks = await this.#ctx.store.waitingTasks(this.#row.id, pool.name, limit);
      for (const task of tasks) {
        const { units } = this.#weigh(task.request);
        // Nobody overtakes whoever needs more room than there is: that would be for ever.
        if (!pool.hasRoom(units, this.#concurrency)) {
          pool.isWaiting = true;
          pool.nextUnits = units;
          return taken;
        }
        taken.push({ task, place: this.#take(pool, units) });
      }
      pool.isWaiting = tasks.length === limit;
      pool.nextUnits = 1;
      return taken;
    } catch (error) {
      pool.isWaiting = true;
      throw error;
    } finally {
      pool.isLooking = false;
    }
  }

  /** One of those who wait tries whether the channel works again; when there is none, the provider's probe does. */
  async #tryAgain(): Promise<void> {
    this.#health.halfOpen();
    try {
      for (const pool of this.#pools.values()) {
        if (!pool.isWaiting || this.#ctx.clock.now() < pool.pausedUntil) continue;
        const before = this.#submitting;
        await this.#fill(pool, 1);
        if (this.#submitting > before) return;
      }
    } catch (error) {
      // Nobody is trying, so somebody has to later.
      this.#health.trouble('It could not be tried whether the channel works again.');
      throw error;
    }
    void this.#hold(this.#probe());
  }

  async #probe(): Promise<void> {
    const { ok, message } = await probeChannel(this.#ctx, this.#row);
    if (ok) this.#health.answered('probe');
    else this.#health.trouble(message);
    this.#submits.wake();
  }

  async #handOver(reason: string, onlyHealthy: boolean): Promise<void> {
    const waiting = this.#pools.values().filter((pool) => pool.isWaiting);
    const pools = [...waiting];
    try {
      await handOver(this.#ctx, this.#row, { reason, onlyHealthy });
      // What stays does so until something changes.
      if (!onlyHealthy) for (const pool of pools) pool.isWaiting = false;
    } catch (error) {
      if (onlyHealthy) this.#mustHandOver = true;
      throw error;
    }
  }

  /** Takes back what waits elsewhere, as much as can be begun now. */
  async #bringHome(): Promise<void> {
    this.#mayBringHome = false;
    const planned = new Map<LanePool, { tasks: number; units: number }>();
    try {
      const count = await bringHome(this.#ctx, this.#row, ({ pool: name, units }) => {
        const pool = this.#pool(name);
        const plan = planned.get(pool) ?? { tasks: 0, units: 0 };
        planned.set(pool, plan);
        if (pool.isWaiting || !pool.hasRoom(units, this.#concurrency, plan) || plan.tasks >= FILL_MAX) {
          this.#mayBringHome = true;
          return false;
        }
        plan.tasks++;
        plan.units += units;
        return true;
      });
      if (count > 0) this.#mayBringHome = true;
    } catch (error) {
      this.#mayBringHome = true;
      throw error;
    }
  }

  /** Submits with a place already taken; never rejects. */
  #submit(task: Task, attemptId: string, place: Place): Promise<void> {
    return this.#settleOutcome(task, attemptId, place, () =>
      submitAttempt(this.#ctx, this.#row, task, attemptId, this.#onRefused(place)),
    );
  }

  #settle({ task, attemptId, place, exchanges }: Doubt): Promise<void> {
    return this.#settleOutcome(task, attemptId, place, () =>
      settleDoubt(this.#ctx, this.#row, task, attemptId, exchanges, this.#onRefused(place)),
    );
  }

  async #settleOutcome(
    task: Task,
    attemptId: string,
    place: Place,
    work: () => Promise<SubmitOutcome>,
  ): Promise<void> {
    const doubtDueAt = this.#ctx.clock.now() + this.#ctx.settings.submitTimeoutMs + DOUBT_GRACE_MS;
    this.#settling.add(attemptId);
    try {
      const outcome = await work();
      if (outcome.kind === 'doubt') {
        this.#doubt(task, attemptId, place, doubtDueAt, outcome.exchanges);
        this.#health.silence('submit', 'The upstream broke off without an answer.');
      } else if (outcome.kind === 'accepted') {
        place.pool.speedUp();
        this.#health.accepted();
        this.#watchTask(task, attemptId, place, outcome.ref, outcome.acceptedAt);
      } else {
        if (outcome.kind === 'ended') this.#health.answered('submit');
        this.#leave(place);
      }
    } catch (error) {
      // Not recorded: neither accepted nor refused as far as the store knows, so it is in doubt.
      if (!(error instanceof UpstreamError)) this.#onError(error, 'submit');
      this.#doubt(task, attemptId, place, doubtDueAt, []);
      this.#health.silence('submit', reasonOf(error));
    } finally {
      this.#settling.delete(attemptId);
      this.#endSubmit(place.pool);
      this.#submits.wake();
    }
  }

  #watchTask(task: Task, attemptId: string, place: Place, ref: Json, acceptedAt: number): void {
    const { id: taskId, request, deadlineAt } = task;
    const started = task.state === 'in_progress';
    this.#watchAttempt({ attemptId, taskId, started, request, ref, acceptedAt, deadlineAt }, place);
  }

  #watchAttempt({ request, ...running }: RunningAttempt & { ref: Json }, place: Place): void {
    const maker = makerOf(this.#ctx.providers.get(this.#row.provider), request)!;
    this.#watch.add({ ...running, maker, pool: place.pool.name, units: place.units });
  }

  #noteEnd({ pool: name, units, keptMs, isReturned }: Ended): void {
    const pool = this.#pool(name);
    if (!isReturned) {
      pool.noteEnd(units, keptMs);
      this.#notePace(pool);
    }
    this.#leave({ pool, units });
  }

  #notePace(pool: LanePool): void {
    const at = this.#ctx.clock.now();
    if (at < (this.#pacedAt.get(pool) ?? -Infinity) + PACE_EVERY_MS) return;
    this.#pacedAt.set(pool, at);
    const pace = { channelId: this.#row.id, pool: pool.name, taskMs: pool.taskMs!, at };
    const writing = this.#ctx.store.notePace(pace).catch((error: unknown) => this.#onError(error, 'pace'));
    void this.#hold(writing);
  }

  #doubt(task: Task, attemptId: string, place: Place, dueAt: number, exchanges: Exchange[]): void {
    this.#doubts.set(attemptId, { task, attemptId, place, dueAt, exchanges });
  }

  #onRefused({ pool }: Place): OnRefused {
    return (refusal) => this.#heed(refusal, pool);
  }

  /** "Not now": wait as told, else ever longer; after that, one submit tries the water. */
  #heed(refusal: UpstreamError, pool: LanePool | null = null): void {
    if (refusal.kind === 'busy') {
      pool?.pause({ retryAfterMs: refusal.retryAfterMs, ...this.#now() });
      this.#health.answered('submit');
    } else if (refusal.kind === 'channel' || refusal.kind === 'unavailable') {
      for (const one of this.#pools.values()) one.beCareful();
      this.#health.trouble(reasonOf(refusal), refusal.retryAfterMs);
    }
  }

  #now(): { now: number; jitter: number; speed: number } {
    return { now: this.#ctx.clock.now(), jitter: this.#ctx.random(), speed: this.#speed };
  }

  /** Work that a stop waits for. */
  #hold(work: Promise<void>): Promise<void> {
    this.#inHand.add(work);
    void work.finally(() => this.#inHand.delete(work));
    return work;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof UpstreamError)) return 'What the upstream answered could not be kept.';
  const { publicMessage, upstreamCode } = error;
  return upstreamCode === null ? publicMessage : `${publicMessage} (${upstreamCode})`;
}
