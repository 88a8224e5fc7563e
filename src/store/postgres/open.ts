/** The engine for many nodes: one PostgreSQL database, shared. */
import type { JobWriter, LedgerVerdict } from '../../core/ports.ts';
import type { Backend } from '../backend.ts';
import type { ArgsOf, MutationName, ResultOf } from '../mutations.ts';
import { createSortableIds } from '../sortable-ids.ts';
import { createTopics } from '../topics.ts';
import { verifyLedger } from '../verify-ledger.ts';
import { openConnection, type Connection, type SessionSettings } from './connection.ts';
import { drive } from './executor.ts';
import { ConnectionLost, isEngineFailure, unavailable } from './failures.ts';
import { startListener } from './listener.ts';
import type { OnUpgrade } from '../migrate.ts';
import { migrateOnline } from './migrate-online.ts';
import { createReaders } from './readers.ts';
import { createWriters } from './writers.ts';

/** Transactions are known by their numbers since version 13 (pg_current_xact_id). */
const SERVER_VERSION_MIN = 130_000;
/** Of the advisory lock under which one node at a time migrates: "reelay" as a number. */
const MIGRATION_LOCK = 0x7265656c6179n;

/** Of the one under which nodes do what is done once for all of them. */
const ALONE_LOCK = MIGRATION_LOCK + 1n;
const ALONE_WAIT_MS = 60_000;

const READERS_MAX = 4;
const WRITERS_MAX = 2;
/** Enough to share a commit and every statement; few enough that one session prepares while the server works for another. */
const CALLS_PER_COMMIT = 128;
/** How long a change waits for a row or table that another session has locked. */
const LOCK_WAIT_MS = 5_000;

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string;
  now: () => number;
  /** Where background jobs live in an engine of their own; null: as rows of ours. */
  jobWriter?: JobWriter | null;
  lockWaitMs?: number;
  /** False: a transaction for every change. The benchmark shows what group commit is worth. */
  groupCommit?: boolean;
  /** Told how many changes a transaction held. */
  onBatch?: (changes: number) => void;
  onUpgrade?: OnUpgrade;
}

/** Connects, brings the schema up to this version under a lock, and starts to listen. */
export async function openPostgres(options: PostgresOptions): Promise<Backend> {
  const { url, now, jobWriter = null, lockWaitMs = LOCK_WAIT_MS, groupCommit = true, onUpgrade } = options;
  const own = new Set<number>();

  async function open(purpose: SessionSettings['purpose']): Promise<Connection> {
    const wait = purpose === 'writes' || purpose === 'reads' ? { lockWaitMs } : {};
    const connection = await openConnection({ url, purpose, ...wait });
    if (purpose === 'writes') {
      own.add(connection.processId);
      // A notification may still be on its way; its number is not given to another session so soon.
      connection.onEnd(() => setImmediate(() => own.delete(connection.processId)));
    }
    return connection;
  }

  await prepareDatabase(() => open('migrates'), now(), onUpgrade);
  const topics = createTopics();
  const listener = await startListener(
    () => open('listens'),
    topics,
    (processId) => own.has(processId),
  );
  const readers = createReaders(() => open('reads'), READERS_MAX);
  const writers = createWriters({
    open: () => open('writes'),
    newId: createSortableIds(),
    jobWriter,
    onCommit: (touched, changes) => {
      options.onBatch?.(changes);
      topics.publish(touched);
    },
    sessionsMax: WRITERS_MAX,
    callsPerCommit: groupCommit ? CALLS_PER_COMMIT : 1,
  });
  return {
    read: readers.read,
    write: <Name extends MutationName>(name: Name, args: ArgsOf<Name>) =>
      writers.write(name, args) as Promise<ResultOf<Name>>,
    verifyLedger: () => verifyIn(() => open('verifies')),
    alone: (work) => aloneIn(() => open('migrates'), work),
    onCommit: topics.subscribe,
    async close() {
      await Promise.all([readers.close(), writers.close()]);
      await listener.close();
    },
  };
}

/** Throws a sentence for the operator when the server cannot be used. */
async function prepareDatabase(
  open: () => Promise<Connection>,
  at: number,
  onUpgrade: OnUpgrade | undefined,
): Promise<void> {
  let connection: Connection;
  try {
    connection = await open();
  } catch (error) {
    const cause = (error as Error).cause;
    throw new Error(
      `The database named by DATABASE_URL cannot be used: ${(cause instanceof Error ? cause : (error as Error)).message}`,
      { cause: error },
    );
  }
  try {
    const { rows } = await connection.execute({
      text: "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
    });
    const { version, encoding } = rows[0] as { version: number; encoding: string };
    if (version < SERVER_VERSION_MIN) {
      throw new Error(
        `PostgreSQL 13 or newer is needed; DATABASE_URL names version ${Math.floor(version / 10_000)}.`,
      );
    }
    if (encoding !== 'UTF8') {
      throw new Error(
        `The database named by DATABASE_URL is encoded in ${encoding}: create it with ENCODING 'UTF8'.`,
      );
    }
    // Several nodes may start at once: the others wait here and then find everything done. The lock ends with the session.
    await connection.execute({ text: `select pg_advisory_lock(${MIGRATION_LOCK})` });
    await migrateOnline(connection, at, onUpgrade);
  } finally {
    await connection.close();
  }
}

/** The lock is the session's: it is free again when the process dies. */
async function aloneIn<Result>(
  open: () => Promise<Connection>,
  work: () => Promise<Result>,
): Promise<Result> {
  const connection = await open();
  try {
    // A node that stands still while it is alone must not keep the others waiting for ever.
    await connection.execute({ text: `set lock_timeout = ${ALONE_WAIT_MS}` });
    await connection.execute({ text: `select pg_advisory_lock(${ALONE_LOCK})` });
    return await work();
  } finally {
    await connection.close();
  }
}

/** One snapshot: sums and balances of the same moment. */
async function verifyIn(open: () => Promise<Connection>): Promise<LedgerVerdict> {
  let connection: Connection | null = null;
  try {
    connection = await open();
    await connection.execute({ text: 'begin isolation level repeatable read read only' });
    const verdict = await drive(connection, verifyLedger());
    await connection.execute({ text: 'commit' });
    return verdict;
  } catch (error) {
    throw isEngineFailure(error) || error instanceof ConnectionLost ? unavailable(error) : error;
  } finally {
    await connection?.close();
  }
}
