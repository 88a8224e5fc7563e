/** State history and outbox in one: a fact is written in the transaction of the change it describes. */
import type { EventRow, Json, Page, PageQuery } from '../core/ports.ts';
import { parseJson, writeJson } from '../lib/json.ts';
import { announce } from './deliveries.ts';
import { BEFORE_ALL_IDS, toPage } from './page.ts';
import type { EventsTable } from './schema.ts';
import { change, first, rows, statement, statementVariants, type Procedure, type Tx } from './statement.ts';

const insert = statement<EventsTable>()((db, arg) =>
  db.insertInto('events').values({
    id: arg('id'),
    type: arg('type'),
    account_id: arg('account_id'),
    task_id: arg('task_id'),
    data: arg('data'),
    created_at: arg('created_at'),
  }),
);

const ofTask = statement<{ task_id: string }>()((db, arg) =>
  db.selectFrom('events').selectAll().where('task_id', '=', arg('task_id')).orderBy('id'),
);

const page = statementVariants<{ after: string; limit: number; account_id: string; task_id: string }>()((
  db,
  arg,
  given,
) => {
  let query = db.selectFrom('events').selectAll().where('id', '>', arg('after'));
  if (given.has('account_id')) query = query.where('account_id', '=', arg('account_id'));
  if (given.has('task_id')) query = query.where('task_id', '=', arg('task_id'));
  return query.orderBy('id').limit(arg('limit'));
});

/** What an event says of the task it belongs to. */
export interface EventSubject {
  id: string;
  account_id: string;
  callback_url: string | null;
}

/**
 * Records a fact about a task. Facts a caller may see (`task.*`) are told to the endpoints that subscribed to them and
 * to the callback URL of the request.
 */
export function* recordEvent(
  tx: Tx,
  task: EventSubject,
  type: string,
  data: Record<string, Json>,
  at: number,
): Procedure<string> {
  const id = tx.newId('evt_', at);
  yield* change(insert, {
    id,
    type,
    account_id: task.account_id,
    task_id: task.id,
    data: writeJson(data),
    created_at: at,
  });
  const subject = { accountId: task.account_id, taskId: task.id, callbackUrl: task.callback_url };
  yield* announce(tx, subject, { eventId: id, type, sequence: null }, at);
  return id;
}

/** Records a fact about an account. */
export function* recordAccountEvent(
  tx: Tx,
  accountId: string,
  type: string,
  data: Record<string, Json>,
  at: number,
): Procedure<void> {
  const id = tx.newId('evt_', at);
  yield* change(insert, {
    id,
    type,
    account_id: accountId,
    task_id: null,
    data: writeJson(data),
    created_at: at,
  });
  const subject = { accountId, taskId: null, callbackUrl: null };
  yield* announce(tx, subject, { eventId: id, type, sequence: null }, at);
}

const byId = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('events').selectAll().where('id', '=', arg('id')),
);

export function* getEvent(id: string): Procedure<EventRow | null> {
  const row = yield* first(byId, { id });
  return row && fromRow(row);
}

/** Oldest first, so that a reader can follow. */
export function* listEvents(
  query: PageQuery & { accountId?: string; taskId?: string },
): Procedure<Page<EventRow>> {
  const args = {
    after: query.cursor ?? BEFORE_ALL_IDS,
    limit: query.limit + 1,
    account_id: query.accountId ?? '',
    task_id: query.taskId ?? '',
  };
  const given = [
    ...(query.accountId === undefined ? [] : ['account_id']),
    ...(query.taskId === undefined ? [] : ['task_id']),
  ];
  return toPage(query, yield* rows(page(given), args), fromRow);
}

export function* eventsOfTask(taskId: string): Procedure<EventRow[]> {
  return (yield* rows(ofTask, { task_id: taskId })).map(fromRow);
}

function fromRow(row: EventsTable): EventRow {
  return {
    id: row.id,
    type: row.type,
    accountId: row.account_id,
    taskId: row.task_id,
    data: parseJson(row.data),
    createdAt: row.created_at,
  };
}
