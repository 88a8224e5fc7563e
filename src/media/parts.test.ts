import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sliceParts } from './parts.ts';

async function sliced(sizes: number[]): Promise<[number, boolean][]> {
  let next = 0;
  async function* source(): AsyncGenerator<Buffer> {
    for (const size of sizes) yield Buffer.from(Array.from({ length: size }, () => next++ % 256));
  }
  const parts = await Array.fromAsync(sliceParts(source(), 10));
  const content = Buffer.concat(parts.flatMap(({ chunks }) => chunks));
  assert.ok(content.equals(Buffer.from(Array.from({ length: next }, (_, index) => index % 256))));
  for (const part of parts) assert.equal(Buffer.concat(part.chunks).length, part.bytes);
  return parts.map(({ bytes, isLast }) => [bytes, isLast]);
}

test('parts are alike, whatever chunks came, and the last one says so', async () => {
  assert.deepEqual(await sliced([3, 4]), [[7, true]]);
  assert.deepEqual(await sliced([25]), [[10, false], [10, false], [5, true]]); // prettier-ignore
  assert.deepEqual(await sliced([4, 4, 4, 4]), [[10, false], [6, true]]); // prettier-ignore
  assert.deepEqual(await sliced([10]), [[10, true]]);
  assert.deepEqual(await sliced([10, 10]), [[10, false], [10, true]]); // prettier-ignore
});

test('a source without bytes is one empty part', async () => {
  assert.deepEqual(await sliced([]), [[0, true]]);
  assert.deepEqual(await sliced([0]), [[0, true]]);
});
