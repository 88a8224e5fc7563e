/** Several nodes on one database, at the same rows at the same moment. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createTestDatabase } from '../../../test/helpers/test-database.ts';
import type { Store } from '../../core/ports.ts';
import {
  ACCOUNT,
  CHANNEL,
  T0,
  accept,
  acceptAndSubmit,
  complete,
  createAccount,
  createChannel,
  fail,
  newTask,
} from '../contract/harness.ts';
import { createStore } from '../store.ts';
import { openPostgres } from './open.ts';

/** Two stores as two nodes have them, and an account with money. */
async function nodes(
  t: TestContext,
  amountMicros = 100_000n,
): Promise<{ one: Store; two: Store; both: Store[] }> {
  const database = await createTestDatabase();
  const open = async () => createStore(await openPostgres({ url: database.url, now: () => T0 }));
  // At once, as nodes of a cluster start: one of them makes the tables.
  const both = await Promise.all([open(), open()]);
  const [one, two] = both as [Store, Store];
  t.after(async () => {
    await Promise.all(both.map((store) => store.close()));
    await database.drop();
  });
  await createAccount(one, ACCOUNT, amountMicros);
  await createChannel(one, CHANNEL);
  return { one, two, both };
}

/** The same at every node, several times over; answers what became of each. */
async function everywhere<Result>(
  both: Store[],
  times: number,
  work: (store: Store, index: number) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const all: Promise<Result>[] = [];
  for (let index = 0; index < times; index++) {
    for (const store of both) all.push(work(store, index));
    // A few turns apart, so that batches of both nodes meet in the middle of each other.
    if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.allSettled(all);
}

const fulfilled = <Result>(outcomes: PromiseSettledResult<Result>[]): Result[] =>
  outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));

async function assertSound(store: Store): Promise<void> {
  assert.deepEqual((await store.verifyLedger()).mismatches, []);
}

