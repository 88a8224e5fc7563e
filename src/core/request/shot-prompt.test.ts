import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { readShotPrompt } from './shot-prompt.ts';

const read = (value: string) => readShotPrompt({ source: 'prompt', value });

test('shots in a prompt are read with number, seconds and words', () => {
  assert.deepEqual(read('镜头 1, 2, a cat, asleep; 镜头 2, 3, it wakes;'), [
    { index: 1, seconds: 2, prompt: 'a cat, asleep' },
    { index: 2, seconds: 3, prompt: 'it wakes' },
  ]);
  assert.deepEqual(read('镜头2,3,later;镜头1,1,first; still first'), [
    { index: 1, seconds: 1, prompt: 'first; still first' },
    { index: 2, seconds: 3, prompt: 'later' },
  ]);
});

test('any other prompt is free', () => {
  assert.equal(read(''), null);
  assert.equal(read('a cat'), null);
  assert.equal(read('the 镜头 1, 2, of a camera'), null);
  assert.equal(read('镜头缓缓推进'), null);
});

test('what begins like shots must be shots within their limits', () => {
  const seven = Array.from({ length: 7 }, (_, index) => `镜头 ${index + 1}, 1, a;`).join('');
  const long = `镜头 1, 5, ${'x'.repeat(513)};`;
  for (const text of ['镜头 1, two, a;', '镜头 1, 0, a;', '镜头 1, 2, ;', '镜头 2, 2, a;', seven, long]) {
    assert.throws(
      () => read(text),
      (error) => error instanceof GatewayError && error.code === 'invalid_value' && error.param === 'prompt',
      text,
    );
  }
});

test('a long text is read in time that grows with its length', () => {
  const startedAt = performance.now();
  assert.throws(() => read(`镜头 1, 1,${' ;镜头 '.repeat(20_000)}`));
  assert.ok(performance.now() - startedAt < 2000);
});
