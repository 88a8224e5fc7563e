import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { FileStream } from './file-stream.ts';

const film = randomBytes(1_000_003);
let directory: string;
let file: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-stream-'));
  file = join(directory, 'film');
  await writeFile(file, film);
});
after(() => rm(directory, { recursive: true, force: true }));

async function openFilm(start = 0, end = film.length): Promise<{ stream: FileStream; handle: FileHandle }> {
  const handle = await open(file);
  return { stream: new FileStream(handle, start, end), handle };
}

async function isClosed(handle: FileHandle): Promise<boolean> {
  return handle.stat().then(
    () => false,
    () => true,
  );
}

async function serve(handler: (response: import('node:http').ServerResponse) => void): Promise<Server> {
  const server = createServer((_request, response) => handler(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function ask(server: Server): Promise<IncomingMessage> {
  const [response] = await once(
    get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }),
    'response',
  );
  return response as IncomingMessage;
}

test('piped into a slow answer, every byte arrives once and in order, whole or in part', async () => {
  for (const [start, end] of [
    [0, film.length],
    [70_000, 200_001],
    [5, 6],
    [film.length, film.length],
  ] as const) {
    const { stream, handle } = await openFilm(start, end);
    const server = await serve((response) => stream.pipe(response));
    const response = await ask(server);
    const chunks: Buffer[] = [];
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(Buffer.concat(chunks).equals(film.subarray(start, end)), `${start} to ${end}`);
    if (!stream.closed) await once(stream, 'close');
    assert.ok(await isClosed(handle));
    server.close();
  }
});

test('read, iterated or led through a pipeline it is a stream like all others', async () => {
  assert.ok((await buffer((await openFilm()).stream)).equals(film));
  assert.ok((await buffer((await openFilm(10, 20)).stream)).equals(film.subarray(10, 20)));
  const through = new PassThrough();
  const [content] = await Promise.all([buffer(through), pipeline((await openFilm()).stream, through)]);
  assert.ok(content.equals(film));
  // Looked into first, then piped.
  const { stream } = await openFilm();
  await once(stream, 'readable');
  const rest = new PassThrough();
  stream.pipe(rest);
  assert.ok((await buffer(rest)).equals(film));
});

test('a caller who leaves, and a stream that is given up, close the file', async () => {
  const { stream, handle } = await openFilm();
  const server = await serve((response) => {
    response.once('close', () => stream.destroy());
    stream.pipe(response);
  });
  const response = await ask(server);
  response.destroy();
  if (!stream.closed) await once(stream, 'close');
  assert.ok(await isClosed(handle));
  server.close();

  const unread = await openFilm();
  unread.stream.destroy();
  await once(unread.stream, 'close');
  assert.ok(await isClosed(unread.handle));
});

test('an answer is broken off when the file cannot be read on', async () => {
  const { stream, handle } = await openFilm();
  await handle.close();
  const server = await serve((response) => {
    // What servers do when their source fails.
    stream.once('error', () => response.destroy());
    response.writeHead(200, { 'content-length': film.length });
    response.flushHeaders();
    stream.pipe(response);
  });
  const response = await ask(server);
  await assert.rejects(buffer(response));
  server.close();
});

test('a file that shrank meanwhile ends early, and one that cannot be read fails', async () => {
  const { stream } = await openFilm(0, film.length + 1_000);
  assert.equal((await buffer(stream)).length, film.length);
  const closed = await openFilm();
  await closed.handle.close();
  await assert.rejects(buffer(closed.stream));
});