describe('two nodes on one PostgreSQL', () => {
  test('of 200 acceptances on a balance for 50, exactly 50 are accepted', async (t) => {
    const { one, both } = await nodes(t, 5_000n);
    const outcomes = await everywhere(both, 100, (store) => accept(store));
    assert.equal(fulfilled(outcomes).length, 50);
    const codes = outcomes.flatMap((o) =>
      o.status === 'rejected' ? [(o.reason as { code: string }).code] : [],
    );
    assert.deepEqual(new Set(codes), new Set(['insufficient_quota']));
    assert.equal((await one.getWallet(ACCOUNT)).availableMicros, 0n);
    await assertSound(one);
  });

  test('a limit of 5 tasks at once is 5 in all, and an external id is taken once', async (t) => {
    const { one, two, both } = await nodes(t);
    await one.updateAccount(ACCOUNT, { limits: { concurrentTasks: 5 } }, T0);
    const outcomes = await everywhere(both, 20, (store, index) =>
      accept(store, newTask({ externalTaskId: `mine-${index % 3}` })),
    );
    assert.equal(fulfilled(outcomes).length, 3);
    const more = await everywhere(both, 20, (store) => accept(store));
    assert.equal(fulfilled(more).length, 2);
    for (const task of fulfilled(more)) await two.cancelTask({ taskId: task.id, at: T0 });
    assert.equal(fulfilled(await everywhere(both, 5, (store) => accept(store))).length, 2);
    await assertSound(one);
  });

  test('a limit that is set while tasks come and go counts each of them', async (t) => {
    const { one, two, both } = await nodes(t);
    const before = await Promise.all(Array.from({ length: 20 }, () => accept(one)));
    const [, outcomes] = await Promise.all([
      two.updateAccount(ACCOUNT, { limits: { concurrentTasks: 1_000 } }, T0),
      everywhere(both, 30, (store) => accept(store)),
      Promise.all(before.map((task) => two.cancelTask({ taskId: task.id, at: T0 }))),
    ]);
    const running = fulfilled(outcomes).length;
    assert.equal(running, 60);
    await one.updateAccount(ACCOUNT, { limits: { concurrentTasks: running + 3 } }, T0);
    assert.equal(fulfilled(await everywhere(both, 10, (store) => accept(store))).length, 3);
  });

  test('an attempt opens once, is accepted once, and the task ends once', async (t) => {
    const { one, both } = await nodes(t);
    const tasks = await Promise.all(Array.from({ length: 30 }, () => accept(one)));
    const opened = await everywhere(both, 30, (store, index) =>
      store.openAttempts([
        {
          id: `att_${both.indexOf(store)}_${index}`,
          taskId: tasks[index]!.id,
          channelId: CHANNEL,
          owner: `node-${both.indexOf(store)}`,
          submitDeadlineAt: T0 + 5_000,
          at: T0,
        },
      ]),
    );
    const attempts = fulfilled(opened).flat();
    assert.equal(attempts.length, 30);
    const accepted = await everywhere(both, 30, (store, index) =>
      store.acceptAttempt({ attemptId: attempts[index]!, ref: index, at: T0, exchanges: [] }),
    );
    assert.equal(fulfilled(accepted).filter(Boolean).length, 30);
    const ended = await everywhere(both, 30, (store, index) =>
      store === one ? complete(store, tasks[index]!.id, null, 60n) : fail(store, tasks[index]!.id, null),
    );
    assert.equal(fulfilled(ended).length, 60);
    assert.equal(fulfilled(ended).filter(Boolean).length, 30);
    await assertSound(one);
  });

  test('consumption is numbered without gaps, and every number shows its balance', async (t) => {
    const { one, two, both } = await nodes(t);
    const submitted = await Promise.all(Array.from({ length: 60 }, () => acceptAndSubmit(one)));
    const ended = await everywhere(both, 30, (store, index) => {
      const { task, attemptId } = submitted[index * 2 + both.indexOf(store)]!;
      return complete(store, task.id, attemptId, BigInt(10 + index));
    });
    assert.equal(fulfilled(ended).length, 60);
    const events = await two.webhooks.listConsumption({ accountId: ACCOUNT, afterSequence: 0, limit: 100 });
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    let balance = 100_000n;
    for (const event of events) assert.equal(event.balanceMicros, (balance -= event.amountMicros));
    await assertSound(one);
  });

  test('a key is used once, an account has one signer, and each task goes to one sending', async (t) => {
    const { one, both } = await nodes(t);
    const remember = {
      kind: 'key' as const,
      scope: `key ${ACCOUNT}`,
      key: 'once',
      requestHash: 'hash',
      expiresAt: T0 + 1_000,
      replaces: null,
    };
    const outcomes = await everywhere(both, 10, (store) =>
      store.acceptTask({ task: newTask(), attempt: null, remember }),
    );
    assert.equal(fulfilled(outcomes).length, 1);
    const signers = await everywhere(both, 5, (store, index) =>
      store.webhooks.callbackSigner({
        id: `whe_${both.indexOf(store)}_${index}`,
        accountId: ACCOUNT,
        kind: 'callbacks',
        name: '',
        url: '',
        eventTypes: [],
        enabled: true,
        disabledReason: null,
        secretSealed: 'sealed',
        secretHint: '',
        oldSecretSealed: null,
        oldSecretUntil: null,
        createdAt: T0,
        updatedAt: T0,
      }),
    );
    assert.equal(new Set(fulfilled(signers).map(({ id }) => id)).size, 1);
    const sent = { kind: 'sending' as const, requestHash: 'same', retryCount: 0 };
    for (let count = 0; count < 6; count++) {
      await one.acceptTask({ task: newTask(), attempt: null, remember: sent });
    }
    const claims = await everywhere(both, 4, (store) =>
      store.claimSending({ keyId: 'key_one', requestHash: 'same', retryCount: 1, since: T0 }),
    );
    const given = fulfilled(claims).filter((id) => id !== null);
    assert.equal(given.length, 6);
    assert.equal(new Set(given).size, 6);
  });

  test('two changes of one row at once are both kept', async (t) => {
    const { one, two } = await nodes(t);
    for (let count = 0; count < 10; count++) {
      await Promise.all([
        one.updateAccount(ACCOUNT, { name: `name ${count}` }, T0),
        two.updateAccount(ACCOUNT, { status: count % 2 ? 'active' : 'disabled' }, T0),
        one.updateChannel(CHANNEL, { weight: count }),
        two.updateChannel(CHANNEL, { priority: count }),
      ]);
      const account = (await one.getAccount(ACCOUNT))!;
      assert.deepEqual([account.name, account.status], [`name ${count}`, count % 2 ? 'active' : 'disabled']);
      const channel = (await two.getChannel(CHANNEL))!;
      assert.deepEqual([channel.weight, channel.priority], [count, count]);
    }
  });

  test('a commit wakes the other node, too, and its own once', async (t) => {
    const { one, two } = await nodes(t);
    const heard: string[] = [];
    const told = new Promise<void>((resolve) => {
      two.onCommit(`lane:${CHANNEL}`, () => {
        heard.push('two');
        resolve();
      });
    });
    one.onCommit(`lane:${CHANNEL}`, () => heard.push('one'));
    await accept(one);
    await told;
    // Behind the first notification on the same session: a second one would have come before this one.
    const again = new Promise<void>((resolve) => void one.onCommit('channels', () => resolve()));
    await two.updateChannel(CHANNEL, { weight: 7 });
    await again;
    assert.deepEqual(heard.sort(), ['one', 'two']);
  });

  test('each delivery is claimed by one of them, and by the other once its lease has ended', async (t) => {
    const { one, both } = await nodes(t);
    const receivers = 10;
    for (let index = 0; index < 60; index++) {
      await accept(one, newTask({ callbackUrl: `https://receiver-${index % receivers}.example/hook` }));
    }
    const lanes = await one.webhooks.lanes('', 50);
    assert.equal(lanes.length, receivers);
    const claim = (store: Store, at: number) =>
      store.webhooks.claim({
        lanes: lanes.map(({ lane }) => ({ lane, limit: 1 })),
        at,
        leaseUntil: at + 30_000,
      });
    const claimed = fulfilled(await everywhere(both, 10, (store) => claim(store, T0))).flat();
    assert.equal(claimed.length, 60);
    assert.equal(new Set(claimed.map(({ id }) => id)).size, 60);
    assert.ok(claimed.every(({ attempt }) => attempt === 1));
    const later = fulfilled(await everywhere(both, 10, (store) => claim(store, T0 + 30_000))).flat();
    assert.deepEqual(
      later.map(({ id, attempt }) => `${id} ${attempt}`).sort(),
      claimed.map(({ id }) => `${id} 2`).sort(),
    );
  });

  test('what is done alone is done by one after the other', async (t) => {
    const { both } = await nodes(t);
    let inside = 0;
    let most = 0;
    await everywhere(both, 5, (store) =>
      store.alone(async () => {
        most = Math.max(most, ++inside);
        await store.getAccount(ACCOUNT);
        inside--;
      }),
    );
    assert.equal(most, 1);
    await assert.rejects(
      both[0]!.alone(async () => {
        throw new Error('it failed');
      }),
      /it failed/,
    );
    assert.equal(await both[1]!.alone(async () => 'free again'), 'free again');
  });

  test('what one tells, the other hears with its detail', async (t) => {
    const { one, two } = await nodes(t);
    const heard = new Promise<string | null>((resolve) => void two.onCommit('hint:chan_1', resolve));
    await one.tell('hint:chan_1 task_7');
    assert.equal(await heard, 'task_7');
  });
});
