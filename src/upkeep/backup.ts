/**
 * One file with everything that a restore needs, made while the gateway runs: the database of a single moment, then the
 * media. Media never change under their key and come before the row that names them, so what the database names is
 * there, unless it was deleted in between.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from '../config.ts';
import type { Clock, LedgerVerdict, MediaStore } from '../core/ports.ts';
import { ADMIN_TOKEN_FILE, OLD_SECRETS_FILE, SECRET_FILE } from '../secrets.ts';
import { migrations } from '../store/migrations/index.ts';
import { copyDatabase } from '../store/sqlite/copy.ts';
import { openForReading } from '../store/sqlite/connection.ts';
import { DATABASE_FILE, verifyInThread } from '../store/sqlite/open.ts';
import { VERSION } from '../version.ts';
import { openArchive, type ArchiveWriter } from './archive-writer.ts';
import {
  DATABASE_ENTRY,
  FORMAT,
  HEADER_ENTRY,
  MANIFEST_ENTRY,
  MEDIA_PREFIX,
  SECRETS_ENTRY,
  UpkeepError,
  type BackupHeader,
  type OnProgress,
} from './format.ts';
import { PASSPHRASE_LENGTH_MIN, sealSecrets, type SecretFiles } from './secrets-envelope.ts';

export const FIRST_RUN_FILE = 'first-run.json';

export interface BackupOptions {
  config: Config;
  media: MediaStore;
  clock: Clock;
  /** Where to; nothing may be there yet. */
  path: string;
  withMedia: boolean;
  /** Seals the root keys and the admin token into the backup; null: they are not in it. */
  passphrase: string | null;
  onProgress: OnProgress;
  /** Ends it early; then there is no file. */
  signal: AbortSignal;
}

export interface BackupReport {
  path: string;
  bytes: number;
  mediaFiles: number;
  /** Deleted while the backup was made. */
  mediaGone: number;
  rootKeys: string[];
  hasSecrets: boolean;
  /** Null: an older version still uses the database; its ledger is verified when the backup is restored. */
  ledger: LedgerVerdict | null;
}

/** Throws UpkeepError for what an operator can mend; then there is no file. */
export async function writeBackup(options: BackupOptions): Promise<BackupReport> {
  const { config, clock, passphrase, onProgress } = options;
  if (passphrase !== null && passphrase.length < PASSPHRASE_LENGTH_MIN) {
    throw new UpkeepError(`The passphrase must have at least ${PASSPHRASE_LENGTH_MIN} characters.`);
  }
  const path = resolve(options.path);
  const file = join(config.dataDir, DATABASE_FILE);
  if (config.databaseUrl === null && !existsSync(file)) {
    throw new UpkeepError(
      `There is no database in ${config.dataDir}: is REELAY_DATA the gateway's directory?`,
    );
  }
  const archive = await openArchive(path, clock.now());
  // Beside the target, where there must be room for it anyway.
  const folder = await mkdtemp(join(dirname(path), '.reelay-backup-'));
  try {
    const copy = join(folder, DATABASE_FILE);
    if (config.databaseUrl === null) {
      const show = (done: number, total: number): void => onProgress('database', done, total);
      await copyDatabase(file, copy, show, options.signal);
    } else {
      const { exportPostgres } = await import('../store/export.ts');
      const isDone = await exportPostgres({
        url: config.databaseUrl,
        target: copy,
        now: clock.now(),
        onProgress(table) {
          options.signal.throwIfAborted();
          onProgress(table, 0, null);
        },
      });
      if (!isDone) {
        throw new UpkeepError(
          'The database is not of this version of Reelay: back it up with the version that its nodes run.',
        );
      }
    }
    options.signal.throwIfAborted();
    onProgress('ledger', 0, null);
    const ledger = isOfThisVersion(copy) ? await verifyInThread(copy) : null;
    options.signal.throwIfAborted();
    const rootKeys = rootKeysOf(copy);
    const header: BackupHeader = {
      format: FORMAT,
      version: VERSION,
      created_at: new Date(clock.now()).toISOString(),
      root_keys: rootKeys,
      has_media: options.withMedia,
      has_secrets: passphrase !== null,
    };
    await archive.addText(HEADER_ENTRY, JSON.stringify(header));
    await archive.add(DATABASE_ENTRY, statSync(copy).size, createReadStream(copy));
    const media = options.withMedia ? await addMedia(archive, options) : { files: 0, gone: 0 };
    if (passphrase !== null) {
      await archive.addText(SECRETS_ENTRY, sealSecrets(secretFilesOf(config), passphrase));
    }
    await archive.addText(MANIFEST_ENTRY, JSON.stringify({ entries: archive.entries }));
    await archive.finish();
    return {
      path,
      bytes: archive.written(),
      mediaFiles: media.files,
      mediaGone: media.gone,
      rootKeys,
      hasSecrets: passphrase !== null,
      ledger,
    };
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function addMedia(
  archive: ArchiveWriter,
  { media, onProgress, signal }: Pick<BackupOptions, 'media' | 'onProgress' | 'signal'>,
): Promise<{ files: number; gone: number }> {
  let files = 0;
  let gone = 0;
  let bytes = 0;
  for await (const { key } of media.list('')) {
    signal.throwIfAborted();
    const found = await media.open(key);
    if (found === null) {
      gone++;
      continue;
    }
    await archive.add(`${MEDIA_PREFIX}${key}`, found.bytes, found.stream as Readable & AsyncIterable<Buffer>);
    files++;
    bytes += found.bytes;
    onProgress('media', bytes, null);
  }
  return { files, gone };
}

/** The root keys as this configuration has them, as the files that would keep them. */
function secretFilesOf(config: Config): SecretFiles {
  const files: SecretFiles = {};
  for (const name of [SECRET_FILE, OLD_SECRETS_FILE, ADMIN_TOKEN_FILE, FIRST_RUN_FILE]) {
    const path = join(config.dataDir, name);
    if (existsSync(path)) files[name] = readFileSync(path, 'utf8');
  }
  const given = [...(config.secret === null ? [] : [config.secret]), ...config.secretsAlso];
  if (given.length === 0) return files;
  const older = [files[SECRET_FILE], files[OLD_SECRETS_FILE]].flatMap(
    (text) => text?.trim().split('\n') ?? [],
  );
  const [current, ...others] = [...new Set([...given, ...older])];
  files[SECRET_FILE] = `${current}\n`;
  if (others.length > 0) files[OLD_SECRETS_FILE] = `${others.join('\n')}\n`;
  return files;
}

/** Before an upgrade the new program backs up what the old one still uses. */
function isOfThisVersion(file: string): boolean {
  const connection = openForReading(file);
  try {
    const names = connection.prepare('select name from migrations order by name').all();
    return names.map(({ name }) => name).join() === migrations.map(({ name }) => name).join();
  } finally {
    connection.close();
  }
}

function rootKeysOf(file: string): string[] {
  const connection = openForReading(file);
  try {
    // A database that an older version still uses has no such table.
    const isThere = connection.prepare("select 1 from sqlite_schema where name = 'root_keys'").get();
    if (isThere === undefined) return [];
    return connection
      .prepare('select id from root_keys where retired_at is null order by first_used_at')
      .all()
      .map((row) => String(row.id));
  } finally {
    connection.close();
  }
}
