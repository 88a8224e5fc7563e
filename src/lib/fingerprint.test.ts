import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint } from './fingerprint.ts';

test('the order of keys and absent values do not count', () => {
  assert.equal(
    fingerprint({ a: 1, b: { c: 2, d: 3 } }),
    fingerprint({ b: { d: 3, c: 2, e: undefined }, a: 1 }),
  );
});

test('everything else counts', () => {
  const values = [
    null,
    0,
    '0',
    false,
    '',
    [],
    {},
    [[]],
    [1, 2],
    [2, 1],
    { a: 1 },
    { a: '1' },
    { a: null },
    [1, [2]],
    9_007_199_254_740_993n,
    '9007199254740993n',
    Buffer.from('x'),
    Buffer.from('y'),
    { '"a":1,"b"': 2 },
    { a: 1, b: 2 },
  ];
  assert.equal(new Set(values.map(fingerprint)).size, values.length);
});

test('a file counts by its bytes, whichever part of a buffer they lie in', () => {
  const file = { bytes: Buffer.from('film'), filename: 'a.png' };
  const again = { bytes: Buffer.from('a film').subarray(2), filename: 'a.png' };
  assert.equal(fingerprint({ file }), fingerprint({ file: again }));
});
