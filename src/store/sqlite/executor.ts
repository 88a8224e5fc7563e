/** Drives procedures synchronously on one SQLite connection. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sqliteEngine } from '../engine.ts';
import { tableWritten, type KeptAnswers } from './kept-answers.ts';
import { isMoney, valuesOf, type Command, type Place, type Procedure, type Value } from '../statement.ts';

interface Prepared {
  statement: StatementSync;
  places: (Place | Value)[];
  columns: string[];
  /** A row of nothing: its copies have all columns in their order, which makes them quick to fill and to read. */
  empty: Record<string, unknown>;
  /** Null where it only reads. */
  writesTo: string | null;
  /** Which integers stay bigint, where the statement reads money; null where it does not: all are numbers then. */
  money: boolean[] | null;
}

export type Executor = <Result>(procedure: Procedure<Result>) => Result;

/** Every statement is prepared once per connection. `kept`: of the only connection that writes. */
export function createExecutor(connection: DatabaseSync, kept: KeptAnswers | null = null): Executor {
  const known = new Map<Command['statement'], Prepared>();

  function prepare(command: Command): Prepared {
    const compiled = command.statement.compile(sqliteEngine);
    const statement = connection.prepare(compiled.sql);
    const columns = statement.columns().map((column) => column.name);
    // As arrays: the library's objects look every name up again for every row, and are slow to read from.
    statement.setReturnArrays(true);
    const readsMoney = columns.some(isMoney);
    // Without this an integer above 2^53 throws; with it every integer of the row is a bigint.
    if (readsMoney) statement.setReadBigInts(true);
    return {
      statement,
      places: compiled.places,
      columns,
      writesTo: tableWritten(compiled),
      empty: Object.fromEntries(columns.map((name) => [name, null])),
      money: readsMoney ? columns.map(isMoney) : null,
    };
  }

  function execute(command: Command): unknown {
    let prepared = known.get(command.statement);
    if (!prepared) known.set(command.statement, (prepared = prepare(command)));
    const values = valuesOf(prepared.places, command.args);
    if (prepared.writesTo !== null) kept?.written(prepared.writesTo);
    if (command.answer === 'count') return Number(prepared.statement.run(...values).changes);
    if (kept === null || command.statement.keptUntilWritten === undefined) return select(prepared, values);
    let found = kept.find(command.statement, values);
    if (found === undefined) kept.keep(command.statement, values, (found = select(prepared, values)));
    return found;
  }

  function select(prepared: Prepared, values: Value[]): Record<string, unknown>[] {
    // The library's type knows no arrays.
    const found = prepared.statement.all(...values) as unknown as unknown[][];
    return found.map((row) => toObject(row, prepared));
  }

  return (procedure) => {
    let step = procedure.next();
    while (!step.done) step = procedure.next(execute(step.value));
    return step.value;
  };
}

function toObject(row: unknown[], { columns, empty, money }: Prepared): Record<string, unknown> {
  const object = { ...empty };
  for (let index = 0; index < columns.length; index++) {
    const value = row[index];
    if (value === null) continue;
    object[columns[index]!] =
      typeof value === 'bigint' && money !== null && !money[index] ? Number(value) : value;
  }
  return object;
}
