/**
 * One lane per channel that is enabled or still has work, kept in step with the channels in the store. Where several
 * nodes share the store each lane is a duty: it is held by one of them, and the others tell that one what it must know.
 */
import { isTrusted } from '../core/breaker.ts';
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Duties, Ongoing } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext, Lanes, Slot } from '../flows/context.ts';
import { Loop } from '../lib/loop.ts';
import { HealthBook } from './health-book.ts';
import { Lane, type LaneOptions } from './lane.ts';

/** How often lanes look for what nodes that died or slept have begun. */
const ADOPT_EVERY_MS = 60_000;
/** How far back: two looks and the longest submit, and clocks that differ a little. */
const ADOPT_BACK_MS = 180_000;

export interface LaneSetOptions {
  /** How many times faster than real time a channel's upstream works. */
  speedOf(row: ChannelRow): number;
  /** Null: this node holds no lanes. */
  duties: Duties | null;
  onError: LaneOptions['onError'];
}

export class LaneSet implements Lanes {
  /** Those that this node holds. */
  readonly #lanes = new Map<string, Lane>();
  readonly #rows = new Map<string, ChannelRow>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #loops: Loop[] = [];
  readonly #options: LaneSetOptions;
  #ctx: FlowContext | null = null;
  #health: HealthBook | null = null;

  constructor(options: LaneSetOptions) {
    this.#options = options;
  }

