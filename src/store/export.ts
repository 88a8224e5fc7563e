/** The shared database of one moment as an embedded one, so that a backup is the same thing whatever it was made from. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { sqliteEngine } from './engine.ts';
import { migrate } from './migrate.ts';
import { tablesOf } from './move.ts';
import { openConnection, type Connection } from './postgres/connection.ts';
import { createExecutor } from './sqlite/executor.ts';

const ROWS_MAX = 1_000;
const INT8 = 20;

export interface ExportOptions {
  url: string;
  /** Where to; nothing is there yet. */
  target: string;
  now: number;
  onProgress(table: string, rows: number): void;
}

/** Reads everything in one snapshot; writers are not held up. False when its schema is of another version. */
export async function exportPostgres({ url, target, now, onProgress }: ExportOptions): Promise<boolean> {
  closeSync(openSync(target, 'wx', 0o600));
  const copy = new DatabaseSync(target);
  const source = await openConnection({ url, purpose: 'verifies' });
  try {
    // A copy that breaks off is thrown away: it need not survive anything.
    copy.exec('pragma journal_mode = memory; pragma synchronous = off; begin');
    const names = createExecutor(copy)(migrate(sqliteEngine, now));
    await source.execute({ text: 'begin isolation level repeatable read read only' });
    if (!(await isOfVersion(source, names))) return false;
    for (const table of tablesOf(copy)) {
      await copyTable(source, copy, table, (rows) => onProgress(table, rows));
    }
    await source.execute({ text: 'commit' });
    enqueueOutputs(copy, now);
    copy.exec('commit');
    return true;
  } finally {
    await source.close();
    copy.close();
  }
}

async function isOfVersion(source: Connection, names: string[]): Promise<boolean> {
  const { rows } = await source.execute({ text: 'select name from migrations order by name' });
  return rows.map(({ name }) => name).join() === names.sort().join();
}

async function copyTable(
  source: Connection,
  copy: DatabaseSync,
  table: string,
  onRows: (rows: number) => void,
): Promise<void> {
  const columns = copy
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => `"${String(name)}"`);
  const insert = copy.prepare(
    `insert into "${table}" (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  );
  await source.execute({
    text: `declare rows_of_one no scroll cursor for select ${columns.join(', ')} from "${table}"`,
  });
  for (let copied = 0; ;) {
    const { rows, fields } = await source.execute({ text: `fetch ${ROWS_MAX} from rows_of_one` });
    for (const row of rows) {
      insert.run(
        ...fields.map(({ name, dataTypeID }) => {
          const value = row[name] as SQLInputValue;
          return dataTypeID === INT8 && typeof value === 'string' ? BigInt(value) : value;
        }),
      );
    }
    copied += rows.length;
    onRows(copied);
    if (rows.length < ROWS_MAX) break;
  }
  await source.execute({ text: 'close rows_of_one' });
}

/** Background work lives in an engine of its own there; what it was to do follows from the attempts. */
function enqueueOutputs(copy: DatabaseSync, now: number): void {
  copy
    .prepare(
      `insert into jobs (id, queue, data, attempts, run_at, leased, created_at)
       select 'job_' || attempts.id, 'persist-output',
         json_object('taskId', tasks.id, 'attemptId', attempts.id), 0, ?, 0, ?
       from tasks join attempts on attempts.id = tasks.attempt_id
       where tasks.ended_at is null and attempts.state = 'made'`,
    )
    .run(now, now);
}
