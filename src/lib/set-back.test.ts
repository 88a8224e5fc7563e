import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SetBack } from './set-back.ts';

test('tells once how far a clock was put back, and nothing of its trimming', () => {
  const setBack = new SetBack();
  assert.equal(setBack.take(5_000_000), 0);
  assert.equal(setBack.take(5_010_000), 0);
  assert.equal(setBack.take(1_410_000), 3_600_000);
  assert.equal(setBack.take(1_410_000), 0);
  assert.equal(setBack.take(1_409_500), 0);
  assert.equal(setBack.take(9_000_000), 0);
});
