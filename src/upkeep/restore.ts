/**
 * Puts a backup into an empty data directory: everything is checked before the database takes its place, which is the
 * last step. What breaks off leaves a mark; the next restore clears away what it had brought, and no gateway starts on
 * it meanwhile.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../config.ts';
import type { Clock, LedgerVerdict, MediaStore } from '../core/ports.ts';
import type { TaskState } from '../core/task.ts';
import { writePrivateFile } from '../lib/private-file.ts';
import { deriveKey } from '../lib/seal.ts';
import { readTar, TarError, type TarEntry } from '../lib/tar.ts';
import { ADMIN_TOKEN_FILE, OLD_SECRETS_FILE, SECRET_FILE } from '../secrets.ts';
import { openStore } from '../store/index.ts';
import { lockDirectory } from '../store/sqlite/lock.ts';
import { DATABASE_FILE, LOCK_FILE, RESTORING_FOLDER } from '../store/sqlite/open.ts';
import { syncFolder } from './archive-writer.ts';
import { FIRST_RUN_FILE } from './backup.ts';
import {
  DATABASE_ENTRY,
  FORMAT,
  HEADER_ENTRY,
  headerSchema,
  MANIFEST_ENTRY,
  manifestSchema,
  MEDIA_PREFIX,
  SECRETS_ENTRY,
  SMALL_ENTRY_MAX,
  UpkeepError,
  type BackupHeader,
  type BackupManifest,
  type OnProgress,
} from './format.ts';
import { openSecrets, type SecretFiles } from './secrets-envelope.ts';

const MEDIA_FOLDER = 'media';
/** How many waiting tasks are put in doubt in one transaction. */
const DOUBTS_MAX = 500;

export interface RestoreOptions {
  config: Config;
  /** Opens where media go; asked only after the directory was found empty. */
  openMedia(): Promise<MediaStore>;
  clock: Clock;
  path: string;
  /** Opens the secrets in the backup; null: they stay closed. */
  passphrase: string | null;
  onProgress: OnProgress;
  /** Ends it early; then the directory is as empty as before. */
  signal: AbortSignal;
}

export interface RestoreReport {
  header: BackupHeader;
  mediaFiles: number;
  mediaBytes: number;
  accounts: number;
  /** Tasks that are not final. */
  tasks: Partial<Record<TaskState, number>>;
  /** Waiting tasks that are looked up at their upstream before they are sent. */
  doubted: number;
  ledger: LedgerVerdict;
  secrets: 'none' | 'restored' | 'closed';
  /** Root keys that something is sealed with and that are not at hand. */
  missingKeys: { keyId: string; number: number }[];
}

/** Throws UpkeepError for what an operator can mend; then the directory is as empty as before. */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { dataDir } = options.config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDirectory(join(dataDir, LOCK_FILE), dataDir);
  try {
    await prepareDirectory(dataDir);
    try {
      return await restoreInto(dataDir, options);
    } catch (error) {
      await clear(dataDir);
      if (error instanceof TarError) {
        throw new UpkeepError(`${options.path} is no backup of Reelay, or a damaged one: ${error.message}.`, {
          cause: error,
        });
      }
      throw error;
    }
  } finally {
    unlock();
  }
}

/** Refuses a directory that holds anything but what a restore that broke off has left. */
async function prepareDirectory(dataDir: string): Promise<void> {
  const names = new Set(await readdir(dataDir));
  if (names.has(RESTORING_FOLDER)) await clear(dataDir);
  else {
    // The lock is ours; a file system of its own brings the other.
    for (const name of [LOCK_FILE, `${LOCK_FILE}-journal`, 'lost+found']) names.delete(name);
    if (names.size > 0) {
      throw new UpkeepError(
        `${dataDir} is not empty (${[...names].sort().slice(0, 3).join(', ')}): restore into a directory of its own ` +
          '(REELAY_DATA), or move what is there away.',
      );
    }
  }
  await mkdir(join(dataDir, RESTORING_FOLDER), { mode: 0o700 });
  await syncFolder(dataDir);
}

