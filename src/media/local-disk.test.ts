import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { testMediaStore } from './contract.ts';
import { openLocalDisk } from './local-disk.ts';

async function scratch(): Promise<{ root: string; dispose: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'reelay-media-'));
  return { root, dispose: () => rm(root, { recursive: true, force: true }) };
}

testMediaStore('local disk', async () => {
  const { root, dispose } = await scratch();
  return { store: await openLocalDisk(join(root, 'media')), dispose };
});

test('files and folders are for their owner only, and a file is where localPath says', async () => {
  const { root, dispose } = await scratch();
  const store = await openLocalDisk(join(root, 'media'));
  await store.put('tasks/one/video.mp4', Buffer.from('film'));
  const path = store.localPath('tasks/one/video.mp4') ?? '';
  assert.equal(path, join(root, 'media/tasks/one/video.mp4'));
  assert.equal(await readFile(path, 'utf8'), 'film');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  for (const folder of ['media', 'media/tasks', 'media/tasks/one']) {
    assert.equal((await stat(join(root, folder))).mode & 0o777, 0o700, folder);
  }
  await dispose();
});

test('the last file takes its empty folders with it', async () => {
  const { root, dispose } = await scratch();
  const store = await openLocalDisk(root);
  await store.put('tasks/one/video.mp4', Buffer.from('film'));
  await store.put('tasks/two/video.mp4', Buffer.from('film'));
  await store.delete('tasks/one/video.mp4');
  assert.deepEqual(await readdir(join(root, 'tasks')), ['two']);
  await store.delete('tasks/two/video.mp4');
  assert.deepEqual((await readdir(root)).filter((name) => !name.startsWith('.')), []); // prettier-ignore
  await dispose();
});

test('temporary files left by a crash are swept once they are old, and never listed', async () => {
  const { root, dispose } = await scratch();
  await openLocalDisk(root);
  const folder = join(root, '.temporary');
  await writeFile(join(folder, 'old'), 'x');
  await writeFile(join(folder, 'young'), 'x');
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  await utimes(join(folder, 'old'), twoHoursAgo, twoHoursAgo);
  const store = await openLocalDisk(root);
  assert.deepEqual(await readdir(folder), ['young']);
  assert.deepEqual(await Array.fromAsync(store.list('')), []);
  await dispose();
});

test('a failed put leaves no temporary file and ends its source', async () => {
  const { root, dispose } = await scratch();
  const store = await openLocalDisk(root);
  await store.put('file', Buffer.from('x'));
  const source = new PassThrough();
  source.end('y');
  await assert.rejects(store.put('file/below', source));
  assert.equal(source.destroyed, true);
  assert.deepEqual(await readdir(join(root, '.temporary')), []);
  await dispose();
});
