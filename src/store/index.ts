import type { Clock, JobWriter, Store, StoreWatch } from '../core/ports.ts';
import type { Backend } from './backend.ts';
import type { OnUpgrade } from './migrate.ts';
import { openSqlite } from './sqlite/open.ts';
import { createStore } from './store.ts';
import { watchBackend } from './watched.ts';

export interface StoreOptions {
  /** Where the embedded database lies; made when it does not exist. */
  directory: string;
  /** `postgres://…`: the database that several nodes share, instead of the embedded one. */
  databaseUrl?: string | null;
  clock: Clock;
  /** On PostgreSQL: where background jobs live in an engine of their own. Without it they are rows, for one node. */
  jobWriter?: JobWriter | null;
  /** False: one transaction per change instead of one for all that wait; for the benchmark. */
  groupCommit?: boolean;
  /** Told of every change and commit. */
  watch?: StoreWatch;
  /** Told before an older database is brought to this version, which takes its time over many rows. */
  onUpgrade?: OnUpgrade;
}

/**
 * Opens everything durable, migrated to this version. Throws a sentence for the operator when another process uses
 * the directory, the server cannot be used, or a newer version wrote it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, databaseUrl = null, clock, jobWriter = null, groupCommit, watch, onUpgrade } = options;
  const shared = {
    now: () => clock.now(),
    ...(groupCommit === undefined ? {} : { groupCommit }),
    ...(onUpgrade === undefined ? {} : { onUpgrade }),
    ...(watch === undefined ? {} : { onBatch: (changes: number) => watch.committed(changes) }),
  };
  const watched = (backend: Backend): Backend =>
    watch === undefined ? backend : watchBackend(backend, watch);
  if (databaseUrl === null) return createStore(watched(await openSqlite({ directory, ...shared })));
  // Its library is loaded by those who use it.
  const { openPostgres } = await import('./postgres/open.ts');
  return createStore(watched(await openPostgres({ url: databaseUrl, jobWriter, ...shared })));
}
