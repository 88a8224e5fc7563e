import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMicros, parseMicros } from './money.ts';

test('amounts have at least two decimals and as many more as they need', () => {
  const cases: [bigint, string][] = [
    [0n, '0.00'],
    [1n, '0.000001'],
    [28_000n, '0.028'],
    [140_000n, '0.14'],
    [1_500_000n, '1.50'],
    [10_000_000_000n, '10000.00'],
    [-5_000n, '-0.005'],
  ];
  for (const [micros, text] of cases) assert.equal(formatMicros(micros), text);
});

test('every amount reads back as it was written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (micros) => {
      assert.equal(parseMicros(formatMicros(micros)), micros);
    }),
  );
});

test('numbers are read through their decimal text', () => {
  assert.equal(parseMicros(0.1), 100_000n);
  assert.equal(parseMicros(12), 12_000_000n);
  assert.equal(parseMicros(' 12.5 '), 12_500_000n);
});

test('what would have to be rounded, or is no plain decimal, is refused', () => {
  for (const value of [
    '0.0000001',
    '1e3',
    1e-7,
    '1,5',
    '',
    '.5',
    '5.',
    '+1',
    'NaN',
    Number.NaN,
    null,
    undefined,
    {},
    true,
    '1234567890123',
  ]) {
    assert.equal(parseMicros(value), null, String(value));
  }
});
