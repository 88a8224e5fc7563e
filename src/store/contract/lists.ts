import assert from 'node:assert/strict';
import type { Store } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import {
  ACCOUNT,
  CHANNEL,
  T0,
  accept,
  createAccount,
  newTask,
  run,
  complete,
  type PromiseTest,
  openOn,
} from './harness.ts';

async function acceptMany(store: Store, count: number, changes: Partial<Task> = {}): Promise<string[]> {
  const tasks = Array.from({ length: count }, () => newTask({ holdMicros: 1n, ...changes }));
  await Promise.all(tasks.map((task) => accept(store, task)));
  return tasks.map((task) => task.id);
}

const ids = (tasks: Task[]) => tasks.map((task) => task.id);

export function testLists(promise: PromiseTest): void {
  promise('lists go both ways by keyset and keep to the account and the surface', async ({ store }) => {
    await createAccount(store, ACCOUNT, 1_000n);
    await createAccount(store, 'acc_two', 1_000n);
    const videos = await acceptMany(store, 5);
    await acceptMany(store, 2, { accountId: 'acc_two' });
    const kling = await acceptMany(store, 2, { surface: 'kling.text2video' });
    const query = { accountId: ACCOUNT, limit: 3 };
    const all = [...videos, ...kling];
    assert.deepEqual(ids(await store.listTasks({ ...query, order: 'asc' })), all.slice(0, 3));
    assert.deepEqual(ids(await store.listTasks({ ...query, order: 'asc', after: all[2]! })), all.slice(3, 6));
    assert.deepEqual(ids(await store.listTasks({ ...query, order: 'desc' })), all.slice(4).reverse());
    const surface = 'openai.videos';
    assert.deepEqual(
      ids(await store.listTasks({ ...query, order: 'desc', surface })),
      videos.slice(2).reverse(),
    );
    assert.deepEqual(
      ids(await store.listTasks({ ...query, order: 'desc', surface, after: videos[2]! })),
      videos.slice(0, 2).reverse(),
    );
  });

  promise('a page does not shift when tasks arrive meanwhile', async ({ store }) => {
    await createAccount(store, ACCOUNT, 1_000n);
    const early = await acceptMany(store, 6);
    const first = await store.adminTasks({ cursor: null, limit: 3 });
    await acceptMany(store, 4);
    const second = await store.adminTasks({ cursor: first.nextCursor, limit: 3 });
    assert.deepEqual(ids([...first.rows, ...second.rows]), early.toReversed());
    assert.equal(second.nextCursor, null);
  });

  promise('numbered pages follow each other, newest first', async ({ store }) => {
    await createAccount(store, ACCOUNT, 1_000n);
    const all = (await acceptMany(store, 5, { surface: 'kling.text2video' })).reverse();
    const query = { accountId: ACCOUNT, surface: 'kling.text2video', limit: 2 };
    assert.deepEqual(ids(await store.pageTasks({ ...query, offset: 0 })), all.slice(0, 2));
    assert.deepEqual(ids(await store.pageTasks({ ...query, offset: 4 })), all.slice(4));
    assert.deepEqual(await store.pageTasks({ ...query, offset: 10 }), []);
  });

  promise('operators filter by everything they can name, in any combination', async ({ store }) => {
    await createAccount(store, ACCOUNT, 1_000n);
    await createAccount(store, 'acc_two', 1_000n);
    const { task: done, attemptId } = await run(store, newTask({ model: 'kling-v2', createdAt: T0 + 1_000 }));
    await complete(store, done.id, attemptId, 1n);
    const [other] = await acceptMany(store, 1, { accountId: 'acc_two', channelId: 'chn_two', tier: 'other' });
    const find = async (filter: object) =>
      ids((await store.adminTasks({ cursor: null, limit: 9, ...filter })).rows);
    assert.deepEqual(await find({}), [other, done.id]);
    assert.deepEqual(await find({ accountId: 'acc_two' }), [other]);
    assert.deepEqual(await find({ state: 'completed' }), [done.id]);
    assert.deepEqual(await find({ channelId: 'chn_two', tier: 'other' }), [other]);
    assert.deepEqual(await find({ model: 'kling-v2', state: 'queued' }), []);
    assert.deepEqual(await find({ createdFrom: T0 + 1_000 }), [done.id]);
    assert.deepEqual(await find({ createdTo: T0 + 999, channelId: CHANNEL }), []);
  });

  promise('callers search what they may see of their own, by states and time', async ({ store }) => {
    await createAccount(store, ACCOUNT, 1_000n);
    await createAccount(store, 'acc_two', 1_000n);
    const finished = async (createdAt: number): Promise<string> => {
      const { task, attemptId } = await run(store, newTask({ createdAt }));
      await complete(store, task.id, attemptId, 1n);
      return task.id;
    };
    const done = await finished(T0 + 1_000);
    const hidden = await finished(T0 + 2_000);
    await store.hideTask({ taskId: hidden, at: T0 + 3_000 });
    const [cancelled, queued] = await acceptMany(store, 2);
    await store.cancelTask({ taskId: cancelled!, at: T0 + 3_000 });
    await acceptMany(store, 1, { accountId: 'acc_two' });
    const find = async (filter: object) =>
      ids((await store.searchTasks({ accountId: ACCOUNT, cursor: null, limit: 9, ...filter })).rows).sort();
    assert.deepEqual(await find({}), [done, cancelled, queued].sort());
    assert.deepEqual(await find({ states: ['completed'] }), [done]);
    assert.deepEqual(await find({ states: ['failed', 'cancelled'] }), [cancelled]);
    assert.deepEqual(await find({ states: ['queued', 'in_progress'] }), [queued]);
    assert.deepEqual(await find({ states: ['completed', 'queued'] }), [done, queued].sort());
    assert.deepEqual(await find({ createdFrom: T0 + 1_000, createdTo: T0 + 2_500 }), [done]);
    const page = await store.searchTasks({ accountId: ACCOUNT, cursor: null, limit: 2 });
    assert.equal(page.nextCursor, page.rows[1]!.id);
  });

  promise(
    'operators find the one match among many, and a channel names all its open attempts',
    async ({ store }) => {
      await createAccount(store, ACCOUNT, 10_000n);
      const { task: oldest, attemptId } = await run(store, newTask({ holdMicros: 1n, tier: 'rare' }));
      const more = Array.from({ length: 2_100 }, () => newTask({ holdMicros: 1n }));
      await Promise.all(
        more.map((task, index) =>
          store.acceptTask({
            task,
            attempt: index < 450 ? { id: `att_${task.id}`, owner: 'node-1', submitDeadlineAt: T0 } : null,
          }),
        ),
      );
      const rare = await store.adminTasks({ tier: 'rare', accountId: ACCOUNT, cursor: null, limit: 5 });
      assert.deepEqual(ids(rare.rows), [oldest.id]);
      assert.equal(rare.nextCursor, null);
      assert.deepEqual(ids((await store.adminTasks({ tier: 'rare', cursor: null, limit: 1 })).rows), [
        oldest.id,
      ]);
      const open = await openOn(store);
      assert.equal(new Set(open.map((one) => one.attemptId)).size, 451);
      assert.equal(open[0]?.attemptId, attemptId);
    },
  );

  promise('accounts and events are paged to the end', async ({ store }) => {
    for (const name of ['a', 'b', 'c']) await createAccount(store, `acc_${name}`, 10n);
    const first = await store.listAccounts({ cursor: null, limit: 2 });
    const second = await store.listAccounts({ cursor: first.nextCursor, limit: 2 });
    assert.deepEqual(
      [...first.rows, ...second.rows].map((row) => row.id),
      ['acc_c', 'acc_b', 'acc_a'],
    );
    assert.equal(second.nextCursor, null);
    const tasks = await acceptMany(store, 3, { accountId: 'acc_a' });
    await acceptMany(store, 1, { accountId: 'acc_b' });
    const start = await store.listEvents({ accountId: 'acc_a', cursor: null, limit: 2 });
    const rest = await store.listEvents({ accountId: 'acc_a', cursor: start.nextCursor, limit: 2 });
    assert.deepEqual(
      [...start.rows, ...rest.rows].map((event) => event.taskId),
      tasks,
    );
    assert.equal(rest.nextCursor, null);
    assert.equal((await store.listEvents({ cursor: null, limit: 9 })).rows.length, 4);
  });
}
