import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createTestClock } from '../lib/clock.ts';
import { openStore } from '../store/index.ts';
import { testJobs } from './contract.ts';
import { createEmbeddedJobs, retryDelayMs } from './embedded.ts';

testJobs('embedded jobs', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-jobs-'));
  const clock = createTestClock(1_800_000_000_000);
  const store = await openStore({ directory, clock });
  const make = () => createEmbeddedJobs({ store, clock, random: () => 0.5, onError: () => {} });
  return {
    jobs: make(),
    another: make,
    async enqueue(queue, data, delayMs = 0) {
      await store.jobs.enqueue({ queue, data, runAt: clock.now() + delayMs, at: clock.now() });
    },
    async passTime(ms) {
      await clock.advance(ms);
      // Whatever that set off may need the writer: a commit of our own comes after all that was asked for before.
      for (let round = 0; round < 3; round++) {
        await store.jobs.complete('job_none');
        await turn();
      }
    },
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

test('retries start soon, double, never wait longer than the cap and are spread by a quarter', () => {
  assert.equal(retryDelayMs(1, 0.5), 2_000);
  assert.equal(retryDelayMs(4, 0.5), 16_000);
  assert.equal(retryDelayMs(60, 0.5), 600_000);
  assert.equal(retryDelayMs(1, 0), 1_500);
  assert.equal(retryDelayMs(60, 1), 750_000);
});

test('a store that cannot be reached is asked again', async () => {
  const clock = createTestClock(0);
  const errors: string[] = [];
  let claims = 0;
  const jobs = createEmbeddedJobs({
    clock,
    random: () => 0.5,
    onError: (_error, what) => errors.push(what),
    store: {
      onCommit: () => () => {},
      jobs: {
        enqueue: async () => 'job_1',
        complete: async () => {},
        fail: async () => {},
        bringForward: async () => {},
        nextRunAt: async () => null,
        counts: async () => [],
        async claim() {
          if (++claims === 1) throw new Error('locked');
          return [];
        },
      },
    },
  });
  jobs.work('any', { concurrency: 1, leaseMs: 1_000, attemptsMax: 1 }, async () => {});
  await clock.advance(1_000);
  await jobs.stop();
  assert.equal(claims, 2);
  assert.deepEqual(errors, ['jobs any']);
});
