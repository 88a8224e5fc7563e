/**
 * The lane of one channel, held by one process: submits what waits, settles what is in doubt, has watched what runs. It
 * holds its schedule in memory and rebuilds it from the store at start; correctness rests on the store's
 * compare-and-set, the lane is for economy. What it does has files of their own; here is when it is done.
 */
import { isDeepStrictEqual } from 'node:util';
import type { UpstreamError } from '../core/errors.ts';
import type { ChannelRow } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext, Slot } from '../flows/context.ts';
import { probeChannel } from '../flows/probe-channel.ts';
import { Loop } from '../lib/loop.ts';
import { SetBack } from '../lib/set-back.ts';
import type { Accepted } from './accepted.ts';
import { DOUBT_GRACE_MS, Doubts } from './doubts.ts';
import type { HealthBook } from './health-book.ts';
import { InHand } from './in-hand.ts';
import { LaneHealth } from './lane-health.ts';
import { LaneLoading } from './lane-loading.ts';
import { LaneMoves } from './lane-moves.ts';
import { LanePaces } from './lane-paces.ts';
import { LaneRoom, type Place, type Placed } from './lane-room.ts';
import { LaneSubmits } from './lane-submits.ts';
import { LaneWaiting } from './lane-waiting.ts';
import { Watch, type Ended } from './watch.ts';

