/** Redacted exchanges with upstreams, for the flight recorder. */
import type { Exchange } from '../core/ports.ts';
import type { ExchangesTable } from './schema.ts';
import { change, rows, statement, type Procedure, type Tx } from './statement.ts';

const insert = statement<ExchangesTable>()((db, arg) =>
  db.insertInto('exchanges').values({
    id: arg('id'),
    attempt_id: arg('attempt_id'),
    at: arg('at'),
    method: arg('method'),
    path: arg('path'),
    request: arg('request'),
    status: arg('status'),
    response: arg('response'),
    duration_ms: arg('duration_ms'),
    error: arg('error'),
  }),
);

const ofTask = statement<{ task_id: string }>()((db, arg) =>
  db
    .selectFrom('exchanges')
    .innerJoin('attempts', 'attempts.id', 'exchanges.attempt_id')
    .selectAll('exchanges')
    .where('attempts.task_id', '=', arg('task_id'))
    .orderBy('attempts.number')
    .orderBy('exchanges.id'),
);

export function* recordExchanges(tx: Tx, attemptId: string, exchanges: Exchange[]): Procedure<void> {
  for (const exchange of exchanges) {
    yield* change(insert, {
      id: tx.newId('exc_', exchange.at),
      attempt_id: attemptId,
      at: exchange.at,
      method: exchange.method,
      path: exchange.path,
      request: exchange.request,
      status: exchange.status,
      response: exchange.response,
      duration_ms: Math.round(exchange.durationMs),
      error: exchange.error,
    });
  }
}

/** Attempt by attempt, in the order they were written. */
export function* exchangesOfTask(taskId: string): Procedure<(Exchange & { attemptId: string })[]> {
  return (yield* rows(ofTask, { task_id: taskId })).map((row) => ({
    attemptId: row.attempt_id,
    at: row.at,
    method: row.method,
    path: row.path,
    request: row.request,
    status: row.status,
    response: row.response,
    durationMs: row.duration_ms,
    error: row.error,
  }));
}
