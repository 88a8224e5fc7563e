import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTar, tarEnd, TarError, tarHeader, tarPadding } from './tar.ts';

const longName = `media/${'a'.repeat(120)}/${'电影'.repeat(30)}.mp4`;
const files: [name: string, body: Buffer][] = [
  ['manifest.json', Buffer.from('{}')],
  ['empty', Buffer.alloc(0)],
  [longName, Buffer.from('film')],
  ['media/exactly-a-block', Buffer.alloc(512, 1)],
  ['media/large', Buffer.alloc(100_000, 2)],
];

function archive(): Buffer {
  return Buffer.concat([
    ...files.flatMap(([name, body]) => [
      tarHeader(name, body.length, 1_800_000_000_000),
      body,
      tarPadding(body.length),
    ]),
    tarEnd(),
  ]);
}

/** The archive in pieces of a size that fits nothing. */
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(bytes: Buffer, size = 777): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for await (const { name, body } of readTar(pieces(bytes, size))) {
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    found.push([name, Buffer.concat(parts)]);
  }
  return found;
}

test('what was written is read back, however it arrives', async () => {
  for (const size of [1, 511, 513, 1_000_000]) assert.deepEqual(await readAll(archive(), size), files);
});

test('entries that nobody reads are passed over', async () => {
  const names: string[] = [];
  for await (const { name } of readTar(pieces(archive(), 333))) names.push(name);
  assert.deepEqual(
    names,
    files.map(([name]) => name),
  );
});

test('the system’s own tar reads it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-tar-'));
  try {
    writeFileSync(join(directory, 'a.tar'), archive());
    execFileSync('tar', ['-xf', 'a.tar'], { cwd: directory });
    for (const [name, body] of files) assert.deepEqual(readFileSync(join(directory, name)), body);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a size above eight gibibytes is written and read', async () => {
  const bytes = 12 * 2 ** 30 + 5;
  const { value: entry } = await readTar(pieces(tarHeader('large', bytes, 0), 512)).next();
  assert.deepEqual([entry?.name, entry?.bytes], ['large', bytes]);
});

test('what is no archive, damaged or cut off is refused', async () => {
  await assert.rejects(readAll(Buffer.alloc(600, 7)), TarError);
  const damaged = archive();
  damaged[3]! ^= 1;
  await assert.rejects(readAll(damaged), TarError);
  for (const end of [0, 100, 512, 1024, 3000, archive().length - 1024]) {
    await assert.rejects(readAll(archive().subarray(0, end)), TarError, `cut at ${end}`);
  }
});
