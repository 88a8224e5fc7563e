import assert from 'node:assert/strict';
import {
  accept,
  acceptAndSubmit,
  assertMoney,
  CHANNEL,
  createAccount,
  createChannel,
  eventTypes,
  furnish,
  newTask,
  run,
  T0,
  type PromiseTest,
} from './harness.ts';

const OTHER = 'chn_two';

/** Takes up whoever is next, one at a time; answers whose turn it was. */
async function takeInTurn(store: Parameters<typeof accept>[0], count: number): Promise<string[]> {
  const accounts: string[] = [];
  for (let turn = 0; turn < count; turn++) {
    const [task] = await store.waitingTasks(CHANNEL, '', 1);
    if (task === undefined) break;
    accounts.push(task.accountId);
    const attempt = {
      id: `att_${task.id}`,
      taskId: task.id,
      channelId: CHANNEL,
      owner: 'n',
      submitDeadlineAt: T0,
      at: T0,
    };
    assert.deepEqual(await store.openAttempts([attempt]), [attempt.id]);
  }
  return accounts;
}

export function testLanes(promise: PromiseTest): void {
  promise('accounts take turns, and a start after a kill goes on where they were', async (harness) => {
    let { store } = harness;
    await furnish(store);
    await createAccount(store, 'acc_two', 1_000n);
    for (let count = 0; count < 4; count++) await accept(store);
    for (let count = 0; count < 3; count++) await accept(store, newTask({ accountId: 'acc_two' }));
    const before = await takeInTurn(store, 3);
    assert.deepEqual(before, ['acc_one', 'acc_two', 'acc_one']);
    store = await harness.reopen();
    assert.deepEqual(await takeInTurn(store, 9), ['acc_two', 'acc_one', 'acc_two', 'acc_one']);
    assert.deepEqual(await store.accountsWaiting(CHANNEL, ''), []);
  });

  promise('pools are queues of their own', async ({ store }) => {
    await furnish(store);
    const film = await accept(store, newTask({ pool: 'video' }));
    const picture = await accept(store, newTask({ pool: 'image', priority: 3 }));
    assert.deepEqual((await store.waitingPools(CHANNEL)).toSorted(), ['image', 'video']);
    assert.deepEqual(await store.waitingTasks(CHANNEL, 'image', 5), [picture]);
    assert.deepEqual(await store.waitingTasks(CHANNEL, 'video', 5), [film]);
    assert.deepEqual(await store.waitingTasks(CHANNEL, '', 5), []);
    assert.equal(await store.waitingCount(CHANNEL), 2);
  });

  promise('waiting tasks are moved once, and only from where they wait', async ({ store }) => {
    await furnish(store);
    await createChannel(store, OTHER);
    const waits = await accept(store);
    const { task: runs } = await acceptAndSubmit(store);
    const gone = await accept(store);
    await store.cancelTask({ taskId: gone.id, at: T0 });
    const tasks = [waits, runs, gone].map(({ id }) => ({ id, pool: 'video' }));
    const move = { tasks, from: CHANNEL, to: OTHER, reason: 'a test', at: T0 + 5 };
    const told: string[] = [];
    store.onCommit(`lane:${OTHER}`, () => told.push(OTHER));
    const [first, second] = await Promise.all([store.moveWaiting(move), store.moveWaiting(move)]);
    assert.deepEqual([first, second], [[waits.id], []]);
    assert.deepEqual(await store.waitingTasks(CHANNEL, '', 5), []);
    const [moved] = await store.waitingTasks(OTHER, 'video', 5);
    assert.deepEqual(moved, { ...waits, channelId: OTHER, pool: 'video', updatedAt: T0 + 5 });
    assert.ok((await eventTypes(store, waits.id)).includes('queue.moved'));
    // Whoever looked before the move must not take it up where it does not wait any more.
    const late = {
      id: 'att_late',
      taskId: waits.id,
      channelId: CHANNEL,
      owner: 'n',
      submitDeadlineAt: T0,
      at: T0,
    };
    assert.deepEqual(await store.openAttempts([late]), []);
  });

  promise(
    'a refusal with a next attempt opens that at once, and nobody else takes the task up',
    async ({ store }) => {
      await furnish(store);
      await createChannel(store, OTHER);
      const { task, attemptId } = await acceptAndSubmit(store);
      const next = { id: 'att_next', owner: 'node-1', submitDeadlineAt: T0 + 9_000 };
      const refusal = {
        attemptId,
        at: T0 + 10,
        upstreamCode: null,
        message: 'maintenance',
        channelId: OTHER,
        pool: '',
        next,
        exchanges: [],
      };
      assert.equal(await store.refuseAttempt(refusal), true);
      assert.equal(await store.waitingCount(OTHER), 0);
      const current = (await store.currentAttempt(task.id))!;
      assert.deepEqual(
        [current.attempt.id, current.attempt.number, current.attempt.channelId, current.attempt.state],
        ['att_next', 2, OTHER, 'submitting'],
      );
      assert.equal(current.task.channelId, OTHER);
      assert.equal(await store.refusalsOf(task.id, CHANNEL), 1);
      assert.equal(await store.refusalsOf(task.id, OTHER), 0);
    },
  );

  promise('what was accepted and returned waits again under its new handle, once', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    const returned = {
      attemptId,
      at: T0 + 30,
      upstreamCode: '70000',
      message: 'no place',
      upstreamHandle: `${task.id}-r1`,
      exchanges: [],
    };
    assert.equal(await store.returnAttempt(returned), true);
    assert.equal(await store.returnAttempt(returned), false);
    const [waits] = await store.waitingTasks(CHANNEL, '', 5);
    assert.deepEqual([waits?.id, waits?.upstreamHandle, waits?.attemptId], [task.id, `${task.id}-r1`, null]);
    assert.equal((await store.taskRecord(task.id))?.attempts[0]?.state, 'failed');
    await assertMoney(store, 900n, 100n);
  });

  promise('health and pace are kept as they were last told', async (harness) => {
    let { store } = harness;
    const health = {
      channelId: CHANNEL,
      state: 'open' as const,
      since: T0,
      reason: 'The upstream is under maintenance. (5001)',
      retryAt: T0 + 4_000,
      trips: 2,
    };
    const told: string[] = [];
    store.onCommit('health', () => told.push('health'));
    await store.noteHealth({ ...health, trips: 1 });
    await store.noteHealth(health);
    await store.notePace({ channelId: CHANNEL, pool: 'video', taskMs: 90_000.4, at: T0 });
    await store.notePace({ channelId: CHANNEL, pool: 'video', taskMs: 60_000, at: T0 + 1 });
    store = await harness.reopen();
    assert.deepEqual(await store.channelHealth(), [health]);
    assert.deepEqual(await store.lanePaces(CHANNEL), [{ channelId: CHANNEL, pool: 'video', taskMs: 60_000 }]);
  });

  promise('a task that was made unseen has started first', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    await store.acceptAttempt({ attemptId, ref: { id: 'up' }, at: T0 + 1, exchanges: [] });
    await store.madeAttempt({ attemptId, at: T0 + 2, outputs: [], cost: null, exchanges: [] });
    const types = await eventTypes(store, task.id);
    assert.ok(types.indexOf('task.started') < types.indexOf('attempt.made'));
    assert.equal((await store.getTask(task.id))?.startedAt, T0 + 2);
  });
}
