import assert from 'node:assert/strict';
import type { KeyRow } from '../../core/ports.ts';
import {
  ACCOUNT,
  CHANNEL,
  T0,
  accept,
  createChannel,
  furnish,
  newTask,
  refused,
  run,
  type PromiseTest,
  openOn,
} from './harness.ts';

function newKey(number: number): KeyRow & { keyHash: string } {
  return {
    id: `key_${number}`,
    accountId: ACCOUNT,
    name: 'main',
    hint: 'sk-…1234',
    keyHash: `hash-${number}`,
    accessKey: `AK${number}`,
    secretKeySealed: 'sealed',
    responseStyle: 'strict',
    createdAt: T0,
    revokedAt: null,
  };
}

export function testAccess(promise: PromiseTest): void {
  promise('accounts are read back, changed, and an unknown one is null', async ({ store }) => {
    await furnish(store);
    assert.equal((await store.getAccount(ACCOUNT))?.name, 'Account acc_one');
    const changed = await store.updateAccount(ACCOUNT, { status: 'disabled' }, T0);
    assert.deepEqual(changed, await store.getAccount(ACCOUNT));
    assert.equal(changed?.status, 'disabled');
    assert.equal(changed?.name, 'Account acc_one');
    assert.equal(await store.getAccount('acc_none'), null);
    assert.equal(await store.updateAccount('acc_none', { name: 'x' }, T0), null);
  });

  promise('an id is given once', async ({ store }) => {
    await furnish(store);
    const again = { id: ACCOUNT, name: 'again', status: 'active' as const, createdAt: T0 };
    await refused(store.createAccount(again), 'conflict');
    assert.equal((await store.getAccount(ACCOUNT))?.name, 'Account acc_one');
  });

  promise(
    'a key is found by hash and by access key, with its account, until it is revoked',
    async ({ store }) => {
      await furnish(store);
      const { keyHash, ...row } = newKey(1);
      await store.createKey({ ...row, keyHash });
      assert.deepEqual(await store.findKeyByHash(keyHash), { ...row, accountStatus: 'active' });
      assert.deepEqual(await store.findKeyByAccessKey('AK1'), { ...row, accountStatus: 'active' });
      await store.updateAccount(ACCOUNT, { status: 'disabled' }, T0);
      assert.equal((await store.findKeyByHash(keyHash))?.accountStatus, 'disabled');

      assert.equal(await store.revokeKey('acc_other', 'key_1', T0 + 5), null);
      assert.equal((await store.revokeKey(ACCOUNT, 'key_1', T0 + 5))?.revokedAt, T0 + 5);
      assert.equal(await store.revokeKey(ACCOUNT, 'key_1', T0 + 6), null);
      assert.equal(await store.findKeyByHash(keyHash), null);
      assert.equal(await store.findKeyByAccessKey('AK1'), null);
      assert.equal((await store.listKeys(ACCOUNT))[0]?.revokedAt, T0 + 5);
    },
  );

  promise('two keys never share a hash, and a key needs an account', async ({ store }) => {
    await furnish(store);
    await store.createKey(newKey(1));
    await refused(store.createKey({ ...newKey(2), keyHash: 'hash-1' }), 'conflict');
    await refused(store.createKey({ ...newKey(3), accountId: 'acc_none' }), 'not_found');
    assert.equal((await store.listKeys(ACCOUNT)).length, 1);
  });

  promise('a channel is read back whole and changed field by field', async ({ store }) => {
    await furnish(store);
    const channel = await store.getChannel(CHANNEL);
    assert.equal(channel?.requestsPerSecond, 2.5);
    assert.equal(channel?.enabled, true);
    assert.equal(channel?.sandbox, false);
    const patch = { enabled: false, concurrency: null, updatedAt: T0 + 1 };
    const changed = await store.updateChannel(CHANNEL, { ...patch, name: undefined });
    assert.deepEqual(changed, { ...channel, ...patch });
    assert.deepEqual(await store.listChannels(), [{ ...channel, ...patch }]);
    assert.equal(await store.updateChannel('chn_none', patch), null);
  });

  promise('a deleted channel leaves the list but stays readable while its tasks run', async ({ store }) => {
    await furnish(store);
    await createChannel(store, 'chn_idle');
    const { task } = await run(store);
    assert.equal(await store.deleteChannel(CHANNEL, T0), true);
    assert.equal(await store.deleteChannel(CHANNEL, T0), false);
    assert.deepEqual(
      (await store.listChannels()).map((channel) => channel.id),
      ['chn_idle'],
    );
    assert.equal((await store.getChannel(CHANNEL))?.enabled, false);
    assert.deepEqual(
      (await store.channelsWithWork()).map((channel) => channel.id),
      [CHANNEL],
    );
    assert.equal((await openOn(store))[0]?.taskId, task.id);
    assert.equal(await store.updateChannel(CHANNEL, { enabled: true }), null);
  });

  promise('a waiting task is work for its channel, a cancelled one is not', async ({ store }) => {
    await furnish(store);
    assert.deepEqual(await store.channelsWithWork(), []);
    const task = await accept(store, newTask());
    assert.equal((await store.channelsWithWork()).length, 1);
    await store.cancelTask({ taskId: task.id, at: T0 });
    assert.deepEqual(await store.channelsWithWork(), []);
  });
}
