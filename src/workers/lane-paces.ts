/** How long tasks kept their places lately: kept in the store for those who ask how long they have to wait. */
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../core/ports.ts';
import type { LanePool } from './lane-pool.ts';
import type { LaneRoom } from './lane-room.ts';

/** How often the pace of a pool is written down. */
const WRITTEN_EVERY_MS = 30_000;

export interface LanePacesOptions {
  channelId: string;
  store: Store;
  clock: Clock;
  /** Takes what a stop has to wait for. */
  hold(work: Promise<void>): void;
  onError(error: unknown, where: string): void;
}

export class LanePaces {
  readonly #options: LanePacesOptions;
  readonly #writtenAt = new Map<LanePool, number>();

  constructor(options: LanePacesOptions) {
    this.#options = options;
  }

  /** What was known when the lane was held last. Rejects when the store cannot be read. */
  async recall(room: LaneRoom): Promise<void> {
    const { store, channelId } = this.#options;
    for (const { pool, taskMs } of await store.lanePaces(channelId)) room.pool(pool).taskMs = taskMs;
  }

  /** A task has ended that kept `units` places for so long. */
  noteEnd(pool: LanePool, units: number, keptMs: number): void {
    pool.noteEnd(units, keptMs);
    const { store, clock, channelId, hold, onError } = this.#options;
    const at = clock.now();
    if (at < (this.#writtenAt.get(pool) ?? -Infinity) + WRITTEN_EVERY_MS) return;
    this.#writtenAt.set(pool, at);
    const pace = { channelId, pool: pool.name, taskMs: pool.taskMs!, at };
    hold(store.notePace(pace).catch((error: unknown) => onError(error, 'pace')));
  }
}
