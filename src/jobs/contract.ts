/** What every implementation of the Jobs port promises. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Jobs, Json } from '../core/ports.ts';

export interface JobsHarness {
  jobs: Jobs;
  /** Commits a job that is due `delayMs` from now. */
  enqueue(queue: string, data: Json, delayMs?: number): Promise<void>;
  /** Lets time pass for the engine: by a clock that is moved, or by waiting. */
  passTime(ms: number): Promise<void>;
  /** Another worker on the same jobs, as after a crash of the first. */
  another(): Jobs;
  close(): Promise<void>;
}

const LIMITS = { concurrency: 2, leaseMs: 30_000, attemptsMax: 3 };

export function testJobs(name: string, make: () => Promise<JobsHarness>): void {
  const promise = (title: string, body: (harness: JobsHarness) => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 30_000 }, async () => {
      const harness = await make();
      try {
        await body(harness);
      } finally {
        await harness.jobs.stop();
        await harness.close();
      }
    });

  /** Passes time in steps until the condition holds; the test's own time limit ends a vain wait. */
  const passUntil = async (harness: JobsHarness, holds: () => boolean, stepMs = 250) => {
    while (!holds()) await harness.passTime(stepMs);
  };

  promise('runs a job that waited before anybody worked, and one that comes later', async (harness) => {
    const seen: Json[] = [];
    await harness.enqueue('colours', { name: 'red' });
    harness.jobs.work('colours', LIMITS, async (job) => void seen.push(job.data));
    await passUntil(harness, () => seen.length === 1);
    await harness.enqueue('colours', { name: 'blue' });
    await passUntil(harness, () => seen.length === 2);
    assert.deepEqual(seen, [{ name: 'red' }, { name: 'blue' }]);
  });

  promise('keeps queues apart', async (harness) => {
    const seen: string[] = [];
    harness.jobs.work('left', LIMITS, async (job) => void seen.push(`left ${String(job.data)}`));
    harness.jobs.work('right', LIMITS, async (job) => void seen.push(`right ${String(job.data)}`));
    await harness.enqueue('left', 1);
    await harness.enqueue('right', 2);
    await passUntil(harness, () => seen.length === 2);
    assert.deepEqual(seen.sort(), ['left 1', 'right 2']);
  });

  promise('waits until a job is due', async (harness) => {
    const seen: Json[] = [];
    await harness.enqueue('later', 'second', 5_000);
    harness.jobs.work('later', LIMITS, async (job) => void seen.push(job.data));
    await harness.enqueue('later', 'first');
    await passUntil(harness, () => seen.length === 1);
    assert.deepEqual(seen, ['first']);
    await passUntil(harness, () => seen.length === 2);
    assert.deepEqual(seen, ['first', 'second']);
  });

  promise('never holds more jobs than it may, and runs them all', async (harness) => {
    let running = 0;
    let most = 0;
    let done = 0;
    const gates: (() => void)[] = [];
    harness.jobs.work('many', LIMITS, async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((open) => gates.push(open));
      running--;
      done++;
    });
    for (let count = 0; count < 7; count++) await harness.enqueue('many', count);
    while (done < 7) {
      await passUntil(harness, () => gates.length > 0);
      gates.shift()?.();
      await harness.passTime(1);
    }
    assert.equal(most, LIMITS.concurrency);
  });

  promise('tries a failed job again, counts the attempts, and stops when it works', async (harness) => {
    const attempts: number[] = [];
    harness.jobs.work('flaky', LIMITS, async (job) => {
      attempts.push(job.attempts);
      if (attempts.length < 3) throw new Error('not yet');
    });
    await harness.enqueue('flaky', null);
    await passUntil(harness, () => attempts.length === 3);
    await harness.passTime(60_000);
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  promise('buries a job that failed as often as it may', async (harness) => {
    let runs = 0;
    harness.jobs.work('hopeless', LIMITS, async () => {
      runs++;
      throw new Error('never');
    });
    await harness.enqueue('hopeless', null);
    await passUntil(harness, () => runs === LIMITS.attemptsMax, 1_000);
    await harness.passTime(3_600_000);
    assert.equal(runs, LIMITS.attemptsMax);
  });

  promise('one failing job does not delay the others', async (harness) => {
    const seen: Json[] = [];
    harness.jobs.work('mixed', { ...LIMITS, concurrency: 1 }, async (job) => {
      if (job.data === 'bad') throw new Error('bad');
      seen.push(job.data);
    });
    await harness.enqueue('mixed', 'bad');
    await harness.enqueue('mixed', 'good');
    await passUntil(harness, () => seen.length === 1);
    assert.deepEqual(seen, ['good']);
  });

  promise(
    'a job whose worker says nothing comes back after its lease, and the handler is told',
    async (harness) => {
      let told = false;
      const attempts: number[] = [];
      const limits = { ...LIMITS, leaseMs: 1_000 };
      harness.jobs.work('lost', { ...limits, concurrency: 1 }, async (job, signal) => {
        attempts.push(job.attempts);
        if (attempts.length > 1) return;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        told = true;
        throw new Error('the lease ended');
      });
      await harness.enqueue('lost', 'x');
      await passUntil(harness, () => attempts.length === 1);
      const another = harness.another();
      another.work('lost', limits, async (job) => void attempts.push(job.attempts));
      await passUntil(harness, () => told && attempts.length === 2);
      await another.stop();
      assert.deepEqual(attempts, [1, 2]);
    },
  );

  promise('stop waits for the handlers in hand and takes nothing more', async (harness) => {
    let finished = false;
    let runs = 0;
    let open = () => {};
    harness.jobs.work('stopping', { ...LIMITS, concurrency: 1 }, async () => {
      runs++;
      await new Promise<void>((resolve) => (open = resolve));
      finished = true;
    });
    await harness.enqueue('stopping', 1);
    await harness.enqueue('stopping', 2);
    await passUntil(harness, () => runs === 1);
    const stopped = harness.jobs.stop();
    assert.equal(finished, false);
    open();
    await stopped;
    assert.equal(finished, true);
    await harness.passTime(60_000);
    assert.equal(runs, 1);
  });
}
