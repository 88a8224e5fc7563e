import assert from 'node:assert/strict';
import type { FileRow, ResourceRow } from '../../core/ports.ts';
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
  fail,
  furnish,
  newTask,
  run,
  type PromiseTest,
} from './harness.ts';

function newResource(taskId: string, changes: Partial<ResourceRow> = {}): ResourceRow {
  return {
    id: '180000000000000001',
    accountId: ACCOUNT,
    kind: 'voice',
    channelId: CHANNEL,
    upstreamId: '829836802793406551',
    name: 'my voice',
    data: { voice_id: 829_836_802_793_406_551n },
    taskId,
    createdAt: T0,
    expiresAt: null,
    deletedAt: null,
    ...changes,
  };
}

function newFile(id: string, changes: Partial<FileRow> = {}): FileRow {
  return {
    id,
    accountId: ACCOUNT,
    filename: 'cat.png',
    purpose: 'vision',
    contentType: 'image/png',
    bytes: 5_000_000_000,
    width: 10,
    height: 20,
    mediaKey: `files/${id}`,
    createdAt: T0,
    expiresAt: null,
    ...changes,
  };
}

const at = T0 + 1_000;

export function testBelongings(promise: PromiseTest): void {
  promise('resources come with the completion of their task, and only then', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    const resource = newResource(task.id);
    const cost = { amount: '0.5', unit: 'units' };
    const completion = {
      taskId: task.id,
      attemptId,
      at: T0 + 100,
      exchanges: [],
      outcome: {
        state: 'completed' as const,
        result: RESULT,
        chargeMicros: 100n,
        quantity: 1,
        resources: [
          resource,
          newResource(task.id, { id: '180000000000000002', kind: 'element', upstreamId: 'e1' }),
        ],
        cost,
      },
    };
    const late = await run(store);
    await fail(store, late.task.id, late.attemptId);
    assert.equal(await store.finishTask({ ...completion, taskId: late.task.id, attemptId: null }), false);
    assert.equal(await store.findResource(ACCOUNT, 'voice', resource.id, at), null);

    assert.equal(await store.finishTask(completion), true);
    assert.deepEqual(await store.findResource(ACCOUNT, 'voice', resource.id, at), resource);
    const record = await store.taskRecord(task.id);
    assert.deepEqual(record?.usage[0]?.cost, cost);
    assert.equal(record?.attempts[0]?.state, 'made');
    await assertMoney(store, 900n, 0n);
  });

  promise("a resource is its account's alone, by kind, until it is deleted or expires", async ({ store }) => {
    await furnish(store);
    await createAccount(store, 'acc_two', 1_000n);
    const { task, attemptId } = await run(store);
    const ids = ['180000000000000001', '180000000000000002', '180000000000000003'];
    const resources = ids.map((id, index) =>
      newResource(task.id, { id, upstreamId: `up-${index}`, expiresAt: index === 2 ? T0 + 5_000 : null }),
    );
    await store.finishTask({
      taskId: task.id,
      attemptId,
      at: T0 + 100,
      exchanges: [],
      outcome: { state: 'completed', result: RESULT, chargeMicros: 1n, quantity: 1, resources },
    });
    const named = async (when: number) =>
      (await store.pageResources({ accountId: ACCOUNT, kind: 'voice', at: when, offset: 0, limit: 9 })).map(
        (row) => row.id,
      );
    assert.deepEqual(await named(at), ids.toReversed());
    assert.deepEqual(await named(T0 + 5_000), [ids[1], ids[0]]);
    assert.equal(await store.findResource(ACCOUNT, 'voice', ids[2]!, T0 + 5_000), null);
    assert.equal(await store.findResource('acc_two', 'voice', ids[0]!, at), null);
    assert.equal(await store.findResource(ACCOUNT, 'element', ids[0]!, at), null);
    const removal = { accountId: ACCOUNT, kind: 'voice' as const, id: ids[0]!, at };
    assert.equal(await store.isOwnedUpstream('voice', 'up-0'), true);
    assert.equal(await store.deleteResource({ ...removal, accountId: 'acc_two' }), false);
    assert.equal(await store.deleteResource(removal), true);
    assert.equal(await store.deleteResource(removal), false);
    assert.equal(await store.isOwnedUpstream('voice', 'up-0'), false);
    assert.equal(await store.isResourceId('voice', ids[0]!), true);
    assert.equal(await store.isResourceId('element', ids[0]!), false);
    assert.equal(await store.isResourceId('voice', 'up-1'), false);
    assert.equal(await store.isOwnedUpstream('element', 'up-1'), false);
    const second = { accountId: ACCOUNT, kind: 'voice' as const, at, offset: 1, limit: 1 };
    assert.deepEqual(
      (await store.pageResources(second)).map((row) => row.id),
      [ids[1]],
    );
  });

  promise(
    'files are listed both ways by keyset, found by their account, and deleted once',
    async ({ store }) => {
      await furnish(store);
      await createAccount(store, 'acc_two', 1_000n);
      const files = ['file_1', 'file_2', 'file_3'].map((id) => newFile(id));
      for (const file of files) await store.createFile(file);
      await store.createFile(newFile('file_4', { purpose: 'batch' }));
      await store.createFile(newFile('file_5', { accountId: 'acc_two' }));
      assert.deepEqual(await store.findFile(ACCOUNT, 'file_1', at), files[0]);
      assert.equal(await store.findFile('acc_two', 'file_1', at), null);
      const query = { accountId: ACCOUNT, limit: 2, at };
      const ids = (rows: FileRow[]) => rows.map((row) => row.id);
      assert.deepEqual(ids(await store.listFiles({ ...query, order: 'desc' })), ['file_4', 'file_3']);
      assert.deepEqual(ids(await store.listFiles({ ...query, order: 'desc', after: 'file_3' })), [
        'file_2',
        'file_1',
      ]);
      assert.deepEqual(ids(await store.listFiles({ ...query, order: 'asc', after: 'file_2' })), [
        'file_3',
        'file_4',
      ]);
      assert.deepEqual(ids(await store.listFiles({ ...query, order: 'asc', purpose: 'batch' })), ['file_4']);
      assert.equal(await store.deleteFile('acc_two', 'file_1'), null);
      assert.deepEqual(await store.deleteFile(ACCOUNT, 'file_1'), files[0]);
      assert.equal(await store.deleteFile(ACCOUNT, 'file_1'), null);
    },
  );

  promise('an expired file is not found any more and is named for deletion', async ({ store }) => {
    await furnish(store);
    await store.createFile(newFile('file_1', { expiresAt: T0 + 500 }));
    await store.createFile(newFile('file_2', { expiresAt: T0 + 900 }));
    await store.createFile(newFile('file_3'));
    assert.equal(await store.findFile(ACCOUNT, 'file_1', T0 + 500), null);
    assert.equal(
      (await store.listFiles({ accountId: ACCOUNT, order: 'asc', limit: 9, at: T0 + 500 })).length,
      2,
    );
    assert.deepEqual(
      (await store.expiredFiles(T0 + 500, 9)).map((row) => row.id),
      ['file_1'],
    );
  });

  promise('what was put into an account is known whatever was spent of it', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await complete(store, task.id, attemptId, 60n);
    await accept(store, newTask());
    const correction = {
      accountId: ACCOUNT,
      kind: 'adjustment' as const,
      amountMicros: -50n,
      note: null,
      at: T0,
    };
    await store.post(correction);
    assert.equal(await store.toppedUp(ACCOUNT), 950n);
    assert.equal(await store.toppedUp('acc_none'), 0n);
  });
}