/** Whoever took the lane over has its work; if nobody did, it is ours again after so long. */
const NOT_OURS_MS = 500;

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
  readonly #isOurs: () => boolean;
  readonly #loop: Loop;
  readonly #setBack = new SetBack();
  readonly #inHand = new InHand();
  readonly #doubts = new Doubts();
  readonly #health: LaneHealth;
  readonly #room: LaneRoom;
  readonly #watch: Watch;
  readonly #submits: LaneSubmits;
  readonly #waiting: LaneWaiting;
  readonly #moves: LaneMoves;
  readonly #loading: LaneLoading;
  readonly #paces: LanePaces;
  #row: ChannelRow;
  #stopped = false;

  constructor(options: LaneOptions) {
    const { ctx, speed, isOurs, onError } = options;
    const { clock } = ctx;
    const row = (): ChannelRow => this.#row;
    const random = (): number => ctx.random();
    const onAccepted = (accepted: Accepted, place: Place): void => this.#watchIt(accepted, place);
    const doubts = this.#doubts;
    this.#ctx = ctx;
    this.#row = options.row;
    this.#isOurs = isOurs;
    this.#loop = new Loop({
      clock,
      step: () => this.#step(),
      onError: (error) => onError(error, 'submit'),
    });
    this.#health = new LaneHealth({
      channelId: this.#row.id,
      clock,
      book: options.health,
      random,
      speed,
      onOpened: () => {
        this.#moves.mustHandOver = true;
        this.wake();
      },
      onClosed: () => {
        this.#moves.mayBringHome = true;
        this.wake();
      },
    });
    const room = new LaneRoom({
      clock,
      random,
      providers: ctx.providers,
      row,
      speed,
      mayAsk: () => !this.#stopped && isOurs() && this.#row.enabled && this.#health.isTrusted,
      onFree: (pool) => {
        if (pool.isWaiting || this.#moves.mayBringHome) this.#loop.wake();
      },
    });
    this.#room = room;
    this.#submits = new LaneSubmits({
      ctx,
      row,
      room,
      doubts,
      health: this.#health,
      onAccepted,
      onSettled: () => this.#loop.wake(),
      onError,
    });
    this.#waiting = new LaneWaiting({
      ctx,
      row,
      room,
      onOpened: (attempt) => void this.#submit(attempt),
      onDoubt: (attempt) => this.#doubt(attempt),
    });
    this.#moves = new LaneMoves({ ctx, row, room });
    this.#loading = new LaneLoading({
      ctx,
      channelId: this.#row.id,
      room,
      doubts,
      knows: (attemptId, taskId) => this.#knows(attemptId, taskId),
      onAccepted,
      onLoaded: () => this.#loop.wake(),
      onError,
    });
    this.#paces = new LanePaces({
      channelId: this.#row.id,
      store: ctx.store,
      clock,
      hold: (work) => void this.#inHand.hold(work),
      onError,
    });
    this.#watch = new Watch({
      ctx,
      row,
      isOurs,
      speed,
      onError,
      onEnded: (ended) => this.#noteEnd(ended),
      onReturn: (pool) => room.pauseAfterReturn(room.pool(pool)),
      onAnswer: () => this.#health.answered('poll'),
      onSilence: (reason) => this.#health.silence('poll', reason),
    });
  }

  /** Rebuilds the schedule from the store, then works by itself. Rejects when the store cannot be read. */
  async start(): Promise<void> {
    await this.#paces.recall(this.#room);
    await this.#loading.start();
  }

  /**
   * Looks after what others began on this channel since `since` (Unix ms): a request of another process that did not
   * live to see its answer, or a process that only slept while it was replaced.
   */
  adopt(since: number): Promise<void> {
    return this.#loading.adopt(since);
  }

  /** Whether submits are under way, whose outcome is not recorded yet. */
  get isSubmitting(): boolean {
    return this.#room.submitting > 0;
  }

  /** Takes nothing up any more; waits for submits and polls in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#loading.stop(), this.#loop.stop(), this.#watch.stop()]);
    // The last step may have begun submits of its own.
    await this.#inHand.settled();
  }

  /** Channels have changed: this one's settings, or others that could take what waits here. */
  configure(row: ChannelRow): void {
    if (!isDeepStrictEqual(row, this.#row)) {
      this.#row = row;
      this.#room.startAnew();
      this.#health.tryNow();
    }
    this.#moves.mayBringHome = true;
    this.wake();
  }

  /** Tasks may have begun to wait. */
  wake(): void {
    this.#waiting.noteNews();
    this.#loop.wake();
  }

  /** A place for a request that will submit by itself; null when it must wait its turn. */
  reserve(request: TaskRequest): Slot | null {
    if (!this.#loading.isDone || !this.#waiting.isKnown) return null;
    const { pool: name, units } = this.#room.weigh(request);
    const pool = this.#room.pool(name);
    if (pool.isWaiting || pool.isLooking || !this.#room.mayStart(pool, units)) return null;
    const place = this.#room.take(pool, units);
    return {
      submit: (task, attemptId) => this.#submit({ task, attemptId, place }),
      release: () => {
        this.#room.endSubmit(pool);
        this.#room.leave(place);
      },
      leave: (task, attemptId) => {
        this.#doubt({ task, attemptId, place });
        this.#room.endSubmit(pool);
        this.#loop.wake();
      },
    };
  }

  /** An attempt that nobody submits any more, and of which we do not know whether the store has it. */
  lookAfter(task: Task, attemptId: string): void {
    this.#doubt({ task, attemptId, place: this.#room.enter(this.#room.weigh(task.request)) });
    this.#loop.wake();
  }

  /** A push arrived for this task: its next poll is due now. */
  hint(taskId: string): void {
    this.#watch.hint(taskId);
  }

  /** What somebody else heard who asked this channel: it accepted (null), or refused. */
  heard(refusal: UpstreamError | null): void {
    if (refusal === null) this.#health.accepted();
    else this.#submits.heed(refusal);
  }

  /** Attempts under way: submitting, in doubt or running. */
  get inUse(): number {
    return this.#watch.size + this.#doubts.size + this.#room.submitting;
  }

  async #step(): Promise<number> {
    const { clock } = this.#ctx;
    if (!this.#isOurs()) return clock.now() + NOT_OURS_MS;
    this.#appointAnew(this.#setBack.take(clock.now()));
    for (const doubt of this.#doubts.takeDue(clock.now())) {
      void this.#inHand.hold(this.#submits.settle(doubt));
    }
    await this.#waiting.findPools();
    if (this.#mayBegin) await this.#begin();
    else if (!this.#row.enabled && this.#room.isAnyoneWaiting) await this.#moves.awayForGood();
    return this.#dueAt();
  }

  /** Whether it is known how much room there is. */
  get #mayBegin(): boolean {
    return this.#row.enabled && this.#loading.isDone;
  }

  /** Submits what may be submitted; tries, after trouble, whether that is over. */
  async #begin(): Promise<void> {
    if (this.#moves.mustHandOver) {
      this.#moves.mustHandOver = false;
      // What came here meanwhile had nowhere else to go.
      if (!this.#health.isTrusted) await this.#moves.awayFromTrouble();
    }
    if (this.#ctx.clock.now() >= this.#health.retryAt && !this.#stopped) await this.#tryAgain();
    for (const pool of this.#room.pools) {
      while (pool.isWaiting && this.#room.mayStart(pool, pool.nextUnits)) await this.#waiting.takeUp(pool);
    }
    if (this.#moves.mayBringHome && this.#health.isTrusted && !this.#stopped) await this.#moves.home();
  }

  /** When there is something to do next that nobody wakes us for. */
  #dueAt(): number {
    if (!this.#mayBegin) return this.#doubts.nextAt;
    return Math.min(this.#doubts.nextAt, this.#health.retryAt, this.#room.nextTurnAt);
  }

  /** After the clock was put back, what is to be done at a time would wait until it is again as late as it was. */
  #appointAnew(byMs: number): void {
    if (byMs === 0) return;
    this.#health.shiftBack(byMs);
    this.#room.shiftBack(byMs);
    this.#doubts.shiftBack(byMs);
  }

  /** One of those who wait tries whether the channel works again; when there is none, the provider's probe does. */
  async #tryAgain(): Promise<void> {
    this.#health.halfOpen();
    try {
      for (const pool of this.#room.pools) {
        if (!pool.isWaiting || this.#ctx.clock.now() < pool.pausedUntil) continue;
        const before = this.#room.submitting;
        await this.#waiting.takeUp(pool, 1);
        if (this.#room.submitting > before) return;
      }
    } catch (error) {
      // Nobody is trying, so somebody has to later.
      this.#health.trouble('It could not be tried whether the channel works again.');
      throw error;
    }
    void this.#inHand.hold(this.#probe());
  }

  async #probe(): Promise<void> {
    const { ok, message } = await probeChannel(this.#ctx, this.#row);
    if (ok) this.#health.answered('probe');
    else this.#health.trouble(message);
    this.#loop.wake();
  }

  #submit(attempt: Placed): Promise<void> {
    return this.#inHand.hold(this.#submits.submit(attempt));
  }

  /** It may be on its way: it is left alone for a while. */
  #doubt(attempt: Placed): void {
    this.#doubts.add({ ...attempt, dueAt: this.#ctx.clock.now() + DOUBT_GRACE_MS, exchanges: [] });
  }

  #watchIt(accepted: Accepted, { pool, units }: Place): void {
    this.#watch.add(accepted, { pool: pool.name, units });
  }

  #noteEnd({ pool: name, units, keptMs, isReturned }: Ended): void {
    const pool = this.#room.pool(name);
    if (!isReturned) this.#paces.noteEnd(pool, units, keptMs);
    this.#room.leave({ pool, units });
  }

  #knows(attemptId: string, taskId: string): boolean {
    return (
      this.#watch.has({ taskId, attemptId }) || this.#doubts.has(attemptId) || this.#submits.has(attemptId)
    );
  }
}
