/** A copy of a database that somebody else may be writing to at the same time. */
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { openForReading } from './connection.ts';

/** How often it is looked how far the copy is. */
const LOOK_EVERY_MS = 200;

/**
 * Copies the database of this moment into a new file that nobody else may read, without holding up readers or writers.
 * `onProgress` is told bytes written and about how many there will be. The copy is on the disk when this resolves.
 */
export async function copyDatabase(
  file: string,
  target: string,
  onProgress: (written: number, total: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const total = sizeOf(file);
  // Empty, and ours from the first byte on; SQLite fills it.
  closeSync(openSync(target, 'wx', 0o600));
  const worker = new Worker(new URL('./copier.ts', import.meta.url), { workerData: { file, target } });
  const timer = setInterval(() => onProgress(Math.min(total, statSync(target).size), total), LOOK_EVERY_MS); // lint-allow: watches a file, tells nobody the time
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the copying thread ended early')));
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
  const copy = openSync(target, 'r');
  fsyncSync(copy);
  closeSync(copy);
  onProgress(total, total);
}

/** Pages in use; what was deleted is not copied. */
function sizeOf(file: string): number {
  const connection = openForReading(file);
  try {
    const numberOf = (pragma: string): number =>
      Number(Object.values(connection.prepare(`pragma ${pragma}`).get()!)[0]);
    return (numberOf('page_count') - numberOf('freelist_count')) * numberOf('page_size');
  } finally {
    connection.close();
  }
}
