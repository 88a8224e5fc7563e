/** Writes an archive to a private file that appears under its name only when it is whole. */
import { createHash } from 'node:crypto';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { tarEnd, tarHeader, tarPadding } from '../lib/tar.ts';
import { UpkeepError, type BackupManifest } from './format.ts';

export interface ArchiveWriter {
  /** Adds a file of exactly so many bytes. Throws when the source has more or fewer. */
  add(name: string, bytes: number, source: AsyncIterable<Buffer>): Promise<void>;
  addText(name: string, text: string): Promise<void>;
  /** What was added so far. */
  entries: BackupManifest['entries'];
  /** Bytes written so far. */
  written(): number;
  /** Ends the archive: on the disk, under its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

export async function openArchive(path: string, now: number): Promise<ArchiveWriter> {
  const partial = `${path}.partial`;
  await refuseExisting(path);
  const file = await open(partial, 'w', 0o600);
  const entries: BackupManifest['entries'] = [];
  let written = 0;

  async function write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
    written += bytes.length;
  }

  async function add(name: string, bytes: number, source: AsyncIterable<Buffer>): Promise<void> {
    await write(tarHeader(name, bytes, now));
    const hash = createHash('sha256');
    let found = 0;
    for await (const chunk of source) {
      found += chunk.length;
      if (found > bytes) break;
      hash.update(chunk);
      await write(chunk);
    }
    if (found !== bytes) throw new Error(`${name} changed while it was read`);
    await write(tarPadding(bytes));
    entries.push({ name, bytes, sha256: hash.digest('hex') });
  }

  return {
    add,
    async addText(name, text) {
      const bytes = Buffer.from(text);
      await add(name, bytes.length, onePiece(bytes));
    },
    entries,
    written: () => written,
    async finish() {
      await write(tarEnd());
      await file.sync();
      await file.close();
      await rename(partial, path);
      await syncFolder(dirname(path));
    },
    async abandon() {
      await file.close().catch(() => {});
      await unlink(partial).catch(() => {});
    },
  };
}

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function refuseExisting(path: string): Promise<void> {
  let existing: FileHandle;
  try {
    existing = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await existing.close();
  throw new UpkeepError(`${path} exists already: choose another name, or move it away.`);
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
