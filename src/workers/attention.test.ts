import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { createTestClock } from '../lib/clock.ts';
import { startAttention } from './attention.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('every task that calls for an operator is told of once, those from before the start too', async () => {
  let lost: string[] = ['task_a'];
  let committed = (): void => {};
  const store = {
    adminTasks: async () => ({ rows: lost.map((id) => ({ id }) as Task), nextCursor: null }),
    onCommit: (topic: string, listener: () => void) => {
      assert.equal(topic, 'attention');
      committed = listener;
      return () => {
        committed = () => {};
      };
    },
  } as unknown as Store;
  const told: string[] = [];
  const clock = createTestClock(0);
  const watch = startAttention(
    { store, clock },
    { tell: ({ id }) => void told.push(id), onError: assert.ifError },
  );
  for (const now of [['task_a'], ['task_b', 'task_a'], ['task_c', 'task_b']]) {
    lost = now;
    committed();
    await turn();
  }
  await watch.stop();
  committed();
  assert.deepEqual(told, ['task_a', 'task_b', 'task_c']);
});
