import assert from 'node:assert/strict';
import type { Limits } from '../../core/limits.ts';
import type { Store } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import {
  ACCOUNT,
  T0,
  accept,
  assertMoney,
  complete,
  createAccount,
  fail,
  furnish,
  newTask,
  refused,
  run,
  type PromiseTest,
} from './harness.ts';

const DAY = 86_400_000;
const key = (id: string, limits?: Limits) => ({
  id,
  accountId: ACCOUNT,
  name: 'main',
  hint: '',
  keyHash: `hash-${id}`,
  accessKey: `AK-${id}`,
  secretKeySealed: 'sealed',
  responseStyle: 'superset' as const,
  createdAt: T0,
  revokedAt: null,
  ...(limits && { limits }),
});

const ofKey = (keyId: string, changes: Partial<Task> & { holdMicros?: bigint } = {}) =>
  newTask({ keyId, ...changes });

/** How many of `count` simultaneous acceptances came through. */
async function accepted(store: Store, count: number, make: () => Task): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => accept(store, make())));
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

export function testLimits(promise: PromiseTest): void {
  promise('limits are read back as they were set, changed, and taken away', async ({ store }) => {
    await furnish(store);
    const limits: Limits = {
      requestsPerMinute: 60,
      concurrentTasks: 2,
      spendPerDayMicros: 9_007_199_254_740_993n,
      models: ['kling-v1'],
      ipAddresses: ['10.0.0.0/8'],
      expiresAt: T0 + DAY,
    };
    await store.createKey(key('key_a', limits));
    await store.updateAccount(ACCOUNT, { limits: { concurrentTasks: 9 } }, T0);
    const found = (await store.findKeyByHash('hash-key_a'))!;
    assert.deepEqual([found.limits, found.accountLimits], [limits, { concurrentTasks: 9 }]);
    const changed = await store.updateKey(
      { accountId: ACCOUNT, id: 'key_a', at: T0 },
      { limits: { requestsPerMinute: 1 } },
    );
    assert.deepEqual(changed?.limits, { requestsPerMinute: 1 });
    assert.equal(changed?.name, 'main');
    await store.updateKey({ accountId: ACCOUNT, id: 'key_a', at: T0 }, { name: 'renamed' });
    assert.deepEqual((await store.listKeys(ACCOUNT))[0], { ...changed, name: 'renamed' });
    await store.updateKey({ accountId: ACCOUNT, id: 'key_a', at: T0 }, { limits: null });
    await store.updateAccount(ACCOUNT, { limits: null }, T0);
    const free = (await store.findKeyByHash('hash-key_a'))!;
    assert.ok(!('limits' in free) && !('accountLimits' in free));
    const stranger = { accountId: 'acc_none', id: 'key_a', at: T0 };
    assert.equal(await store.updateKey(stranger, { name: 'x' }), null);
  });

  promise('of 30 simultaneous tasks of a key for 5, exactly 5 are accepted', async ({ store }) => {
    await createAccount(store, ACCOUNT, 10_000n);
    await store.createKey(key('key_a', { concurrentTasks: 5 }));
    assert.equal(await accepted(store, 30, () => ofKey('key_a')), 5);
    await refused(accept(store, ofKey('key_a')), 'concurrency_limit_exceeded');
    await accept(store, ofKey('key_b'));
    await assertMoney(store, 9_400n, 600n);
  });

  promise('an ended task makes room, however it ended', async ({ store }) => {
    await createAccount(store, ACCOUNT, 10_000n);
    await store.updateAccount(ACCOUNT, { limits: { concurrentTasks: 1 } }, T0);
    const done = await run(store, ofKey('key_a'));
    await refused(accept(store, ofKey('key_b')), 'concurrency_limit_exceeded');
    await complete(store, done.task.id, done.attemptId, 100n);
    const failed = await run(store, ofKey('key_b'));
    await fail(store, failed.task.id, failed.attemptId);
    await fail(store, failed.task.id, failed.attemptId);
    const cancelled = await accept(store, ofKey('key_a'));
    await store.cancelTask({ taskId: cancelled.id, at: T0 });
    assert.equal(await accepted(store, 3, () => ofKey('key_a')), 1);
  });

  promise('spend of a day: holds count, what was not used is given back, no overshoot', async ({ store }) => {
    await createAccount(store, ACCOUNT, 100_000n);
    await store.createKey(key('key_a', { spendPerDayMicros: 1_000n }));
    assert.equal(await accepted(store, 30, () => ofKey('key_a', { holdMicros: 300n })), 3);
    await refused(accept(store, ofKey('key_a', { holdMicros: 101n })), 'spend_limit_exceeded');
    const { task, attemptId } = await run(store, ofKey('key_a', { holdMicros: 100n }));
    await complete(store, task.id, attemptId, 40n);
    await refused(accept(store, ofKey('key_a', { holdMicros: 61n })), 'spend_limit_exceeded');
    const last = await run(store, ofKey('key_a', { holdMicros: 60n }));
    await fail(store, last.task.id, last.attemptId);
    assert.equal(await accepted(store, 2, () => ofKey('key_a', { holdMicros: 60n })), 1);
  });

  promise('the next day begins at nothing, the month goes on', async ({ store }) => {
    await createAccount(store, ACCOUNT, 100_000n);
    const limits = { spendPerDayMicros: 500n, spendPerMonthMicros: 800n };
    await store.updateAccount(ACCOUNT, { limits }, T0);
    const yesterday = await run(store, newTask({ holdMicros: 500n }));
    await refused(accept(store, newTask({ holdMicros: 1n })), 'spend_limit_exceeded');
    const tomorrow = (holdMicros: bigint) => newTask({ holdMicros, createdAt: T0 + DAY });
    await accept(store, tomorrow(300n));
    await refused(accept(store, tomorrow(1n)), 'spend_limit_exceeded');
    // Yesterday's task gives back to the month it was accepted in, not to this day.
    await fail(store, yesterday.task.id, yesterday.attemptId);
    await refused(accept(store, tomorrow(201n)), 'spend_limit_exceeded');
    await accept(store, tomorrow(200n));
    await accept(store, newTask({ holdMicros: 500n, createdAt: T0 + 40 * DAY }));
  });

  promise('a limit that is set late knows what was before', async ({ store }) => {
    await createAccount(store, ACCOUNT, 100_000n);
    for (const keyId of ['key_a', 'key_b']) await store.createKey(key(keyId));
    await accept(store, ofKey('key_a', { createdAt: T0 - 40 * DAY, holdMicros: 7n }));
    const paid = await run(store, ofKey('key_a', { holdMicros: 100n }));
    await complete(store, paid.task.id, paid.attemptId, 30n);
    const failed = await run(store, ofKey('key_a'));
    await fail(store, failed.task.id, failed.attemptId);
    const open = await run(store, ofKey('key_a', { holdMicros: 50n }));
    await accept(store, ofKey('key_b', { holdMicros: 10n }));

    const set = (limits: Limits) => store.updateKey({ accountId: ACCOUNT, id: 'key_a', at: T0 }, { limits });
    // Spent so far: 30 charged and 50 held; two tasks are open, one of them from another month.
    await set({ spendPerDayMicros: 100n, concurrentTasks: 3 });
    await refused(accept(store, ofKey('key_a', { holdMicros: 21n })), 'spend_limit_exceeded');
    await accept(store, ofKey('key_a', { holdMicros: 20n }));
    await refused(accept(store, ofKey('key_a', { holdMicros: 0n })), 'concurrency_limit_exceeded');
    await fail(store, open.task.id, open.attemptId);
    await set({ spendPerMonthMicros: 90n });
    await refused(accept(store, ofKey('key_a', { holdMicros: 41n })), 'spend_limit_exceeded');
    await accept(store, ofKey('key_a', { holdMicros: 40n }));
  });

  promise('a refused task is counted by neither key nor account', async ({ store }) => {
    await createAccount(store, ACCOUNT, 150n);
    await store.createKey(key('key_a', { concurrentTasks: 2 }));
    await store.updateAccount(ACCOUNT, { limits: { concurrentTasks: 2, spendPerDayMicros: 150n } }, T0);
    for (let time = 0; time < 3; time++)
      await refused(accept(store, ofKey('key_a', { holdMicros: 160n })), 'spend_limit_exceeded');
    await accept(store, ofKey('key_a', { holdMicros: 100n }));
    await refused(accept(store, ofKey('key_a', { holdMicros: 60n })), 'spend_limit_exceeded');
    await accept(store, ofKey('key_b', { holdMicros: 50n }));
    await refused(accept(store, ofKey('key_b', { holdMicros: 0n })), 'concurrency_limit_exceeded');
  });
}
