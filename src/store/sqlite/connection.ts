/** How connections to the database file are opened. */
import { DatabaseSync } from 'node:sqlite';

/** Only another program (a backup, a shell) can hold the lock; a short visit of one is waited out. */
export const BUSY_TIMEOUT_MS = 5_000;

/** 32 MiB: the upper levels of every index of a database with millions of tasks. */
const CACHE_KIB = 32_768;

/** The log is moved into the database file every 16 MiB: less often than the default, at the same durability. */
const CHECKPOINT_PAGES = 4_096;
/** What a burst made the log grow to is given back to the disk above this size. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/** The one connection that writes. Every commit is on the disk (`synchronous=FULL`) before it returns. */
export function openForWriting(file: string, busyTimeoutMs: number): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: busyTimeoutMs });
  connection.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma temp_store = memory;
    pragma cache_size = -${CACHE_KIB};
    pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
    pragma journal_size_limit = ${LOG_BYTES_MAX};
  `);
  return connection;
}

/** Sees every commit that was answered before the read began. */
export function openForReading(file: string): DatabaseSync {
  const connection = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  connection.exec(`pragma temp_store = memory; pragma cache_size = -${CACHE_KIB};`);
  return connection;
}
