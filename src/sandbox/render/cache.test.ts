import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createRenderCache } from './cache.ts';

async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-cache-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const nameOf = (letter: string) => `${letter.repeat(64)}.mp4`;
const writing = (bytes: number) => (path: string) => writeFile(path, new Uint8Array(bytes));

test('makes a file once, also for those who ask while it is being made and after a restart', async (context) => {
  const directory = await temporaryDirectory(context);
  const cache = createRenderCache(directory, 1_000);
  let made = 0;
  const make = async (path: string) => {
    made += 1;
    await writing(10)(path);
  };
  const files = await Promise.all([1, 2, 3].map(() => cache.get(nameOf('a'), make)));
  await cache.get(nameOf('a'), make);
  await createRenderCache(directory, 1_000).get(nameOf('a'), make);
  assert.equal(made, 1);
  assert.deepEqual(files[2], { path: join(directory, nameOf('a')), bytes: 10 });
});

test('shares a failure with all who wait, remembers it for nobody, and leaves nothing behind', async (context) => {
  const directory = await temporaryDirectory(context);
  const cache = createRenderCache(directory, 1_000);
  const fail = async (path: string) => {
    await writing(5)(path);
    throw new Error('half way');
  };
  const outcomes = await Promise.allSettled([cache.get(nameOf('a'), fail), cache.get(nameOf('a'), fail)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(await readdir(directory), []);
  assert.equal((await cache.get(nameOf('a'), writing(7))).bytes, 7);
});

test('lets the least recently used files go when there are too many bytes, never the newest', async (context) => {
  const directory = await temporaryDirectory(context);
  const cache = createRenderCache(directory, 100);
  for (const [index, letter] of ['a', 'b'].entries()) {
    const { path } = await cache.get(nameOf(letter), writing(40));
    await utimes(path, 1_000 + index, 1_000 + index);
  }
  const reopened = createRenderCache(directory, 100);
  await reopened.get(nameOf('a'), writing(40));
  await reopened.get(nameOf('c'), writing(40));
  assert.deepEqual((await readdir(directory)).sort(), [nameOf('a'), nameOf('c')]);
  await reopened.get(nameOf('d'), writing(500));
  assert.deepEqual(await readdir(directory), [nameOf('d')]);
});

test('clears away what a killed process left half written, and touches no other file', async (context) => {
  const directory = await temporaryDirectory(context);
  const long = Date.now() / 1000 - 7_200;
  for (const name of ['old.part', 'notes.txt', 'fresh.part']) await writeFile(join(directory, name), 'x');
  for (const name of ['old.part', 'notes.txt']) await utimes(join(directory, name), long, long);
  await createRenderCache(directory, 1).get(nameOf('a'), writing(3));
  assert.deepEqual((await readdir(directory)).sort(), [nameOf('a'), 'fresh.part', 'notes.txt']);
});
