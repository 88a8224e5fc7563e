import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCounters } from './counters.ts';

test('each name is counted for itself, and knows when it begins anew', async () => {
  const counters = createMemoryCounters(60);
  assert.equal((await counters.count('a')).count, 1);
  assert.equal((await counters.count('a')).count, 2);
  const { count, resetMs } = await counters.count('b');
  assert.equal(count, 1);
  assert.ok(resetMs > 0 && resetMs <= 60_000);
});

test('of a thousand at once each is counted', async () => {
  const counters = createMemoryCounters(60);
  const counts = await Promise.all(Array.from({ length: 1_000 }, () => counters.count('a')));
  assert.equal(new Set(counts.map(({ count }) => count)).size, 1_000);
});
