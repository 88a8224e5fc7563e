/** The Jobs port over rows of the embedded store: claim with a lease, retry with back-off, bury what never works. */
import type { Clock, JobRow, Jobs, Store } from '../core/ports.ts';
import type { Timer } from '../lib/clock.ts';
import { SetBack } from '../lib/set-back.ts';

export interface EmbeddedJobsOptions {
  store: Pick<Store, 'jobs' | 'onCommit'>;
  clock: Clock;
  /** In [0, 1): spreads retries of jobs that failed together. */
  random: () => number;
  /** Told of failed jobs and of a store that cannot be reached; both are tried again. */
  onError: (error: unknown, what: string) => void;
}

type Work = Parameters<Jobs['work']>;

/** The first retry comes soon, since most failures are a moment's; later ones give a broken far end time. */
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 10 * 60_000;
/** How long to leave the store alone after it could not be reached. */
const STORE_RETRY_MS = 1_000;
/** Timers cannot be set further ahead than 2^31 ms; waking early costs one look. */
const WAKE_MS_MAX = 60_000;
/** Enough of an error to see what went wrong. */
const ERROR_LENGTH_MAX = 2_000;

/** Doubles with every attempt, give or take a quarter. */
export function retryDelayMs(attempts: number, random: number): number {
  const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (attempts - 1));
  return Math.round(delayMs * (0.75 + 0.5 * random));
}

export function createEmbeddedJobs(options: EmbeddedJobsOptions): Jobs {
  const queues: { stop(): Promise<void> }[] = [];
  return {
    work: (queue, limits, handler) => void queues.push(workQueue(options, queue, limits, handler)),
    stop: async () => void (await Promise.all(queues.splice(0).map((queue) => queue.stop()))),
  };
}

function workQueue(
  { store, clock, random, onError }: EmbeddedJobsOptions,
  queue: Work[0],
  { concurrency, leaseMs, attemptsMax }: Work[1],
  handler: Work[2],
): { stop(): Promise<void> } {
  const inHand = new Map<string, Promise<void>>();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let wake: Timer | null = null;
  const setBack = new SetBack();
  /** By how much the clock was put back, until the rows know. */
  let behindMs = 0;
  const unsubscribe = store.onCommit(`jobs:${queue}`, look);
  look();

  /** Claims what is due as long as hands are free. One look at a time; a call meanwhile causes another. */
  function look(): void {
    if (stopped) return;
    if (looking) {
      lookAgain = true;
      return;
    }
    lookAgain = false;
    if (wake) clock.clearTimeout(wake);
    wake = null;
    looking = claimDue()
      .catch((error: unknown) => {
        onError(error, `jobs ${queue}`);
        wakeIn(STORE_RETRY_MS);
      })
      .finally(() => {
        looking = null;
        if (lookAgain) look();
      });
  }

  async function claimDue(): Promise<void> {
    behindMs += setBack.take(clock.now());
    if (behindMs > 0) await store.jobs.bringForward(queue, behindMs);
    behindMs = 0;
    while (!stopped && inHand.size < concurrency) {
      const at = clock.now();
      const limit = concurrency - inHand.size;
      const claimed = await store.jobs.claim({ queue, limit, leaseUntil: at + leaseMs, at });
      for (const job of claimed) begin(job);
      if (claimed.length === limit) continue;
      const nextAt = await store.jobs.nextRunAt(queue);
      if (nextAt !== null && !stopped) wakeIn(nextAt - clock.now());
      return;
    }
  }

  function wakeIn(delayMs: number): void {
    if (stopped) return;
    if (wake) clock.clearTimeout(wake);
    wake = clock.setTimeout(
      () => {
        wake = null;
        look();
      },
      Math.min(WAKE_MS_MAX, Math.max(1, delayMs)),
    );
  }

  function begin(job: JobRow): void {
    // Its lease ran out while the handler is still at it: let that one end, the new lease brings the job back.
    if (inHand.has(job.id)) return;
    const done = handle(job).finally(() => {
      inHand.delete(job.id);
      look();
    });
    inHand.set(job.id, done);
  }

  async function handle(job: JobRow): Promise<void> {
    const controller = new AbortController();
    const lease = clock.setTimeout(
      () => controller.abort(new Error(`the lease of job ${job.id} ended`)),
      leaseMs,
    );
    try {
      await handler(job, controller.signal);
      await store.jobs.complete(job.id);
    } catch (error) {
      onError(error, `job ${queue} ${job.id}`);
      // Should this fail as well, the lease runs out and the job comes back all the same.
      await giveBack(job, error).catch((cause: unknown) => onError(cause, `job ${queue} ${job.id}`));
    } finally {
      clock.clearTimeout(lease);
    }
  }

  function giveBack(job: JobRow, error: unknown): Promise<void> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return store.jobs.fail(job.id, {
      runAt: job.attempts >= attemptsMax ? null : clock.now() + retryDelayMs(job.attempts, random()),
      error: text.slice(0, ERROR_LENGTH_MAX),
    });
  }

  return {
    async stop() {
      stopped = true;
      unsubscribe();
      if (wake) clock.clearTimeout(wake);
      await looking;
      await Promise.all(inHand.values());
    },
  };
}
