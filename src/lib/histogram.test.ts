import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('counts are summed up from bound to bound, by labels', () => {
  const histogram = new Histogram([1, 5]);
  for (const value of [0.5, 1, 3, 5, 99]) histogram.observe(value, 'a', () => ({ name: 'a' }));
  histogram.observe(2, 'b', () => ({ name: 'b' }));
  const told = histogram.read().map(({ labels, suffix, value }) => [labels.name, labels.le, suffix, value]);
  assert.deepEqual(told, [
    ['a', '1', '_bucket', 2],
    ['a', '5', '_bucket', 4],
    ['a', '+Inf', '_bucket', 5],
    ['a', undefined, '_sum', 108.5],
    ['a', undefined, '_count', 5],
    ['b', '1', '_bucket', 0],
    ['b', '5', '_bucket', 1],
    ['b', '+Inf', '_bucket', 1],
    ['b', undefined, '_sum', 2],
    ['b', undefined, '_count', 1],
  ]);
});

test('labels are asked for once', () => {
  const histogram = new Histogram([1]);
  let asked = 0;
  const labels = (): Record<string, string> => ({ asked: String(++asked) });
  histogram.observe(1, 'a', labels);
  histogram.observe(1, 'a', labels);
  assert.equal(asked, 1);
});
