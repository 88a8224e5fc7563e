/** Counters that are allowed to forget: a restart, or another node, begins at nothing. */
import { createRequire } from 'node:module';
import type { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Counters } from '../core/ports.ts';

/** The index of the library loads its limiters for fifteen databases. */
const Limiter = createRequire(import.meta.url)(
  'rate-limiter-flexible/lib/RateLimiterMemory.js',
) as typeof RateLimiterMemory;

/** For one node. */
export function createMemoryCounters(windowSeconds: number): Counters {
  // Each counter has its own maximum, so the library only counts and the caller compares.
  const limiter = new Limiter({ points: Number.MAX_SAFE_INTEGER, duration: windowSeconds });
  return {
    async count(name) {
      const { consumedPoints, msBeforeNext } = await limiter.consume(name);
      return { count: consumedPoints, resetMs: msBeforeNext };
    },
  };
}
