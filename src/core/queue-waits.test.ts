import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from './ports.ts';
import { queueWaits } from './queue-waits.ts';

const event = (createdAt: number, type: string, data: Json = {}) => ({ type, data, createdAt });

test('a task that is submitted at once has not waited', () => {
  assert.deepEqual(queueWaits([event(1, 'task.queued'), event(1, 'attempt.submitting')]), []);
});

test('every wait is told with its channel: the first, after a refusal, after a move, after a retry', () => {
  const waits = queueWaits([
    event(1, 'task.queued', { channelId: 'a' }),
    event(5, 'attempt.submitting', { channelId: 'a' }),
    event(6, 'attempt.refused', { channelId: 'b' }),
    event(8, 'queue.moved', { from: 'b', to: 'c' }),
    event(9, 'attempt.submitting', { channelId: 'c' }),
    event(12, 'attempt.failed', { willRetry: true }),
    event(13, 'attempt.submitting'),
    event(14, 'attempt.failed'),
    event(14, 'task.failed'),
    event(20, 'task.queued', { channelId: 'a' }),
  ]);
  assert.deepEqual(
    waits.map(({ channelId, from, until }) => [channelId, from, until]),
    [
      ['a', 1, 5],
      ['b', 6, 8],
      ['c', 8, 9],
      [null, 12, 13],
      ['a', 20, null],
    ],
  );
});

test('a wait ends with its task', () => {
  const [wait] = queueWaits([event(1, 'task.queued', { channelId: 'a' }), event(7, 'task.cancelled')]);
  assert.deepEqual(wait, { channelId: 'a', from: 1, until: 7 });
});
