/**
 * One statement for many callers: what each of them would have executed alone, over arrays of their arguments. The text is
 * made from the statement's own, so that both always say the same.
 */
import { Place, type Statement, type Value } from '../statement.ts';
import type { Answer, Connection, Query } from './connection.ts';
import { prepare, storable, withNumbers, type Prepared } from './executor.ts';

export interface ManyForm {
  /** Callers that give the same argument here are about the same row: only one of them can be in a statement. */
  key: string | null;
  /** Whether callers with the same arguments can share one answer. */
  isRead: boolean;
  /** Executes it for all of them and answers each, in their order. */
  queryFor(all: Record<string, Value>[]): Query;
  answersFrom(answer: Answer, all: Record<string, Value>[], wanted: ('rows' | 'count')[]): unknown[];
}

/** Column of the caller's number, beginning with 1. */
const CALLER = 'caller';

/** Tables whose rows are known by something else than their id. */
const KEY_COLUMNS: Record<string, string> = { wallets: 'account_id', limit_counters: 'owner_id' };

const forms = new WeakMap<Statement<unknown, unknown>, Promise<ManyForm | null>>();

/** Null where a statement cannot be executed for many at once. The server is asked once which types it takes. */
export function manyForm(
  connection: Connection,
  statement: Statement<unknown, unknown>,
): Promise<ManyForm | null> {
  let form = forms.get(statement);
  if (!form) {
    form = makeForm(connection, prepare(statement));
    forms.set(statement, form);
    // The session was lost: the next batch asks again.
    form.catch(() => forms.delete(statement));
  }
  return form;
}

async function makeForm(connection: Connection, prepared: Prepared): Promise<ManyForm | null> {
  const shape = shapeOf(prepared);
  if (shape === null) return null;
  const given = new Arguments(prepared.places, await typesOf(connection, prepared));
  const text = shape.textFor(given.from(), given.expressions(prepared.sql));
  return {
    key: shape.key,
    isRead: shape.kind === 'select',
    queryFor: (all) => ({ name: `${prepared.name}_many`, text, values: given.values(all) }),
    answersFrom: (answer, all, wanted) => shape.answersFrom(answer, all, wanted),
  };
}

/** The types that the server finds for the places of a statement. */
async function typesOf(connection: Connection, { name, sql, places }: Prepared): Promise<string[]> {
  if (places.length === 0) return [];
  const asked = `${name}_types`;
  await connection.execute({ text: `prepare ${asked} as ${sql}` });
  const { rows } = await connection.execute({
    text: 'select array_to_json(parameter_types::text[])::text as types from pg_prepared_statements where name = $1',
    values: [asked],
  });
  await connection.execute({ text: `deallocate ${asked}` });
  return JSON.parse(String(rows[0]?.types)) as string[];
}

/** What callers differ in, as columns of a table `v`; what they share, as plain parameters. */
class Arguments {
  readonly #columns: { argument: string; type: string }[] = [];
  readonly #constants: { value: Value; type: string }[] = [];
  /** For each place of the statement: the expression that stands there. */
  readonly #expressions: string[] = [];

  constructor(places: (Place | Value)[], types: string[]) {
    const constants: number[] = [];
    places.forEach((place, index) => {
      const type = types[index]!;
      if (!(place instanceof Place)) {
        constants.push(index);
        this.#constants.push({ value: place, type });
        return;
      }
      let at = this.#columns.findIndex((one) => one.argument === place.name && one.type === type);
      if (at < 0) at = this.#columns.push({ argument: place.name, type }) - 1;
      this.#expressions[index] = `v.p${at + 1}`;
    });
    constants.forEach((index, at) => {
      const { type } = this.#constants[at]!;
      this.#expressions[index] = `$${this.#columns.length + at + 1}::${type}`;
    });
  }

  from(): string {
    const arrays = this.#columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ');
    const names = this.#columns.map((_, at) => `p${at + 1}`).join(', ');
    return `unnest(${arrays}) with ordinality as v(${names}, ${CALLER})`;
  }

