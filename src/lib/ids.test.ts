import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { base62, createIds, decimalId, isTaskId, newId, newTaskId, randomBase62 } from './ids.ts';

const now = Date.UTC(2026, 10, 20);

test('a task id is task_ and 32 characters of base62', () => {
  const id = newTaskId(now);
  assert.match(id, /^task_[0-9A-Za-z]{32}$/);
  assert.ok(isTaskId(id));
  for (const other of [
    '',
    'task_',
    `${id}x`,
    id.slice(0, -1),
    id.replace('task_', 'TASK_'),
    `${id}\n`,
    `${id.slice(0, -1)}-`,
  ]) {
    assert.equal(isTaskId(other), false, JSON.stringify(other));
  }
});

test('other ids carry their prefix and 24 characters', () => {
  assert.match(newId('acct_', now), /^acct_[0-9A-Za-z]{24}$/);
});

test('byte order is time order', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 42), fc.nat(2 ** 42), (one, two) => {
      const [early, late] = one < two ? [one, two] : [two, one];
      if (early === late) return;
      assert.ok(Buffer.compare(Buffer.from(newTaskId(early)), Buffer.from(newTaskId(late))) < 0);
      assert.ok(newId('key_', early) < newId('key_', late));
    }),
  );
});

test('ids made in one millisecond differ and use the whole alphabet', () => {
  const ids = Array.from({ length: 5000 }, () => newTaskId(now));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(ids.map((id) => id.slice(13)).join('')).size, 62);
});

test('a repeating random source gives the same ids again', () => {
  const make = () => {
    const ids = createIds({ randomBytes: (buffer) => buffer.fill(7) });
    return [ids.newTaskId(now), ids.newId('evt_', now)];
  };
  assert.deepEqual(make(), make());
  assert.equal(make()[0]?.slice(13), '7'.repeat(24));
});

test('bytes that would favour some letters are not used', () => {
  const ids = createIds({ randomBytes: (buffer) => buffer.forEach((_, i) => (buffer[i] = i % 2 ? 255 : 1)) });
  assert.equal(ids.newId('evt_', now).slice(12), '1'.repeat(16));
});

test('decimal ids have 18 digits and only ever grow', () => {
  const ids = createIds();
  let last = '';
  for (let round = 0; round < 250_000; round++) {
    // The clock stands still for long and goes back once.
    const id = ids.decimalId(round < 200_000 ? now : now - 5);
    if (!(id > last)) assert.fail(`${id} after ${last}`);
    last = id;
  }
  assert.match(decimalId(now), /^\d{18}$/);
  assert.ok(BigInt(decimalId(now)) > 2n ** 53n);
});

test('base62 pads with zeros and keeps the order of numbers', () => {
  assert.equal(base62(0, 3), '000');
  assert.equal(base62(61, 3), '00z');
  assert.equal(base62(62, 3), '010');
});

test('random secrets have the length asked for', () => {
  assert.match(randomBase62(48), /^[0-9A-Za-z]{48}$/);
  assert.notEqual(randomBase62(48), randomBase62(48));
});
