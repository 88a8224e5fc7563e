import pg from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import { createMemoryCounters } from './memory.ts';
import { createSharedCounters, type SharedCounters, type SharedCountersOptions } from './shared.ts';

/** A request waits no longer than this for its number. */
const queryTimeoutMs = 1_000;
const connectTimeoutMs = 2_000;
/** One addition at a time per name, so that few are under way at once. */
const connectionsMax = 4;

const table = 'rate_counters';
/** Any number, the same on all nodes: they make the table one after another. */
const tableLock = 0x5265_656c;

/**
 * Counters in PostgreSQL, for several nodes without Redis. The table is no part of the schema and of no backup: it is
 * unlogged, so that counting waits for no disk, and empty after a crash of the server.
 */
export async function openPostgresCounters(
  url: string,
  windowSeconds: number,
  watch: Pick<SharedCountersOptions, 'onOutage' | 'onRecovery'>,
): Promise<SharedCounters> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    application_name: 'reelay-counters',
    allowExitOnIdle: true,
  });
  // An idle connection that breaks is replaced at the next count.
  pool.on('error', () => {});

  let isTableThere = false;
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    tableName: table,
    keyPrefix: '',
    tableCreated: true,
    points: Number.MAX_SAFE_INTEGER,
    duration: windowSeconds,
  });
  const counters = createSharedCounters({
    async add(name, count) {
      if (!isTableThere) await makeTable(pool);
      isTableThere = true;
      const { consumedPoints, msBeforeNext } = await limiter.consume(name, count);
      return { total: consumedPoints, resetMs: msBeforeNext };
    },
    fallback: createMemoryCounters(windowSeconds),
    ...watch,
  });
  await counters.count('start');
  return Object.assign(counters, { close: () => pool.end() });
}

async function makeTable(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [tableLock]);
    await client.query(
      `create unlogged table if not exists ${table} (key text primary key, points bigint not null, expire bigint)`,
    );
    await client.query('commit');
    client.release();
  } catch (error) {
    // It is in the middle of a transaction, or gone.
    client.release(true);
    throw error;
  }
}
