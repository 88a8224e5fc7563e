/**
 * What the sandbox remembers: a database of its own, written in small synchronous steps. Every accepted task is
 * in the log before it is answered, so a killed process loses none (`synchronous` may be NORMAL for that: only
 * a power cut could take the last few, and nobody's money hangs on them).
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { parseJson, writeJson } from '../lib/json.ts';
import type { SimulatedRecord, SimulatedTask } from '../providers/kit/simulator.ts';

/** `notified`: how many status changes have been pushed (1: processing, 2: the end). */
export interface StoredTask {
  task: SimulatedTask;
  submits: number;
  notified: number;
}

export interface SandboxState {
  /** Secret behind the tokens of file links; made once per directory. */
  readonly fileKey: Buffer;
  addTask(task: SimulatedTask): void;
  getTask(taskId: string): StoredTask | null;
  /** By task id, else the newest one with this dedup handle. */
  findTask(upstream: string, account: string, taskIdOrHandle: string): SimulatedTask | null;
  listTasks(query: {
    upstream: string;
    account: string;
    path?: string;
    createdFrom: number;
    offset: number;
    limit: number;
  }): SimulatedTask[];
  /** In order of acceptance. */
  allTasks(): Iterable<StoredTask>;
  accountTasks(upstream: string, account: string): Iterable<StoredTask>;
  slotsTaken(upstream: string, account: string, pack: string, now: number): number;
  /** Tasks whose caller still waits for a push. */
  tasksToNotify(): StoredTask[];
  setNotified(taskId: string, notified: number): void;
  keepRecord(record: SimulatedRecord): void;
  findRecord(upstream: string, account: string, kind: string, id: string): SimulatedRecord | null;
  close(): void;
}

/** Stands for "never" in the index over ends: the last millisecond a Date can hold. */
const neverEndsAt = 8_640_000_000_000_000;

const schema = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tasks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    upstream TEXT NOT NULL,
    task_id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    dedup_handle TEXT,
    path TEXT NOT NULL,
    pack TEXT NOT NULL,
    slots INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    task TEXT NOT NULL,
    submits INTEGER NOT NULL,
    notified INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    upstream TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (upstream, account, kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tasks_by_handle ON tasks (upstream, account, dedup_handle, sequence);
  CREATE INDEX IF NOT EXISTS tasks_by_path ON tasks (upstream, account, path, sequence);
  CREATE INDEX IF NOT EXISTS tasks_by_end ON tasks (upstream, account, pack, ends_at);
  CREATE INDEX IF NOT EXISTS tasks_to_notify ON tasks (sequence) WHERE notified < 2;
`;

/** Opens (and makes, when missing) the state in `directory`. */
export function openState(directory: string): SandboxState {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(directory, 'sandbox.db'));
  // A second process on the same directory waits for a moment instead of failing at once.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
  database.exec(schema);

  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  const one = (sql: string, ...values: SQLInputValue[]): Row | null =>
    (prepare(sql).get(...values) as Row | undefined) ?? null;
  const many = (sql: string, ...values: SQLInputValue[]): Row[] =>
    prepare(sql).all(...values) as unknown as Row[];

  return {
    fileKey: readFileKey(database),
    addTask(task) {
      const { upstream, account, dedupHandle } = task;
      const earlier =
        dedupHandle === null
          ? 0
          : Number(
              one(
                'SELECT count(*) AS count FROM tasks WHERE upstream = ? AND account = ? AND dedup_handle = ?',
                upstream,
                account,
                dedupHandle,
              )?.['count'],
            );
      prepare(
        `INSERT INTO tasks (upstream, task_id, account, dedup_handle, path, pack, slots, created_at, ends_at,
           task, submits, notified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        upstream,
        task.taskId,
        account,
        dedupHandle,
        task.path,
        task.pack,
        task.slots,
        task.createdAt,
        task.endsAt ?? neverEndsAt,
        writeJson(task),
        earlier + 1,
        // Nobody to tell: as good as told.
        task.callbackUrl === null ? 2 : 0,
      );
      if (earlier > 0) {
        prepare('UPDATE tasks SET submits = ? WHERE upstream = ? AND account = ? AND dedup_handle = ?').run(
          earlier + 1,
          upstream,
          account,
          dedupHandle,
        );
      }
    },
    getTask: (taskId) => stored(one('SELECT * FROM tasks WHERE task_id = ?', taskId)),
    findTask(upstream, account, taskIdOrHandle) {
      const row =
        one(
          'SELECT * FROM tasks WHERE task_id = ? AND upstream = ? AND account = ?',
          taskIdOrHandle,
          upstream,
          account,
        ) ??
        one(
          `SELECT * FROM tasks WHERE upstream = ? AND account = ? AND dedup_handle = ?
             ORDER BY sequence DESC LIMIT 1`,
          upstream,
          account,
          taskIdOrHandle,
        );
      return stored(row)?.task ?? null;
    },
    listTasks: ({ upstream, account, path, createdFrom, offset, limit }) =>
      many(
        `SELECT * FROM tasks WHERE upstream = ? AND account = ? ${path === undefined ? '' : 'AND path = ?'}
           AND created_at > ? ORDER BY sequence DESC LIMIT ? OFFSET ?`,
        upstream,
        account,
        ...(path === undefined ? [] : [path]),
        createdFrom,
        limit,
        offset,
      ).map((row) => stored(row)!.task),
    *allTasks() {
      for (const row of prepare('SELECT * FROM tasks ORDER BY sequence').iterate()) yield stored(row)!;
    },
    *accountTasks(upstream, account) {
      const sql = 'SELECT * FROM tasks WHERE upstream = ? AND account = ? ORDER BY sequence';
      for (const row of prepare(sql).iterate(upstream, account)) yield stored(row)!;
    },
    slotsTaken: (upstream, account, pack, now) =>
      Number(
        one(
          `SELECT coalesce(sum(slots), 0) AS slots FROM tasks
             WHERE upstream = ? AND account = ? AND pack = ? AND ends_at > ?`,
          upstream,
          account,
          pack,
          now,
        )?.['slots'],
      ),
    tasksToNotify: () =>
      many('SELECT * FROM tasks WHERE notified < 2 ORDER BY sequence').map((row) => stored(row)!),
    setNotified: (taskId, notified) =>
      void prepare('UPDATE tasks SET notified = ? WHERE task_id = ? AND notified < ?').run(
        notified,
        taskId,
        notified,
      ),
    keepRecord: (record) =>
      void prepare(
        'INSERT OR REPLACE INTO records (upstream, account, kind, id, record) VALUES (?, ?, ?, ?, ?)',
      ).run(record.upstream, record.account, record.kind, record.id, writeJson(record)),
    findRecord(upstream, account, kind, id) {
      const row = one(
        'SELECT record FROM records WHERE upstream = ? AND account = ? AND kind = ? AND id = ?',
        upstream,
        account,
        kind,
        id,
      );
      return row && (parseJson(row['record'] as string) as unknown as SimulatedRecord);
    },
    close: () => database.close(),
  };
}

type Row = Record<string, unknown>;

function stored(row: Row | null): StoredTask | null {
  if (!row) return null;
  return {
    task: parseJson(row['task'] as string) as unknown as SimulatedTask,
    submits: Number(row['submits']),
    notified: Number(row['notified']),
  };
}

function readFileKey(database: DatabaseSync): Buffer {
  const insert = database.prepare('INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)');
  insert.run('file_key', randomBytes(32));
  const row = database.prepare("SELECT value FROM facts WHERE name = 'file_key'").get() as {
    value: Uint8Array;
  };
  return Buffer.from(row.value);
}
