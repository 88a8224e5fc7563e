/** A clock that moves only when told and, between two timers, waits until everything it set off has come to rest. */
import { createTestClock, type Clock, type Timer } from '../../src/lib/clock.ts';

export interface SteppedClock extends Clock {
  /** Moves time forward, each timer at its own moment; in between `settle` runs. */
  advance(ms: number): Promise<void>;
  /** Somebody sets the clock: it shows another time from now on, and timers that run already run on. */
  set(byMs: number): void;
}

/** Stands still at `startMs`. `settle` resolves once no store, disk or socket is at work. */
export function createSteppedClock(startMs: number, settle: () => Promise<void>): SteppedClock {
  const inner = createTestClock(startMs);
  const dues = new Map<Timer, number>();

  let offByMs = 0;

  const clock: SteppedClock = {
    now: () => inner.now() + offByMs,
    set: (byMs) => void (offByMs += byMs),
    setTimeout(callback, fractionMs) {
      // Times are whole milliseconds, as the machine's own clock tells them.
      const delayMs = Math.ceil(fractionMs);
      const timer = inner.setTimeout(() => {
        dues.delete(timer);
        callback();
      }, delayMs);
      dues.set(timer, inner.now() + Math.max(0, delayMs));
      return timer;
    },
    clearTimeout(timer) {
      dues.delete(timer);
      inner.clearTimeout(timer);
    },
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        const timer = clock.setTimeout(resolve, delayMs);
        signal?.addEventListener('abort', () => {
          clock.clearTimeout(timer);
          reject(signal.reason as Error);
        });
      });
    },
    async advance(ms) {
      const until = inner.now() + ms;
      await settle();
      for (;;) {
        const next = Math.min(...dues.values());
        if (next > until) break;
        await inner.advance(Math.max(0, next - inner.now()));
        await settle();
      }
      await inner.advance(until - inner.now());
      await settle();
    },
  };
  return clock;
}
