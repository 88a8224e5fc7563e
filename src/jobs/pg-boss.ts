/**
 * The Jobs port over pg-boss, for many nodes on one PostgreSQL. It fetches by itself, several jobs with one statement,
 * instead of with pg-boss's workers: those poll one by one and rest between two jobs, which is too slow for outputs.
 */
import type { Clock, JobRow, Jobs, Json } from '../core/ports.ts';
import { parseJson } from '../lib/json.ts';
import { Loop } from '../lib/loop.ts';
import { JOB_SETTINGS, type Boss } from './boss.ts';
import { Claims, type Claim } from './claims.ts';

export interface PgBossJobsOptions {
  boss: Boss;
  /** Tells of jobs that were committed, on whichever node. */
  onCommit(topic: string, listener: () => void): () => void;
  /** Must not be set back. */
  clock: Clock;
  /** Told of failed jobs and of an engine that cannot be reached; both are tried again. */
  onError: (error: unknown, what: string) => void;
}

type Work = Parameters<Jobs['work']>;

/** Retries fall due without anybody telling. */
const LOOK_EVERY_MS = 1_000;
/** A handler that does not stop when told loses its job to somebody else after so long. */
const LEASE_GRACE_SECONDS = 30;

export function createPgBossJobs(options: PgBossJobsOptions): Jobs {
  const queues: { stop(): Promise<void> }[] = [];
  return {
    work: (queue, limits, handler) => void queues.push(workQueue(options, queue, limits, handler)),
    stop: async () => void (await Promise.all(queues.splice(0).map((queue) => queue.stop()))),
  };
}

function workQueue(
  { boss, onCommit, clock, onError }: PgBossJobsOptions,
  queue: Work[0],
  { concurrency, leaseMs, attemptsMax }: Work[1],
  handler: Work[2],
): { stop(): Promise<void> } {
  const inHand = new Set<Promise<void>>();
  const claims = new Claims({ boss, queue, clock, onError: (error) => onError(error, `jobs ${queue}`) });
  let prepared = false;
  const loop = new Loop({ clock, step: look, onError: (error) => onError(error, `jobs ${queue}`) });
  const unsubscribe = onCommit(`jobs:${queue}`, () => loop.wake());
  loop.wake();

  async function look(): Promise<number> {
    if (!prepared) {
      const expireInSeconds = Math.ceil(leaseMs / 1_000) + LEASE_GRACE_SECONDS;
      await boss.prepare(queue, { ...JOB_SETTINGS, retryLimit: attemptsMax - 1, expireInSeconds });
      prepared = true;
    }
    while (inHand.size < concurrency) {
      const limit = concurrency - inHand.size;
      const taken = await claims.take(limit);
      for (const claim of taken) begin(claim);
      if (taken.length < limit) return clock.now() + LOOK_EVERY_MS;
    }
    return Infinity;
  }

  function begin(claim: Claim): void {
    const work = handle(claim).finally(() => {
      inHand.delete(work);
      loop.wake();
    });
    inHand.add(work);
  }

  async function handle(claim: Claim): Promise<void> {
    const lease = new AbortController();
    const timer = clock.setTimeout(
      () => lease.abort(new Error(`the lease of job ${claim.id} ended`)),
      leaseMs,
    );
    try {
      await handler(toJob(queue, claim), AbortSignal.any([lease.signal, claim.lost]));
      await claims.complete([claim]);
    } catch (error) {
      onError(error, `job ${queue} ${claim.id}`);
      // Should this fail as well, its heartbeat is missed and the job comes back all the same.
      await claims
        .fail(claim, describe(error))
        .catch((cause: unknown) => onError(cause, `job ${queue} ${claim.id}`));
    } finally {
      clock.clearTimeout(timer);
    }
  }

  return {
    async stop() {
      unsubscribe();
      await loop.stop();
      await Promise.all(inHand);
      await claims.stop();
    },
  };
}

function toJob(queue: string, { id, attempts, data }: Claim): JobRow {
  return { id, queue, data: parseJson((data as { json: string }).json) as Json, attempts };
}

function describe(error: unknown): object {
  return error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error) };
}
