import assert from 'node:assert/strict';
import {
  ACCOUNT,
  CHANNEL,
  RESULT,
  T0,
  accept,
  acceptAndSubmit,
  assertMoney,
  complete,
  createAccount,
  eventTypes,
  fail,
  furnish,
  newTask,
  refused,
  run,
  type PromiseTest,
  openOn,
} from './harness.ts';

export function testTasks(promise: PromiseTest): void {
  promise('a task is read back as it was accepted, integers above 2^53 included', async ({ store }) => {
    await furnish(store);
    const task = newTask({ externalTaskId: 'mine', callbackUrl: 'https://example.com/hook' });
    await accept(store, task);
    assert.deepEqual(await store.getTask(task.id), task);
    assert.deepEqual(await store.findTask(ACCOUNT, task.id), task);
    assert.deepEqual(await store.findTask(ACCOUNT, 'mine'), task);
    assert.equal(await store.getTask('task_none'), null);
  });

  promise("another account's task is not found, by neither name", async ({ store }) => {
    await furnish(store);
    await createAccount(store, 'acc_two', 1_000n);
    const task = await accept(store, newTask({ externalTaskId: 'mine' }));
    assert.equal(await store.findTask('acc_two', task.id), null);
    assert.equal(await store.findTask('acc_two', 'mine'), null);
  });

  promise('an external id is taken once per account, and the repeat costs nothing', async ({ store }) => {
    await furnish(store);
    await createAccount(store, 'acc_two', 1_000n);
    await accept(store, newTask({ externalTaskId: 'mine' }));
    await refused(accept(store, newTask({ externalTaskId: 'mine' })), 'duplicate_external_task_id');
    await accept(store, newTask({ externalTaskId: 'mine', accountId: 'acc_two' }));
    await assertMoney(store, 900n, 100n);
  });

  promise('a task id is given once, and the second acceptance holds nothing', async ({ store }) => {
    await furnish(store);
    const task = await accept(store);
    await refused(accept(store, task), 'conflict');
    await assertMoney(store, 900n, 100n);
  });

  promise('completion settles, records usage and announces, once', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    const cost = { amount: '1.5', unit: 'units' };
    const made = { attemptId, at: T0 + 50, outputs: [], cost, exchanges: [] };
    assert.equal(await store.madeAttempt(made), true);
    assert.equal(await complete(store, task.id, attemptId, 60n), true);
    assert.equal(await complete(store, task.id, attemptId, 60n), false);
    assert.equal(await fail(store, task.id, attemptId), false);
    const finished = await store.getTask(task.id);
    assert.equal(finished?.state, 'completed');
    assert.equal(finished?.chargeMicros, 60n);
    assert.equal(finished?.endedAt, T0 + 100);
    assert.deepEqual(finished?.result, RESULT);
    const record = await store.taskRecord(task.id);
    assert.deepEqual(
      record?.usage.map(({ id: _id, ...usage }) => usage),
      [
        {
          accountId: ACCOUNT,
          taskId: task.id,
          tier: task.tier,
          unit: 'second',
          quantity: 5,
          amountMicros: 60n,
          cost,
          createdAt: T0 + 100,
        },
      ],
    );
    await assertMoney(store, 940n, 0n);
  });

  promise('failure releases the whole hold and says why, once', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    assert.equal(await fail(store, task.id, attemptId), true);
    assert.equal(await fail(store, task.id, attemptId), false);
    assert.equal(await complete(store, task.id, attemptId, 60n), false);
    const failed = await store.getTask(task.id);
    assert.deepEqual(failed?.error, { code: 'task_failed', message: 'It failed.' });
    assert.equal((await store.getAttempt(attemptId))?.attempt.state, 'failed');
    assert.deepEqual((await store.taskRecord(task.id))?.usage, []);
    await assertMoney(store, 1_000n, 0n);
  });

  promise('one of many concurrent ends wins, and money moves once', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    const ends = await Promise.all([
      ...Array.from({ length: 10 }, () => complete(store, task.id, attemptId, 100n)),
      ...Array.from({ length: 10 }, () => fail(store, task.id, attemptId)),
    ]);
    assert.equal(ends.filter(Boolean).length, 1);
    assert.equal((await store.getTask(task.id))?.state, 'completed');
    await assertMoney(store, 900n, 0n);
  });

  promise('a charge above the hold is refused whole, and the task stays as it was', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await refused(complete(store, task.id, attemptId, 101n), 'internal_error');
    assert.equal((await store.getTask(task.id))?.state, 'in_progress');
    await assertMoney(store, 900n, 100n);
  });

  promise('a task that costs nothing needs no money and moves none', async ({ store }) => {
    await store.createAccount({ id: ACCOUNT, name: 'poor', status: 'active', createdAt: T0 });
    const { task, attemptId } = await run(store, newTask({ holdMicros: 0n }));
    assert.equal(await complete(store, task.id, attemptId, 0n), true);
    const record = await store.taskRecord(task.id);
    assert.deepEqual(record?.ledger, []);
    assert.equal(record?.usage[0]?.amountMicros, 0n);
    await assertMoney(store, 0n, 0n);
  });

  promise('the end of a task ends its open attempt, whoever brings it', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    assert.equal(await fail(store, task.id, null), true);
    assert.equal((await store.getAttempt(attemptId))?.attempt.state, 'failed');
    assert.deepEqual(await openOn(store), []);
  });

  promise('a waiting task can be cancelled, one that may be submitted cannot', async ({ store }) => {
    await furnish(store);
    const waiting = await accept(store);
    const { task: submitting } = await acceptAndSubmit(store);
    assert.equal(await store.cancelTask({ taskId: waiting.id, at: T0 + 1 }), true);
    assert.equal(await store.cancelTask({ taskId: waiting.id, at: T0 + 2 }), false);
    assert.equal(await store.cancelTask({ taskId: submitting.id, at: T0 + 1 }), false);
    const cancelled = await store.getTask(waiting.id);
    assert.equal(cancelled?.state, 'cancelled');
    assert.equal(cancelled?.endedAt, T0 + 1);
    await assertMoney(store, 900n, 100n);
  });

  promise('of a cancel and an attempt that opens at once, exactly one happens', async ({ store }) => {
    await furnish(store);
    for (let round = 0; round < 5; round++) {
      const task = await accept(store);
      const attempt = {
        id: `att_${task.id}`,
        taskId: task.id,
        channelId: CHANNEL,
        owner: 'node-1',
        submitDeadlineAt: T0,
        at: T0,
      };
      const cancel = () => store.cancelTask({ taskId: task.id, at: T0 });
      const open = () => store.openAttempts([attempt]);
      let cancelling: Promise<boolean>;
      let opening: Promise<string[]>;
      if (round % 2 === 0) [cancelling, opening] = [cancel(), open()];
      else [opening, cancelling] = [open(), cancel()];
      const cancelled = await cancelling;
      const opened = await opening;
      assert.equal(Number(cancelled) + opened.length, 1);
      if (!cancelled) await fail(store, task.id, attempt.id);
    }
    await assertMoney(store, 1_000n, 0n);
  });

  promise('only a final task is hidden; then only operators see it', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store, newTask({ externalTaskId: 'mine' }));
    assert.equal(await store.hideTask({ taskId: task.id, at: T0 }), false);
    await complete(store, task.id, attemptId, 100n);
    assert.equal(await store.hideTask({ taskId: task.id, at: T0 }), true);
    assert.equal(await store.hideTask({ taskId: task.id, at: T0 }), false);
    assert.equal(await store.findTask(ACCOUNT, task.id), null);
    assert.equal(await store.findTask(ACCOUNT, 'mine'), null);
    assert.deepEqual(await store.listTasks({ accountId: ACCOUNT, order: 'desc', limit: 5 }), []);
    const page = { accountId: ACCOUNT, surface: task.surface, offset: 0, limit: 5 };
    assert.deepEqual(await store.pageTasks(page), []);
    assert.equal((await store.getTask(task.id))?.id, task.id);
    assert.equal((await store.adminTasks({ cursor: null, limit: 5 })).rows.length, 1);
    await assertMoney(store, 900n, 0n);
  });

  promise('overdue tasks are those past their deadline that are not final', async ({ store }) => {
    await furnish(store);
    const late = await accept(store, newTask({ deadlineAt: T0 + 10 }));
    await accept(store, newTask({ deadlineAt: T0 + 30 }));
    const ended = await accept(store, newTask({ deadlineAt: T0 + 5 }));
    await fail(store, ended.id, null);
    assert.deepEqual(
      (await store.overdueTasks(T0 + 20, 10)).map((task) => task.id),
      [late.id],
    );
    assert.deepEqual(await store.taskCounts(), { queued: 2 });
  });

  promise(
    'files past their time are named until they are forgotten, and the task keeps its facts',
    async ({ store }) => {
      await furnish(store);
      const { task, attemptId } = await run(store, newTask({ mediaExpiresAt: T0 + 500 }));
      const running = await run(store, newTask({ mediaExpiresAt: T0 + 500 }));
      await complete(store, task.id, attemptId, 100n);
      assert.deepEqual(await store.expiredMedia(T0 + 499, 10), []);
      assert.deepEqual(
        (await store.expiredMedia(T0 + 500, 10)).map((found) => found.id),
        [task.id],
      );
      assert.equal(await store.forgetMedia({ taskId: task.id, at: T0 + 600 }), true);
      assert.equal(await store.forgetMedia({ taskId: task.id, at: T0 + 600 }), false);
      assert.equal(await store.forgetMedia({ taskId: running.task.id, at: T0 + 600 }), false);
      assert.deepEqual(await store.expiredMedia(T0 + 900, 10), []);
      assert.deepEqual((await store.getTask(task.id))?.result, { ...RESULT, outputs: [] });
    },
  );

  promise('every change of a task is told, in order', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await store.madeAttempt({ attemptId, at: T0 + 50, outputs: [], cost: null, exchanges: [] });
    await complete(store, task.id, attemptId, 100n);
    assert.deepEqual(await eventTypes(store, task.id), [
      'task.queued',
      'attempt.submitting',
      'attempt.accepted',
      'task.started',
      'attempt.made',
      'task.completed',
    ]);
  });
}
