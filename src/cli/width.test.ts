import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, padEnd, padStart, plain, widthOf } from './width.ts';

test('Chinese characters and emoji take two columns, combining marks none', () => {
  assert.equal(widthOf('kling'), 5);
  assert.equal(widthOf('赛博朋克'), 8);
  assert.equal(widthOf('猫 cat'), 6);
  assert.equal(widthOf('한글'), 4);
  assert.equal(widthOf('ＡＢ'), 4);
  assert.equal(widthOf('e\u0301'), 1);
  assert.equal(widthOf('🎬'), 2);
  assert.equal(widthOf('👩‍👩‍👧'), 2);
});

test('colours do not count', () => {
  assert.equal(widthOf('\u001b[31mred\u001b[39m'), 3);
});

test('padding fills columns, not characters', () => {
  assert.equal(padEnd('猫', 4), '猫  ');
  assert.equal(padStart('7', 3), '  7');
  assert.equal(padEnd('long', 2), 'long');
});

test('a cut never exceeds its columns, even when a wide character stands at the edge', () => {
  assert.equal(cut('short', 5), 'short');
  assert.equal(cut('longer', 5), 'long…');
  assert.equal(cut('赛博朋克城市', 6), '赛博…');
  assert.ok(widthOf(cut('赛博朋克城市', 5)) <= 5);
});

test('text of others cannot move the cursor', () => {
  assert.equal(plain('a\nb\t c\u001b[2Jd\u0007'), 'a b c[2Jd');
});
