/** Drives procedures on one session, statement by statement. */
import { postgresEngine } from '../engine.ts';
import {
  isMoney,
  valuesOf,
  type Command,
  type CompiledStatement,
  type Procedure,
  type Statement,
  type Value,
} from '../statement.ts';
import type { Answer, Connection, Query } from './connection.ts';

const INT8 = 20;
const NUMERIC = 1700;

export interface Prepared extends CompiledStatement {
  /** Stands for the text at the server. */
  name: string;
}

const prepared = new WeakMap<Statement<unknown, unknown>, Prepared>();
let names = 0;

/** A statement as the server will know it. */
export function prepare(statement: Statement<unknown, unknown>): Prepared {
  let known = prepared.get(statement);
  if (!known) {
    known = { ...statement.compile(postgresEngine), name: `s${++names}` };
    prepared.set(statement, known);
  }
  return known;
}

export function queryOf({ statement, args }: Command): Query {
  const { name, sql, places } = prepare(statement);
  return { name, text: sql, values: valuesOf(places, args).map(storable) };
}

/** The engine's text has no U+0000: it is kept, and looked for, as the character for what cannot be shown. */
export function storable(value: Value): Value {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}

/** What a command is answered with. */
export function resultOf(command: Command, answer: Answer): unknown {
  return command.answer === 'count' ? answer.rowCount : withNumbers(answer);
}

export async function execute(connection: Connection, command: Command): Promise<unknown> {
  return resultOf(command, await connection.execute(queryOf(command)));
}

/** One statement after the other, each answered before the next. */
export async function drive<Result>(connection: Connection, procedure: Procedure<Result>): Promise<Result> {
  let step = procedure.next();
  while (!step.done) step = procedure.next(await execute(connection, step.value));
  return step.value;
}

/** The rows, with integers as they are meant: money as bigint, everything else as a number. */
export function withNumbers({ rows, fields }: Answer): Record<string, unknown>[] {
  for (const { name, dataTypeID } of fields) {
    if (dataTypeID !== INT8 && dataTypeID !== NUMERIC) continue;
    const read = isMoney(name) ? BigInt : safeNumber;
    for (const row of rows) {
      const text = row[name];
      if (typeof text === 'string') row[name] = read(text);
    }
  }
  return rows;
}

function safeNumber(text: string): number {
  const number = Number(text);
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`the integer ${text} is no money and too large for a number`);
  }
  return number;
}
