import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTask } from '../contract/harness.ts';
import { toTaskRow } from '../task-row.ts';
import { pack, unpack } from './parcels.ts';

test('an acceptance arrives as it was sent', () => {
  const row = toTaskRow(newTask(), 'att_one');
  // No two columns alike, so that none can take the place of another.
  const task = Object.fromEntries(Object.keys(row).map((column) => [column, `a ${column}`]));
  const attempt = { id: 'att_one', owner: 'node', submitDeadlineAt: 5 };
  const args = { task, attempt, remember: null };
  assert.deepEqual(unpack(structuredClone(pack(7, 'acceptTask', args))), [7, 'acceptTask', args]);
});

test('all other changes pass as they are', () => {
  assert.deepEqual(unpack(structuredClone(pack(8, 'tell', { topic: 'x' }))), [8, 'tell', { topic: 'x' }]);
});
