import assert from 'node:assert/strict';
import {
  accept,
  acceptAndSubmit,
  assertMoney,
  complete,
  furnish,
  newTask,
  refused,
  run,
  T0,
  type PromiseTest,
} from './harness.ts';

export function testDurability(promise: PromiseTest): void {
  promise('what was answered is there after a kill, the ledger in order', async ({ store, crash }) => {
    await furnish(store);
    const accepted = await accept(store);
    const { task, attemptId } = await run(store);
    await complete(store, task.id, attemptId, 60n);
    const pending = acceptAndSubmit(store);
    const revived = await crash();
    await pending;
    assert.equal((await revived.getTask(accepted.id))?.state, 'queued');
    assert.equal((await revived.getTask(task.id))?.chargeMicros, 60n);
    const verdict = await revived.verifyLedger();
    assert.deepEqual(verdict.mismatches, []);
  });

  promise('jobs in hand at a kill are due for whoever comes next', async ({ store, crash, isSingle }) => {
    await store.jobs.enqueue({ queue: 'q', data: 1, runAt: T0, at: T0 });
    await store.jobs.claim({ queue: 'q', limit: 1, leaseUntil: T0 + 900_000, at: T0 });
    const revived = await crash();
    const claim = { queue: 'q', limit: 1, leaseUntil: T0 + 2_000_000 };
    // Where other nodes may be alive, their leases are theirs until they end.
    const [atOnce] = await revived.jobs.claim({ ...claim, at: T0 });
    assert.equal(atOnce?.attempts, isSingle ? 2 : undefined);
    const [later] = await revived.jobs.claim({ ...claim, at: T0 + 900_000 });
    assert.equal(later?.attempts, isSingle ? undefined : 2);
  });

  promise('everything survives an orderly close', async ({ store, reopen }) => {
    await furnish(store);
    const task = await accept(store, newTask({ externalTaskId: 'mine' }));
    const again = await reopen();
    assert.deepEqual(await again.getTask(task.id), task);
    await refused(accept(again, newTask({ externalTaskId: 'mine' })), 'duplicate_external_task_id');
    await assertMoney(again, 900n, 100n);
  });

  promise(
    'closing waits for changes under way; later ones and reads are refused',
    async ({ store, reopen }) => {
      await furnish(store);
      const task = newTask();
      const accepting = accept(store, task);
      const reopening = reopen();
      await accepting;
      const again = await reopening;
      assert.equal((await again.getTask(task.id))?.id, task.id);
      await refused(accept(store), 'unavailable');
      await refused(store.getTask(task.id), 'unavailable');
      await refused(store.ping(), 'unavailable');
    },
  );

  promise('a short lock by another program is waited out', async ({ store, lock, lockWaitMs }) => {
    await furnish(store);
    const unlock = await lock();
    const accepting = accept(store);
    setTimeout(() => void unlock(), lockWaitMs / 4);
    await accepting;
    await assertMoney(store, 900n, 100n);
  });

  promise(
    'a long lock refuses changes as unavailable, reads go on, and afterwards all is well',
    async ({ store, lock }) => {
      await furnish(store);
      const unlock = await lock();
      const task = newTask();
      await refused(accept(store, task), 'unavailable');
      assert.equal(await store.getTask(task.id), null);
      await store.ping();
      await unlock();
      await accept(store, task);
      await assertMoney(store, 900n, 100n);
    },
  );
}
