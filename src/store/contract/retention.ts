import assert from 'node:assert/strict';
import type { Store } from '../../core/ports.ts';
import {
  ACCOUNT,
  T0,
  accept,
  acceptAndSubmit,
  assertMoney,
  complete,
  eventTypes,
  fail,
  furnish,
  newTask,
  run,
  type PromiseTest,
} from './harness.ts';

const exchange = {
  at: T0,
  method: 'POST',
  path: '/v1/videos',
  request: '{}',
  status: 200,
  response: '{}',
  durationMs: 5,
  error: null,
};

/** Everything older than `before`, however many steps it takes. */
async function pruneTasks(store: Store, before: number, limit: number): Promise<number> {
  let all = 0;
  for (let after: string | null = ''; after !== null;) {
    const step: { deleted: number; next: string | null } = await store.retention.pruneTasks({
      before,
      after,
      limit,
    });
    all += step.deleted;
    after = step.next;
  }
  return all;
}

export function testRetention(promise: PromiseTest): void {
  promise(
    'old tasks go with all that belongs to them, and the money stays verifiable',
    async ({ store, tamper }) => {
      await furnish(store);
      const failed = await run(store);
      await fail(store, failed.task.id, failed.attemptId);
      const forgotten = await run(store);
      await complete(store, forgotten.task.id, forgotten.attemptId, 60n);
      await store.forgetMedia({ taskId: forgotten.task.id, at: T0 + 200 });
      const hidden = await run(store);
      await complete(store, hidden.task.id, hidden.attemptId, 40n);
      await store.hideTask({ taskId: hidden.task.id, at: T0 + 200 });

      assert.equal(await pruneTasks(store, T0 + 99, 2), 0, 'they ended later');
      assert.equal(await pruneTasks(store, T0 + 100, 2), 3);
      for (const { task } of [failed, forgotten, hidden]) {
        assert.equal(await store.getTask(task.id), null);
        assert.equal(await store.taskRecord(task.id), null);
        assert.deepEqual(await eventTypes(store, task.id), []);
      }
      await assertMoney(store, 900n, 0n);
      const { rows } = await store.listLedger(ACCOUNT, { cursor: null, limit: 100 });
      assert.ok(
        rows.some(({ taskId }) => taskId === forgotten.task.id),
        'its entries are there for ever',
      );

      await tamper(`update usage_records set amount_micros = 61 where task_id = '${forgotten.task.id}'`);
      assert.deepEqual((await store.verifyLedger()).mismatches, [
        `Task ${forgotten.task.id} was deleted; its entries hold 100 micros, charge 60 and release 40, its usage record shows 61.`,
      ]);
    },
  );

  promise('what runs, has files, or is young is not deleted', async ({ store }) => {
    await furnish(store);
    const waiting = await accept(store, newTask());
    const running = await run(store);
    const kept = await run(store);
    await complete(store, kept.task.id, kept.attemptId, 60n);
    const young = await accept(store, newTask({ createdAt: T0 + 1_000 }));
    await store.cancelTask({ taskId: young.id, at: T0 + 1_000 });
    assert.equal(await pruneTasks(store, T0 + 500, 1), 0);
    for (const { id } of [waiting, running.task, kept.task, young]) assert.ok(await store.getTask(id));
  });

  promise('exchanges of attempts that ended long ago go, the oldest first', async ({ store }) => {
    await furnish(store);
    const over = await acceptAndSubmit(store);
    await store.acceptAttempt({ attemptId: over.attemptId, ref: 1, at: T0, exchanges: [exchange, exchange] });
    await fail(store, over.task.id, over.attemptId);
    const open = await acceptAndSubmit(store);
    await store.acceptAttempt({ attemptId: open.attemptId, ref: 1, at: T0, exchanges: [exchange] });
    const exchangesOf = async (id: string) => (await store.taskRecord(id))!.exchanges.length;
    assert.equal(await store.retention.pruneExchanges({ before: T0 + 99, limit: 10 }), 0);
    assert.equal(await store.retention.pruneExchanges({ before: T0 + 100, limit: 10 }), 1);
    assert.deepEqual([await exchangesOf(over.task.id), await exchangesOf(open.task.id)], [0, 1]);
    assert.equal(await store.retention.pruneExchanges({ before: T0 + 100, limit: 10 }), 0);
  });

  promise('old events go in steps', async ({ store }) => {
    await furnish(store);
    const old = await run(store);
    const count = (await eventTypes(store, old.task.id)).length;
    assert.ok(count > 2);
    assert.equal(await store.retention.pruneEvents({ before: T0 - 1, limit: 2 }), 0);
    let deleted = 0;
    for (let step = 2; step === 2; deleted += step) {
      step = await store.retention.pruneEvents({ before: T0 + 10, limit: 2 });
    }
    const left = await eventTypes(store, old.task.id);
    assert.equal(deleted + left.length, count);
    assert.deepEqual(left, ['task.started'], 'the one that is younger');
  });
}
