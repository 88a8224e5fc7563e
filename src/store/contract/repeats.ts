import assert from 'node:assert/strict';
import type { NewTask, RememberKey, Store } from '../../core/ports.ts';
import {
  ACCOUNT,
  T0,
  accept,
  assertMoney,
  createAccount,
  furnish,
  newTask,
  refused,
  type PromiseTest,
} from './harness.ts';

const DAY = 86_400_000;

function keyOf(key: string, changes: Partial<RememberKey> = {}): RememberKey {
  const fields = { scope: ACCOUNT, key, requestHash: 'hash', expiresAt: T0 + DAY, replaces: null };
  return { kind: 'key', ...fields, ...changes };
}

const acceptAs = (store: Store, remember: NonNullable<NewTask['remember']>, task = newTask()) =>
  store.acceptTask({ task, attempt: null, remember });

const used = (subjectId: string) => ({ requestHash: 'hash', subjectId, response: null });

export function testRepeats(promise: PromiseTest): void {
  promise('of 20 acceptances with one key one is made, and holds once', async ({ store }) => {
    await furnish(store);
    const tasks = Array.from({ length: 20 }, () => newTask());
    const outcomes = await Promise.allSettled(tasks.map((task) => acceptAs(store, keyOf('k'), task)));
    const made = tasks.filter((_, index) => outcomes[index]!.status === 'fulfilled');
    assert.equal(made.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        await refused(Promise.reject(outcome.reason as Error), 'request_in_progress');
      }
    }
    assert.deepEqual(await store.findUsedKey(ACCOUNT, 'k', T0), used(made[0]!.id));
    await assertMoney(store, 900n, 100n);
  });

  promise('a task and its key are there after a crash, or neither is', async ({ store, crash }) => {
    await furnish(store);
    const task = newTask();
    await acceptAs(store, keyOf('kept'), task);
    const dear = newTask({ holdMicros: 5_000n });
    await refused(acceptAs(store, keyOf('refused'), dear), 'insufficient_quota');
    const revived = await crash();
    assert.deepEqual(await revived.findUsedKey(ACCOUNT, 'kept', T0), used(task.id));
    assert.equal((await revived.getTask(task.id))?.id, task.id);
    assert.equal(await revived.findUsedKey(ACCOUNT, 'refused', T0), null);
    assert.equal(await revived.getTask(dear.id), null);
  });

  promise('a key means nothing in another scope, and nothing when its time is over', async ({ store }) => {
    await furnish(store);
    await createAccount(store, 'acc_two', 1_000n);
    const task = newTask();
    await acceptAs(store, keyOf('k'), task);
    assert.equal(await store.findUsedKey('acc_two', 'k', T0), null);
    await acceptAs(store, keyOf('k', { scope: 'acc_two' }), newTask({ accountId: 'acc_two' }));

    assert.deepEqual(await store.findUsedKey(ACCOUNT, 'k', T0 + DAY - 1), used(task.id));
    assert.equal(await store.findUsedKey(ACCOUNT, 'k', T0 + DAY), null);
    const later = newTask({ createdAt: T0 + DAY });
    await acceptAs(store, keyOf('k', { expiresAt: T0 + 2 * DAY }), later);
    assert.deepEqual(await store.findUsedKey(ACCOUNT, 'k', T0 + DAY), used(later.id));
  });

  promise('what came to nothing may be replaced by whoever saw it, once', async ({ store }) => {
    await furnish(store);
    const tasks = [newTask(), newTask(), newTask()] as const;
    await acceptAs(store, keyOf('k'), tasks[0]);
    await acceptAs(store, keyOf('k', { replaces: tasks[0].id }), tasks[1]);
    await refused(acceptAs(store, keyOf('k', { replaces: tasks[0].id }), tasks[2]), 'request_in_progress');
    assert.deepEqual(await store.findUsedKey(ACCOUNT, 'k', T0), used(tasks[1].id));
  });

  promise('a top-up with a key is posted once and keeps the wallet it led to', async ({ store }) => {
    await furnish(store);
    const remember = keyOf('k', { scope: 'admin' });
    const topUp = {
      accountId: ACCOUNT,
      kind: 'top_up' as const,
      amountMicros: 50n,
      note: null,
      at: T0,
      remember,
    };
    const outcomes = await Promise.allSettled([store.post(topUp), store.post(topUp), store.post(topUp)]);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    await assertMoney(store, 1_050n, 0n);
    const { response } = (await store.findUsedKey('admin', 'k', T0))!;
    assert.deepEqual(response, { availableMicros: '1050', heldMicros: '0' });
  });

  promise('a file with a key is kept once, with the answer to it', async ({ store }) => {
    await furnish(store);
    const file = {
      id: 'file_1',
      accountId: ACCOUNT,
      filename: 'a.png',
      purpose: 'vision',
      contentType: 'image/png',
      bytes: 3,
      width: 1,
      height: 1,
      mediaKey: 'files/a.png',
      createdAt: T0,
      expiresAt: null,
    };
    await store.createFile(file, keyOf('k'));
    await refused(store.createFile({ ...file, id: 'file_2' }, keyOf('k')), 'request_in_progress');
    assert.equal(await store.findFile(ACCOUNT, 'file_2', T0), null);
    assert.deepEqual((await store.findUsedKey(ACCOUNT, 'k', T0))?.response, file);
  });

  promise('each task goes to one sending of a count', async ({ store, crash }) => {
    await furnish(store);
    const tasks = [newTask(), newTask()] as const;
    for (const task of tasks) {
      await acceptAs(store, { kind: 'sending', requestHash: 'hash', retryCount: 0 }, task);
    }
    const ids = tasks.map(({ id }) => id).sort();
    const claim = (retryCount: number, changes: object = {}) =>
      store.claimSending({ keyId: 'key_one', requestHash: 'hash', retryCount, since: T0, ...changes });
    for (const other of [{ keyId: 'key_two' }, { requestHash: 'other' }, { since: T0 + 1 }]) {
      assert.equal(await claim(1, other), null);
    }
    assert.deepEqual([await claim(1), await claim(1)].sort(), ids);
    assert.equal(await claim(1), null);
    const revived = await crash();
    const again = { keyId: 'key_one', requestHash: 'hash', retryCount: 2, since: T0 };
    assert.ok(ids.includes((await revived.claimSending(again))!));
  });

  promise('keys and sendings are forgotten when their time is over, not before', async ({ store }) => {
    await furnish(store);
    await acceptAs(store, keyOf('short', { expiresAt: T0 + 10 }));
    await acceptAs(store, keyOf('long', { expiresAt: T0 + 20 }));
    await acceptAs(store, { kind: 'sending', requestHash: 'hash', retryCount: 0 });
    const forget = (at: number) => store.forgetRepeats({ at, sentBefore: at - 5, limit: 100 });
    assert.equal(await forget(T0 + 5), 0);
    assert.equal(await forget(T0 + 10), 2);
    assert.equal((await store.findUsedKey(ACCOUNT, 'long', T0 + 10))?.requestHash, 'hash');
    assert.equal(await forget(T0 + 20), 1);
    assert.equal(await forget(T0 + 20), 0);
  });

  promise('many keys are forgotten in steps', async ({ store }) => {
    await createAccount(store, ACCOUNT, 10_000n);
    for (let key = 0; key < 10; key++)
      await acceptAs(store, keyOf(`k${key}`, { expiresAt: T0 + key }), newTask());
    const forget = () => store.forgetRepeats({ at: T0 + 100, sentBefore: 0, limit: 4 });
    assert.deepEqual([await forget(), await forget(), await forget(), await forget()], [4, 4, 2, 0]);
  });

  promise('an accepted task without a promise leaves no trace of one', async ({ store }) => {
    await furnish(store);
    await accept(store);
    assert.equal(await store.forgetRepeats({ at: T0 + 10 * DAY, sentBefore: T0 + DAY, limit: 10 }), 0);
  });
}
