import assert from 'node:assert/strict';
import type { RetryTask, Store } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import {
  ACCOUNT,
  CHANNEL,
  T0,
  accept,
  acceptAndSubmit,
  assertMoney,
  complete,
  createAccount,
  createChannel,
  eventTypes,
  fail,
  furnish,
  newTask,
  refused,
  run,
  type PromiseTest,
  openOn,
} from './harness.ts';

const DAY = 86_400_000;
const audit = { author: 'li.na', note: 'ticket 4711' };

function retryOf(task: Pick<Task, 'id' | 'retries'>, changes: Partial<RetryTask> = {}): RetryTask {
  return {
    taskId: task.id,
    retries: task.retries ?? 0,
    channelId: CHANNEL,
    pool: '',
    upstreamHandle: `${task.id}-r${(task.retries ?? 0) + 1}`,
    attempt: null,
    deadlineAt: T0 + DAY,
    mediaExpiresAt: null,
    audit,
    at: T0 + 200,
    ...changes,
  };
}

/** A task that failed upstream. */
async function failed(store: Store, task: Task = newTask()): Promise<Task> {
  const { attemptId } = await run(store, task);
  await fail(store, task.id, attemptId);
  return task;
}

/** A task whose attempt was lost. */
async function lost(store: Store, task: Task = newTask()): Promise<Task> {
  const { attemptId } = await acceptAndSubmit(store, task);
  await store.finishTask({
    taskId: task.id,
    attemptId,
    at: T0 + 100,
    exchanges: [],
    outcome: { state: 'failed', code: 'lost', message: 'Lost.', attemptState: 'lost' },
  });
  return task;
}

const refund = (store: Store, taskId: string, amountMicros: bigint | null) =>
  store.refundTask({ taskId, amountMicros, audit, at: T0 + 300 });

