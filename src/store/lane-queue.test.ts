/** Whatever arrives in whatever order: accounts take turns, nobody is passed over twice, and nothing is lost. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHANNEL, newTask, T0 } from './contract/harness.ts';
import { sqliteEngine } from './engine.ts';
import { waitingPage, waitingPlaces, waitingTasks } from './lane-queue.ts';
import { migrate } from './migrate.ts';
import { mutations } from './mutations.ts';
import { createExecutor } from './sqlite/executor.ts';
import type { Tx } from './statement.ts';
import { toTaskRow } from './task-row.ts';

const ACCOUNTS = ['acc_a', 'acc_b', 'acc_c', 'acc_d'];

interface Waiting {
  id: string;
  accountId: string;
  priority: number;
}

function openQueue() {
  const execute = createExecutor(new DatabaseSync(':memory:'));
  execute(migrate(sqliteEngine, T0));
  let ids = 0;
  const tx: Tx = { newId: (prefix) => `${prefix}${String(++ids).padStart(8, '0')}`, notify: () => {} };
  for (const id of ACCOUNTS) {
    const row = { id, name: id, status: 'active' as const, createdAt: T0 };
    execute(mutations.createAccount(tx, { row, remember: null }));
    const topUp = { accountId: id, kind: 'top_up' as const, amountMicros: 1_000_000n, note: null, at: T0 };
    execute(mutations.post(tx, topUp));
  }
  return {
    add(accountId: string, priority: number): Waiting {
      const task = newTask({ accountId, priority });
      execute(mutations.acceptTask(tx, { task: toTaskRow(task, null), attempt: null }));
      return { id: task.id, accountId, priority };
    },
    cancel: (taskId: string) => execute(mutations.cancelTask(tx, { taskId, at: T0 })),
    /** Takes up those who are next; answers their ids. */
    take(limit: number): string[] {
      const tasks = execute(waitingTasks(CHANNEL, '', limit));
      const attempts = tasks.map(({ id }) => ({
        id: tx.newId('att_', T0),
        taskId: id,
        channelId: CHANNEL,
        owner: 'node',
        submitDeadlineAt: T0,
        at: T0,
      }));
      assert.equal(execute(mutations.openAttempts(tx, attempts)).length, tasks.length);
      return tasks.map(({ id }) => id);
    },
    next: (limit: number) => execute(waitingTasks(CHANNEL, '', limit)).map(({ id }) => id),
    all(step: number): string[] {
      const found: string[] = [];
      for (let after = null as Parameters<typeof waitingPage>[2]; ;) {
        const tasks = execute(waitingPage(CHANNEL, '', after, step));
        found.push(...tasks.map(({ id }) => id));
        if (tasks.length < step) return found;
        after = tasks.at(-1)!;
      }
    },
    places: () => execute(waitingPlaces(CHANNEL, '', null, 1_000)).map(({ taskId }) => taskId),
  };
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        account: fc.nat(3),
        count: fc.integer({ min: 1, max: 6 }),
        priority: fc.integer({ min: -2, max: 2 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ cancel: fc.nat(100) }) },
  ),
  { minLength: 1, maxLength: 30 },
);

test('while an account waits, no other is taken up twice before it; its own go by priority, then by arrival', () => {
  fc.assert(
    fc.property(steps, (walk) => {
      const queue = openQueue();
      const waiting: Waiting[] = [];
      /** By account that waits: who was taken up since its last turn, or since it began to wait. */
      const passing = new Map<string, string[]>();
      const seen = new Set<string>();
      const take = (limit: number): void => {
        const ids = queue.take(limit);
        assert.equal(ids.length, Math.min(limit, waiting.length));
        for (const id of ids) {
          assert.ok(!seen.has(id));
          seen.add(id);
          const { accountId, priority } = waiting.find((task) => task.id === id)!;
          const own = waiting.filter((task) => task.accountId === accountId);
          const first = own.toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))[0]!;
          assert.deepEqual([first.id, first.priority], [id, priority]);
          waiting.splice(
            waiting.findIndex((task) => task.id === id),
            1,
          );
          passing.delete(accountId);
          for (const [account, others] of passing) {
            others.push(accountId);
            const twice = others.filter((other) => other === accountId).length > 1;
            assert.ok(!twice, `${account} waited while ${accountId} was taken up twice`);
          }
          if (own.length > 1) passing.set(accountId, []);
        }
      };
      for (const step of walk) {
        if ('take' in step) take(step.take);
        else if ('cancel' in step) {
          const [gone] = waiting.splice(step.cancel % Math.max(1, waiting.length), 1);
          if (gone === undefined) continue;
          assert.equal(queue.cancel(gone.id), true);
          if (!waiting.some(({ accountId }) => accountId === gone.accountId)) passing.delete(gone.accountId);
        } else {
          const accountId = ACCOUNTS[step.account]!;
          if (!waiting.some((task) => task.accountId === accountId)) passing.set(accountId, []);
          for (let count = 0; count < step.count; count++) waiting.push(queue.add(accountId, step.priority));
        }
      }
      const ids = waiting.map(({ id }) => id).toSorted();
      assert.deepEqual(queue.all(3).toSorted(), ids);
      assert.deepEqual(queue.places().toSorted(), ids);
      take(waiting.length + 1);
      assert.equal(waiting.length, 0);
    }),
    { numRuns: 60 },
  );
});

test('a look at more is a look at fewer, gone on', () => {
  fc.assert(
    fc.property(steps, (walk) => {
      const queue = openQueue();
      for (const step of walk) {
        if ('take' in step) queue.take(step.take);
        else if ('account' in step) {
          for (let count = 0; count < step.count; count++) queue.add(ACCOUNTS[step.account]!, step.priority);
        }
      }
      const all = queue.next(1_000);
      assert.deepEqual(all.toSorted(), queue.places().toSorted());
      for (const limit of [1, 2, 3, 5, 8]) assert.deepEqual(queue.next(limit), all.slice(0, limit));
      // Taken one at a time they come in the same order as together.
      for (const id of all) assert.deepEqual(queue.take(1), [id]);
    }),
    { numRuns: 40 },
  );
});
