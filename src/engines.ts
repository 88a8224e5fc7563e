/**
 * What the configuration chooses between: where jobs, media, counters and the sandbox live. What is not used is not
 * loaded.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ConfigError, type Config } from './config.ts';
import type { Clock, Counters, Duties, Jobs, JobWriter, MediaStore, Store } from './core/ports.ts';
import { createMemoryCounters } from './counters/memory.ts';
import type { SharedCounters } from './counters/shared.ts';
import { createEmbeddedJobs } from './jobs/embedded.ts';
import { createSoleDuties } from './jobs/sole-duties.ts';
import { steadyClock } from './lib/clock.ts';
import { openLocalDisk } from './media/local-disk.ts';

/** The store is opened first, so that a database which cannot be used is named by it; no job is written before both are. */
export function deferredJobWriter(): { writer: JobWriter; to: JobWriter | null } {
  const written: ReturnType<typeof deferredJobWriter> = {
    to: null,
    writer: {
      async insert(jobs, executeSql) {
        if (written.to === null) throw new Error('the job engine is not open yet');
        await written.to.insert(jobs, executeSql);
      },
    },
  };
  return written;
}

interface JobEngine {
  jobs: Jobs;
  duties: Duties;
  /** Rejects when it is out of reach. */
  ping(): Promise<void>;
  /** Jobs by queue and state. */
  counts(): Promise<{ queue: string; state: string; count: number }[]>;
  close(): Promise<void>;
}

/** Rows of the embedded store for one process; pg-boss in the shared database for many, loaded where it is used. */
export async function openJobEngine(
  { databaseUrl, role }: Config,
  options: {
    store: Store;
    clock: Clock;
    onError: (error: unknown, where: string) => void;
    written: ReturnType<typeof deferredJobWriter>;
  },
): Promise<JobEngine> {
  const { store, clock, onError, written } = options;
  if (databaseUrl === null) {
    return {
      jobs: createEmbeddedJobs({ store, clock, random: Math.random, onError }),
      duties: createSoleDuties(),
      ping: async () => void (await store.jobs.nextRunAt('persist-output')),
      counts: () => store.jobs.counts(),
      close: async () => {},
    };
  }
  const [{ openBoss }, { createPgBossJobs }, { createPgBossDuties }] = await Promise.all([
    import('./jobs/boss.ts'),
    import('./jobs/pg-boss.ts'),
    import('./jobs/pg-boss-duties.ts'),
  ]);
  const boss = await openBoss({ url: databaseUrl, supervises: role !== 'api', onError });
  written.to = boss.writer;
  return {
    jobs: createPgBossJobs({ boss, clock: steadyClock, onCommit: store.onCommit, onError }),
    duties: createPgBossDuties({ boss, clock: steadyClock, onError }),
    ping: () => boss.ping(),
    counts: () => boss.counts(),
    close: () => boss.close(),
  };
}

type Closers = (() => Promise<unknown>)[];

/** On the local disk, or in the bucket the operator named; what is not used is not loaded. */
export async function openMedia(config: Config, clock: Clock, closers: Closers): Promise<MediaStore> {
  if (config.s3 === null) return openLocalDisk(join(config.dataDir, 'media'));
  const { openS3 } = await import('./media/s3.ts');
  const store = await openS3({ ...config.s3, clock }).catch((error: Error) => {
    throw new ConfigError(`REELAY_S3_ENDPOINT: ${error.message}`);
  });
  closers.push(() => store.close());
  return store;
}

/** Requests per minute, by key and account. */
const rateWindowSeconds = 60;

/** Shared in Redis where there is one, else in the database that nodes share, else this node's own. */
export async function openCounters(config: Config, log: Logger, closers: Closers): Promise<OpenCounters> {
  const watch = {
    onOutage: (error: unknown) =>
      log.warn({ err: error }, 'shared rate limits cannot be reached: this node counts alone meanwhile'),
    onRecovery: () => log.warn('shared rate limits are back'),
  };
  const open = async (): Promise<SharedCounters | null> => {
    if (config.redisUrl !== null) {
      const { openRedisCounters } = await import('./counters/redis.ts');
      return openRedisCounters(config.redisUrl, rateWindowSeconds, watch);
    }
    if (config.databaseUrl === null) return null;
    const { openPostgresCounters } = await import('./counters/postgres.ts');
    return openPostgresCounters(config.databaseUrl, rateWindowSeconds, watch);
  };
  const shared = await open();
  if (shared === null) return { counters: createMemoryCounters(rateWindowSeconds), countedAlone: () => 0 };
  closers.push(() => shared.close());
  return { counters: shared, countedAlone: () => shared.countedAlone };
}

interface OpenCounters {
  counters: Counters;
  /** Requests that this node counted without the others. */
  countedAlone(): number;
}

/**
 * The sandbox is on while it was asked for, while no real channel is enabled, or while one of its tasks still runs.
 */
export async function openSandbox(
  config: Config,
  store: Store,
  clock: Clock,
  closers: Closers,
): Promise<{ url: string | null }> {
  const { mode, url, explicit } = config.sandbox;
  if (mode === 'off') return { url: null };
  if (mode === 'remote') return { url };
  const rows = await store.listChannels();
  const needed =
    explicit ||
    !rows.some((row) => row.enabled && !row.sandbox) ||
    (await store.channelsWithWork()).some((row) => row.sandbox);
  if (!needed) return { url: null };
  const { startSandbox } = await import('./sandbox/server.ts');
  const sandbox = await startSandbox({
    dataDir: join(config.dataDir, 'sandbox'),
    host: '127.0.0.1',
    port: 0,
    speed: config.sandbox.speed,
    render: config.sandbox.render,
    clock,
    gatewayCallbackOrigins: () => (config.publicUrl === null ? [] : [new URL(config.publicUrl).origin]),
    allowPrivate: config.allowPrivate,
  });
  closers.push(() => sandbox.close());
  return { url: sandbox.url };
}
