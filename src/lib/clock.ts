/** A pending call, as {@link Clock.setTimeout} returns it; opaque. */
export type Timer = object;

/** Time as the program sees it. Tests pass one that only moves when told. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now. A pending timer keeps the process alive, as Node's own do. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer): void;
  /** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

/** Counts from the start of the process and is never set back: for how long ago something was, not for when. */
export const steadyClock: Clock = {
  now: () => performance.now(),
  setTimeout: systemClock.setTimeout,
  clearTimeout: systemClock.clearTimeout,
  sleep: (delayMs, signal) => sleepOn(steadyClock, delayMs, signal),
};

export interface TestClock extends Clock {
  /**
   * Moves time forward, running due timers in order, each at its own moment. Between two of them the event
   * loop turns, so that what a timer set off can set the next one.
   */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  pending(): number;
}

/** A clock that stands still at `startMs` until advanced. */
export function createTestClock(startMs: number): TestClock {
  type Entry = { dueAt: number; order: number; callback: () => void };
  const waiting = new Set<Entry>();
  let now = startMs;
  let order = 0;

  function nextDue(until: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of waiting) {
      if (entry.dueAt > until) continue;
      if (!next || entry.dueAt < next.dueAt || (entry.dueAt === next.dueAt && entry.order < next.order))
        next = entry;
    }
    return next;
  }

  const clock: TestClock = {
    now: () => now,
    setTimeout(callback, delayMs) {
      const entry: Entry = { dueAt: now + Math.max(0, delayMs), order: order++, callback };
      waiting.add(entry);
      return entry;
    },
    clearTimeout: (timer) => void waiting.delete(timer as Entry),
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let entry = nextDue(until); entry; entry = nextDue(until)) {
        waiting.delete(entry);
        now = Math.max(now, entry.dueAt);
        entry.callback();
        await settle();
      }
      now = until;
    },
    pending: () => waiting.size,
  };
  return clock;
}

/** Lets promise chains and immediate I/O callbacks run out. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleepOn(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