  /** Begins to work: called once, after the context that names this set exists. */
  async start(ctx: FlowContext): Promise<void> {
    this.#ctx = ctx;
    this.#health = new HealthBook(ctx.store, this.#options.onError);
    await this.#health.start();
    const { duties } = this.#options;
    if (duties === null) return;
    const syncing = this.#loop('channels', async () => {
      await this.#sync(ctx, duties);
      return Infinity;
    });
    await this.#sync(ctx, duties);
    this.#unsubscribe.push(ctx.store.onCommit('channels', () => syncing.wake()));
    // For what changed between the look and the subscription.
    syncing.wake();
    this.#loop('adopt', async () => {
      await this.#adopt(ctx.clock.now() - ADOPT_BACK_MS);
      return ctx.clock.now() + ADOPT_EVERY_MS;
    }).wake();
  }

  /** Duties are stopped, and lanes with them, by whoever made them. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#health?.stop();
  }

  reserve(channelId: string, request: TaskRequest): Slot | null {
    return this.#lanes.get(channelId)?.reserve(request) ?? null;
  }

  hint(channelId: string, taskId: string): void {
    const lane = this.#lanes.get(channelId);
    if (lane !== undefined) lane.hint(taskId);
    else this.#tell(`hint:${channelId} ${taskId}`);
  }

  lookAfter(task: Task, attemptId: string): void {
    const lane = this.#lanes.get(task.channelId);
    if (lane !== undefined) lane.lookAfter(task, attemptId);
    // Should that not arrive either, the next look of whoever holds the lane finds it.
    else this.#tell(`attempts:${task.channelId}`);
  }

  isHealthy(channelId: string): boolean {
    return isTrusted(this.#health?.get(channelId) ?? null);
  }

  heard(channelId: string, refusal: UpstreamError | null): void {
    const lane = this.#lanes.get(channelId);
    if (lane !== undefined) lane.heard(refusal);
    // Trouble is worth telling whoever holds the lane; that all is well it finds out by itself.
    else if (refusal !== null && isTrouble(refusal)) this.#tell(`heard:${channelId} ${toldOf(refusal)}`);
  }

  async running(channelId: string): Promise<number> {
    return this.#lanes.get(channelId)?.inUse ?? (await this.#ctx?.store.openAttemptCount(channelId)) ?? 0;
  }

  /** Lanes that this node holds, with their attempts under way. */
  held(): { channel: string; running: number }[] {
    return [...this.#lanes].map(([channel, lane]) => ({ channel, running: lane.inUse }));
  }

  /** How far the circuit breaker of each channel keeps new tasks away: 0 not at all, 0.5 but for one, 1. */
  states(): { channel: string; openness: number }[] {
    const openness = { closed: 0, half_open: 0.5, open: 1 };
    return [...this.#rows.keys()].map((channel) => ({
      channel,
      openness: openness[this.#health?.get(channel)?.state ?? 'closed'],
    }));
  }

  #loop(where: string, step: () => Promise<number>): Loop {
    const onError = (error: unknown): void => this.#options.onError(error, where);
    const loop = new Loop({ clock: this.#ctx!.clock, onError, step });
    this.#loops.push(loop);
    return loop;
  }

  #tell(topic: string): void {
    this.#ctx!.store.tell(topic).catch((error: unknown) => this.#options.onError(error, 'tell'));
  }

  async #adopt(since: number): Promise<void> {
    for (const lane of this.#lanes.values()) await lane.adopt(since);
  }

  async #sync(ctx: FlowContext, duties: Duties): Promise<void> {
    const found = new Map<string, ChannelRow>();
    for (const row of await ctx.store.channelsWithWork()) found.set(row.id, row);
    for (const row of await ctx.store.listChannels()) found.set(row.id, row);
    for (const id of this.#rows.keys()) {
      // Deleted, and nothing to do at the moment: it must not go by what it was told before.
      const row = found.get(id) ?? (await ctx.store.getChannel(id));
      if (row !== null) found.set(id, row);
    }
    for (const stored of found.values()) {
      const row = ctx.channels.asItCounts(stored);
      this.#rows.set(row.id, row);
      this.#lanes.get(row.id)?.configure(row);
      const provider = ctx.providers.get(row.provider);
      // A provider that is gone from this version leaves its tasks to their deadline.
      if (provider?.video ?? provider?.feature) {
        await duties.want(`lane:${row.id}`, (isOurs) => this.#hold(ctx, row.id, isOurs));
      }
    }
  }

  /** The lane of the channel falls to this node. */
  async #hold(ctx: FlowContext, channelId: string, isOurs: () => boolean): Promise<Ongoing> {
    const { speedOf, onError } = this.#options;
    const row = this.#rows.get(channelId)!;
    const lane = new Lane({ ctx, row, speed: speedOf(row), isOurs, health: this.#health!, onError });
    const { store } = ctx;
    await lane.start();
    this.#lanes.set(channelId, lane);
    const listening = [
      store.onCommit(`lane:${channelId}`, () => lane.wake()),
      store.onCommit(`hint:${channelId}`, (taskId) => void (taskId !== null && lane.hint(taskId))),
      store.onCommit(`heard:${channelId}`, (told) => void (told !== null && lane.heard(refusalOf(told)))),
      store.onCommit(`attempts:${channelId}`, () => {
        void lane.adopt(0).catch((error: unknown) => onError(error, 'adopt'));
      }),
    ];
    // For what changed while it was loaded.
    lane.configure(this.#rows.get(channelId)!);
    return {
      stop: async () => {
        for (const unsubscribe of listening) unsubscribe();
        if (this.#lanes.get(channelId) === lane) this.#lanes.delete(channelId);
        const leftSubmitting = lane.isSubmitting;
        await lane.stop();
        // What was recorded after the next holder had looked.
        if (leftSubmitting) this.#tell(`attempts:${channelId}`);
      },
    };
  }
}

/** The channel's own, not the request's. */
function isTrouble({ kind }: UpstreamError): boolean {
  return kind === 'channel' || kind === 'unavailable';
}

/** A refusal as one node tells another. */
function toldOf({ kind, publicMessage, upstreamCode, retryAfterMs }: UpstreamError): string {
  return JSON.stringify({ kind, publicMessage, upstreamCode, retryAfterMs });
}

function refusalOf(told: string): UpstreamError {
  const { kind, publicMessage, upstreamCode, retryAfterMs } = JSON.parse(told) as UpstreamError;
  return new UpstreamError(kind, publicMessage, {
    ...(upstreamCode !== null && { upstreamCode }),
    ...(retryAfterMs !== null && { retryAfterMs }),
  });
}
