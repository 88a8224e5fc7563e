/**
 * Everything in an embedded database into an empty shared one: a single transaction there, in batches, every table in
 * the order of its references. Whatever breaks off leaves the target as empty as it was.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { JobWriter, LedgerVerdict, PendingJob } from '../core/ports.ts';
import { parseJson } from '../lib/json.ts';
import { openConnection, type Connection } from './postgres/connection.ts';
import { drive, storable } from './postgres/executor.ts';
import { openForReading } from './sqlite/connection.ts';
import { verifyLedger } from './verify-ledger.ts';

/** What belongs to the database itself, and is there from the start. */
const OWN_TABLES = new Set(['migrations']);
/** Jobs that wait go to the engine of the target; buried ones are kept as they are, for the operator. */
const JOBS_TABLE = 'jobs';

const ROWS_MAX = 2_000;
/** Of text in one statement. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

export interface MoveOptions {
  /** The embedded database; nobody writes to it meanwhile. */
  file: string;
  /** The shared one, migrated to the same version. */
  url: string;
  jobWriter: JobWriter;
  onProgress(table: string, rows: number): void;
}

export type MoveOutcome =
  | { kind: 'moved'; rows: Record<string, number>; jobs: number; ledger: LedgerVerdict }
  /** The target holds exactly this already: an earlier move was broken off after its commit. */
  | { kind: 'there'; rows: Record<string, number>; ledger: LedgerVerdict }
  /** The target holds something else, e.g. in this table. */
  | { kind: 'occupied'; table: string }
  /** What arrived is not what was sent; nothing was committed. */
  | { kind: 'different'; faults: string[] };

export async function moveToPostgres(options: MoveOptions): Promise<MoveOutcome> {
  const source = openForReading(options.file);
  const target = await openConnection({ url: options.url, purpose: 'migrates' });
  try {
    return await move(source, target, options);
  } finally {
    await target.close();
    source.close();
  }
}

async function move(
  source: DatabaseSync,
  target: Connection,
  { jobWriter, onProgress }: MoveOptions,
): Promise<MoveOutcome> {
  const tables = tablesOf(source);
  await target.execute({ text: 'begin' });
  // Whoever else would write waits until this is over.
  await target.execute({ text: `lock table ${tables.map(quoted).join(', ')} in exclusive mode` });
  const occupied = await firstOccupied(target, tables);
  if (occupied !== null) {
    const faults = await differences(source, target, tables);
    const ledger = await drive(target, verifyLedger());
    await target.execute({ text: 'rollback' });
    if (faults.length > 0) return { kind: 'occupied', table: occupied };
    return { kind: 'there', rows: countsOf(source, tables), ledger };
  }
  const types = await columnTypes(target);
  const rows: Record<string, number> = {};
  for (const table of tables) {
    rows[table] = await copyTable(source, target, table, types, (number) => onProgress(table, number));
  }
  const jobs = waitingJobs(source);
  if (jobs.length > 0) {
    await jobWriter.insert(jobs, (text, values) => target.execute({ text, ...(values && { values }) }));
  }
  onProgress('ledger', 0);
  const faults = await differences(source, target, tables);
  const ledger = await drive(target, verifyLedger());
  if (faults.length > 0 || !ledger.ok) {
    await target.execute({ text: 'rollback' });
    return { kind: 'different', faults: [...faults, ...ledger.mismatches] };
  }
  await target.execute({ text: 'commit' });
  // The planner knows nothing of these tables yet.
  await target.execute({ text: 'analyze' });
  return { kind: 'moved', rows, jobs: jobs.length, ledger };
}

/** Every table of ours, those that others refer to first. */
export function tablesOf(source: DatabaseSync): string[] {
  const names = source
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name")
    .all()
    .map(({ name }) => String(name))
    .filter((name) => !OWN_TABLES.has(name));
  const ordered: string[] = [];
  const visit = (name: string): void => {
    if (ordered.includes(name)) return;
    for (const row of source.prepare('select "table" as name from pragma_foreign_key_list(?)').all(name)) {
      if (row.name !== name) visit(String(row.name));
    }
    ordered.push(name);
  };
  names.forEach(visit);
  return ordered;
}

/** `table.column` -> the target's type of an array of it. */
async function columnTypes(target: Connection): Promise<Map<string, string>> {
  const { rows } = await target.execute({
    text: `select table_name, column_name, udt_name from information_schema.columns
           where table_schema = current_schema()`,
  });
  return new Map(
    rows.map((row) => [`${String(row.table_name)}.${String(row.column_name)}`, `${String(row.udt_name)}[]`]),
  );
}

