/**
 * Taking over what is under way on a channel: all of it when the lane begins, and later what nodes that died or slept
 * have left behind.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { OpenAttempt, RunningAttempt } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext } from '../flows/context.ts';
import { acceptedOf, type Accepted } from './accepted.ts';
import { DOUBT_GRACE_MS, type Doubts } from './doubts.ts';
import type { LaneRoom, Place } from './lane-room.ts';

/** Open attempts read in one step of ten milliseconds. More than these are loaded while the gateway serves already. */
const LOADED_AT_ONCE = 500;
const LOAD_AGAIN_MS = 1_000;

export interface LaneLoadingOptions {
  ctx: FlowContext;
  channelId: string;
  room: LaneRoom;
  doubts: Doubts;
  /** Whether the lane has this attempt already. */
  knows(attemptId: string, taskId: string): boolean;
  /** The upstream has it: it is to be watched. */
  onAccepted(accepted: Accepted, place: Place): void;
  /** What was found has its place. */
  onLoaded(): void;
  onError(error: unknown, where: string): void;
}

export class LaneLoading {
  readonly #options: LaneLoadingOptions;
  #isDone = false;
  #loading: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: LaneLoadingOptions) {
    this.#options = options;
  }

  /** Whether all that was under way when the lane began has its place, so that it is known how much room there is. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Resolves when it is loaded, or at once when that will take long. Rejects when the store cannot be read. */
  async start(): Promise<void> {
    const { ctx, channelId } = this.#options;
    if ((await ctx.store.openAttemptCount(channelId)) <= LOADED_AT_ONCE) await this.#load();
    else this.#loading = this.#loadPatiently();
  }

  /** Nothing is read any more; waits for the step in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loading;
  }

  async #load(): Promise<void> {
    const { ctx, channelId, room, doubts, knows, onAccepted, onLoaded } = this.#options;
    let after: string | null = null;
    for (let isMore = true; isMore;) {
      const some: RunningAttempt[] = await ctx.store.openAttemptsOf(channelId, after, LOADED_AT_ONCE);
      if (this.#stopped) return;
      isMore = some.length === LOADED_AT_ONCE;
      if (isMore) await turn();
      for (const running of some) {
        after = running.attemptId;
        if (knows(running.attemptId, running.taskId)) continue;
        const { ref, attemptId } = running;
        if (ref !== null) {
          onAccepted({ ...running, ref }, room.enter(room.weigh(running.request)));
          continue;
        }
        const open = await ctx.store.getAttempt(attemptId);
        if (open === null || open.attempt.endedAt !== null) continue;
        const dueAt = open.attempt.submitDeadlineAt + DOUBT_GRACE_MS;
        doubts.add({ task: open.task, attemptId, place: this.#placeOf(open.task), dueAt, exchanges: [] });
      }
    }
    this.#isDone = true;
    onLoaded();
  }

  /** While others are served: what comes in meanwhile waits its turn. Never rejects. */
  async #loadPatiently(): Promise<void> {
    while (!this.#isDone && !this.#stopped) {
      try {
        await this.#load();
      } catch (error) {
        this.#options.onError(error, 'load');
        await this.#options.ctx.clock.sleep(LOAD_AGAIN_MS);
      }
    }
  }

  /**
   * Looks after what others began on this channel since `since` (Unix ms): a request of another process that did not
   * live to see its answer, or a process that only slept while it was replaced.
   */
  async adopt(since: number): Promise<void> {
    await this.#loading;
    const { ctx, channelId, doubts, onLoaded } = this.#options;
    for (const { attemptId, taskId } of await ctx.store.openAttemptKeys(channelId, since)) {
      if (!doubts.has(attemptId) && this.#options.knows(attemptId, taskId)) continue;
      const open = await ctx.store.getAttempt(attemptId);
      if (open !== null) this.#adoptOne(open);
    }
    onLoaded();
  }

  #adoptOne({ task, attempt }: OpenAttempt): void {
    const { ctx, doubts, knows, onAccepted } = this.#options;
    const { id: attemptId, state, ref, submitDeadlineAt, createdAt, endedAt } = attempt;
    // Whoever was submitting it has recorded how that ended.
    if (state !== 'submitting') doubts.hasten(attemptId, ctx.clock.now());
    if (endedAt !== null || knows(attemptId, task.id)) return;
    const dueAt = submitDeadlineAt + DOUBT_GRACE_MS;
    if (state === 'accepted' && ref !== null) {
      const acceptedAt = attempt.acceptedAt ?? createdAt;
      onAccepted(acceptedOf(task, { attemptId, ref, acceptedAt }), this.#placeOf(task));
    } else if (attempt.owner !== ctx.owner || dueAt <= ctx.clock.now()) {
      // Ours is under way just now.
      doubts.add({ task, attemptId, place: this.#placeOf(task), dueAt, exchanges: [] });
    }
  }

  #placeOf({ request }: Task): Place {
    const { room } = this.#options;
    return room.enter(room.weigh(request));
  }
}