/** Removes what a restore brings, the mark last. */
async function clear(dataDir: string): Promise<void> {
  for (const name of [
    DATABASE_FILE,
    MEDIA_FOLDER,
    SECRET_FILE,
    OLD_SECRETS_FILE,
    ADMIN_TOKEN_FILE,
    FIRST_RUN_FILE,
    RESTORING_FOLDER,
  ]) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

async function restoreInto(dataDir: string, options: RestoreOptions): Promise<RestoreReport> {
  const { clock, passphrase, onProgress } = options;
  const folder = join(dataDir, RESTORING_FOLDER);
  const unpacked = await unpack(folder, options);

  let secrets: SecretFiles | null = null;
  if (unpacked.secrets !== null && passphrase !== null) secrets = openSecrets(unpacked.secrets, passphrase);

  onProgress('ledger', 0, null);
  const store = await openStore({ directory: folder, clock }).catch((error: Error) => {
    // Checked to the last byte, so it is sound: a newer version made it, and says so.
    throw new UpkeepError(error.message, { cause: error });
  });
  let report: RestoreReport;
  try {
    const ledger = await store.verifyLedger();
    let doubted = 0;
    for (let after: string | null = ''; after !== null;) {
      const step: { doubted: number; next: string | null } = await store.doubtWaiting({
        after,
        limit: DOUBTS_MAX,
        owner: 'restore',
        at: clock.now(),
      });
      doubted += step.doubted;
      after = step.next;
    }
    const atHand = keysAtHand(options.config, secrets);
    report = {
      header: unpacked.header,
      mediaFiles: unpacked.mediaFiles,
      mediaBytes: unpacked.mediaBytes,
      accounts: await countAccounts(store),
      tasks: await store.taskCounts(),
      doubted,
      ledger,
      secrets: unpacked.secrets === null ? 'none' : secrets === null ? 'closed' : 'restored',
      missingKeys: (await store.sealed.counts()).filter(({ keyId }) => !atHand.has(keyId)),
    };
  } finally {
    await store.close();
  }

  for (const name of [SECRET_FILE, OLD_SECRETS_FILE, ADMIN_TOKEN_FILE, FIRST_RUN_FILE]) {
    const text = secrets?.[name];
    if (text !== undefined) writePrivateFile(join(dataDir, name), text);
  }
  await rename(join(folder, DATABASE_FILE), join(dataDir, DATABASE_FILE));
  await rm(folder, { recursive: true });
  await syncFolder(dataDir);
  return report;
}

interface Unpacked {
  header: BackupHeader;
  secrets: string | null;
  mediaFiles: number;
  mediaBytes: number;
}

async function unpack(folder: string, options: RestoreOptions): Promise<Unpacked> {
  const { onProgress } = options;
  const path = resolve(options.path);
  const total = await sizeOf(path);
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  let media: MediaStore | null = null;
  let header: BackupHeader | null = null;
  let secrets: string | null = null;
  let manifest: BackupManifest | null = null;
  const entries: BackupManifest['entries'] = [];
  const found = { mediaFiles: 0, mediaBytes: 0 };

  for await (const entry of readTar(source)) {
    options.signal.throwIfAborted();
    const { name, bytes } = entry;
    if (manifest !== null) throw new TarError('something follows its manifest');
    if (header === null && name !== HEADER_ENTRY) throw new TarError('it does not begin with its header');
    let sha256: string;
    if (name === MANIFEST_ENTRY) {
      manifest = readManifest((await readText(entry)).text);
      continue;
    } else if (name === HEADER_ENTRY) {
      const read = await readText(entry);
      header = readHeader(read.text);
      ({ sha256 } = read);
    } else if (name === SECRETS_ENTRY) {
      const read = await readText(entry);
      secrets = read.text;
      ({ sha256 } = read);
    } else if (name === DATABASE_ENTRY) {
      sha256 = await writeDatabase(join(folder, DATABASE_FILE), entry);
    } else if (name.startsWith(MEDIA_PREFIX)) {
      media ??= await options.openMedia();
      const put = await media.put(
        name.slice(MEDIA_PREFIX.length),
        Readable.from(entry.body, { objectMode: false }),
      );
      if (put.bytes !== bytes) throw new TarError(`${name} is cut off`);
      ({ sha256 } = put);
      found.mediaFiles++;
      found.mediaBytes += bytes;
    } else {
      throw new TarError(`nobody knows what ${name} is for`);
    }
    entries.push({ name, bytes, sha256 });
    onProgress('files', source.bytesRead, total);
  }
  if (header === null) throw new TarError('it is empty');
  assertWhole(entries, manifest);
  return { header, secrets, ...found };
}

/** Every file of the manifest is there, each as it was. */
function assertWhole(entries: BackupManifest['entries'], manifest: BackupManifest | null): void {
  if (manifest === null) throw new TarError('its manifest is missing, so it was cut off');
  const found = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { name, bytes, sha256 } of manifest.entries) {
    const entry = found.get(name);
    if (entry === undefined) throw new TarError(`${name} is missing`);
    if (entry.bytes !== bytes || entry.sha256 !== sha256)
      throw new TarError(`${name} is not as it was written`);
  }
  if (manifest.entries.length !== entries.length) throw new TarError('it holds more than its manifest names');
  if (!found.has(DATABASE_ENTRY)) throw new TarError('the database is missing');
}

function readHeader(text: string): BackupHeader {
  const parsed = headerSchema.safeParse(parse(text));
  if (!parsed.success) throw new TarError('its header cannot be read');
  if (parsed.data.format <= FORMAT) return parsed.data;
  throw new UpkeepError(
    `The backup was made by a newer version of Reelay (${parsed.data.version}): use that one.`,
  );
}

function readManifest(text: string): BackupManifest {
  const parsed = manifestSchema.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  throw new TarError('its manifest cannot be read');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TarError('one of its texts cannot be read', { cause });
  }
}

async function readText({ name, bytes, body }: TarEntry): Promise<{ text: string; sha256: string }> {
  if (bytes > SMALL_ENTRY_MAX) throw new TarError(`${name} is too large`);
  const whole = Buffer.concat(await Array.fromAsync(body));
  return { text: whole.toString('utf8'), sha256: createHash('sha256').update(whole).digest('hex') };
}

async function writeDatabase(path: string, { body }: TarEntry): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new UpkeepError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function countAccounts(store: Awaited<ReturnType<typeof openStore>>): Promise<number> {
  let number = 0;
  for (let cursor: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof store.listAccounts>> = await store.listAccounts({
      cursor,
      limit: 1_000,
    });
    number += page.rows.length;
    cursor = page.nextCursor;
    if (cursor === null) return number;
  }
}

/** Names of the root keys that a start would have. */
function keysAtHand(config: Config, secrets: SecretFiles | null): Set<string> {
  const inFiles = [secrets?.[SECRET_FILE], secrets?.[OLD_SECRETS_FILE]].flatMap(
    (text) => text?.trim().split('\n') ?? [],
  );
  const given = [...(config.secret === null ? [] : [config.secret]), ...config.secretsAlso];
  return new Set([...given, ...inFiles].map((root) => deriveKey(root, 'seal').id));
}
