import assert from 'node:assert/strict';
import { T0, type PromiseTest } from './harness.ts';

export function testJobRows(promise: PromiseTest): void {
  promise('a job is claimed once when it is due, oldest first', async ({ store: { jobs } }) => {
    await jobs.enqueue({ queue: 'q', data: { n: 2 }, runAt: T0 + 20, at: T0 });
    await jobs.enqueue({ queue: 'q', data: { n: 1 }, runAt: T0 + 10, at: T0 });
    await jobs.enqueue({ queue: 'q', data: { n: 3 }, runAt: T0 + 30, at: T0 });
    await jobs.enqueue({ queue: 'other', data: null, runAt: T0, at: T0 });
    assert.equal(await jobs.nextRunAt('q'), T0 + 10);
    assert.equal(await jobs.nextRunAt('none'), null);
    const claim = { queue: 'q', limit: 5, leaseUntil: T0 + 1_000, at: T0 + 20 };
    const batches = await Promise.all([
      jobs.claim({ ...claim, limit: 1 }),
      jobs.claim(claim),
      jobs.claim(claim),
    ]);
    assert.deepEqual(
      batches.map((batch) => batch.map((job) => job.data)),
      [[{ n: 1 }], [{ n: 2 }], []],
    );
    assert.equal(await jobs.nextRunAt('q'), T0 + 30);
  });

  promise(
    'a completed job is gone, an abandoned one comes back after its lease',
    async ({ store: { jobs } }) => {
      await jobs.enqueue({ queue: 'q', data: 'kept', runAt: T0, at: T0 });
      await jobs.enqueue({ queue: 'q', data: 'done', runAt: T0, at: T0 });
      const claimed = await jobs.claim({ queue: 'q', limit: 5, leaseUntil: T0 + 100, at: T0 });
      await jobs.complete(claimed.find((job) => job.data === 'done')!.id);
      const claim = { queue: 'q', limit: 5, leaseUntil: T0 + 500 };
      assert.deepEqual(await jobs.claim({ ...claim, at: T0 + 99 }), []);
      const again = await jobs.claim({ ...claim, at: T0 + 100 });
      assert.deepEqual(
        again.map((job) => [job.data, job.attempts]),
        [['kept', 2]],
      );
    },
  );

  promise(
    'a failed job waits until it is to run again, a buried one never runs',
    async ({ store: { jobs } }) => {
      await jobs.enqueue({ queue: 'q', data: 1, runAt: T0, at: T0 });
      const claim = { queue: 'q', limit: 5, leaseUntil: T0 + 10_000 };
      const [job] = await jobs.claim({ ...claim, at: T0 });
      await jobs.fail(job!.id, { runAt: T0 + 50, error: 'not yet' });
      assert.deepEqual(await jobs.claim({ ...claim, at: T0 + 49 }), []);
      const [again] = await jobs.claim({ ...claim, at: T0 + 50 });
      assert.equal(again?.attempts, 2);
      await jobs.fail(job!.id, { runAt: null, error: 'never' });
      assert.equal(await jobs.nextRunAt('q'), null);
      assert.deepEqual(await jobs.claim({ ...claim, at: T0 + 100_000 }), []);
    },
  );

  promise('jobs of a queue are due sooner when the clock was put back', async ({ store: { jobs } }) => {
    await jobs.enqueue({ queue: 'q', data: 1, runAt: T0 + 3_600_000, at: T0 });
    await jobs.enqueue({ queue: 'other', data: 2, runAt: T0 + 5, at: T0 });
    await jobs.bringForward('q', 3_599_000);
    assert.equal(await jobs.nextRunAt('q'), T0 + 1_000);
    assert.equal(await jobs.nextRunAt('other'), T0 + 5);
  });

  promise('queues are woken by new and by failed jobs', async ({ store }) => {
    let woken = 0;
    store.onCommit('jobs:q', () => woken++);
    await store.jobs.enqueue({ queue: 'q', data: 1, runAt: T0, at: T0 });
    await store.jobs.enqueue({ queue: 'other', data: 1, runAt: T0, at: T0 });
    const [job] = await store.jobs.claim({ queue: 'q', limit: 1, leaseUntil: T0 + 9, at: T0 });
    assert.equal(woken, 1);
    await store.jobs.fail(job!.id, { runAt: T0, error: 'x' });
    assert.equal(woken, 2);
  });
}
