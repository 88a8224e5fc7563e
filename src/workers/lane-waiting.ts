/** Those who wait for a channel: in which pools there are any, whose turn it is, and taking them up. */
import type { ChannelRow } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext } from '../flows/context.ts';
import type { LanePool } from './lane-pool.ts';
import type { LaneRoom, Place, Placed } from './lane-room.ts';

/** How many waiting tasks are taken up at once. */
export const TAKEN_AT_ONCE = 64;

export interface LaneWaitingOptions {
  ctx: FlowContext;
  /** The channel as it is configured now. */
  row(): ChannelRow;
  room: LaneRoom;
  /** Its attempt is in the store: it is to be submitted. */
  onOpened(attempt: Placed): void;
  /** The store broke off: its attempt may exist. */
  onDoubt(attempt: Placed): void;
}

export class LaneWaiting {
  readonly #options: LaneWaitingOptions;
  /** Tasks may have begun to wait, in whatever pool; true until a look says otherwise. */
  #hasNews = true;
  #isLooking = false;

  constructor(options: LaneWaitingOptions) {
    this.#options = options;
  }

  /** Tasks may have begun to wait. */
  noteNews(): void {
    this.#hasNews = true;
  }

  /** Whether it is known of every pool if somebody waits for it. */
  get isKnown(): boolean {
    return !this.#hasNews && !this.#isLooking;
  }

  /** Finds out in which pools somebody waits, when that may have changed. Rejects when the store cannot be read. */
  async findPools(): Promise<void> {
    if (!this.#hasNews) return;
    const { ctx, row, room } = this.#options;
    this.#hasNews = false;
    this.#isLooking = true;
    try {
      const names = new Set(await ctx.store.waitingPools(row().id));
      for (const name of names) room.pool(name);
      for (const pool of room.pools) {
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
  async takeUp(pool: LanePool, most = TAKEN_AT_ONCE): Promise<void> {
    const { ctx, row, room, onOpened, onDoubt } = this.#options;
    const limit = Math.min(most, room.mostOf(pool));
    if (limit < 1) return;
    const at = ctx.clock.now();
    const taken = (await this.#look(pool, limit)).map((next) => ({ ...next, attemptId: ctx.newId('att_') }));
    if (taken.length === 0) return;
    const attempts = taken.map(({ task, attemptId }) => ({
      id: attemptId,
      taskId: task.id,
      channelId: row().id,
      owner: ctx.owner,
      submitDeadlineAt: at + ctx.settings.submitTimeoutMs,
      at,
    }));
    let opened: Set<string>;
    try {
      opened = new Set(await ctx.store.openAttempts(attempts));
    } catch (error) {
      for (const one of taken) {
        onDoubt(one);
        room.endSubmit(pool);
      }
      pool.isWaiting = true;
      throw error;
    }
    for (const one of taken) {
      if (opened.has(one.attemptId)) {
        onOpened(one);
      } else {
        room.endSubmit(pool);
        room.leave(one.place);
      }
    }
  }

  /** Those who are next, as far as they fit; their places are taken before anybody else can ask for one. */
  async #look(pool: LanePool, limit: number): Promise<{ task: Task; place: Place }[]> {
    const { ctx, row, room } = this.#options;
    pool.isWaiting = false;
    pool.isLooking = true;
    try {
      const taken: { task: Task; place: Place }[] = [];
      const tasks = await ctx.store.waitingTasks(row().id, pool.name, limit);
      for (const task of tasks) {
        const { units } = room.weigh(task.request);
        // Nobody overtakes whoever needs more room than there is: that would be for ever.
        if (!room.fits(pool, units)) {
          pool.isWaiting = true;
          pool.nextUnits = units;
          return taken;
        }
        taken.push({ task, place: room.take(pool, units) });
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
}
