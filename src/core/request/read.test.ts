import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import {
  oneOf,
  readFlag,
  readId,
  readList,
  readNumber,
  readObject,
  readSeconds,
  readWord,
  show,
} from './read.ts';
import { secondsInWords } from './seconds.ts';
import type { Claim } from './types.ts';

const claim = (value: unknown): Claim => ({ source: 'metadata.field', value });
const refuses = (read: (claim: Claim) => unknown, values: unknown[]): void => {
  for (const value of values) {
    assert.throws(
      () => read(claim(value)),
      (error) =>
        error instanceof GatewayError && error.code === 'invalid_value' && error.param === 'metadata.field',
      show(value),
    );
  }
};

test('switches are read from every spelling in use', () => {
  for (const value of [true, 'true', 'TRUE', 'on', 'yes', 'Enabled', '1', 1, ' on '])
    assert.equal(readFlag(claim(value)), true);
  for (const value of [false, 'false', 'off', 'No', 'disabled', '0', 0])
    assert.equal(readFlag(claim(value)), false);
  refuses(readFlag, ['', 'maybe', 2, null, {}, [], 'constructor', '__proto__']);
});

test('numbers are read from their decimal text, and from nothing else', () => {
  assert.equal(readNumber(claim('0.5')), 0.5);
  assert.equal(readNumber(claim(' -3 ')), -3);
  refuses(readNumber, [
    '',
    'x',
    '0x10',
    '1e3',
    'Infinity',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n,
    true,
    null,
  ]);
});

test('seconds are whole and above zero', () => {
  const read = (input: Claim) => readSeconds(input, () => '5 or 10');
  assert.equal(read(claim('5')), 5);
  assert.equal(read(claim('5.0')), 5);
  assert.equal(read(claim(10)), 10);
  refuses(read, [0, '0', -5, '-5', 4.5, '4.5', '', 'five', '5s', 1e21, '9999999999', true, null, 5n]);
});

test('words are read in any case and answered in the list\u2019s own spelling', () => {
  const read = (input: Claim) => readWord(input, ['Temporary', 'Permanent']);
  assert.equal(read(claim(' PERMANENT ')), 'Permanent');
  refuses(read, ['', 'forever', 5, null]);
});

test('ids keep every digit', () => {
  assert.equal(readId(claim(829836802793406551n)), '829836802793406551');
  assert.equal(readId(claim(7)), '7');
  assert.equal(readId(claim(' a ')), 'a');
  refuses(readId, ['', ' ', 1.5, 2 ** 60, true, {}, 'x'.repeat(129)]);
});

test('structures are read from JSON text too', () => {
  assert.deepEqual(readObject(claim('{"id":829836802793406551}')), { id: 829836802793406551n });
  assert.deepEqual(readList(claim('[1]')), [{ source: 'metadata.field[0]', value: 1 }]);
  refuses(readObject, ['', '{', '[]', [], 5, null, new Uint8Array(1)]);
  refuses(readList, ['', '{}', {}, 5, null]);
});

test('messages quote values short', () => {
  assert.equal(show('x'.repeat(100)).length, 43);
  assert.equal(show({}), 'an object');
  assert.equal(show([]), 'a list');
  assert.equal(show(undefined), 'nothing');
  assert.equal(oneOf(['a', 'b', 'c']), 'a, b or c');
  assert.equal(secondsInWords([5, 10]), '5 or 10');
  assert.equal(secondsInWords([3, 4, 5]), '3 to 5');
  assert.equal(secondsInWords([5]), '5');
});
