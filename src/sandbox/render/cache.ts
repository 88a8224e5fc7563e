/** Rendered files on disk: made once, shared by all who ask, the least recently used go first. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { RenderedFile } from './jobs.ts';

export interface RenderCache {
  /**
   * Gives the file named `name`, calling `make` to write it when it is not there. Callers who ask for the
   * same name at the same time share one `make` and its failure; a failure is not remembered.
   */
  get(name: string, make: (path: string) => Promise<void>): Promise<RenderedFile>;
}

interface Entry {
  bytes: number;
  usedAt: number;
}

/** Left behind by a process that was killed while writing; nobody renders for an hour. */
const abandonedAfterMs = 3_600_000;
const temporaryEnding = '.part';
const namePattern = /^[0-9a-f]{64}\.[a-z0-9]+$/;

/** Opens (and makes, when missing) the cache in `directory`; its files may outlive the process. */
export function createRenderCache(directory: string, bytesMax: number): RenderCache {
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Promise<RenderedFile>>();
  let opened: Promise<void> | null = null;
  let bytesTotal = 0;

  const open = async () => {
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) continue;
      if (namePattern.test(name)) {
        entries.set(name, { bytes: found.size, usedAt: found.mtimeMs });
        bytesTotal += found.size;
      } else if (name.endsWith(temporaryEnding) && Date.now() - found.mtimeMs > abandonedAfterMs) {
        await rm(path, { force: true });
      }
    }
  };

  const forget = (name: string) => {
    bytesTotal -= entries.get(name)?.bytes ?? 0;
    entries.delete(name);
  };

  const evict = async (kept: string) => {
    const oldestFirst = Array.from(entries).sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [name] of oldestFirst) {
      if (bytesTotal <= bytesMax) return;
      // What was just made is handed out next, however large; and a file being asked for is in use.
      if (name === kept || pending.has(name)) continue;
      forget(name);
      await rm(join(directory, name), { force: true });
    }
  };

  const findOrMake = async (name: string, make: (path: string) => Promise<void>): Promise<RenderedFile> => {
    await (opened ??= open());
    const path = join(directory, name);
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) {
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      forget(name);
      entries.set(name, { bytes: found.size, usedAt: now.getTime() });
      bytesTotal += found.size;
      return { path, bytes: found.size };
    }
    forget(name);
    const temporary = join(directory, `${randomUUID()}${temporaryEnding}`);
    try {
      await make(temporary);
      const { size } = await stat(temporary);
      await rename(temporary, path);
      entries.set(name, { bytes: size, usedAt: Date.now() });
      bytesTotal += size;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await evict(name);
    return { path, bytes: entries.get(name)!.bytes };
  };

  return {
    get(name, make) {
      const shared = pending.get(name);
      if (shared) return shared;
      const made = findOrMake(name, make).finally(() => pending.delete(name));
      pending.set(name, made);
      return made;
    },
  };
}
