/**
 * One pool of a lane: the tasks that an upstream counts together. Knows how much of it is taken, whether somebody waits
 * for it, and how carefully it must be asked after it was busy.
 */
import { pauseMs } from '../core/breaker.ts';

/** So many accepted in a row after a refusal, and any number may be under way again. */
const CAREFUL_UNTIL = 64;
/** How much of the newest task's time goes into the pace. */
const PACE_SHARE = 0.2;

export class LanePool {
  readonly name: string;
  /** Units of what runs, is being submitted or is in doubt. */
  units = 0;
  submitting = 0;
  /** Tasks are waiting in the store, as far as the last look could tell. */
  isWaiting = false;
  /** A look at who waits is under way: a free place may be theirs. */
  isLooking = false;
  /** Units that the first of those who wait needs. */
  nextUnits = 1;
  pausedUntil = 0;
  /** How long a task kept its places lately, milliseconds times units; null: none has ended yet. */
  taskMs: number | null = null;
  /** Most submits under way: one after a refusal, twice as many with every acceptance, then any number. */
  #submitsMax = Infinity;
  #refusals = 0;
  /** Tasks in a row that were accepted and then found to be one too many. */
  #returns = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether so much more may be submitted; what is larger than the whole pool goes when it is empty. */
  hasRoom(units: number, concurrency: number, planned = { tasks: 0, units: 0 }): boolean {
    const taken = this.units + planned.units;
    return (
      this.submitting + planned.tasks < this.#submitsMax && (taken === 0 || taken + units <= concurrency)
    );
  }

  /** Most tasks that may be begun now. */
  roomFor(concurrency: number): number {
    return Math.min(Math.max(1, concurrency - this.units), this.#submitsMax - this.submitting);
  }

  /** One submit tries the water, then two, … */
  beCareful(): void {
    this.#submitsMax = 1;
  }

  speedUp(): void {
    this.#refusals = 0;
    this.#submitsMax = this.#submitsMax >= CAREFUL_UNTIL ? Infinity : this.#submitsMax * 2;
  }

  /** The upstream has no place: wait as told, else ever longer. */
  pause(options: { retryAfterMs: number | null; now: number; jitter: number; speed: number }): void {
    const { retryAfterMs, now, jitter, speed } = options;
    this.beCareful();
    // Refusals of submits that were under way together are one piece of news.
    const isNews = now >= this.pausedUntil;
    if (!isNews && retryAfterMs === null) return;
    const forMs = retryAfterMs ?? pauseMs(this.#refusals, jitter, speed);
    if (isNews) this.#refusals++;
    this.pausedUntil = Math.max(this.pausedUntil, now + forMs);
  }

  /** It accepted a task and had no place for it after all: that it accepts the next one says nothing. */
  pauseAfterReturn(options: { now: number; jitter: number; speed: number }): void {
    this.beCareful();
    const forMs = pauseMs(this.#returns++, options.jitter, options.speed);
    this.pausedUntil = Math.max(this.pausedUntil, options.now + forMs);
  }

  /** The operator has changed the channel: what was learned may not hold any more. */
  startAnew(): void {
    this.pausedUntil = 0;
    this.#refusals = 0;
    this.#returns = 0;
    this.#submitsMax = Infinity;
  }

  /** A task has ended that kept `units` places for so long. */
  noteEnd(units: number, keptMs: number): void {
    this.#returns = 0;
    const taskMs = keptMs * Math.max(1, units);
    this.taskMs = this.taskMs === null ? taskMs : this.taskMs + PACE_SHARE * (taskMs - this.taskMs);
  }
}
