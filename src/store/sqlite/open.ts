/** The embedded engine: SQLite in one directory. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LedgerVerdict } from '../../core/ports.ts';
import type { Backend } from '../backend.ts';
import { releaseDeliveryLeases } from '../deliveries.ts';
import { sqliteEngine } from '../engine.ts';
import { releaseLeases } from '../jobs.ts';
import { migrate, type OnUpgrade } from '../migrate.ts';
import type { ArgsOf, MutationName, ResultOf } from '../mutations.ts';
import { bringForward } from '../set-back.ts';
import type { Procedure } from '../statement.ts';
import { createRecentTasks, type RecentTasks } from '../recent-tasks.ts';
import { createTopics, type Topics } from '../topics.ts';
import { openClockMark, type ClockMark } from './clock-mark.ts';
import { BUSY_TIMEOUT_MS, openForReading, openForWriting } from './connection.ts';
import { createExecutor } from './executor.ts';
import { engineFailureName, isEngineFailure, toError, unavailable } from './failures.ts';
import { lockDirectory } from './lock.ts';
import { createWriter, type Writer } from './writer-client.ts';

export const DATABASE_FILE = 'reelay.sqlite';
export const LOCK_FILE = 'reelay.lock';
/** There while a restore brings a database, and after one that broke off. */
export const RESTORING_FOLDER = '.restoring';
/** The database's name once all of it was moved to another engine. */
export const MOVED_FILE = `${DATABASE_FILE}.moved`;

/** Enough for every caller one node can have waiting, few enough that none waits long for the others. */
const CALLS_PER_COMMIT = 512;

export interface SqliteOptions {
  /** Made when it does not exist. */
  directory: string;
  now: () => number;
  /** How long a change waits for another program's lock. */
  busyTimeoutMs?: number;
  /** False: a transaction for every change. The benchmark shows what group commit is worth. */
  groupCommit?: boolean;
  /** Told how many changes a transaction held. */
  onBatch?: (changes: number) => void;
  onUpgrade?: OnUpgrade;
}

/** Locks the directory, migrates the database in it and starts the writer. */
export async function openSqlite(options: SqliteOptions): Promise<Backend> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, DATABASE_FILE);
  let unlock = () => {};
  let writing: Writing | null = null;
  try {
    unlock = lockDirectory(join(directory, LOCK_FILE), directory);
    assertNotRestoring(directory);
    assertNotMoved(directory);
    // Readable by nobody else from its first byte on; the log takes over the file's rights.
    closeSync(openSync(file, 'a', 0o600));
    const mark = openClockMark(directory, options.now);
    // The thread loads while the database is prepared; it opens it with the first change.
    writing = startWriting(file, options);
    prepareFile(file, options, mark.behindMs());
    mark.reset();
    return start(file, writing, mark, unlock);
  } catch (error) {
    await writing?.writer.close();
    unlock();
    const name = engineFailureName(error);
    if (name === null) throw error;
    throw new Error(
      `The database ${file} cannot be opened (${name}). Check the disk, and that this user may write there.`,
      { cause: error },
    );
  }
}

function assertNotMoved(directory: string): void {
  if (!existsSync(join(directory, MOVED_FILE)) || existsSync(join(directory, DATABASE_FILE))) return;
  throw new Error(
    `What was in ${directory} was moved to PostgreSQL: start with DATABASE_URL. (To go back, give ${MOVED_FILE} its ` +
      `old name ${DATABASE_FILE}; what happened since is not in it.)`,
  );
}

function assertNotRestoring(directory: string): void {
  if (!existsSync(join(directory, RESTORING_FOLDER))) return;
  throw new Error(
    `A restore into ${directory} broke off half-way: run it again (reelay restore <file>), or empty the directory.`,
  );
}

function prepareFile(file: string, { now, onUpgrade }: SqliteOptions, behindMs: number): void {
  const at = now();
  const connection = openForWriting(file, BUSY_TIMEOUT_MS);
  try {
    connection.exec('begin immediate');
    const execute = createExecutor(connection);
    execute(migrate(sqliteEngine, at, { onUpgrade }));
    if (behindMs > 0) execute(bringForward(behindMs));
    execute(releaseLeases(at));
    execute(releaseDeliveryLeases(at));
    connection.exec('commit');
  } finally {
    connection.close();
  }
}

/** The writer's thread and who is told what it changed. */
interface Writing {
  writer: Writer;
  topics: Topics;
  recentTasks: RecentTasks;
}

function startWriting(file: string, options: SqliteOptions): Writing {
  const topics = createTopics();
  const recentTasks = createRecentTasks();
  const writer = createWriter(
    {
      file,
      busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
      callsPerCommit: options.groupCommit === false ? 1 : CALLS_PER_COMMIT,
    },
    {
      onCommit(touched, changes) {
        options.onBatch?.(changes);
        topics.publish(touched);
      },
      onTasksChanged: (ids) => recentTasks.forget(ids),
    },
  );
  return { writer, topics, recentTasks };
}

function start(file: string, writing: Writing, mark: ClockMark, unlock: () => void): Backend {
  const { writer, topics, recentTasks } = writing;
  const reader = openForReading(file);
  const execute = createExecutor(reader);
  return {
    recentTasks,
    async read<Result>(procedure: Procedure<Result>) {
      if (!reader.isOpen) throw toError(unavailable('the store is closed'));
      try {
        return execute(procedure);
      } catch (error) {
        throw isEngineFailure(error) ? toError(unavailable(error)) : error;
      }
    },
    write<Name extends MutationName>(name: Name, args: ArgsOf<Name>) {
      mark.touch();
      return writer.write(name, args) as Promise<ResultOf<Name>>;
    },
    verifyLedger: () => verifyInThread(file),
    alone: (work) => work(),
    onCommit: topics.subscribe,
    async close() {
      // The writer closes last: only then SQLite moves the log into the database and removes it.
      if (reader.isOpen) reader.close();
      await writer.close();
      mark.close();
      unlock();
    },
  };
}

/** Verifies the ledger of any database file in a thread of its own. */
export function verifyInThread(file: string): Promise<LedgerVerdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./verifier.ts', import.meta.url), { workerData: { file } });
    worker.once('message', resolve);
    worker.once('error', (error) => reject(toError(unavailable(error))));
    worker.once('exit', () => reject(toError(unavailable('the verifying thread ended early'))));
  });
}
