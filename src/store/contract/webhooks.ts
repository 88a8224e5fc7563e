import assert from 'node:assert/strict';
import type { Store } from '../../core/ports.ts';
import type { ClaimedDelivery, DeliveryResult, WebhookEndpointRow } from '../../core/webhook-ports.ts';
import {
  ACCOUNT,
  T0,
  accept,
  complete,
  createAccount,
  furnish,
  newTask,
  run,
  type PromiseTest,
} from './harness.ts';

function newEndpoint(id: string, changes: Partial<WebhookEndpointRow> = {}): WebhookEndpointRow {
  return {
    id,
    accountId: ACCOUNT,
    kind: 'endpoint',
    name: id,
    url: 'https://example.com/hook',
    eventTypes: ['task.queued', 'task.completed', 'video.completed'],
    enabled: true,
    disabledReason: null,
    secretSealed: 'sealed',
    secretHint: 'whsec_ab…xyz=',
    oldSecretSealed: null,
    oldSecretUntil: null,
    createdAt: T0,
    updatedAt: T0,
    ...changes,
  };
}

/** Everything that is due, taken. */
async function claimAll(store: Store, at: number, limit = 50): Promise<ClaimedDelivery[]> {
  const lanes = await store.webhooks.lanes('', 50);
  const due = lanes.filter(({ nextAt }) => nextAt <= at).map(({ lane }) => ({ lane, limit }));
  return store.webhooks.claim({ lanes: due, at, leaseUntil: at + 30_000 });
}

function result(claimed: ClaimedDelivery, at: number, changes: Partial<DeliveryResult> = {}): DeliveryResult {
  return {
    id: claimed.id,
    attempt: claimed.attempt,
    at,
    durationMs: 5,
    status: 200,
    error: null,
    nextAt: null,
    isGone: false,
    ...changes,
  };
}

const typesOf = (claimed: ClaimedDelivery[]) => claimed.map(({ message }) => message.type).sort();

