import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { MediaStore } from '../core/ports.ts';
import { FileStream } from './file-stream.ts';
import { assertMediaKey, assertMediaPrefix } from './keys.ts';

/** Only this account of the machine reads what callers made. */
const directoryMode = 0o700;
const fileMode = 0o600;

/** Under the root, hence in its file system: only there a rename is atomic. No key begins with a dot. */
const temporaryFolder = '.temporary';
/** Longer than any upload takes, so that a sweep at start never hits another node's put. */
const temporaryAgeMaxMs = 3_600_000;

/** A concurrent delete may remove the folder between its making and the rename. */
const placeTriesMax = 5;

/**
 * Keeps media as files under `root`, key for path. What a put has answered is on the disk (file and folder
 * entry are synced); a put that broke leaves nothing under its key, and its temporary file is swept at a
 * later start. A key cannot be both a file and the folder of another.
 */
export async function openLocalDisk(root: string): Promise<MediaStore> {
  const rootPath = resolve(root);
  const temporaryPath = join(rootPath, temporaryFolder);
  await mkdir(temporaryPath, { recursive: true, mode: directoryMode });
  await sweep(temporaryPath, Date.now() - temporaryAgeMaxMs);

  function pathOf(key: string): string {
    assertMediaKey(key);
    return join(rootPath, key);
  }

  return {
    async put(key, source) {
      const path = pathOf(key);
      const temporary = join(temporaryPath, randomUUID());
      try {
        const written = await writeSynced(temporary, source);
        await place(temporary, path);
        return written;
      } catch (error) {
        await unlink(temporary).catch(ignoreAbsent);
        throw error;
      } finally {
        if (source instanceof Readable) source.destroy();
      }
    },

    async open(key, range) {
      const path = pathOf(key);
      if (range && !(range.start >= 0 && range.end >= range.start)) {
        throw new RangeError(`no such range: ${range.start} to ${range.end}`);
      }
      const handle = await open(path, 'r').catch(ignoreAbsent);
      if (!handle) return null;
      const found = await handle.stat();
      if (!found.isFile()) {
        await handle.close();
        return null;
      }
      const end = Math.min(found.size, (range?.end ?? Infinity) + 1);
      return { stream: new FileStream(handle, range?.start ?? 0, end), bytes: found.size };
    },

    async stat(key) {
      const found = await stat(pathOf(key)).catch(ignoreAbsent);
      return found?.isFile() ? { bytes: found.size, modifiedAt: Math.floor(found.mtimeMs) } : null;
    },

    localPath: pathOf,

    async delete(key) {
      const path = pathOf(key);
      await unlink(path).catch(ignoreAbsent);
      for (let folder = dirname(path); folder !== rootPath; folder = dirname(folder)) {
        const removed = await rmdir(folder).then(
          () => true,
          () => false, // not empty, most often
        );
        if (!removed) break;
      }
    },

    list(prefix) {
      assertMediaPrefix(prefix);
      return walk(rootPath, '', prefix);
    },
  };
}

async function writeSynced(
  path: string,
  source: Buffer | Readable,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* tapped(): AsyncGenerator<Buffer> {
    for await (const chunk of source instanceof Readable ? (source as AsyncIterable<Buffer>) : [source]) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const handle = await open(path, 'wx', fileMode);
  try {
    await handle.writeFile(tapped());
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Moves a finished file to its path, making folders, and syncs every folder that changed. */
async function place(temporary: string, path: string): Promise<void> {
  const folder = dirname(path);
  for (let tries = 1; ; tries++) {
    const firstMade = await mkdir(folder, { recursive: true, mode: directoryMode });
    try {
      await rename(temporary, path);
    } catch (error) {
      if (isAbsent(error) && tries < placeTriesMax) continue;
      throw error;
    }
    const highest = firstMade === undefined ? folder : dirname(firstMade);
    for (let changed = folder; ; changed = dirname(changed)) {
      await syncFolder(changed);
      if (changed === highest) return;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  // Gone again already: a delete was faster, and nothing is left to be kept.
  const handle: FileHandle | undefined = await open(path, 'r').catch(ignoreAbsent);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}

/** All files below a folder whose key begins with the prefix, in byte order of their keys. */
async function* walk(
  folder: string,
  keyOfFolder: string,
  prefix: string,
): AsyncGenerator<{ key: string; bytes: number; modifiedAt: number }> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(ignoreAbsent)) ?? [];
  const children = entries
    .filter((entry) => !entry.name.startsWith('.'))
    // With its slash a folder sorts where its keys belong: "a-b" lies before "a/x".
    .map((entry) => ({
      isFolder: entry.isDirectory(),
      key: keyOfFolder + entry.name + (entry.isDirectory() ? '/' : ''),
    }))
    .sort((one, two) => (one.key < two.key ? -1 : 1));
  for (const { key, isFolder } of children) {
    const path = join(folder, key.slice(keyOfFolder.length));
    if (isFolder) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(path, key, prefix);
      continue;
    }
    const found = key.startsWith(prefix) ? await stat(path).catch(ignoreAbsent) : undefined;
    if (found?.isFile()) yield { key, bytes: found.size, modifiedAt: Math.floor(found.mtimeMs) };
  }
}

async function sweep(folder: string, olderThanMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(ignoreAbsent);
    if (found && found.mtimeMs < olderThanMs) await unlink(path).catch(ignoreAbsent);
  }
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What is not there is no error; everything else is. */
function ignoreAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
