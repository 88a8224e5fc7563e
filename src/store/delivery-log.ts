/** Reading deliveries: what is due, what was sent, what is dead; and sending settled ones again. */
import type { Page, RememberKey } from '../core/ports.ts';
import type {
  DeliveryAttemptRow,
  DeliveryDetail,
  DeliveryQuery,
  DeliveryRow,
  WebhookStore,
} from '../core/webhook-ports.ts';
import { fromPage } from './page.ts';
import { rememberKey } from './repeats.ts';
import type { WebhookAttemptsTable, WebhookDeliveriesTable } from './schema.ts';
import {
  change,
  first,
  rows,
  statement,
  statementVariants,
  type Mutation,
  type Procedure,
  type Tx,
} from './statement.ts';

/** One seek per lane: the next lane's name follows from the last one's, whatever waits in between. */
const lanes = statement<{ after: string; limit: number }>()((db, arg) =>
  db
    .withRecursive('found', (cte) =>
      cte
        .selectFrom('webhook_deliveries')
        .select((eb) => eb.fn.min<string | null>('lane').as('lane'))
        .where('lane', '>', arg('after'))
        .where('settled_at', 'is', null)
        .where('held_at', 'is', null)
        .unionAll((eb) =>
          eb
            .selectFrom('found')
            .select((inner) =>
              inner
                .selectFrom('webhook_deliveries as following')
                .select((one) => one.fn.min<string | null>('following.lane').as('lane'))
                .whereRef('following.lane', '>', 'found.lane')
                .where('following.settled_at', 'is', null)
                .where('following.held_at', 'is', null)
                .as('lane'),
            )
            .where('found.lane', 'is not', null),
        ),
    )
    .selectFrom('found')
    .select((eb) => [
      'found.lane',
      eb
        .selectFrom('webhook_deliveries as head')
        .select((one) => one.fn.min<number>('head.next_at').as('next_at'))
        .whereRef('head.lane', '=', 'found.lane')
        .where('head.settled_at', 'is', null)
        .where('head.held_at', 'is', null)
        .as('next_at'),
    ])
    .where('found.lane', 'is not', null)
    .limit(arg('limit')),
);

const nextAfter = statement<{ at: number }>()((db, arg) =>
  db
    .selectFrom('webhook_deliveries')
    .select('next_at')
    .where('next_at', '>', arg('at'))
    .where('settled_at', 'is', null)
    .where('held_at', 'is', null)
    .orderBy('next_at')
    .limit(1),
);

/** Capped, so that a receiver who is away for a week costs a look no more than anybody else. */
const openNumber = statement<{ limit: number }>()((db, arg) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('webhook_deliveries')
        .select('next_at')
        .where('settled_at', 'is', null)
        .where('held_at', 'is', null)
        .limit(arg('limit'))
        .as('open'),
    )
    .select((eb) => eb.fn.countAll<number>().as('number')),
);

const page = statementVariants<{
  account_id: string;
  endpoint_id: string;
  state: WebhookDeliveriesTable['state'];
  before: string;
  limit: number;
}>()((db, arg, given) => {
  let query = db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_messages as message', 'message.id', 'delivery.message_id')
    .selectAll('delivery')
    .select('message.type')
    .where('delivery.endpoint_id', '=', arg('endpoint_id'))
    .where('delivery.account_id', '=', arg('account_id'))
    .where('delivery.id', '<', arg('before'));
  if (given.has('state')) query = query.where('delivery.state', '=', arg('state'));
  return query.orderBy('delivery.id', 'desc').limit(arg('limit'));
});

const byId = statement<{ id: string }>()((db, arg) =>
  db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_messages as message', 'message.id', 'delivery.message_id')
    .selectAll('delivery')
    .select(['message.type', 'message.body'])
    .where('delivery.id', '=', arg('id')),
);

const ofTask = statement<{ task_id: string }>()((db, arg) =>
  db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_messages as message', 'message.id', 'delivery.message_id')
    .selectAll('delivery')
    .select(['message.type', 'message.body'])
    .where('delivery.task_id', '=', arg('task_id'))
    .orderBy('delivery.id'),
);

const attemptsOf = statement<{ delivery_id: string }>()((db, arg) =>
  db
    .selectFrom('webhook_attempts')
    .selectAll()
    .where('delivery_id', '=', arg('delivery_id'))
    .orderBy('number'),
);

/** Where its endpoint is paused or gone it waits for that. */
const again = statement<{ id: string; at: number; state: 'pending' | 'held'; held_at: number | null }>()(
  (db, arg) =>
    db
      .updateTable('webhook_deliveries')
      .set({
        state: arg('state'),
        tries: 0,
        leased: 0,
        next_at: arg('at'),
        held_at: arg('held_at'),
        settled_at: null,
      })
      .where('id', '=', arg('id'))
      .where('settled_at', 'is not', null),
);

const redeliverable = statement<{ id: string }>()((db, arg) =>
  db
    .selectFrom('webhook_deliveries as delivery')
    .leftJoin('webhook_endpoints as endpoint', 'endpoint.id', 'delivery.endpoint_id')
    .select(['delivery.endpoint_id', 'endpoint.enabled', 'endpoint.deleted_at'])
    .where('delivery.id', '=', arg('id'))
    .where('delivery.settled_at', 'is not', null),
);

const settledSince = statement<{
  account_id: string;
  endpoint_id: string;
  state: WebhookDeliveriesTable['state'];
  since: number;
}>()((db, arg) =>
  db
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('endpoint_id', '=', arg('endpoint_id'))
    .where('account_id', '=', arg('account_id'))
    .where('state', '=', arg('state'))
    .where('created_at', '>=', arg('since'))
    .orderBy('id'),
);

