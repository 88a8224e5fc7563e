/**
 * One lane per channel that is enabled or still has work, kept in step with the channels in the store.
 */
import type { ChannelRow } from '../core/ports.ts';
import type { FlowContext, Lanes, Slot } from '../flows/context.ts';
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
  #ctx: FlowContext | null = null;
  #syncing: Promise<void> = Promise.resolve();

  constructor(options: LaneSetOptions) {
    this.#options = options;
  }

  /** Begins to work: called once, after the context that names this set exists. */
  async start(ctx: FlowContext): Promise<void> {
    this.#ctx = ctx;
    this.#unsubscribe.push(
      ctx.store.onCommit('channels', () => {
        this.#syncing = this.#syncing
          .then(() => this.#sync())
          .catch((error: unknown) => this.#options.onError(error, 'channels'));
      }),
    );
    await this.#sync();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#syncing;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  reserve(channelId: string): Slot | null {
    return this.#lanes.get(channelId)?.reserve() ?? null;
  }

  hint(channelId: string, taskId: string): void {
    this.#lanes.get(channelId)?.hint(taskId);
  }

  running(channelId: string): number {
    return this.#lanes.get(channelId)?.inUse ?? 0;
  }

  async #sync(): Promise<void> {
    const ctx = this.#ctx!;
    const rows = new Map<string, ChannelRow>();
    for (const row of await ctx.store.channelsWithWork()) rows.set(row.id, row);
    for (const row of await ctx.store.listChannels()) rows.set(row.id, row);
    for (const row of rows.values()) {
      // A provider that is gone from this version leaves its tasks to their deadline.
      if (ctx.providers.get(row.provider)?.video === undefined) continue;
      const known = this.#lanes.get(row.id);
      if (known !== undefined) {
        known.configure(row);
        continue;
      }
      const lane = new Lane({ ctx, row, speed: this.#options.speedOf(row), onError: this.#options.onError });
      this.#lanes.set(row.id, lane);
      this.#unsubscribe.push(ctx.store.onCommit(`lane:${row.id}`, () => lane.wake()));
      await lane.start();
    }
  }
}
