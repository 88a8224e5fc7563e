import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RangeReader } from './mp4-boxes.ts';
import { readMp4Info } from './mp4-info.ts';

function box(type: string, ...payload: Uint8Array[]): Buffer {
  const body = Buffer.concat(payload);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length + 8);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

const words = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
};
const text = (value: string) => Buffer.from(value, 'latin1');

const mvhd = (timescale: number, duration: number) =>
  box('mvhd', words(0, 0, 0, timescale, duration), Buffer.alloc(80));
const upright = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
const turned = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000];
const tkhd = (width: number, height: number, matrix = upright) =>
  box('tkhd', words(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...matrix, width * 65536, height * 65536));
const hdlr = (kind: string) => box('hdlr', words(0, 0), text(kind), Buffer.alloc(13));
const mdhd = (timescale: number, duration: number) => box('mdhd', words(0, 0, 0, timescale, duration, 0));
const videoTrack = (...tkhdParts: Parameters<typeof tkhd>) =>
  box('trak', tkhd(...tkhdParts), box('mdia', mdhd(1000, 4000), hdlr('vide')));
const audioTrack = box('trak', tkhd(0, 0), box('mdia', mdhd(48_000, 48_000), hdlr('soun')));

const readerOf = (bytes: Uint8Array): RangeReader => ({
  size: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});
const read = (...boxes: Buffer[]) => readMp4Info(readerOf(Buffer.concat(boxes)));

test('tells length, size and sound', async () => {
  const film = { durationSeconds: 5.042, width: 1280, height: 720, hasAudio: true };
  assert.deepEqual(await read(box('moov', mvhd(1000, 5042), videoTrack(1280, 720), audioTrack)), film);
  const index = box('moov', mvhd(1000, 5042), audioTrack, videoTrack(1280, 720));
  assert.deepEqual(await read(box('mdat', Buffer.alloc(99)), index), film);
});

test('gives the size as shown: a film turned by a quarter is upright', async () => {
  const info = await read(box('moov', mvhd(1000, 1000), videoTrack(1920, 1080, turned)));
  assert.deepEqual([info?.width, info?.height], [1080, 1920]);
});

test('takes the coded size where the track header has none', async () => {
  const entry = box('avc1', Buffer.alloc(24), Buffer.from([2, 208, 5, 0]), Buffer.alloc(50));
  const sampleTable = box('minf', box('stbl', box('stsd', words(0, 1), entry)));
  const track = box('trak', tkhd(0, 0), box('mdia', mdhd(1000, 1000), hdlr('vide'), sampleTable));
  const info = await read(box('moov', mvhd(1000, 1000), track));
  assert.deepEqual([info?.width, info?.height], [720, 1280]);
});

test('reads 64-bit times', async () => {
  const long = box('mvhd', words(0x01000000, 0, 0, 0, 0, 90_000, 1, 0), Buffer.alloc(80));
  assert.equal((await read(box('moov', long)))?.durationSeconds, 2 ** 32 / 90_000);
});

test('looks for the length elsewhere when the movie header has none', async () => {
  const fragmented = box('moov', mvhd(1000, 0), box('mvex', box('mehd', words(0, 2500))), audioTrack);
  assert.equal((await read(fragmented))?.durationSeconds, 2.5);
  assert.equal((await read(box('moov', mvhd(1000, 0xffffffff), videoTrack(64, 64))))?.durationSeconds, 4);
  assert.equal((await read(box('moov', mvhd(1000, 0))))?.durationSeconds, null);
});

test('knows a sound file by having no picture', async () => {
  const info = await read(box('moov', mvhd(1000, 1000), audioTrack));
  assert.deepEqual(info, { durationSeconds: 1, width: null, height: null, hasAudio: true });
});

test('gives nothing for what is no film', async () => {
  for (const bytes of [
    Buffer.alloc(0),
    text('RIFF....WAVEfmt '),
    box('moov'),
    box('moov', text('garbage!!')),
    box('free'),
  ]) {
    assert.equal(await read(bytes), null);
  }
});

test('never rejects, whatever the bytes, and says nothing absurd', async () => {
  const valid = box('moov', mvhd(1000, 5042), videoTrack(1280, 720), audioTrack);
  const damaged = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 })
    .map((changes) => {
      const copy = Buffer.from(valid);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), async (bytes) => {
      const info = await readMp4Info(readerOf(bytes));
      if (!info) return;
      assert.ok(
        info.durationSeconds === null || (Number.isFinite(info.durationSeconds) && info.durationSeconds > 0),
      );
      assert.ok(info.width === null || (Number.isInteger(info.width) && info.width > 0));
    }),
    { numRuns: 300 },
  );
});