async function copyTable(
  source: DatabaseSync,
  target: Connection,
  table: string,
  types: Map<string, string>,
  onRows: (number: number) => void,
): Promise<number> {
  const where = table === JOBS_TABLE ? ' where buried_at is not null' : '';
  const select = source.prepare(`select * from ${quoted(table)}${where}`);
  select.setReadBigInts(true);
  select.setReturnArrays(true);
  const columns = select.columns().map(({ name }) => name);
  const places = columns.map((column, index) => {
    const type = types.get(`${table}.${column}`);
    if (type === undefined) throw new Error(`the target has no column ${table}.${column}`);
    return `$${index + 1}::${type}`;
  });
  const text =
    `insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) ` +
    `select * from unnest(${places.join(', ')})`;
  let moved = 0;
  let batch: (string | number | null)[][] = columns.map(() => []);
  let bytes = 0;

  async function flush(): Promise<void> {
    const number = batch[0]!.length;
    if (number === 0) return;
    await target.execute({ name: `move ${table}`, text, values: batch });
    batch = columns.map(() => []);
    bytes = 0;
    moved += number;
    onRows(moved);
  }

  for (const row of select.iterate() as unknown as Iterable<SQLOutputValue[]>) {
    row.forEach((value, index) => {
      const sent = toSend(value);
      if (typeof sent === 'string') bytes += sent.length;
      batch[index]!.push(sent);
    });
    if (batch[0]!.length >= ROWS_MAX || bytes >= BATCH_BYTES_MAX) await flush();
  }
  await flush();
  return moved;
}

/** Integers travel as text: they have 64 bits. */
function toSend(value: SQLOutputValue): string | number | null {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) throw new TypeError('no column of ours holds bytes');
  return storable(value) as string | number | null;
}

function waitingJobs(source: DatabaseSync): PendingJob[] {
  return source
    .prepare('select id, queue, data, run_at, created_at from jobs where buried_at is null')
    .all()
    .map((row) => ({
      // The target's engine knows ids of its own kind only.
      id: crypto.randomUUID(),
      queue: String(row.queue),
      data: parseJson(String(row.data)),
      runAt: Number(row.run_at),
      at: Number(row.created_at),
    }));
}

async function firstOccupied(target: Connection, tables: string[]): Promise<string | null> {
  for (const table of tables) {
    const { rowCount } = await target.execute({ text: `select 1 from ${quoted(table)} limit 1` });
    if (rowCount > 0) return table;
  }
  return null;
}

function countsOf(source: DatabaseSync, tables: string[]): Record<string, number> {
  return Object.fromEntries(
    tables.map((table) => {
      const where = table === JOBS_TABLE ? ' where buried_at is not null' : '';
      const row = source.prepare(`select count(*) as number from ${quoted(table)}${where}`).get()!;
      return [table, Number(row.number)];
    }),
  );
}

/** Sentences for everything that is not the same on both sides: rows of each table, and money account by account. */
async function differences(source: DatabaseSync, target: Connection, tables: string[]): Promise<string[]> {
  const faults: string[] = [];
  const counts = countsOf(source, tables);
  for (const table of tables) {
    const { rows } = await target.execute({ text: `select count(*) as number from ${quoted(table)}` });
    const number = Number(rows[0]!.number);
    if (number !== counts[table]) faults.push(`${table} has ${counts[table]} rows here and ${number} there.`);
  }
  for (const [what, query] of [
    ['wallet', 'select account_id as name, available_micros as a, held_micros as b from wallets'],
    [
      'book',
      "select account_id || ' ' || book as name, sum(amount_micros) as a, count(*) as b from ledger_entries group by account_id, book",
    ],
  ] as const) {
    const mine = source.prepare(query);
    mine.setReadBigInts(true);
    const here = new Map(mine.all().map((row) => [String(row.name), `${row.a} ${row.b}`]));
    for (const row of (await target.execute({ text: query })).rows) {
      const name = String(row.name);
      const there = `${String(row.a)} ${String(row.b)}`;
      if (here.get(name) !== there)
        faults.push(`The ${what} ${name} is ${here.get(name)} here and ${there} there.`);
      here.delete(name);
    }
    for (const name of here.keys()) faults.push(`The ${what} ${name} is missing there.`);
  }
  return faults;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
