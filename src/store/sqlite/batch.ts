/**
 * Group commit: all changes that wait are one transaction. A refusal undoes its own
 * caller's change only; when the engine fails, the whole transaction is undone and every caller is told so.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { mutations, type MutationName } from '../mutations.ts';
import { createSortableIds } from '../sortable-ids.ts';
import type { Mutation, Tx } from '../statement.ts';
import { watchTasks } from './changed-tasks.ts';
import { createExecutor, type Executor } from './executor.ts';
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts';
import { failureOf, isEngineFailure, sparesConnection, unavailable, type Failure } from './failures.ts';

/** A change asked for: number of the call, name of the mutation, its arguments. */
export type Call = [id: number, name: MutationName, args: unknown];

/** Its outcome. */
export type Answer = [id: number, result: unknown] | [id: number, result: null, failure: Failure];

export interface Outcome {
  answers: Answer[];
  /** What was touched, each once. */
  topics: string[];
  /** Tasks whose rows are not what they were. */
  changedTasks: string[];
}

export interface BatchRunner {
  run(calls: Call[]): Outcome;
  close(): void;
}

interface Session {
  connection: DatabaseSync;
  execute: Executor;
  kept: KeptAnswers;
  takeChangedTasks: () => string[];
  begin: StatementSync;
  savepoint: StatementSync;
  release: StatementSync;
  undo: StatementSync;
  commit: StatementSync;
}

/** `open` is called again when an engine failure leaves a connection in doubt. */
export function createBatchRunner(open: () => DatabaseSync): BatchRunner {
  let session: Session | null = createSession(open());
  const newId = createSortableIds();

  function run(calls: Call[]): Outcome {
    try {
      session ??= createSession(open());
      return runInTransaction(session, calls);
    } catch (error) {
      rollback(error);
      const failure = unavailable(error);
      return { answers: calls.map(([id]) => [id, null, failure]), topics: [], changedTasks: [] };
    }
  }

  /**
   * Refusals are rare and a savepoint costs an eighth of a change, so a batch runs without them first. When somebody
   * is refused, nothing of that run is kept and the batch runs again, each change in a savepoint of its own.
   */
  function runInTransaction(session: Session, calls: Call[]): Outcome {
    return (calls.length > 1 ? runUnguarded(session, calls) : null) ?? runGuarded(session, calls);
  }

  /** Null when a change was refused: the transaction is undone. */
  function runUnguarded(
    { connection, execute, kept, takeChangedTasks, begin, commit }: Session,
    calls: Call[],
  ): Outcome | null {
    const answers: Answer[] = [];
    const topics = new Set<string>();
    const tx: Tx = { newId, notify: (topic) => void topics.add(topic) };
    begin.run();
    kept.begin();
    try {
      // Names and arguments were typed where the call was made.
      for (const [id, name, args] of calls) {
        answers.push([id, execute((mutations[name] as Mutation<unknown, unknown>)(tx, args))]);
      }
    } catch (error) {
      if (isEngineFailure(error) || !connection.isTransaction) throw error;
      connection.exec('rollback');
      kept.forget();
      return null;
    }
    commit.run();
    return { answers, topics: [...topics], changedTasks: takeChangedTasks() };
  }

  function runGuarded(
    { connection, execute, kept, takeChangedTasks, begin, savepoint, release, undo, commit }: Session,
    calls: Call[],
  ): Outcome {
    const answers: Answer[] = [];
    const topics = new Set<string>();
    begin.run();
    kept.begin();
    for (const [id, name, args] of calls) {
      const touched: string[] = [];
      const tx: Tx = { newId, notify: (topic) => void touched.push(topic) };
      savepoint.run();
      try {
        const result = execute((mutations[name] as Mutation<unknown, unknown>)(tx, args));
        release.run();
        answers.push([id, result]);
        for (const topic of touched) topics.add(topic);
      } catch (error) {
        if (isEngineFailure(error) || !connection.isTransaction) throw error;
        undo.run();
        release.run();
        kept.forget();
        answers.push([id, null, failureOf(error)]);
      }
    }
    commit.run();
    return { answers, topics: [...topics], changedTasks: takeChangedTasks() };
  }

  function rollback(error: unknown): void {
    if (!session) return;
    try {
      if (session.connection.isTransaction) session.connection.exec('rollback');
      session.kept.forget();
      if (sparesConnection(error)) return;
      session.connection.close();
    } catch {
      // The connection is given up below; SQLite rolls back what it left when the file is opened again.
    }
    session = null;
  }

  return {
    run,
    close() {
      if (!session) return;
      session.connection.exec('pragma wal_checkpoint(truncate)');
      session.connection.close();
      session = null;
    },
  };
}

function createSession(connection: DatabaseSync): Session {
  const kept = createKeptAnswers(connection);
  return {
    connection,
    execute: createExecutor(connection, kept),
    kept,
    takeChangedTasks: watchTasks(connection),
    begin: connection.prepare('begin immediate'),
    savepoint: connection.prepare('savepoint call'),
    release: connection.prepare('release call'),
    undo: connection.prepare('rollback to call'),
    commit: connection.prepare('commit'),
  };
}
