/** Counters that are allowed to forget: a restart, or another node, begins at nothing. */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Counters } from '../core/ports.ts';

/** For one node. */
export function createMemoryCounters(windowSeconds: number): Counters {
  // Each counter has its own maximum, so the library only counts and the caller compares.
  const limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: windowSeconds });
  return {
    async count(name) {
      const { consumedPoints, msBeforeNext } = await limiter.consume(name);
      return { count: consumedPoints, resetMs: msBeforeNext };
    },
  };
}
