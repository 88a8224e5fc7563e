/** Drives procedures synchronously on one SQLite connection. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sqliteEngine } from '../engine.ts';
import { isMoney, valuesOf, type Command, type Place, type Procedure, type Value } from '../statement.ts';

interface Prepared {
  statement: StatementSync;
  places: (Place | Value)[];
  /** Integer columns that are no money, where the statement reads money; null where it does not. */
  plainColumns: string[] | null;
}

export type Executor = <Result>(procedure: Procedure<Result>) => Result;

/** Every statement is prepared once per connection. */
export function createExecutor(connection: DatabaseSync): Executor {
  const known = new Map<Command['statement'], Prepared>();

  function prepare(command: Command): Prepared {
    const compiled = command.statement.compile(sqliteEngine);
    const statement = connection.prepare(compiled.sql);
    const columns = statement.columns().map((column) => column.name);
    const readsMoney = columns.some(isMoney);
    // Without this an integer above 2^53 throws; with it every integer of the row is a bigint.
    if (readsMoney) statement.setReadBigInts(true);
    return {
      statement,
      places: compiled.places,
      plainColumns: readsMoney ? columns.filter((name) => !isMoney(name)) : null,
    };
  }

  function execute(command: Command): unknown {
    let prepared = known.get(command.statement);
    if (!prepared) known.set(command.statement, (prepared = prepare(command)));
    const values = valuesOf(prepared.places, command.args);
    if (command.answer === 'count') return Number(prepared.statement.run(...values).changes);
    const found = prepared.statement.all(...values);
    if (prepared.plainColumns) for (const row of found) plainNumbers(row, prepared.plainColumns);
    return found;
  }

  return (procedure) => {
    let step = procedure.next();
    while (!step.done) step = procedure.next(execute(step.value));
    return step.value;
  };
}

function plainNumbers(row: Record<string, unknown>, columns: string[]): void {
  for (const column of columns) {
    const value = row[column];
    if (typeof value === 'bigint') row[column] = Number(value);
  }
}
