/** Attempts of one channel of which nobody knows whether the upstream has them, until it is time to find out. */
import type { Exchange } from '../core/ports.ts';
import type { Placed } from './lane-room.ts';

/** A submit is left alone this long after its deadline: the request may still be on its way. */
export const DOUBT_GRACE_MS = 5_000;

export interface Doubt extends Placed {
  /** Unix ms. */
  dueAt: number;
  /** What was heard of it so far, for the flight recorder. */
  exchanges: Exchange[];
}

export class Doubts {
  readonly #doubts = new Map<string, Doubt>();

  get size(): number {
    return this.#doubts.size;
  }

  has(attemptId: string): boolean {
    return this.#doubts.has(attemptId);
  }

  add(doubt: Doubt): void {
    this.#doubts.set(doubt.attemptId, doubt);
  }

  /** Somebody has news of it: it is settled now. */
  hasten(attemptId: string, now: number): void {
    const doubt = this.#doubts.get(attemptId);
    if (doubt !== undefined) doubt.dueAt = now;
  }

  /** Those that are due by `now`; they are no doubts any more. */
  takeDue(now: number): Doubt[] {
    const due = [...this.#doubts.values().filter(({ dueAt }) => dueAt <= now)];
    for (const { attemptId } of due) this.#doubts.delete(attemptId);
    return due;
  }

  /** Unix ms; Infinity while there is none. */
  get nextAt(): number {
    return Math.min(Infinity, ...this.#doubts.values().map(({ dueAt }) => dueAt));
  }

  /** The clock was put back. */
  shiftBack(byMs: number): void {
    for (const doubt of this.#doubts.values()) doubt.dueAt -= byMs;
  }
}
