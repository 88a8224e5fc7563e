import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSortableIds } from './sortable-ids.ts';

test('ids sort in the order they were made, within a millisecond and when the clock goes back', () => {
  const newId = createSortableIds();
  const times = [1_000, 1_000, 1_000, 999, 5, 1_001, 1_000, 2_000_000_000_000];
  const ids = times.map((time) => newId('evt_', time));
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^evt_[0-9A-Za-z]{24}$/);
});

test('two sources never make the same id', () => {
  const one = createSortableIds();
  const other = createSortableIds();
  assert.notEqual(one('evt_', 1), other('evt_', 1));
});
