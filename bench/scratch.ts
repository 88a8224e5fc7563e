import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A directory for the databases of a run, gone at its end. It lies beside the code, not in the system's temporary
 * directory: that is often kept in memory, where a sync costs nothing.
 */
export function makeScratch(): string {
  const parent = fileURLToPath(new URL('../node_modules/.reelay/', import.meta.url));
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A fresh data directory in it. */
export function newDataDirectory(scratch: string): string {
  return mkdtempSync(join(scratch, 'data-'));
}
