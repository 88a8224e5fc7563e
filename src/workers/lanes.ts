/**
 * One lane per channel that is enabled or still has work, kept in step with the channels in the store.
 */
import type { ChannelRow } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext, Lanes, Slot } from '../flows/context.ts';
import { Loop } from '../lib/loop.ts';
import { Lane, type LaneOptions } from './lane.ts';

export interface LaneSetOptions {
  /** How many times faster than real time a channel's upstream works. */
  speedOf(row: ChannelRow): number;
  onError: LaneOptions['onError'];
}

export class LaneSet implements Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #options: LaneSetOptions;
  #syncing: Loop | null = null;

  constructor(options: LaneSetOptions) {
    this.#options = options;
  }

  /** Begins to work: called once, after the context that names this set exists. */
  async start(ctx: FlowContext): Promise<void> {
    const syncing = new Loop({
      clock: ctx.clock,
      onError: (error) => this.#options.onError(error, 'channels'),
      step: async () => {
        await this.#sync(ctx);
        return Infinity;
      },
    });
    this.#syncing = syncing;
    await this.#sync(ctx);
    this.#unsubscribe.push(ctx.store.onCommit('channels', () => syncing.wake()));
    // For what changed between the look and the subscription.
    syncing.wake();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#syncing?.stop();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  reserve(channelId: string): Slot | null {
    return this.#lanes.get(channelId)?.reserve() ?? null;
  }

  hint(channelId: string, taskId: string): void {
    this.#lanes.get(channelId)?.hint(taskId);
  }

  lookAfter(task: Task, attemptId: string): void {
    this.#lanes.get(task.channelId)?.lookAfter(task, attemptId);
  }

  isHealthy(channelId: string): boolean {
    return this.#lanes.get(channelId)?.isHealthy ?? true;
  }

  running(channelId: string): number {
    return this.#lanes.get(channelId)?.inUse ?? 0;
  }

  async #sync(ctx: FlowContext): Promise<void> {
    const rows = new Map<string, ChannelRow>();
    for (const row of await ctx.store.channelsWithWork()) rows.set(row.id, row);
    for (const row of await ctx.store.listChannels()) rows.set(row.id, row);
    for (const id of this.#lanes.keys()) {
      // Deleted, and nothing to do at the moment: it must not go by what it was told before.
      const row = rows.get(id) ?? (await ctx.store.getChannel(id));
      if (row !== null) rows.set(id, row);
    }
    for (const stored of rows.values()) {
      const row = ctx.channels.asItCounts(stored);
      const known = this.#lanes.get(row.id);
      const provider = ctx.providers.get(row.provider);
      if (known !== undefined) known.configure(row);
      // A provider that is gone from this version leaves its tasks to their deadline.
      else if (provider?.video ?? provider?.feature) await this.#open(ctx, row);
    }
  }

  async #open(ctx: FlowContext, row: ChannelRow): Promise<void> {
    const lane = new Lane({ ctx, row, speed: this.#options.speedOf(row), onError: this.#options.onError });
    await lane.start();
    this.#lanes.set(row.id, lane);
    this.#unsubscribe.push(ctx.store.onCommit(`lane:${row.id}`, () => lane.wake()));
    lane.wake();
  }
}
