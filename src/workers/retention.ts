/**
 * A few times a day: deletes rows that are older than the operator keeps them, a small step at a time, with a pause
 * after each, so that nobody who waits for the database waits for this.
 */
import type { Clock, RetentionStore } from '../core/ports.ts';
import { Loop } from '../lib/loop.ts';

const EVERY_MS = 6 * 3_600_000;
/** A step of so many tasks holds the writer for less than ten milliseconds. */
const STEP_ROWS = 40;
const PAUSE_MS = 50;

/** How long rows are kept, in ms; null: for ever. */
export interface Keep {
  exchangesMs: number | null;
  eventsMs: number | null;
  tasksMs: number | null;
}

export interface RetentionOptions {
  store: RetentionStore;
  keep: Keep;
  clock: Clock;
  onError(error: unknown): void;
}

export function startRetention({ store, keep, clock, onError }: RetentionOptions): { stop(): Promise<void> } {
  /** Where the walk over old tasks has come to; null: it is over for now. */
  let after: string | null = '';

  /** Whether there may be more. */
  async function step(at: number): Promise<boolean> {
    let more = false;
    const { exchangesMs, eventsMs, tasksMs } = keep;
    if (exchangesMs !== null) {
      more = (await store.pruneExchanges({ before: at - exchangesMs, limit: STEP_ROWS })) > 0;
    }
    if (eventsMs !== null) {
      const deleted = await store.pruneEvents({ before: at - eventsMs, limit: STEP_ROWS });
      more = deleted === STEP_ROWS || more;
    }
    if (tasksMs !== null && after !== null) {
      ({ next: after } = await store.pruneTasks({ before: at - tasksMs, after, limit: STEP_ROWS }));
      more = after !== null || more;
    }
    return more;
  }

  const loop = new Loop({
    clock,
    onError,
    retryMs: 60_000,
    async step() {
      const at = clock.now();
      if (await step(at)) return at + PAUSE_MS;
      after = '';
      return at + EVERY_MS;
    },
  });
  if (Object.values(keep).some((ms) => ms !== null)) loop.wake();
  return { stop: () => loop.stop() };
}
