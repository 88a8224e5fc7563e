/** First and last frames on their way into a film: kept inline pictures, and those behind a URL. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  readdirSync,
  utimesSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';
import type { GuardedHttp } from '../lib/guarded-http.ts';
import { sniff } from '../lib/sniff.ts';
import type { FrameSource } from '../providers/kit/simulator.ts';

export interface Pictures {
  /** Writes before it returns; the same bytes have the same id. */
  keep(bytes: Uint8Array): string;
  /** Null when the picture is gone or cannot be fetched: the film gets a drawn placeholder. */
  read(source: FrameSource): Promise<Uint8Array | null>;
}

/** As much as the upstreams take. */
const bytesMax = 10 * 1024 * 1024;
/** A render waits for this; most addresses that cannot be reached say so much sooner. */
const fetchTimeoutMs = 8000;
/** Longer than any simulated upstream keeps a task. */
const keptMs = 31 * 86_400_000;

/** Pictures live in `directory`, which is made when missing; old ones are removed when it is opened. */
export function openPictures(directory: string, http: GuardedHttp, clock: Clock): Pictures {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).mtimeMs < clock.now() - keptMs) rmSync(path, { force: true });
  }
  // Both variants of a film, and a film asked for again, fetch a URL once; what failed is tried again later. Few: each
  // may be as large as the largest picture, and stays until another takes its place.
  const fetched = new LRUCache<string, Promise<Uint8Array | null>>({ max: 8, ttl: 60_000 });

  async function fetchPicture(url: string): Promise<Uint8Array | null> {
    try {
      const { result } = await http.download({
        url,
        timeoutMs: fetchTimeoutMs,
        idleTimeoutMs: fetchTimeoutMs,
        bytesMax,
        to: async (body) => Buffer.concat(await body.toArray()),
      });
      return sniff(result)?.contentType.startsWith('image/') ? result : null;
    } catch {
      // Refused, unreachable, too slow, too large: all the same to a film.
      return null;
    }
  }

  return {
    keep(bytes) {
      const id = createHash('sha256').update(bytes).digest('hex');
      const path = join(directory, id);
      if (existsSync(path)) {
        utimesSync(path, clock.now() / 1000, clock.now() / 1000);
        return id;
      }
      writeFileSync(`${path}.part`, bytes);
      renameSync(`${path}.part`, path);
      return id;
    },
    async read(source) {
      if (source.kind === 'picture') return readFile(join(directory, source.pictureId)).catch(() => null);
      let pending = fetched.get(source.url);
      if (!pending) fetched.set(source.url, (pending = fetchPicture(source.url)));
      return pending;
    },
  };
}
