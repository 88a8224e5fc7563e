import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { loadConfig, type Config } from '../config.ts';
import type { MediaStore } from '../core/ports.ts';
import { createTestClock } from '../lib/clock.ts';
import { readTar, tarEnd, tarHeader, tarPadding } from '../lib/tar.ts';
import { openLocalDisk } from '../media/local-disk.ts';
import { sqliteEngine } from '../store/engine.ts';
import { migrate } from '../store/migrate.ts';
import { migrations } from '../store/migrations/index.ts';
import { createExecutor } from '../store/sqlite/executor.ts';
import { writeBackup } from './backup.ts';
import { UpkeepError } from './format.ts';
import { restoreBackup } from './restore.ts';

const root = mkdtempSync(join(tmpdir(), 'reelay-upkeep-'));
after(() => rmSync(root, { recursive: true, force: true }));
const clock = createTestClock(1_800_000_000_000);
let folders = 0;

/** An installation as a version left it that knew only the first four migrations. */
function olderInstallation(): Config {
  const dataDir = join(root, `data-${++folders}`);
  mkdirSync(dataDir);
  const database = new DatabaseSync(join(dataDir, 'reelay.sqlite'));
  const later = migrations.splice(4);
  try {
    createExecutor(database)(migrate(sqliteEngine, 1));
  } finally {
    migrations.push(...later);
  }
  database.exec("insert into accounts (id, name, status, created_at) values ('acct_1', 'one', 'active', 1)");
  database.close();
  return loadConfig({ REELAY_DATA: dataDir }, root);
}

function emptyTarget(): Config {
  return loadConfig({ REELAY_DATA: join(root, `data-${++folders}`) }, root);
}

async function backUp(config: Config, media: MediaStore): Promise<{ path: string; gone: number }> {
  const path = join(root, `backup-${++folders}.tar`);
  const report = await writeBackup({
    config,
    media,
    clock,
    path,
    withMedia: true,
    passphrase: null,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  return { path, gone: report.mediaGone };
}

function restore(config: Config, path: string, media?: MediaStore) {
  return restoreBackup({
    config,
    openMedia: async () => media ?? openLocalDisk(join(config.dataDir, 'media')),
    clock,
    path,
    passphrase: null,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
}

test('a backup of an older version is restored at this one’s schema', async () => {
  const config = olderInstallation();
  const { path } = await backUp(config, await openLocalDisk(join(config.dataDir, 'media')));
  const target = emptyTarget();
  const report = await restore(target, path);
  assert.deepEqual([report.accounts, report.ledger.ok, report.missingKeys], [1, true, []]);
  const restored = new DatabaseSync(join(target.dataDir, 'reelay.sqlite'), { readOnly: true });
  assert.equal(
    restored.prepare('select count(*) as number from migrations').get()?.number,
    migrations.length,
  );
  restored.close();
});

test('media come back byte by byte, whatever their size and name; what is deleted meanwhile is counted', async () => {
  const config = olderInstallation();
  const disk = await openLocalDisk(join(config.dataDir, 'media'));
  const long = `files/${'a'.repeat(150)}/${'b'.repeat(150)}.png`;
  const contents = new Map([
    ['empty', Buffer.alloc(0)],
    ['outputs/film.mp4', randomBytes(3 * 1024 * 1024 + 7)],
    [long, randomBytes(512)],
  ]);
  for (const [key, bytes] of contents) await disk.put(key, bytes);
  await disk.put('outputs/gone.mp4', Buffer.from('x'));
  const media: MediaStore = {
    ...disk,
    async open(key, range) {
      if (key === 'outputs/gone.mp4') await disk.delete(key);
      return disk.open(key, range);
    },
  };
  const { path, gone } = await backUp(config, media);
  assert.equal(gone, 1);
  const target = emptyTarget();
  const report = await restore(target, path);
  assert.equal(report.mediaFiles, contents.size);
  for (const [key, bytes] of contents) {
    assert.deepEqual(readFileSync(join(target.dataDir, 'media', key)), bytes);
  }
});

test('a disk that fails while media are written leaves the directory empty', async () => {
  const config = olderInstallation();
  const disk = await openLocalDisk(join(config.dataDir, 'media'));
  await disk.put('outputs/film.mp4', randomBytes(1_000));
  const { path } = await backUp(config, disk);
  const target = emptyTarget();
  const full: MediaStore = {
    ...disk,
    put: () =>
      Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
  };
  await assert.rejects(restore(target, path, full), /no space left/);
  assert.deepEqual(
    readdirSync(target.dataDir).filter((name) => !name.startsWith('reelay.lock')),
    [],
  );
});

test('a backup of a newer version is refused with what to do', async () => {
  const config = olderInstallation();
  const { path } = await backUp(config, await openLocalDisk(join(config.dataDir, 'media')));
  const newer = join(root, 'newer.tar');
  const parts: Buffer[] = [];
  for await (const { name, body } of readTar(onePiece(readFileSync(path)))) {
    let bytes = Buffer.concat(await Array.fromAsync(body));
    if (name === 'reelay-backup.json') {
      bytes = Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), format: 2, version: '9.0.0' }));
    }
    parts.push(tarHeader(name, bytes.length, 0), bytes, tarPadding(bytes.length));
  }
  writeFileSync(newer, Buffer.concat([...parts, tarEnd()]));
  await assert.rejects(
    restore(emptyTarget(), newer),
    (error) => error instanceof UpkeepError && /newer version of Reelay \(9\.0\.0\)/.test(error.message),
  );
});

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
