import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { createMemoryCounters } from './memory.ts';
import { createSharedCounters, type SharedCounters, type SharedCountersOptions } from './shared.ts';

/** A request waits no longer than this for its number. */
const commandTimeoutMs = 500;
const connectTimeoutMs = 2_000;
const reconnectPauseMaxMs = 2_000;

/**
 * Counters in Redis or Valkey, for all nodes that are given the same `url` (`redis://`, `rediss://`). Resolves when the
 * server answers, or has not answered for two seconds: a node starts without it and counts alone meanwhile.
 */
export async function openRedisCounters(
  url: string,
  windowSeconds: number,
  watch: Pick<SharedCountersOptions, 'onOutage' | 'onRecovery'>,
): Promise<SharedCounters> {
  let lastError: Error | null = null;
  const client = new Redis(url, {
    // A command is answered or refused at once: nobody's request waits for a server to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (tries) => Math.min(50 * 2 ** tries, reconnectPauseMaxMs),
    enableAutoPipelining: true,
    lazyConnect: true,
  });
  client.on('error', (error: Error) => (lastError = error));
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: 'reelay:rate',
    points: Number.MAX_SAFE_INTEGER,
    duration: windowSeconds,
    rejectIfRedisNotReady: true,
  });
  const counters = createSharedCounters({
    async add(name, count) {
      try {
        const { consumedPoints, msBeforeNext } = await limiter.consume(name, count);
        return { total: consumedPoints, resetMs: msBeforeNext };
      } catch (error) {
        // "Not ready" says less than what the connection met.
        throw client.status === 'ready' ? error : (lastError ?? error);
      }
    },
    fallback: createMemoryCounters(windowSeconds),
    ...watch,
  });
  await client.connect().catch(() => {});
  // Whatever is wrong, down to a user who may run no script, is told now and not by the first caller's request.
  await counters.count('start');
  return Object.assign(counters, {
    async close() {
      client.disconnect();
    },
  });
}
