/**
 * Answers to what almost every change asks and hardly any changes (who has limits, who is told of what): kept by the
 * connection that alone writes, until it writes to a table they were read from.
 */
import type { DatabaseSync } from 'node:sqlite';
import { TableNode, type OperationNode } from 'kysely';
import type { Command, CompiledStatement, Value } from '../statement.ts';

type Row = Record<string, unknown>;

/** A hundred bytes each; then it begins anew. */
const ANSWERS_MAX = 10_000;

/** Stands for whatever a statement writes to that says nothing of its tables. */
export const ANY_TABLE = '*';

export interface KeptAnswers {
  find(statement: Command['statement'], values: Value[]): Row[] | undefined;
  keep(statement: Command['statement'], values: Value[], found: Row[]): void;
  /** To be called before a statement writes there. */
  written(table: string): void;
  /** To be called inside every new transaction: another program may have written to the file. */
  begin(): void;
  /** What was read in a transaction that is undone may never have been. */
  forget(): void;
}

export function createKeptAnswers(connection: DatabaseSync): KeptAnswers {
  const version = connection.prepare('pragma data_version');
  const answers = new Map<string, Row[]>();
  const numbers = new Map<Command['statement'], number>();
  const tables = new Set<string>([ANY_TABLE]);
  let seen: unknown;

  function keyOf(statement: Command['statement'], values: Value[]): string {
    let number = numbers.get(statement);
    if (number === undefined) {
      numbers.set(statement, (number = numbers.size));
      for (const table of statement.keptUntilWritten ?? []) tables.add(table);
    }
    return `${number}\n${values.join('\n')}`;
  }

  return {
    find: (statement, values) => answers.get(keyOf(statement, values)),
    keep(statement, values, found) {
      if (answers.size >= ANSWERS_MAX) answers.clear();
      answers.set(keyOf(statement, values), found);
    },
    written(table) {
      if (answers.size > 0 && tables.has(table)) answers.clear();
    },
    begin() {
      const now = version.get()?.['data_version'];
      if (now !== seen) answers.clear();
      seen = now;
    },
    forget: () => answers.clear(),
  };
}

function nameOf(node: OperationNode | undefined): string {
  return node !== undefined && TableNode.is(node) ? node.table.identifier.name : ANY_TABLE;
}

/** The table a statement writes to; null where it only reads. */
export function tableWritten({ query, sql }: CompiledStatement): string | null {
  switch (query.kind) {
    case 'SelectQueryNode':
      return null;
    case 'InsertQueryNode':
      return query.into?.table.identifier.name ?? ANY_TABLE;
    case 'UpdateQueryNode':
      return nameOf(query.table);
    case 'DeleteQueryNode':
      return nameOf(query.from.froms[0]);
    default:
      return /^\s*select\b/i.test(sql) ? null : ANY_TABLE;
  }
}
