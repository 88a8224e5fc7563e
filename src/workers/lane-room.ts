/**
 * The room that a channel has at its upstream: its pools, the places that tasks keep in them, and how quickly one submit
 * may follow another.
 */
import type { ChannelRow, Provider, Weight } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import { weightOf } from '../flows/maker.ts';
import type { Clock } from '../lib/clock.ts';
import { LanePool } from './lane-pool.ts';

/** Room at the upstream that a task keeps until it has ended there. */
export interface Place {
  pool: LanePool;
  units: number;
}

/** An attempt that keeps one. */
export interface Placed {
  task: Task;
  attemptId: string;
  place: Place;
}

export interface LaneRoomOptions {
  clock: Clock;
  /** In [0, 1). */
  random(): number;
  providers: ReadonlyMap<string, Provider>;
  /** The channel as it is configured now. */
  row(): ChannelRow;
  /** How many times faster than real time the upstream works. */
  speed: number;
  /** Whether the channel may be asked for anything at all. */
  mayAsk(): boolean;
  /** A place or a turn to submit is free again. */
  onFree(pool: LanePool): void;
}

export class LaneRoom {
  readonly #options: LaneRoomOptions;
  readonly #pools = new Map<string, LanePool>();
  #submitting = 0;
  /** Requests per second: the earliest time of the next submit. */
  #nextSubmitAt = 0;

  constructor(options: LaneRoomOptions) {
    this.#options = options;
  }

  /** Submits under way, in all pools. */
  get submitting(): number {
    return this.#submitting;
  }

  get pools(): MapIterator<LanePool> {
    return this.#pools.values();
  }

  pool(name: string): LanePool {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new LanePool(name);
      this.#pools.set(name, pool);
    }
    return pool;
  }

  get isAnyoneWaiting(): boolean {
    return this.pools.some((pool) => pool.isWaiting);
  }

  weigh(request: TaskRequest): Weight {
    return weightOf(this.#options.providers.get(this.#options.row().provider), request);
  }

  /** The channel's own cap, else what its upstream allows by default: units in each pool. */
  get #concurrency(): number {
    const { concurrency, provider } = this.#options.row();
    return concurrency ?? this.#options.providers.get(provider)?.concurrencyDefault ?? Infinity;
  }

  /** Whether so many units fit, beside those taken and `planned`. */
  fits(pool: LanePool, units: number, planned = { tasks: 0, units: 0 }): boolean {
    return pool.hasRoom(units, this.#concurrency, planned);
  }

  /** Most tasks of a pool that may be begun at once now. */
  mostOf(pool: LanePool): number {
    const most = pool.roomFor(this.#concurrency);
    return this.#options.row().requestsPerSecond === null ? most : Math.min(most, 1);
  }

  /** Whether a task of so many units may be submitted now. */
  mayStart(pool: LanePool, units: number): boolean {
    const now = this.#options.clock.now();
    return (
      this.#options.mayAsk() && now >= pool.pausedUntil && now >= this.#nextSubmitAt && this.fits(pool, units)
    );
  }

  /** When a pool that somebody waits for may be asked again (Unix ms); Infinity where only a free place helps. */
  get nextTurnAt(): number {
    const now = this.#options.clock.now();
    let nextAt = Infinity;
    for (const pool of this.pools) {
      const gate = Math.max(pool.pausedUntil, this.#nextSubmitAt);
      if (pool.isWaiting && gate > now) nextAt = Math.min(nextAt, gate);
    }
    return nextAt;
  }

  /** A place for what is at the upstream already, or may be. */
  enter({ pool: name, units }: Weight): Place {
    const pool = this.pool(name);
    pool.units += units;
    return { pool, units };
  }

  /** A place for what is submitted now. */
  take(pool: LanePool, units: number): Place {
    this.beginSubmit(pool);
    const perSecond = this.#options.row().requestsPerSecond;
    if (perSecond !== null) {
      this.#nextSubmitAt = Math.max(this.#nextSubmitAt, this.#options.clock.now()) + 1000 / perSecond;
    }
    return this.enter({ pool: pool.name, units });
  }

  leave({ pool, units }: Place): void {
    pool.units -= units;
    this.#options.onFree(pool);
  }

  beginSubmit(pool: LanePool): void {
    this.#submitting++;
    pool.submitting++;
  }

  endSubmit(pool: LanePool): void {
    this.#submitting--;
    pool.submitting--;
    this.#options.onFree(pool);
  }

  /** The upstream is busy: wait as told, else ever longer. */
  pause(pool: LanePool, retryAfterMs: number | null): void {
    pool.pause({ retryAfterMs, ...this.#moment() });
  }

  /** The upstream gave back what it had accepted. */
  pauseAfterReturn(pool: LanePool): void {
    pool.pauseAfterReturn(this.#moment());
  }

  /** The channel is in trouble: one submit tries the water. */
  beCareful(): void {
    for (const pool of this.pools) pool.beCareful();
  }

  /** The operator has changed the channel. */
  startAnew(): void {
    for (const pool of this.pools) pool.startAnew();
  }

  /** The clock was put back. */
  shiftBack(byMs: number): void {
    this.#nextSubmitAt -= byMs;
    for (const pool of this.pools) pool.pausedUntil -= byMs;
  }

  #moment(): { now: number; jitter: number; speed: number } {
    const { clock, random, speed } = this.#options;
    return { now: clock.now(), jitter: random(), speed };
  }
}