export function testOperatorActions(promise: PromiseTest): void {
  promise(
    'a failed task is queued anew: a second hold, a handle of its own, nothing of its end left',
    async ({ store }) => {
      await furnish(store);
      await createChannel(store, 'chn_two');
      const task = await failed(store);
      await assertMoney(store, 1_000n, 0n);
      const done = await store.retryTask(
        retryOf(task, { channelId: 'chn_two', pool: 'large', deadlineAt: T0 + 2 * DAY }),
      );
      assert.deepEqual(
        [done?.action, done?.amountMicros, done?.author, done?.note],
        ['retried', 100n, 'li.na', 'ticket 4711'],
      );
      await assertMoney(store, 900n, 100n);
      const found = (await store.getTask(task.id))!;
      assert.deepEqual(
        [
          found.state,
          found.channelId,
          found.retries,
          found.retriedAt,
          found.upstreamHandle,
          found.deadlineAt,
        ],
        ['queued', 'chn_two', 1, T0 + 200, `${task.id}-r1`, T0 + 2 * DAY],
      );
      assert.deepEqual(
        [found.endedAt, found.startedAt, found.error, found.chargeMicros],
        [null, null, null, null],
      );
      assert.deepEqual((await eventTypes(store, task.id)).slice(-2), ['operator.retried', 'task.queued']);
      const ledger = (await store.taskRecord(task.id))!.ledger;
      assert.deepEqual(
        ledger.filter((row) => row.author !== undefined).map((row) => [row.kind, row.note, row.postingId]),
        [
          ['hold', 'ticket 4711', done?.postingId],
          ['hold', 'ticket 4711', done?.postingId],
        ],
      );
      const [waiting] = await store.waitingTasks('chn_two', 'large', 5);
      assert.equal(waiting?.id, task.id);
      const attemptId = 'att_again';
      const open = { taskId: task.id, channelId: 'chn_two', owner: 'n', submitDeadlineAt: T0, at: T0 + 210 };
      assert.deepEqual(await store.openAttempts([{ id: attemptId, ...open }]), [attemptId]);
      await store.acceptAttempt({ attemptId, ref: {}, at: T0 + 220, exchanges: [] });
      assert.equal(await complete(store, task.id, attemptId, 60n), true);
      await assertMoney(store, 940n, 0n);
    },
  );

  promise('only what failed and is seen as it is can be retried', async ({ store }) => {
    await furnish(store);
    const open = await accept(store);
    assert.equal(await store.retryTask(retryOf(open)), null);
    const done = await run(store);
    await complete(store, done.task.id, done.attemptId, 100n);
    assert.equal(await store.retryTask(retryOf(done.task)), null);
    const hidden = await failed(store);
    await store.hideTask({ taskId: hidden.id, at: T0 + 150 });
    assert.equal(await store.retryTask(retryOf(hidden)), null);
    const task = await failed(store);
    // Of those who decide at once, one acts.
    const outcomes = await Promise.all([1, 2, 3].map(() => store.retryTask(retryOf(task))));
    assert.equal(outcomes.filter((outcome) => outcome !== null).length, 1);
    await assertMoney(store, 700n, 200n);
  });

  promise(
    'a retry that cannot be paid for, or that a limit forbids, leaves the task as it was',
    async ({ store }) => {
      await createAccount(store, ACCOUNT, 100n);
      await createChannel(store, CHANNEL);
      const task = await failed(store);
      const other = await accept(store);
      await refused(store.retryTask(retryOf(task)), 'insufficient_quota');
      assert.equal((await store.getTask(task.id))?.state, 'failed');
      await store.cancelTask({ taskId: other.id, at: T0 });
      await store.updateAccount(ACCOUNT, { limits: { concurrentTasks: 0 } }, T0);
      await refused(store.retryTask(retryOf(task)), 'concurrency_limit_exceeded');
      await assertMoney(store, 100n, 0n);
    },
  );

  promise('a retry counts on the day it is made, and a refund gives back to that day', async ({ store }) => {
    await furnish(store);
    const limits = { spendPerDayMicros: 150n, concurrentTasks: 1 };
    await store.updateAccount(ACCOUNT, { limits }, T0);
    const task = await failed(store);
    const at = T0 + 3 * DAY;
    await store.retryTask(retryOf(task, { at, deadlineAt: at + DAY }));
    const nextDay = () => newTask({ createdAt: at, holdMicros: 100n });
    await refused(accept(store, nextDay()), 'concurrency_limit_exceeded');
    const open = { id: 'att_2', taskId: task.id, channelId: CHANNEL, owner: 'n', submitDeadlineAt: at, at };
    await store.openAttempts([open]);
    await store.acceptAttempt({ attemptId: 'att_2', ref: {}, at, exchanges: [] });
    await complete(store, task.id, 'att_2', 100n);
    await refused(accept(store, nextDay()), 'spend_limit_exceeded');
    // Counted anew from what is stored, it comes to the same.
    await store.updateAccount(ACCOUNT, { limits: null }, at);
    await store.updateAccount(ACCOUNT, { limits }, at);
    await refused(accept(store, nextDay()), 'spend_limit_exceeded');
    await refund(store, task.id, 60n);
    const accepted = await accept(store, nextDay());
    await store.cancelTask({ taskId: accepted.id, at });
    await store.updateAccount(ACCOUNT, { limits: null }, at);
    await store.updateAccount(ACCOUNT, { limits }, at);
    await accept(store, nextDay());
  });

  promise('an attempt to be looked up is open from the start, under the handle it had', async ({ store }) => {
    await furnish(store);
    const task = await lost(store);
    const attempt = { id: 'att_look', owner: 'node-1', submitDeadlineAt: T0 + 200 };
    await store.retryTask(retryOf(task, { upstreamHandle: null, attempt }));
    const open = await store.currentAttempt(task.id);
    assert.deepEqual(
      [open?.attempt.id, open?.attempt.state, open?.attempt.number],
      ['att_look', 'submitting', 2],
    );
    assert.equal(open?.task.upstreamHandle, undefined);
    assert.deepEqual(await store.waitingTasks(CHANNEL, '', 5), []);
  });

  promise('refunds are partial or whole, and together never more than the charge', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await refused(refund(store, task.id, null), 'conflict');
    await complete(store, task.id, attemptId, 90n);
    await refused(refund(store, task.id, 91n), 'invalid_value');
    await refused(refund(store, task.id, 0n), 'invalid_value');
    assert.equal((await refund(store, task.id, 30n)).amountMicros, 30n);
    await refused(refund(store, task.id, 61n), 'invalid_value');
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => refund(store, task.id, 25n)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
    assert.equal((await refund(store, task.id, null)).amountMicros, 10n);
    await refused(refund(store, task.id, null), 'conflict');
    const found = (await store.getTask(task.id))!;
    assert.deepEqual([found.state, found.chargeMicros, found.refundedMicros], ['completed', 90n, 90n]);
    await assertMoney(store, 1_000n, 0n);
    const consumed = await store.webhooks.listConsumption({
      accountId: ACCOUNT,
      afterSequence: 0,
      limit: 10,
    });
    assert.deepEqual(
      consumed.map(({ type, amountMicros, note }) => [type, amountMicros, note]),
      [
        ['consume.settled', 90n, null],
        ...[-30n, -25n, -25n, -10n].map((amount) => ['consume.refunded', amount, audit.note]),
      ],
    );
    await refused(refund(store, 'task_none', null), 'task_not_found');
  });

  promise(
    'marked failed, a task releases its hold whether it waits, is submitted or runs',
    async ({ store }) => {
      await furnish(store);
      const waiting = await accept(store);
      const submitting = await acceptAndSubmit(store);
      const running = await run(store);
      const free = await accept(store, newTask({ holdMicros: 0n }));
      for (const { id } of [waiting, submitting.task, running.task, free]) {
        const done = await store.failTask({ taskId: id, audit, at: T0 + 300 });
        assert.equal(done.amountMicros, id === free.id ? 0n : 100n);
        const found = (await store.taskRecord(id))!;
        assert.equal(found.task.state, 'failed');
        assert.equal(found.task.error?.code, 'ended_by_operator');
        assert.ok(found.attempts.every((attempt) => attempt.endedAt !== null));
        // Also where nothing was held the ledger tells who did it and why.
        const noted = found.ledger.filter((row) => row.author === 'li.na' && row.note === 'ticket 4711');
        assert.deepEqual(
          noted.map((row) => [row.kind, row.postingId]),
          [
            ['release', done.postingId],
            ['release', done.postingId],
          ],
        );
        assert.equal((await eventTypes(store, id)).at(-1), 'operator.failed');
        await refused(store.failTask({ taskId: id, audit, at: T0 + 301 }), 'conflict');
      }
      assert.deepEqual(await openOn(store), []);
      await assertMoney(store, 1_000n, 0n);
    },
  );

  promise(
    'what was lost calls for an operator until one has retried it or marked it failed',
    async ({ store }) => {
      await furnish(store);
      const told: number[] = [];
      store.onCommit('attention', () => void told.push(1));
      const [first, second] = [await lost(store), await lost(store)];
      await failed(store);
      assert.equal(told.length, 2);
      const needing = async () => {
        const { rows } = await store.adminTasks({ cursor: null, limit: 10, attention: 'lost' });
        return rows.map((task) => task.id);
      };
      assert.deepEqual(await needing(), [second.id, first.id]);
      assert.deepEqual(await store.attentionCounts(), { lost: 2 });
      await store.retryTask(retryOf(first));
      assert.deepEqual(await needing(), [second.id]);
      const done = await store.failTask({ taskId: second.id, audit, at: T0 + 300 });
      assert.equal(done.amountMicros, 0n);
      assert.equal((await store.getTask(second.id))?.error?.code, 'lost');
      assert.deepEqual(await store.attentionCounts(), { lost: 0 });
      await assertMoney(store, 900n, 100n);
    },
  );

  promise('an action and the key it was asked for with are kept together', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await complete(store, task.id, attemptId, 90n);
    const remember = {
      kind: 'key' as const,
      scope: 'admin',
      key: 'k',
      requestHash: 'h',
      expiresAt: T0 + DAY,
      replaces: null,
    };
    const input = { taskId: task.id, amountMicros: 10n, audit, at: T0 + 300, remember };
    const done = await store.refundTask(input);
    await refused(store.refundTask(input), 'request_in_progress');
    const used = await store.findUsedKey('admin', 'k', T0 + 400);
    assert.equal(used?.subjectId, done.id);
    assert.equal((await store.getTask(task.id))?.refundedMicros, 10n);
    await assertMoney(store, 920n, 0n);
  });

  promise(
    'any order of acceptances, ends, retries, refunds and hands laid on leaves the books in order',
    async ({ store }) => {
      await createAccount(store, ACCOUNT, 3_000n);
      await createChannel(store, CHANNEL);
      let seed = 11;
      const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below;
      const ids: string[] = [];
      const held = new Map<string, bigint>();
      let spent = 0n;
      let attempts = 0;
      for (let step = 0; step < 300; step++) {
        const id = ids[random(Math.max(1, ids.length))];
        const task = id === undefined ? null : await store.getTask(id);
        const kind = random(6);
        if (task === null || kind === 0) {
          const made = newTask({ holdMicros: BigInt(random(400)) });
          await accept(store, made).then(
            () => void (ids.push(made.id), held.set(made.id, made.quote.amountMicros)),
            () => {},
          );
          continue;
        }
        const hold = task.quote.amountMicros;
        if (kind === 1) {
          const id = `att_${++attempts}`;
          const at = T0 + step;
          await store.openAttempts([
            { id, taskId: task.id, channelId: CHANNEL, owner: 'n', submitDeadlineAt: at, at },
          ]);
        } else if (kind === 2) {
          const charge = BigInt(random(Number(hold) + 1));
          if (await complete(store, task.id, null, charge)) {
            held.delete(task.id);
            spent += charge;
          }
        } else if (kind === 3) {
          const outcome = random(2) === 0 ? fail(store, task.id, null) : lose(store, task.id);
          if (await outcome) held.delete(task.id);
        } else if (kind === 4) {
          const retried = await store.retryTask(retryOf(task)).catch(() => null);
          if (retried !== null) held.set(task.id, hold);
        } else if (random(2) === 0) {
          const amount = random(3) === 0 ? null : BigInt(random(300));
          spent -= await refund(store, task.id, amount).then(
            (done) => done.amountMicros,
            () => 0n,
          );
        } else {
          const input = { taskId: task.id, audit, at: T0 + 300 };
          await store.failTask(input).then(
            () => void held.delete(task.id),
            () => {},
          );
        }
      }
      const outstanding = [...held.values()].reduce((total, amount) => total + amount, 0n);
      await assertMoney(store, 3_000n - spent - outstanding, outstanding);
    },
  );

  promise(
    'verification finds a refund without its posting and a retry without its hold',
    async ({ store, tamper }) => {
      await furnish(store);
      const { task, attemptId } = await run(store);
      await complete(store, task.id, attemptId, 60n);
      const again = await failed(store);
      await store.retryTask(retryOf(again));
      await tamper(`update tasks set refunded_micros = 70 where id = '${task.id}'`);
      await tamper(`update tasks set retries = 2 where id = '${again.id}'`);
      const text = (await store.verifyLedger()).mismatches.join('\n');
      assert.match(text, new RegExp(`Task ${task.id} shows 70 micros refunded, its entries give back 0`));
      assert.match(text, new RegExp(`Task ${task.id} was charged 60 micros, and 70 were given back`));
      assert.match(
        text,
        new RegExp(`Task ${again.id} was to hold 300 micros in 3 holds, its entries hold 200`),
      );
    },
  );
}

function lose(store: Store, taskId: string): Promise<boolean> {
  return store.finishTask({
    taskId,
    attemptId: null,
    at: T0 + 100,
    exchanges: [],
    outcome: { state: 'failed', code: 'lost', message: 'Lost.', attemptState: 'lost' },
  });
}
