import type { Clock, Store } from '../core/ports.ts';
import { openSqlite } from './sqlite/open.ts';
import { createStore } from './store.ts';

export interface StoreOptions {
  /** Where the embedded database lies; made when it does not exist. */
  directory: string;
  clock: Clock;
  /** False: one transaction per change instead of one for all that wait; for the benchmark. */
  groupCommit?: boolean;
}

/**
 * Opens everything durable, migrated to this version. Throws a sentence for the operator when another process uses
 * the directory or a newer version wrote it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, clock, groupCommit } = options;
  return createStore(
    await openSqlite({
      directory,
      now: () => clock.now(),
      ...(groupCommit === undefined ? {} : { groupCommit }),
    }),
  );
}
