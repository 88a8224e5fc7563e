import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RetentionStore } from '../core/ports.ts';
import { createTestClock } from '../lib/clock.ts';
import { startRetention } from './retention.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

function fakeStore(left: { exchanges: number; events: number; tasks: number }) {
  const asked: [string, number][] = [];
  const take = (what: keyof typeof left, { before, limit }: { before: number; limit: number }): number => {
    asked.push([what, before]);
    const taken = Math.min(limit, left[what]);
    left[what] -= taken;
    return taken;
  };
  const store: RetentionStore = {
    pruneExchanges: async (input) => take('exchanges', input),
    pruneEvents: async (input) => take('events', input),
    async pruneTasks(input) {
      const deleted = take('tasks', input);
      return { deleted, next: left.tasks > 0 ? `after-${left.tasks}` : null };
    },
  };
  return { store, asked };
}

test('everything that is too old goes in small steps, then nothing is asked for hours', async () => {
  const clock = createTestClock(START_MS);
  const left = { exchanges: 250, events: 100, tasks: 420 };
  const { store, asked } = fakeStore(left);
  const keep = { exchangesMs: 30 * DAY_MS, eventsMs: 60 * DAY_MS, tasksMs: 90 * DAY_MS };
  const retention = startRetention({ store, keep, clock, onError: assert.fail });
  await clock.advance(1_000);
  assert.deepEqual(left, { exchanges: 0, events: 0, tasks: 0 });
  assert.equal(asked.find(([what]) => what === 'exchanges')![1], START_MS - 30 * DAY_MS);
  assert.equal(asked.find(([what]) => what === 'tasks')![1], START_MS - 90 * DAY_MS);
  const before = asked.length;
  await clock.advance(5 * 3_600_000);
  assert.equal(asked.length, before);
  left.tasks = 1;
  await clock.advance(3_600_000);
  assert.equal(left.tasks, 0, 'the next walk begins at the oldest again');
  await retention.stop();
});

test('what is kept for ever is not looked for', async () => {
  const clock = createTestClock(START_MS);
  const { store, asked } = fakeStore({ exchanges: 1, events: 1, tasks: 1 });
  const keep = { exchangesMs: null, eventsMs: null, tasksMs: null };
  const retention = startRetention({ store, keep, clock, onError: assert.fail });
  await clock.advance(DAY_MS);
  assert.deepEqual(asked, []);
  await retention.stop();
});
