import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseMs } from './breaker.ts';

test('pauses double up to a minute, are spread, and are whole: they are written down', () => {
  assert.equal(pauseMs(1, 0.5, 1), 2 * pauseMs(0, 0.5, 1));
  assert.ok(pauseMs(40, 0.999, 1) <= 75_000);
  for (const jitter of [0, 0.123456, 0.7]) {
    for (const speed of [1, 3, 20]) assert.ok(Number.isInteger(pauseMs(2, jitter, speed)));
  }
});
