/** What one durable write costs on the disk that carries the databases of the run. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { spreadOf, type Spread } from './rounds.ts';

/** A page of the database's log. */
const BYTES = 4096;
const WRITES = 200;

/** Milliseconds per write of one page and `fdatasync`, appended as the log of a database is. */
export function probeDisk(directory: string): Spread {
  const file = join(directory, 'probe');
  const descriptor = openSync(file, 'w');
  const page = Buffer.alloc(BYTES, 1);
  const times: number[] = [];
  try {
    for (let write = 0; write < WRITES; write++) {
      const startedAt = performance.now();
      writeSync(descriptor, page);
      fdatasyncSync(descriptor);
      times.push(performance.now() - startedAt);
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return spreadOf(times);
}