  expressions(sql: string): string {
    return sql.replaceAll(/\$(\d+)/g, (_, number: string) => this.#expressions[Number(number) - 1]!);
  }

  values(all: Record<string, Value>[]): unknown[] {
    return [
      ...this.#columns.map(({ argument }) => arrayText(all, argument)),
      ...this.#constants.map(({ value }) => value),
    ];
  }
}

/** An array as the server reads it: postgresql.org/docs/current/arrays.html#ARRAYS-IO (2026-11-20). */
function arrayText(all: Record<string, Value>[], argument: string): string {
  let text = '{';
  for (const args of all) {
    const value = storable(args[argument]!);
    if (text.length > 1) text += ',';
    if (value === null) text += 'NULL';
    else if (typeof value !== 'string') text += value;
    else text += `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`;
  }
  return `${text}}`;
}

interface Shape {
  kind: 'select' | 'insert' | 'update';
  key: string | null;
  /** `sql` has the callers' expressions in its places. */
  textFor(from: string, sql: string): string;
  answersFrom: ManyForm['answersFrom'];
}

function shapeOf(prepared: Prepared): Shape | null {
  // Without an argument there is nothing to tell callers apart by.
  if (!prepared.places.some((place) => place instanceof Place)) return null;
  switch (prepared.query.kind) {
    case 'SelectQueryNode':
      return selectShape(prepared);
    case 'InsertQueryNode':
      return insertShape(prepared);
    case 'UpdateQueryNode':
      return updateShape(prepared);
    default:
      return null;
  }
}

function selectShape({ sql }: Prepared): Shape | null {
  if (/ for update/.test(sql)) return null;
  return {
    kind: 'select',
    key: null,
    textFor: (from, text) => `select q.*, v.${CALLER} from ${from} cross join lateral (${text}) as q`,
    answersFrom: byCaller,
  };
}

function insertShape({ sql, places }: Prepared): Shape | null {
  const valuesAt = topLevel(sql, ' values ');
  const conflictAt = topLevel(sql, ' on conflict ');
  if (valuesAt < 0 || topLevel(sql, ' returning ') >= 0) return null;
  // A row that one statement writes and changes again is refused by the server.
  if (conflictAt >= 0 && !/ do nothing$/.test(sql)) return null;
  const id = conflictAt < 0 ? null : insertedId(sql, valuesAt, places);
  if (conflictAt >= 0 && id === null) return null;
  const rowsEach = rowsOf(
    sql.slice(valuesAt + ' values '.length, conflictAt < 0 ? undefined : conflictAt),
  ).length;
  return {
    kind: 'insert',
    key: null,
    textFor(from, text) {
      const start = topLevel(text, ' values ');
      const end = topLevel(text, ' on conflict ');
      const rows = text.slice(start + ' values '.length, end < 0 ? undefined : end);
      const source =
        rowsEach === 1
          ? `select ${rows.trim().slice(1, -1)} from ${from}`
          : `select r.* from ${from} cross join lateral (values ${rows}) as r`;
      const rest = end < 0 ? '' : `${text.slice(end)} returning "id"`;
      return `${text.slice(0, start)} ${source}${rest}`;
    },
    answersFrom({ rows }, all) {
      if (id === null) return all.map(() => rowsEach);
      const written = new Set(rows.map((row) => row.id));
      return all.map((args) => (written.has(args[id]) ? 1 : 0));
    },
  };
}

function updateShape({ sql, places }: Prepared): Shape | null {
  const whereAt = topLevel(sql, ' where ');
  if (whereAt < 0) return null;
  const table = /^update "(\w+)" set /.exec(sql)?.[1];
  if (table === undefined) return null;
  const key = keyOf(topLevelText(sql.slice(whereAt)), KEY_COLUMNS[table] ?? 'id', places);
  if (key === null) return null;
  return {
    kind: 'update',
    key,
    textFor(from, text) {
      const where = topLevel(text, ' where ');
      const returning = topLevel(text, ' returning ');
      const columns =
        returning < 0
          ? ''
          : `, ${text.slice(returning + ' returning '.length).replace(/^\*$/, `"${table}".*`)}`;
      const condition = text.slice(where, returning < 0 ? undefined : returning);
      return `${text.slice(0, where)} from ${from}${condition} returning v.${CALLER}${columns}`;
    },
    answersFrom: byCaller,
  };
}

/** The argument that an insert takes its row's id from. */
function insertedId(sql: string, valuesAt: number, places: (Place | Value)[]): string | null {
  const columns = /\(([^)]*)\)$/.exec(sql.slice(0, valuesAt))?.[1]?.split(', ') ?? [];
  const [row, ...more] = rowsOf(sql.slice(valuesAt + ' values '.length, topLevel(sql, ' on conflict ')));
  if (row === undefined || more.length > 0) return null;
  const place = /^\$(\d+)$/.exec(row.slice(1, -1).split(', ')[columns.indexOf('"id"')] ?? '')?.[1];
  return argumentAt(places, place);
}

/** The argument that a condition compares the key with. */
function keyOf(condition: string, column: string, places: (Place | Value)[]): string | null {
  return argumentAt(places, new RegExp(`(?: where| and) "${column}" = \\$(\\d+)`).exec(condition)?.[1]);
}

function argumentAt(places: (Place | Value)[], number: string | undefined): string | null {
  const place = number === undefined ? null : places[Number(number) - 1];
  return place instanceof Place ? place.name : null;
}

function byCaller(answer: Answer, all: Record<string, Value>[], wanted: ('rows' | 'count')[]): unknown[] {
  const found: Record<string, unknown>[][] = all.map(() => []);
  for (const row of withNumbers(answer)) {
    const { [CALLER]: caller, ...columns } = row;
    found[(caller as number) - 1]!.push(columns);
  }
  return found.map((rows, index) => (wanted[index] === 'count' ? rows.length : rows));
}

/** Where a word stands outside of all parentheses and names; -1 where it does not. */
function topLevel(sql: string, word: string): number {
  let depth = 0;
  for (let at = 0; at < sql.length; at++) {
    const letter = sql[at];
    if (letter === '"') at = sql.indexOf('"', at + 1);
    else if (letter === "'") at = sql.indexOf("'", at + 1);
    else if (letter === '(') depth++;
    else if (letter === ')') depth--;
    else if (depth === 0 && letter === ' ' && sql.startsWith(word, at)) return at;
  }
  return -1;
}

/** A text without what stands in parentheses. */
function topLevelText(sql: string): string {
  let depth = 0;
  let text = '';
  for (const letter of sql) {
    if (letter === '(') depth++;
    else if (letter === ')') depth--;
    else if (depth === 0) text += letter;
  }
  return text;
}

/** `($1, $2), ($3, $4)` -> each with its parentheses. */
function rowsOf(values: string): string[] {
  const rows: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < values.length; at++) {
    if (values[at] === '(' && depth++ === 0) start = at;
    else if (values[at] === ')' && --depth === 0) rows.push(values.slice(start, at + 1));
  }
  return rows;
}