const oldMessages = statement<{ before: number; limit: number }>()((db, arg) =>
  db
    .selectFrom('webhook_messages as message')
    .select('message.id')
    .where('message.created_at', '<', arg('before'))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('webhook_deliveries as delivery')
            .select('delivery.id')
            .whereRef('delivery.message_id', '=', 'message.id')
            .where('delivery.state', '=', 'pending'),
        ),
      ),
    )
    .orderBy('message.created_at')
    .limit(arg('limit')),
);

const deleteAttempts = statement<{ message_id: string }>()((db, arg) =>
  db
    .deleteFrom('webhook_attempts')
    .where((eb) =>
      eb(
        'delivery_id',
        'in',
        eb.selectFrom('webhook_deliveries').select('id').where('message_id', '=', arg('message_id')),
      ),
    ),
);

const deleteDeliveries = statement<{ message_id: string }>()((db, arg) =>
  db.deleteFrom('webhook_deliveries').where('message_id', '=', arg('message_id')),
);

const deleteMessage = statement<{ message_id: string }>()((db, arg) =>
  db.deleteFrom('webhook_messages').where('id', '=', arg('message_id')),
);

export function* deliveryLanes(after: string, limit: number): Procedure<{ lane: string; nextAt: number }[]> {
  const found = yield* rows(lanes, { after, limit });
  return found.map((row) => ({ lane: row.lane ?? '', nextAt: row.next_at ?? 0 }));
}

export function* nextDeliveryAfter(at: number): Procedure<number | null> {
  return (yield* first(nextAfter, { at }))?.next_at ?? null;
}

/** Deliveries that are neither settled nor held; `limit` stands for that many or more. */
export function* openDeliveryCount(limit: number): Procedure<number> {
  return (yield* first(openNumber, { limit }))?.number ?? 0;
}

/** Newest first. */
export function* listDeliveries(query: DeliveryQuery): Procedure<Page<DeliveryRow>> {
  const select = page(query.state === undefined ? [] : ['state']);
  return yield* fromPage(query, fromRow, (before, limit) =>
    rows(select, {
      account_id: query.accountId,
      endpoint_id: query.endpointId,
      state: query.state ?? 'dead',
      before,
      limit,
    }),
  );
}

export function* getDelivery(id: string): Procedure<DeliveryDetail | null> {
  const row = yield* first(byId, { id });
  return row && (yield* detailOf(row));
}

export function* deliveriesOfTask(taskId: string): Procedure<DeliveryDetail[]> {
  const details: DeliveryDetail[] = [];
  for (const row of yield* rows(ofTask, { task_id: taskId })) details.push(yield* detailOf(row));
  return details;
}

export const redeliver: Mutation<
  { id: string; at: number; remember?: RememberKey | null },
  DeliveryRow | null
> = function* (tx, { id, at, remember }) {
  if (!(yield* beginAnew(tx, id, at))) return null;
  const row = yield* first(byId, { id });
  if (row === null) throw new Error(`delivery ${id} has no message`);
  const begun = fromRow(row);
  if (remember) yield* rememberKey(remember, { subjectId: id, response: { ...begun }, at });
  return begun;
};

/** False when it is not settled, or its endpoint is gone. */
function* beginAnew(tx: Tx, id: string, at: number): Procedure<boolean> {
  const row = yield* first(redeliverable, { id });
  if (row === null || row.deleted_at !== null) return false;
  const isHeld = row.endpoint_id !== null && row.enabled !== 1;
  const state = isHeld ? 'held' : 'pending';
  if ((yield* change(again, { id, at, state, held_at: isHeld ? at : null })) === 0) return false;
  tx.notify('deliveries');
  return true;
}

export const redeliverAll: Mutation<Parameters<WebhookStore['redeliverAll']>[0], number> = function* (
  tx,
  { accountId, endpointId, state, since, at, remember },
) {
  let count = 0;
  const found = yield* rows(settledSince, { account_id: accountId, endpoint_id: endpointId, state, since });
  for (const { id } of found) if (yield* beginAnew(tx, id, at)) count++;
  if (remember) yield* rememberKey(remember, { subjectId: endpointId, response: { count }, at });
  return count;
};

export const pruneMessages: Mutation<{ before: number; limit: number }, number> = function* (
  _tx,
  { before, limit },
) {
  const old = yield* rows(oldMessages, { before, limit });
  for (const { id } of old) {
    yield* change(deleteAttempts, { message_id: id });
    yield* change(deleteDeliveries, { message_id: id });
    yield* change(deleteMessage, { message_id: id });
  }
  return old.length;
};

type Joined = WebhookDeliveriesTable & { type: string };

function* detailOf(row: Joined & { body: string | null }): Procedure<DeliveryDetail> {
  const attempts = yield* rows(attemptsOf, { delivery_id: row.id });
  return { delivery: fromRow(row), attempts: attempts.map(fromAttempt), body: row.body };
}

function fromRow(row: Joined): DeliveryRow {
  return {
    id: row.id,
    accountId: row.account_id,
    messageId: row.message_id,
    eventType: row.type,
    endpointId: row.endpoint_id,
    callbackUrl: row.callback_url,
    taskId: row.task_id,
    state: row.state,
    attempts: row.attempts,
    nextAt: row.settled_at === null && row.held_at === null ? row.next_at : null,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: row.created_at,
    settledAt: row.settled_at,
  };
}

function fromAttempt(row: WebhookAttemptsTable): DeliveryAttemptRow {
  return {
    deliveryId: row.delivery_id,
    number: row.number,
    at: row.at,
    durationMs: row.duration_ms,
    status: row.status,
    error: row.error,
  };
}
