import type { Counters } from '../core/ports.ts';

/** Adds to a counter that all nodes see; answers what it then stands at. */
export type Add = (name: string, count: number) => Promise<{ total: number; resetMs: number }>;

export interface SharedCountersOptions {
  add: Add;
  /** Counts while the shared ones cannot be reached. */
  fallback: Counters;
  /** The first failure of an outage. */
  onOutage(error: unknown): void;
  /** The first success after it. */
  onRecovery(): void;
}

export interface SharedCounters extends Counters {
  /** Requests that were counted by this node alone, since its start. */
  readonly countedAlone: number;
  /** Ends connections. */
  close(): Promise<void>;
}

/** Requests of one name that travel together. */
interface Batch {
  size: number;
  added: Promise<{ total: number; resetMs: number }>;
}

/**
 * Counters on a far server. Requests of one name that come while the last answer is under way travel as one addition,
 * and each gets its own number: a caller who sends thousands costs one exchange at a time. A server that cannot be
 * reached refuses nobody: this node then counts alone, so that a limit holds per node until it is back.
 */
export function createSharedCounters(
  options: SharedCountersOptions,
): Counters & { readonly countedAlone: number } {
  const { add, fallback } = options;
  /** Per name: the addition under way, and the one that follows it. */
  const underWay = new Map<string, Promise<unknown>>();
  const waiting = new Map<string, Batch>();
  let isOut = false;
  let countedAlone = 0;

  function join(name: string): { batch: Batch; place: number } {
    let batch = waiting.get(name);
    if (batch === undefined) {
      const before = underWay.get(name) ?? Promise.resolve();
      const started: Batch = {
        size: 0,
        added: before.then(() => {
          waiting.delete(name);
          const added = add(name, started.size);
          const over = added.then(
            () => {},
            () => {},
          );
          underWay.set(name, over);
          void over.then(() => {
            if (underWay.get(name) === over) underWay.delete(name);
          });
          return added;
        }),
      };
      waiting.set(name, (batch = started));
    }
    return { batch, place: ++batch.size };
  }

  return {
    get countedAlone() {
      return countedAlone;
    },
    async count(name) {
      const { batch, place } = join(name);
      try {
        const { total, resetMs } = await batch.added;
        if (isOut) {
          isOut = false;
          options.onRecovery();
        }
        return { count: total - batch.size + place, resetMs };
      } catch (error) {
        if (!isOut) {
          isOut = true;
          options.onOutage(error);
        }
        countedAlone++;
        return fallback.count(name);
      }
    },
  };
}
