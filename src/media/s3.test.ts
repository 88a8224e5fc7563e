import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { startTestS3, type TestS3, type TestS3Options } from '../../test/helpers/s3-server.ts';
import { GatewayError } from '../core/errors.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { testMediaStore } from './contract.ts';
import { openS3, type S3Store } from './s3.ts';

/** Pauses between tries take no time. */
const hurriedClock: Clock = { ...systemClock, sleep: async () => {} };
const megabyte = 1024 * 1024;

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

function connect(s3: TestS3, changed: Partial<Parameters<typeof openS3>[0]> = {}): Promise<S3Store> {
  return openS3({
    endpoint: s3.endpoint,
    bucket: s3.bucket,
    ...s3.credentials,
    clock: hurriedClock,
    ...changed,
  });
}

async function start(options?: TestS3Options): Promise<{ s3: TestS3; store: S3Store }> {
  const s3 = await startTestS3(options);
  const store = await connect(s3);
  closers.push(s3.close, () => store.close());
  return { s3, store };
}

testMediaStore('S3', async () => {
  const { store } = await start({ pageKeysMax: 3 });
  return { store, dispose: async () => {} };
});

test('a long film travels in parts of 5 MiB and is put together as it was', async () => {
  const { s3, store } = await start();
  for (const size of [5 * megabyte, 5 * megabyte + 1, 12 * megabyte + 345]) {
    const film = randomBytes(size);
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < size; at += 65_521) yield film.subarray(at, at + 65_521);
      })(),
      { objectMode: false },
    );
    s3.requests.length = 0;
    const { bytes, sha256 } = await store.put('films/long.mp4', source, { contentType: 'video/mp4' });
    assert.equal(bytes, size);
    assert.equal(sha256, createHash('sha256').update(film).digest('hex'));
    assert.ok(s3.objects.get('films/long.mp4')!.bytes.equals(film));
    assert.equal(s3.objects.get('films/long.mp4')!.contentType, 'video/mp4');
    const puts = s3.requests.filter((line) => line.startsWith('PUT')).length;
    assert.equal(puts, Math.ceil(size / (5 * megabyte)));
    assert.equal(s3.uploads.size, 0);
    const opened = await store.open('films/long.mp4', { start: 1_000_000, end: 1_999_999 });
    assert.ok((await buffer(opened!.stream)).equals(film.subarray(1_000_000, 2_000_000)));
  }
});

test('a film that breaks off after some parts leaves no part behind', async () => {
  const { s3, store } = await start();
  const source = Readable.from(
    (async function* () {
      yield Buffer.alloc(11 * megabyte);
      throw new Error('upstream went away');
    })(),
    { objectMode: false },
  );
  await assert.rejects(store.put('films/broken.mp4', source), /upstream went away/);
  assert.equal(s3.uploads.size, 0);
  assert.equal(s3.objects.size, 0);
  assert.ok(s3.requests.some((line) => /^PUT .*partNumber=1/.test(line)));
});

test('a store that is busy is asked again, and a part is sent again', async () => {
  const { s3, store } = await start();
  for (const [status, matching] of [
    [503, /^PUT .*partNumber=2/],
    [500, /^POST .*uploads/],
    [503, /^POST .*uploadId/],
    [429, /^PUT .*partNumber=1/],
  ] as const) {
    s3.fail(2, status, matching);
    const film = randomBytes(6 * megabyte);
    await store.put('films/busy.mp4', Readable.from([film], { objectMode: false }));
    assert.ok(s3.objects.get('films/busy.mp4')!.bytes.equals(film), String(matching));
  }
  s3.fail(2, 503, /^(HEAD|GET)/);
  assert.equal((await store.stat('films/busy.mp4'))?.bytes, 6 * megabyte);
  s3.fail(2, 503, /^DELETE/);
  await store.delete('films/busy.mp4');
  s3.fail(2, 503, /^GET/);
  assert.deepEqual(await Array.fromAsync(store.list('')), []);
});

test('a store that stays away is “unavailable”, and its words are for the log only', async () => {
  const { s3, store } = await start();
  await store.put('file', Buffer.from('x'));
  s3.fail(Infinity, 503);
  const isUnavailable = (error: unknown): boolean =>
    error instanceof GatewayError &&
    error.code === 'unavailable' &&
    !/S3|127\.0\.0\.1|SlowDown/.test(error.publicMessage);
  await assert.rejects(store.open('file'), isUnavailable);
  await assert.rejects(store.stat('file'), isUnavailable);
  await assert.rejects(store.delete('file'), isUnavailable);
  await assert.rejects(Array.fromAsync(store.list('')), isUnavailable);
  await assert.rejects(store.put('other', Buffer.from('x')), isUnavailable);
  await assert.rejects(
    store.put('other', Readable.from([Buffer.alloc(6 * megabyte)], { objectMode: false })),
    isUnavailable,
  );
  s3.fail(0, 503);
  assert.equal((await store.stat('file'))?.bytes, 1);
});

test('what is refused for good is not asked again', async () => {
  const { s3, store } = await start();
  s3.fail(Infinity, 403, /^PUT/);
  s3.requests.length = 0;
  await assert.rejects(store.put('file', Buffer.from('x')));
  assert.equal(s3.requests.length, 1);
});

test('a range that begins behind the end is empty, as it is of a file', async () => {
  const { store } = await start();
  await store.put('empty', Buffer.alloc(0));
  await store.put('short', Buffer.from('12345'));
  for (const [key, bytes] of [
    ['empty', 0],
    ['short', 5],
  ] as const) {
    const opened = await store.open(key, { start: 5, end: 10 });
    assert.equal(opened?.bytes, bytes);
    assert.equal((await buffer(opened!.stream)).length, 0);
  }
  assert.equal(await store.open('absent', { start: 5, end: 10 }), null);
});

test('a reader who leaves early ends the request, and the store stays of use', async () => {
  const { store } = await start();
  await store.put('film', randomBytes(30 * megabyte));
  for (let reader = 0; reader < 20; reader++) {
    const opened = await store.open('film');
    await once(opened!.stream, 'readable');
    opened!.stream.destroy();
  }
  assert.equal((await store.stat('film'))?.bytes, 30 * megabyte);
});

test('the bucket is made where it is missing', async () => {
  const { s3, store } = await start({ bucketExists: false });
  assert.ok(s3.requests.includes('PUT /reelay-media'));
  await store.put('file', Buffer.from('x'));
});

test('wrong keys, and a store that is not there, are told to the operator at start', async () => {
  const s3 = await startTestS3();
  closers.push(s3.close);
  await assert.rejects(connect(s3, { secretKey: 'another' }), /cannot be read.*403.*Check endpoint/);
  await assert.rejects(connect(s3, { accessKey: 'another' }), /cannot be read.*403/);
  await assert.rejects(connect(s3, { region: 'us-other-1' }), /cannot be read/);
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await assert.rejects(connect(s3, { endpoint: `http://127.0.0.1:${port}` }), /cannot be read/);
});
