import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinHeap } from './min-heap.ts';

test('gives back whatever was pushed, smallest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new MinHeap<number>((number) => number);
      for (const number of numbers) heap.push(number);
      const popped: number[] = [];
      while (heap.size > 0) popped.push(heap.pop()!);
      assert.deepEqual(
        popped,
        [...numbers].sort((a, b) => a - b),
      );
      assert.equal(heap.pop(), undefined);
    }),
  );
});
