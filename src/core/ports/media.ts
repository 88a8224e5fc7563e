/** Stored bytes and background work. */
import type { Readable } from 'node:stream';
import type { JobRow } from './rows.ts';

/** Stored bytes by key. Keys are `/`-separated safe segments; a put is atomic and replaces. */
export interface MediaStore {
  put(
    key: string,
    source: Buffer | Readable,
    options?: { contentType?: string },
  ): Promise<{ bytes: number; sha256: string }>;
  /** `end` is inclusive; `bytes` is the whole file's size. Null when there is no such key. */
  open(
    key: string,
    range?: { start: number; end: number },
  ): Promise<{ stream: Readable; bytes: number } | null>;
  stat(key: string): Promise<{ bytes: number; modifiedAt: number } | null>;
  /** For tools that need a file; null for remote stores. */
  localPath(key: string): string | null;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modifiedAt: number }>;
}

/** Background work: at least once, retried with back-off, leased so that a dead worker's job comes back. */
export interface Jobs {
  work(
    queue: string,
    options: { concurrency: number; leaseMs: number; attemptsMax: number },
    handler: (job: JobRow, signal: AbortSignal) => Promise<void>,
  ): void;
  /** Stops claiming, waits for handlers in hand. */
  stop(): Promise<void>;
}
