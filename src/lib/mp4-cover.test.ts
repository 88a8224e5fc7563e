import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RangeReader } from './mp4-boxes.ts';
import { extractCover } from './mp4-cover.ts';

function box(type: string, ...payload: Uint8Array[]): Buffer {
  const body = Buffer.concat(payload);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length + 8);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

const zeros = (count: number) => Buffer.alloc(count);
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 5, 6]);
const covr = (picture: Uint8Array) => box('covr', box('data', zeros(8), picture));
const withMeta = (meta: Buffer) => Buffer.concat([box('ftyp', zeros(8)), box('moov', box('udta', meta))]);
const withCover = (picture: Uint8Array) =>
  withMeta(box('meta', zeros(4), box('hdlr', zeros(25)), box('ilst', covr(picture))));

/** A file in memory that counts what is read from it. */
function readerOf(bytes: Uint8Array, size = bytes.length) {
  const counts = { reads: 0, bytes: 0 };
  const reader: RangeReader = {
    size,
    read: async (offset, length) => {
      const part = bytes.subarray(offset, offset + length);
      counts.reads += 1;
      counts.bytes += part.length;
      return part;
    },
  };
  return { reader, counts };
}

test('finds the picture and tells its type by its own bytes', async () => {
  assert.deepEqual(await extractCover(readerOf(withCover(jpeg)).reader), {
    bytes: new Uint8Array(jpeg),
    contentType: 'image/jpeg',
  });
  assert.deepEqual(await extractCover(readerOf(withCover(png)).reader), {
    bytes: new Uint8Array(png),
    contentType: 'image/png',
  });
});

test('also in QuickTime form, where meta has no version in front', async () => {
  const file = withMeta(box('meta', box('hdlr', zeros(25)), box('ilst', covr(png))));
  assert.equal((await extractCover(readerOf(file).reader))?.contentType, 'image/png');
});

test('jumps over media data: of a large file with its index at the end it reads a few headers', async () => {
  const media = zeros(16 + 5_000_000);
  media.writeUInt32BE(1, 0);
  media.write('mdat', 4, 'latin1');
  media.writeBigUInt64BE(BigInt(media.length), 8);
  const { reader, counts } = readerOf(Buffer.concat([media, withCover(jpeg)]));
  assert.equal((await extractCover(reader))?.contentType, 'image/jpeg');
  assert.ok(counts.bytes < 400, `${counts.bytes} bytes were read`);
});

test('reads from a path; a missing file is the only thing that rejects', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-cover-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'clip.mp4');
  await writeFile(path, withCover(jpeg));
  assert.equal((await extractCover(path))?.contentType, 'image/jpeg');
  await writeFile(path, '');
  assert.equal(await extractCover(path), null);
  await assert.rejects(extractCover(join(directory, 'none.mp4')), { code: 'ENOENT' });
});

test('gives nothing for files without a cover, or with one that is no picture', async () => {
  const files = [
    zeros(0),
    Buffer.from('GIF89a, not a film at all'),
    box('moov', box('udta')),
    withMeta(box('meta', zeros(4), box('ilst'))),
    withMeta(box('meta', zeros(2))),
    withCover(Buffer.from('<svg onload="x">')),
    withCover(zeros(0)),
  ];
  for (const file of files) assert.equal(await extractCover(readerOf(file).reader), null);
});

test('a box that claims more than its parent holds, or an endless row of boxes, ends the search', async () => {
  const lying = withCover(jpeg);
  lying.writeUInt32BE(0xffffffff, lying.indexOf('covr') - 4);
  assert.equal(await extractCover(readerOf(lying).reader), null);
  const empty = Buffer.concat(Array.from({ length: 50_000 }, () => box('free')));
  const { reader, counts } = readerOf(empty);
  assert.equal(await extractCover(reader), null);
  assert.ok(counts.reads <= 2_000, `${counts.reads} reads`);
});

test('a cover said to be of gigabytes is neither read nor given room', async () => {
  const large = 3_000_000_000;
  const file = withCover(jpeg);
  // Each box is made to end at the same far place, so that every one of them fits into its parent.
  for (const [type, inner] of [
    ['moov', 8],
    ['udta', 16],
    ['meta', 24],
    ['ilst', 69],
    ['covr', 77],
    ['data', 85],
  ] as const) {
    file.writeUInt32BE(large - inner, file.indexOf(type) - 4);
  }
  const { reader, counts } = readerOf(file, large + 16);
  assert.equal(await extractCover(reader), null);
  assert.ok(counts.bytes < 400);
});

test('never rejects and reads a bounded amount, whatever the bytes', async () => {
  const valid = withCover(jpeg);
  const damaged = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 })
    .map((changes) => {
      const copy = Buffer.from(valid);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
      const { reader, counts } = readerOf(bytes);
      await extractCover(reader);
      assert.ok(counts.reads <= 2_010);
    }),
    { numRuns: 300 },
  );
});
