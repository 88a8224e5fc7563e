/** pg-boss as this program uses it: its schema beside ours, its queues made when first needed, jobs written in our transactions. */
import { PgBoss, type Clock, type QueueOptions, type QueuePolicy } from 'pg-boss';
import type { JobWriter, PendingJob } from '../core/ports.ts';
import { writeJson } from '../lib/json.ts';

export interface BossOptions {
  /** `postgres://…`, the store's own database. */
  url: string;
  /** Whether this node looks after jobs and duties of dead nodes; one that only answers requests need not. */
  supervises: boolean;
  /** Connections for claims and heartbeats; the jobs of a change travel on the change's own. */
  connections?: number;
  /** Only for tests: theirs moves the database's time as well. */
  clock?: Clock;
  onError: (error: unknown, what: string) => void;
}

/** A connection to the job engine. */
export interface Boss {
  pgBoss: PgBoss;
  /** Makes the queue, or brings it to these settings. */
  prepare(queue: string, settings: QueueSettings): Promise<void>;
  /** For the store: writes the jobs of a change in its transaction. */
  writer: JobWriter;
  /** Rejects when the database is out of reach. */
  ping(): Promise<void>;
  /** Jobs by queue and state, as the last look of a supervising node found them. */
  counts(): Promise<{ queue: string; state: string; count: number }[]>;
  close(): Promise<void>;
}

export type QueueSettings = QueueOptions & { policy?: QueuePolicy; deadLetter?: string };

/** Where jobs end that failed as often as they may. */
export const BURIED = 'buried';

/**
 * Least that pg-boss takes. A node that says nothing for so long is dead: with supervision every second, its jobs and
 * duties are free again within 12 s.
 */
export const HEARTBEAT_SECONDS = 10;
const SUPERVISE_SECONDS = 1;
/** Finished jobs are of no use: what they did is recorded elsewhere, and supervision reads the whole table. */
const FINISHED_SECONDS = 60;
/** So many jobs wait when something is wrong, not merely busy: supervision would say so every second. */
const BACKLOG_MAX = 1_000_000;
const DAY_SECONDS = 86_400;
/** Waiting jobs are deleted after this long: longer than any task's deadline. */
const WAITING_SECONDS = 90 * DAY_SECONDS;

/** What a queue gets whose worker has not said otherwise yet. */
export const JOB_SETTINGS: QueueSettings = {
  retryLimit: 100,
  // The first retry comes soon, since most failures are a moment's; later ones give a broken far end time.
  retryDelay: 2,
  retryBackoff: true,
  retryDelayMax: 600,
  expireInSeconds: 3_600,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  deleteAfterSeconds: FINISHED_SECONDS,
  retentionSeconds: WAITING_SECONDS,
  deadLetter: BURIED,
};

const BURIED_SETTINGS: QueueSettings = { retentionSeconds: WAITING_SECONDS };

/** Connects and brings the engine's schema up to date; several nodes may do so at once. */
export async function openBoss({
  url,
  supervises,
  connections = 4,
  clock,
  onError,
}: BossOptions): Promise<Boss> {
  const pgBoss = new PgBoss({
    connectionString: url,
    max: connections,
    application_name: 'reelay jobs',
    supervise: supervises,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    maintenanceIntervalSeconds: FINISHED_SECONDS,
    schedule: false,
    warningQueueSize: BACKLOG_MAX,
    ...(clock && { clock }),
  });
  pgBoss.on('error', (error) => onError(error, 'jobs'));
  pgBoss.on('warning', (warning) => onError(new Error(warning.message), 'jobs'));
  await pgBoss.start();
  const prepared = new Map<string, Promise<void>>();

  async function make(queue: string, settings: QueueSettings, isPreset: boolean): Promise<void> {
    const { policy = 'standard', ...options } = settings;
    if (options.deadLetter !== undefined) await ensure(options.deadLetter, BURIED_SETTINGS);
    const known = await pgBoss.getQueue(queue);
    if (known === null) await pgBoss.createQueue(queue, { policy, ...options });
    // Made by an earlier version perhaps, or by a node that had not been told its settings.
    else if (!isPreset) await pgBoss.updateQueue(queue, options);
  }

  /** One after the other: whoever writes a job waits for the settings it is to have. */
  function prepare(queue: string, settings: QueueSettings, isPreset = false): Promise<void> {
    const work = (prepared.get(queue) ?? Promise.resolve())
      .catch(() => {})
      .then(() => make(queue, settings, isPreset));
    prepared.set(queue, work);
    work.catch(() => {
      if (prepared.get(queue) === work) prepared.delete(queue);
    });
    return work;
  }

  /** There is such a queue; who works on it may have given it other settings. */
  function ensure(queue: string, settings: QueueSettings): Promise<void> {
    return prepared.get(queue) ?? prepare(queue, settings, true);
  }

  const writer: JobWriter = {
    async insert(jobs, executeSql) {
      const db = { executeSql: async (text: string, values?: unknown[]) => await executeSql(text, values) };
      for (const [queue, group] of Map.groupBy(jobs, (job) => job.queue)) {
        await ensure(queue, JOB_SETTINGS);
        await pgBoss.insert(queue, group.map(toInsert), { db });
      }
    },
  };

  return {
    pgBoss,
    prepare: (queue, settings) => prepare(queue, settings),
    writer,
    ping: async () => void (await pgBoss.getDb().executeSql('select 1')),
    async counts() {
      return (await pgBoss.getQueues()).flatMap(
        ({ name, readyCount, deferredCount, activeCount, failedCount }) => [
          { queue: name, state: 'waiting', count: readyCount + deferredCount },
          { queue: name, state: 'active', count: activeCount },
          { queue: name, state: 'failed', count: failedCount },
        ],
      );
    },
    async close() {
      // Whoever works on jobs has stopped before; nothing is to be waited for.
      await pgBoss.stop({ graceful: false });
    },
  };
}

/** As text inside, because numbers above 2^53 would not survive the engine's own parser. */
function toInsert({ id, data, runAt, at }: PendingJob) {
  // A delay, not a moment: the database's clock counts, and ours may be another.
  const delaySeconds = Math.max(0, runAt - at) / 1_000;
  return {
    id,
    data: { json: writeJson(data) },
    ...(delaySeconds > 0 && { startAfter: `${delaySeconds} s` }),
  };
}
