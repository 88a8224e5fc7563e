/**
 * Databases with very many tasks, made of one real task: every row of it is copied with ids of its own, as old as it
 * should be. A million tasks take a minute or two instead of the twenty that the gateway itself would take.
 */
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** What may differ from copy to copy. */
export interface Copy {
  /** When it was created, Unix ms; all its other times keep their distance. Must not fall from copy to copy. */
  createdAt: number;
  /** Texts to be replaced wherever they stand: accounts, keys, models, ids of the upstream. */
  replace?: Record<string, string>;
  /** Columns of the task's own row. */
  task?: Record<string, SQLInputValue>;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** An id of ours: a prefix, eight characters of time, and as many random ones as its kind has. */
const OWN_ID = /\b[a-z]+_[0-9A-Za-z]{24,32}\b/g;
const PER_TRANSACTION = 20_000;

/** A row of the template, ready to be copied. */
interface Pattern {
  insert: ReturnType<DatabaseSync['prepare']>;
  isTask: boolean;
  columns: string[];
  values: Value[];
}
/** Constant, a time, a number that counts up, or a text in which ids and other texts are replaced: every second part is one of them. */
type Value = { constant: SQLInputValue } | { time: number } | { count: number } | { parts: string[] };

/** Adds `count` copies of the only task in the gateway's directory, which must not be running. */
export function multiplyTask(directory: string, count: number, copyOf: (index: number) => Copy): void {
  const database = new DatabaseSync(join(directory, 'reelay.sqlite'));
  database.exec(`
    -- Not 'off', which is refused without a word.
    pragma journal_mode = memory;
    pragma synchronous = off;
    pragma locking_mode = exclusive;
    pragma cache_size = -524288;
    pragma foreign_keys = off;
  `);
  const [template, ...others] = database.prepare('select id, created_at from tasks').all();
  if (template === undefined || others.length > 0) throw new Error('there must be exactly one task');
  const createdAt = Number(template.created_at);
  const replaced = new Set(Object.keys(copyOf(0).replace ?? {}));
  const patterns = patternsOf(database, String(template.id), replaced);
  const newId = createIdMaker();

  // Made once at the end: that takes a third of the time.
  const indexes = database
    .prepare(`select name, sql from sqlite_schema where type = 'index' and sql is not null`)
    .all();
  for (const { name } of indexes) database.exec(`drop index "${String(name)}"`);

  database.exec('begin');
  for (let index = 0; index < count; index++) {
    const copy = copyOf(index);
    const shift = copy.createdAt - createdAt;
    const names = new Map(Object.entries(copy.replace ?? {}));
    const textOf = (part: string, position: number): string => {
      if (position % 2 === 0) return part;
      const known = names.get(part);
      if (known !== undefined) return known;
      const made = newId(part, copy.createdAt);
      names.set(part, made);
      return made;
    };
    for (const { insert, isTask, columns, values } of patterns) {
      const row = values.map((value) => {
        if ('constant' in value) return value.constant;
        if ('time' in value) return value.time + shift;
        if ('count' in value) return value.count + index;
        return value.parts.length === 1 ? value.parts[0]! : value.parts.map(textOf).join('');
      });
      if (isTask && copy.task !== undefined) {
        for (const [column, value] of Object.entries(copy.task)) row[columns.indexOf(column)] = value;
      }
      insert.run(...row);
    }
    if (index % PER_TRANSACTION === PER_TRANSACTION - 1) database.exec('commit; begin');
  }
  database.exec('commit');
  for (const { sql } of indexes) database.exec(String(sql));
  // Wallets are the sums of the entries.
  for (const book of ['available', 'held']) {
    database.exec(
      `update wallets set ${book}_micros = coalesce((select sum(amount_micros) from ledger_entries ` +
        `where ledger_entries.account_id = wallets.account_id and book = '${book}'), 0)`,
    );
  }
  database.close();
}

/** Everything that was written about the task, in the order of tables. */
function patternsOf(database: DatabaseSync, taskId: string, replaced: Set<string>): Pattern[] {
  const columnsOf = (table: string): string[] =>
    database
      .prepare(`select name from pragma_table_info(?)`)
      .all(table)
      .map(({ name }) => String(name));
  const tables = database
    .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
    .all()
    .map(({ name }) => String(name));
  const attempts = database.prepare('select id from attempts where task_id = ?').all(taskId);
  const found: { table: string; columns: string[]; row: Record<string, unknown> }[] = [];
  for (const table of tables) {
    const columns = columnsOf(table);
    const [key, values] =
      table === 'tasks'
        ? ['id', [taskId]]
        : columns.includes('task_id')
          ? ['task_id', [taskId]]
          : columns.includes('attempt_id')
            ? ['attempt_id', attempts.map(({ id }) => String(id))]
            : [null, []];
    if (key === null) continue;
    for (const value of values) {
      const select = database.prepare(`select * from "${table}" where ${key} = ?`);
      select.setReadBigInts(true);
      for (const row of select.all(value)) found.push({ table, columns, row });
    }
  }
  // What stands for itself elsewhere, too (account, key, channel) is shared unless the copy replaces it.
  const own = new Set<string>();
  for (const { row } of found) {
    for (const name of ['id', 'posting_id', 'event_id', 'task_id', 'attempt_id']) {
      if (typeof row[name] === 'string') own.add(row[name]);
    }
  }
  return found.map(({ table, columns, row }) => ({
    insert: database.prepare(
      `insert into "${table}" (${columns.map((name) => `"${name}"`).join()}) values (${columns.map(() => '?').join()})`,
    ),
    isTask: table === 'tasks',
    columns,
    values: columns.map((name) => valueOf(name, row[name], own, replaced)),
  }));
}

function valueOf(name: string, value: unknown, own: Set<string>, replaced: Set<string>): Value {
  if (typeof value === 'bigint' && name.endsWith('_at')) return { time: Number(value) };
  if (typeof value === 'bigint' && name === 'sequence') return { count: Number(value) + 1 };
  if (typeof value !== 'string') return { constant: value as SQLInputValue };
  const marks = [...own, ...replaced].filter((mark) => value.includes(mark));
  if (marks.length === 0) return { constant: value };
  // Longest first: a text may contain another.
  const pattern = marks
    .sort((left, right) => right.length - left.length)
    .map(escaped)
    .join('|');
  return { parts: value.split(new RegExp(`(${pattern})`)) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Ids of the same form as the one that stands for them: sorted by time, the rest without order. */
function createIdMaker(): (like: string, at: number) => string {
  let state = 0x9e3779b9;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % 62;
  };
  return (like, at) => {
    if (like.match(OWN_ID)?.[0] !== like) throw new Error(`${like} is no id of ours`);
    const prefix = like.slice(0, like.indexOf('_') + 1);
    let time = '';
    for (let rest = Math.floor(at), digit = 0; digit < 8; digit++, rest = Math.floor(rest / 62)) {
      time = ALPHABET[rest % 62]! + time;
    }
    let text = prefix + time;
    while (text.length < like.length) text += ALPHABET[random()]!;
    return text;
  };
}