export function testWebhooks(promise: PromiseTest): void {
  promise('endpoints are kept, changed, listed newest first, and gone once deleted', async ({ store }) => {
    await furnish(store);
    const { webhooks } = store;
    for (const id of ['whe_1', 'whe_2', 'whe_3']) await webhooks.createEndpoint(newEndpoint(id));
    assert.deepEqual(await webhooks.getEndpoint(ACCOUNT, 'whe_2'), newEndpoint('whe_2'));
    assert.equal(await webhooks.getEndpoint('acc_other', 'whe_2'), null);
    const page = await webhooks.listEndpoints({ accountId: ACCOUNT, limit: 2 });
    assert.deepEqual(
      page.map(({ id }) => id),
      ['whe_3', 'whe_2'],
    );
    const rest = await webhooks.listEndpoints({ accountId: ACCOUNT, after: 'whe_2', limit: 2 });
    assert.deepEqual(
      rest.map(({ id }) => id),
      ['whe_1'],
    );
    const patch = { name: 'new', enabled: false };
    const changed = await webhooks.updateEndpoint({ accountId: ACCOUNT, id: 'whe_1', at: T0 + 5, patch });
    assert.deepEqual(
      changed,
      newEndpoint('whe_1', {
        ...patch,
        disabledReason: 'paused',
        disabledAt: T0 + 5,
        updatedAt: T0 + 5,
      }),
    );
    assert.deepEqual(await webhooks.getEndpoint(ACCOUNT, 'whe_1'), changed);
    const same = await webhooks.updateEndpoint({ accountId: ACCOUNT, id: 'whe_1', at: T0 + 9, patch });
    assert.equal(same?.updatedAt, T0 + 5);
    assert.equal(await webhooks.deleteEndpoint({ accountId: ACCOUNT, id: 'whe_1', at: T0 }), true);
    assert.equal(await webhooks.deleteEndpoint({ accountId: ACCOUNT, id: 'whe_1', at: T0 }), false);
    assert.equal(await webhooks.getEndpoint(ACCOUNT, 'whe_1'), null);
  });

  promise('an account has one signer of callbacks, whoever makes it', async ({ store }) => {
    await furnish(store);
    const make = (id: string) =>
      store.webhooks.callbackSigner(newEndpoint(id, { kind: 'callbacks', eventTypes: [] }));
    const [one, two] = await Promise.all([make('whe_a'), make('whe_b')]);
    assert.equal(one.id, two.id);
    assert.deepEqual(await store.webhooks.findCallbackSigner(ACCOUNT), one);
    assert.deepEqual(await store.webhooks.listEndpoints({ accountId: ACCOUNT, limit: 5 }), []);
  });

  promise(
    'a change and its deliveries are one transaction, one delivery per endpoint and type',
    async (harness) => {
      const { store } = harness;
      await furnish(store);
      await createAccount(store, 'acc_other', 1n);
      await store.webhooks.createEndpoint(newEndpoint('whe_1'));
      await store.webhooks.createEndpoint(newEndpoint('whe_2', { eventTypes: ['task.completed'] }));
      await store.webhooks.createEndpoint(newEndpoint('whe_3', { accountId: 'acc_other' }));
      const { task, attemptId } = await run(store);
      await complete(store, task.id, attemptId, 100n);
      // As after a crash right after the commit: what was committed is told, nothing else.
      const survivor = await harness.crash();
      try {
        const { rows } = await survivor.listEvents({ taskId: task.id, cursor: null, limit: 50 });
        const completed = rows.find(({ type }) => type === 'task.completed')!;
        const first = await claimAll(survivor, T0 + 200);
        assert.deepEqual(typesOf(first), ['task.completed', 'task.queued']);
        const byOther = first.find(({ endpointId }) => endpointId === 'whe_2')!;
        assert.equal(byOther.message.id, completed.id);
        for (const claimed of first) await survivor.webhooks.settle(result(claimed, T0 + 200));
        const second = await claimAll(survivor, T0 + 200);
        assert.equal(second[0]?.message.id, completed.id, 'the same message goes to both');
        await survivor.webhooks.settle(result(second[0]!, T0 + 200));
        const [third, ...none] = await claimAll(survivor, T0 + 200);
        assert.equal(third?.message.type, 'video.completed');
        assert.notEqual(third?.message.id, completed.id, 'other words are another message');
        assert.deepEqual(none, []);
      } finally {
        await survivor.close();
      }
    },
  );

  promise('nothing is written for events that nobody wants to know of', async ({ store }) => {
    await furnish(store);
    const { task } = await run(store);
    assert.deepEqual((await store.taskRecord(task.id))!.deliveries, []);
    assert.deepEqual(await store.webhooks.lanes('', 5), []);
  });

  promise("a claimed delivery is nobody else's until its lease ends or it is settled", async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
    await accept(store);
    await accept(store);
    const [first, ...more] = await claimAll(store, T0, 1);
    assert.deepEqual([first?.attempt, more.length], [1, 0]);
    const [second] = await claimAll(store, T0);
    assert.notEqual(second?.id, first?.id);
    assert.deepEqual(await claimAll(store, T0 + 29_999), []);
    assert.equal((await claimAll(store, T0 + 30_000)).length, 2);
    assert.equal(await store.webhooks.settle(result(first!, T0)), false, 'an old claim settles nothing');
    assert.equal(await store.webhooks.settle(result({ ...first!, attempt: 2 }, T0)), true);
    assert.equal(await store.webhooks.settle(result({ ...first!, attempt: 2 }, T0)), false);
    assert.equal((await store.webhooks.getDelivery(first!.id))?.delivery.state, 'delivered');
  });

  promise('the first body of a message stays', async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
    await accept(store);
    const [claimed] = await claimAll(store, T0);
    const { id } = claimed!.message;
    assert.deepEqual(
      await Promise.all([store.webhooks.fixBody(id, 'one'), store.webhooks.fixBody(id, 'two')]),
      ['one', 'one'],
    );
    assert.equal((await claimAll(store, T0 + 30_000))[0]?.message.body, 'one');
  });

  promise('a task is told in order, until an earlier message has failed three times', async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(
      newEndpoint('whe_1', { eventTypes: ['task.queued', 'task.started'] }),
    );
    const task = await accept(store);
    let [queued] = await claimAll(store, T0);
    const failed = { status: 500, error: 'the receiver answered 500', nextAt: T0 + 60_000 };
    await store.webhooks.settle(result(queued!, T0, failed));
    await store.startTask({ taskId: task.id, at: T0 + 10 });
    for (const tries of [2, 3]) {
      const due = await claimAll(store, T0 + 10 + (tries - 2) * 60_000);
      assert.deepEqual(typesOf(due), ['task.queued'], 'hastened, and first');
      [queued] = due;
      await store.webhooks.settle(result(queued!, T0 + 10, { ...failed, nextAt: T0 + (tries - 1) * 60_000 }));
    }
    assert.deepEqual(typesOf(await claimAll(store, T0 + 70_000)), ['task.started']);
  });

  promise('what is dead or delivered can be sent again, with the same message', async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
    await accept(store);
    const [claimed] = await claimAll(store, T0);
    await store.webhooks.settle(result(claimed!, T0, { status: 500, error: 'no' }));
    const query = { accountId: ACCOUNT, endpointId: 'whe_1', cursor: null, limit: 5 };
    const dead = await store.webhooks.listDeliveries({ ...query, state: 'dead' });
    assert.deepEqual(
      dead.rows.map(({ id, lastStatus, lastError }) => [id, lastStatus, lastError]),
      [[claimed!.id, 500, 'no']],
    );
    assert.deepEqual((await store.webhooks.listDeliveries({ ...query, state: 'delivered' })).rows, []);
    assert.equal((await store.webhooks.redeliver({ id: claimed!.id, at: T0 + 50 }))?.state, 'pending');
    assert.equal(await store.webhooks.redeliver({ id: claimed!.id, at: T0 + 50 }), null);
    const [again] = await claimAll(store, T0 + 50);
    assert.deepEqual([again?.message.id, again?.attempt, again?.tries], [claimed!.message.id, 2, 1]);
    await store.webhooks.settle(result(again!, T0 + 50));
    const detail = (await store.webhooks.getDelivery(claimed!.id))!;
    assert.deepEqual(
      detail.attempts.map(({ number, status }) => [number, status]),
      [
        [1, 500],
        [2, 200],
      ],
    );
    const all = { accountId: ACCOUNT, endpointId: 'whe_1', since: 0, at: T0 + 60 };
    assert.equal(await store.webhooks.redeliverAll({ ...all, state: 'dead' }), 0);
    assert.equal(await store.webhooks.redeliverAll({ ...all, state: 'delivered', since: T0 + 1 }), 0);
    assert.equal(await store.webhooks.redeliverAll({ ...all, state: 'delivered' }), 1);
  });

  promise(
    'an endpoint that took nothing for five days is switched off, and that is told',
    async ({ store }) => {
      await furnish(store);
      await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
      const told = { eventTypes: ['webhook_endpoint.disabled'] };
      await store.webhooks.createEndpoint(newEndpoint('whe_2', told));
      await accept(store);
      const DAY = 86_400_000;
      const tryAt = async (at: number, changes: Partial<DeliveryResult>) => {
        const lane = { lane: 'whe_1', limit: 1 };
        const [claimed] = await store.webhooks.claim({ lanes: [lane], at, leaseUntil: at + 1 });
        await store.webhooks.settle(result(claimed!, at, { nextAt: at + 1, ...changes }));
        return store.webhooks.getEndpoint(ACCOUNT, 'whe_1');
      };
      const failure = { status: 500, error: 'the receiver answered 500' };
      // What was never sent says nothing of the receiver.
      const unsent = await tryAt(T0, { status: null, error: 'the endpoint was paused', isUnsent: true });
      assert.equal(unsent?.failingSince, undefined);
      assert.equal((await tryAt(T0 + 100, failure))?.failingSince, T0 + 105);
      assert.equal((await tryAt(T0 + DAY, failure))?.failingSince, T0 + 105);
      assert.equal((await tryAt(T0 + 2 * DAY, { error: null }))?.failingSince, undefined);
      await accept(store);
      await tryAt(T0 + 3 * DAY, failure);
      assert.equal((await tryAt(T0 + 8 * DAY - 1, failure))?.enabled, true);
      const off = await tryAt(T0 + 8 * DAY, failure);
      assert.deepEqual(
        [off?.enabled, off?.disabledReason, off?.disabledAt, off?.failingSince],
        [false, 'failing', T0 + 8 * DAY + 5, T0 + 3 * DAY + 5],
      );
      const [message] = await claimAll(store, T0 + 9 * DAY);
      assert.equal(message?.message.type, 'webhook_endpoint.disabled');
      const { rows } = await store.listEvents({ accountId: ACCOUNT, cursor: null, limit: 50 });
      const { id, reason } = rows.at(-1)!.data as { id: string; reason: string };
      assert.deepEqual([rows.at(-1)?.type, id, reason], ['webhook_endpoint.disabled', 'whe_1', 'failing']);
      // What waited is held, and comes once the owner has switched it on again.
      const update = { accountId: ACCOUNT, id: 'whe_1', at: T0 + 9 * DAY };
      const on = await store.webhooks.updateEndpoint({ ...update, patch: { enabled: true } });
      assert.deepEqual([on?.enabled, on?.disabledAt, on?.failingSince], [true, undefined, undefined]);
      assert.equal((await claimAll(store, T0 + 9 * DAY)).filter(({ lane }) => lane === 'whe_1').length, 1);
    },
  );

  promise('what happens while an endpoint is paused or gone waits for it', async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
    await accept(store);
    await accept(store);
    const [claimed] = await claimAll(store, T0, 1);
    await store.webhooks.settle(result(claimed!, T0, { status: 410, error: 'gone', isGone: true }));
    const endpoint = await store.webhooks.getEndpoint(ACCOUNT, 'whe_1');
    assert.deepEqual([endpoint?.enabled, endpoint?.disabledReason], [false, 'gone']);
    await accept(store);
    assert.deepEqual(await claimAll(store, T0 + 90_000), []);
    const update = { accountId: ACCOUNT, id: 'whe_1', at: T0 + 100_000 };
    await store.webhooks.updateEndpoint({ ...update, patch: { enabled: true } });
    const resumed = await claimAll(store, T0 + 100_000);
    assert.equal(resumed.length, 2);
    // Paused while under way: a failure leaves it waiting, a success is a success.
    await store.webhooks.updateEndpoint({ ...update, patch: { enabled: false } });
    await store.webhooks.settle(
      result(resumed[0]!, T0 + 100_000, { status: 500, error: 'x', nextAt: T0 + 100_001 }),
    );
    await store.webhooks.settle(result(resumed[1]!, T0 + 100_000));
    const stateOf = async (id: string) => (await store.webhooks.getDelivery(id))?.delivery.state;
    assert.deepEqual([await stateOf(resumed[0]!.id), await stateOf(resumed[1]!.id)], ['held', 'delivered']);
    await store.webhooks.deleteEndpoint({ accountId: ACCOUNT, id: 'whe_1', at: T0 + 100_002 });
    assert.equal(await stateOf(resumed[0]!.id), 'cancelled');
    assert.equal(await store.webhooks.redeliver({ id: resumed[0]!.id, at: T0 }), null);
  });

  promise(
    'lanes are told apart and listed in pages, with the time of their first delivery',
    async ({ store }) => {
      await furnish(store);
      for (const id of ['whe_1', 'whe_2', 'whe_3']) {
        await store.webhooks.createEndpoint(newEndpoint(id, { eventTypes: ['task.queued'] }));
      }
      await accept(store);
      await accept(store);
      const lane = (name: string) => ({ lane: name, nextAt: T0 });
      assert.deepEqual(await store.webhooks.lanes('', 2), [lane('whe_1'), lane('whe_2')]);
      assert.deepEqual(await store.webhooks.lanes('whe_2', 2), [lane('whe_3')]);
      assert.equal(await store.webhooks.nextDeliveryAfter(T0), null);
      await store.webhooks.claim({ lanes: [{ lane: 'whe_2', limit: 9 }], at: T0, leaseUntil: T0 + 700 });
      assert.equal(await store.webhooks.nextDeliveryAfter(T0), T0 + 700);
    },
  );

  promise(
    'consumption is numbered per account without gaps: charges and corrections, not holds',
    async ({ store }) => {
      await furnish(store);
      await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['consume.settled'] }));
      const tasks = await Promise.all([1, 2, 3].map(() => run(store, newTask({ holdMicros: 100n }))));
      await Promise.all(
        tasks.map(({ task, attemptId }, index) => complete(store, task.id, attemptId, BigInt(60 + index))),
      );
      await store.post({
        accountId: ACCOUNT,
        kind: 'adjustment',
        amountMicros: 7n,
        note: 'sorry',
        at: T0 + 200,
      });
      await store.post({ accountId: ACCOUNT, kind: 'top_up', amountMicros: 5n, note: null, at: T0 + 200 });
      const events = await store.webhooks.listConsumption({
        accountId: ACCOUNT,
        afterSequence: 0,
        limit: 10,
      });
      assert.deepEqual(
        events.map(({ sequence }) => sequence),
        [1, 2, 3, 4],
      );
      assert.deepEqual(
        events.map(({ amountMicros }) => amountMicros),
        [60n, 61n, 62n, -7n],
      );
      const last = events[3]!;
      assert.deepEqual([last.type, last.note, last.task], ['consume.adjusted', 'sorry', null]);
      assert.equal(last.balanceMicros, 1_000n - 183n + 7n);
      assert.equal(events[0]?.task?.id, tasks[0]!.task.id);
      assert.deepEqual(events[0]?.usage, { unit: 'second', quantity: 5 });
      const rest = await store.webhooks.listConsumption({ accountId: ACCOUNT, afterSequence: 3, limit: 10 });
      assert.deepEqual(rest, [last]);
      assert.equal(await store.webhooks.getConsumption(ACCOUNT, 5), null);
      const told = await claimAll(store, T0 + 300);
      assert.deepEqual(
        told.map(({ message }) => [message.sequence, message.eventId]),
        events.slice(0, 3).map(({ sequence, eventId }) => [sequence, eventId]),
      );
    },
  );

  promise('a wallet that falls below its threshold says so once', async ({ store }) => {
    await furnish(store);
    assert.equal(await store.webhooks.walletLow(ACCOUNT), null);
    assert.equal(await store.webhooks.setWalletLow({ accountId: ACCOUNT, lowMicros: 850n }), true);
    assert.equal(await store.webhooks.setWalletLow({ accountId: 'acc_none', lowMicros: 1n }), false);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['wallet.low'] }));
    for (let count = 0; count < 4; count++) await accept(store);
    const lows = async () =>
      (await store.listEvents({ accountId: ACCOUNT, cursor: null, limit: 50 })).rows.filter(
        ({ type }) => type === 'wallet.low',
      );
    assert.deepEqual(
      (await lows()).map(({ data }) => data),
      [{ available: '0.0008', threshold: '0.00085' }],
    );
    assert.equal((await claimAll(store, T0)).length, 1);
    await store.post({ accountId: ACCOUNT, kind: 'top_up', amountMicros: 500n, note: null, at: T0 });
    for (let count = 0; count < 3; count++) await accept(store);
    assert.equal((await lows()).length, 2);
  });

  promise('old messages are forgotten, unless they still wait', async ({ store }) => {
    await furnish(store);
    await store.webhooks.createEndpoint(newEndpoint('whe_1', { eventTypes: ['task.queued'] }));
    await accept(store);
    await accept(store);
    const [done, waiting] = await claimAll(store, T0);
    await store.webhooks.settle(result(done!, T0));
    assert.equal(await store.webhooks.prune({ before: T0, limit: 10 }), 0);
    assert.equal(await store.webhooks.prune({ before: T0 + 1, limit: 10 }), 1);
    assert.equal(await store.webhooks.getDelivery(done!.id), null);
    assert.notEqual(await store.webhooks.getDelivery(waiting!.id), null);
  });
}
