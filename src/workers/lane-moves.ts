/**
 * What waits moves between channels: away from one that takes nothing, back to one that works again. Remembers that a
 * move is due until it has succeeded.
 */
import type { ChannelRow, Weight } from '../core/ports.ts';
import { bringHome } from '../flows/bring-home.ts';
import type { FlowContext } from '../flows/context.ts';
import { handOver } from '../flows/hand-over.ts';
import type { LanePool } from './lane-pool.ts';
import type { LaneRoom } from './lane-room.ts';
import { TAKEN_AT_ONCE } from './lane-waiting.ts';

export interface LaneMovesOptions {
  ctx: FlowContext;
  /** The channel as it is configured now. */
  row(): ChannelRow;
  room: LaneRoom;
}

/** What a pool is about to be given. */
interface Plan {
  tasks: number;
  units: number;
}

export class LaneMoves {
  /** The channel has just come into trouble: what waits goes where it can be made. */
  mustHandOver = false;
  /** The channel works again, or others do not: something may wait elsewhere that belongs here. */
  mayBringHome = true;
  readonly #options: LaneMovesOptions;

  constructor(options: LaneMovesOptions) {
    this.#options = options;
  }

  /** To channels that work, as far as there are any; the rest waits for this one. */
  async awayFromTrouble(): Promise<void> {
    const { ctx, row } = this.#options;
    try {
      await handOver(ctx, row(), { reason: 'the channel is in trouble', onlyHealthy: true });
    } catch (error) {
      this.mustHandOver = true;
      throw error;
    }
  }

  /** To whatever channel can make it: this one never will. */
  async awayForGood(): Promise<void> {
    const { ctx, row, room } = this.#options;
    const pools = [...room.pools.filter((pool) => pool.isWaiting)];
    await handOver(ctx, row(), { reason: 'the channel was switched off or deleted', onlyHealthy: false });
    // What stays does so until something changes.
    for (const pool of pools) pool.isWaiting = false;
  }

  /** Takes back what waits elsewhere, as much as can be begun now. */
  async home(): Promise<void> {
    const { ctx, row } = this.#options;
    this.mayBringHome = false;
    const planned = new Map<LanePool, Plan>();
    try {
      const count = await bringHome(ctx, row(), (weight) => this.#takes(weight, planned));
      if (count > 0) this.mayBringHome = true;
    } catch (error) {
      this.mayBringHome = true;
      throw error;
    }
  }

  #takes({ pool: name, units }: Weight, planned: Map<LanePool, Plan>): boolean {
    const { room } = this.#options;
    const pool = room.pool(name);
    const plan = planned.get(pool) ?? { tasks: 0, units: 0 };
    planned.set(pool, plan);
    if (pool.isWaiting || !room.fits(pool, units, plan) || plan.tasks >= TAKEN_AT_ONCE) {
      this.mayBringHome = true;
      return false;
    }
    plan.tasks++;
    plan.units += units;
    return true;
  }
}
