/**
 * Messages and their deliveries: written in the transaction of the change they tell of, claimed lane by lane. A claim
 * moves `next_at` to the end of the lease, as with jobs.
 */
import { toldAs } from '../core/webhook.ts';
import type { ClaimedDelivery, WebhookStore } from '../core/webhook-ports.ts';
import type { WebhookDeliveriesTable, WebhookMessagesTable } from './schema.ts';
import { leaveLocked } from './engine.ts';
import {
  change,
  first,
  keptUntilWritten,
  rows,
  statement,
  type Mutation,
  type Procedure,
  type Tx,
} from './statement.ts';

/** After so many tries of an earlier delivery about the same task, later ones no longer wait for it. */
const ORDERED_TRIES = 3;

const subscribers = keptUntilWritten(
  ['webhook_subscriptions', 'webhook_endpoints'],
  statement<{ account_id: string; type: string }>()((db, arg) =>
    db
      .selectFrom('webhook_subscriptions as subscription')
      .innerJoin('webhook_endpoints as endpoint', 'endpoint.id', 'subscription.endpoint_id')
      .select(['endpoint.id', 'endpoint.enabled'])
      .where('subscription.account_id', '=', arg('account_id'))
      .where('subscription.event_type', '=', arg('type')),
  ),
);

const insertMessage = statement<Omit<WebhookMessagesTable, 'body'>>()((db, arg) =>
  db.insertInto('webhook_messages').values({
    id: arg('id'),
    account_id: arg('account_id'),
    type: arg('type'),
    event_id: arg('event_id'),
    task_id: arg('task_id'),
    sequence: arg('sequence'),
    body: null,
    created_at: arg('created_at'),
  }),
);

type NewDelivery = Pick<
  WebhookDeliveriesTable,
  | 'id'
  | 'account_id'
  | 'message_id'
  | 'endpoint_id'
  | 'callback_url'
  | 'lane'
  | 'task_id'
  | 'state'
  | 'held_at'
  | 'created_at'
>;

const insertDelivery = statement<NewDelivery>()((db, arg) =>
  db.insertInto('webhook_deliveries').values({
    id: arg('id'),
    account_id: arg('account_id'),
    message_id: arg('message_id'),
    endpoint_id: arg('endpoint_id'),
    callback_url: arg('callback_url'),
    lane: arg('lane'),
    task_id: arg('task_id'),
    state: arg('state'),
    held_at: arg('held_at'),
    attempts: 0,
    tries: 0,
    leased: 0,
    next_at: arg('created_at'),
    created_at: arg('created_at'),
  }),
);

/** A newer message about the task shows that it goes on: what waits for a later try is tried again first. */
const hastenEarlier = statement<{ lane: string; task_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({ next_at: arg('at') })
    .where('task_id', '=', arg('task_id'))
    .where('lane', '=', arg('lane'))
    .where('settled_at', 'is', null)
    .where('held_at', 'is', null)
    .where('leased', '=', 0)
    .where('next_at', '>', arg('at')),
);

/** Those that another node is claiming at this moment are left to it. */
const due = statement<{ lane: string; at: number; limit: number }>()((db, arg, engine) =>
  leaveLocked(
    engine,
    db
      .selectFrom('webhook_deliveries as delivery')
      .select('delivery.id')
      .where('delivery.lane', '=', arg('lane'))
      .where('delivery.next_at', '<=', arg('at'))
      .where('delivery.settled_at', 'is', null)
      .where('delivery.held_at', 'is', null)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('webhook_deliveries as earlier')
              .select('earlier.id')
              .whereRef('earlier.task_id', '=', 'delivery.task_id')
              .whereRef('earlier.lane', '=', 'delivery.lane')
              .whereRef('earlier.id', '<', 'delivery.id')
              .where('earlier.settled_at', 'is', null)
              .where('earlier.held_at', 'is', null)
              .where((inner) =>
                inner.or([inner('earlier.leased', '=', 1), inner('earlier.tries', '<', ORDERED_TRIES)]),
              ),
          ),
        ),
      )
      .orderBy('delivery.next_at')
      .limit(arg('limit')),
  ),
);

/** Compared once more: between the two statements another node may have claimed it and let go of the row. */
const lease = statement<{ id: string; at: number; until: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      next_at: arg('until'),
      leased: 1,
      attempts: eb('attempts', '+', 1),
      tries: eb('tries', '+', 1),
    }))
    .where('id', '=', arg('id'))
    .where('next_at', '<=', arg('at'))
    .where('settled_at', 'is', null)
    .where('held_at', 'is', null)
    .returningAll(),
);

const messageOf = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('webhook_messages').selectAll().where('id', '=', arg('id')),
);

const setBody = statement<{ id: string; body: string }>()((db, arg) =>
  db
    .updateTable('webhook_messages')
    .set({ body: arg('body') })
    .where('id', '=', arg('id'))
    .where('body', 'is', null),
);

const hold = statement<{ endpoint_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({ state: 'held', held_at: arg('at') })
    .where('endpoint_id', '=', arg('endpoint_id'))
    .where('settled_at', 'is', null)
    .where('held_at', 'is', null),
);

const release = statement<{ endpoint_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      state: 'pending',
      held_at: null,
      // One that is still under way keeps its lease.
      next_at: eb
        .case()
        .when('leased', '=', 1)
        .then(eb.ref('next_at'))
        .else(eb.val(arg('at')))
        .end(),
    }))
    .where('endpoint_id', '=', arg('endpoint_id'))
    .where('settled_at', 'is', null)
    .where('held_at', 'is not', null),
);

const cancel = statement<{ endpoint_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({ state: 'cancelled', held_at: null, settled_at: arg('at') })
    .where('endpoint_id', '=', arg('endpoint_id'))
    .where('settled_at', 'is', null),
);

const endLeases = statement<{ at: number }>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({ next_at: arg('at'), leased: 0 })
    .where('leased', '=', 1)
    .where('settled_at', 'is', null)
    .where('next_at', '>', arg('at')),
);

/** What a fact belongs to. */
export interface FactSubject {
  accountId: string;
  taskId: string | null;
  callbackUrl: string | null;
}

/** Writes one delivery for everybody who wants to know of the fact; where nobody does, a look-up tells so. */
export function* announce(
  tx: Tx,
  subject: FactSubject,
  fact: { eventId: string; type: string; sequence: number | null },
  at: number,
): Procedure<void> {
  for (const type of toldAs(fact.type)) {
    const endpoints = yield* rows(subscribers, { account_id: subject.accountId, type });
    if (endpoints.length === 0) continue;
    // Ids tell repeats apart: the same fact in other words is another message.
    const id = type === fact.type ? fact.eventId : tx.newId('evt_', at);
    yield* writeMessage(subject, fact, { id, type }, at);
    for (const endpoint of endpoints) {
      yield* writeDelivery(tx, subject, at, {
        message_id: id,
        endpoint_id: endpoint.id,
        callback_url: null,
        lane: endpoint.id,
        state: endpoint.enabled === 1 ? 'pending' : 'held',
        held_at: endpoint.enabled === 1 ? null : at,
      });
    }
  }
  if (subject.callbackUrl !== null && fact.type.startsWith('task.')) {
    const id = tx.newId('msg_', at);
    yield* writeMessage(subject, fact, { id, type: 'callback' }, at);
    yield* writeDelivery(tx, subject, at, {
      message_id: id,
      endpoint_id: null,
      callback_url: subject.callbackUrl,
      lane: `${subject.accountId} ${URL.parse(subject.callbackUrl)?.host ?? ''}`,
      state: 'pending',
      held_at: null,
    });
  }
}

function* writeMessage(
  subject: FactSubject,
  fact: { eventId: string; sequence: number | null },
  message: { id: string; type: string },
  at: number,
): Procedure<void> {
  yield* change(insertMessage, {
    ...message,
    account_id: subject.accountId,
    event_id: fact.eventId,
    task_id: subject.taskId,
    sequence: fact.sequence,
    created_at: at,
  });
}

function* writeDelivery(
  tx: Tx,
  subject: FactSubject,
  at: number,
  delivery: Pick<NewDelivery, 'message_id' | 'endpoint_id' | 'callback_url' | 'lane' | 'state' | 'held_at'>,
): Procedure<void> {
  if (subject.taskId !== null) {
    yield* change(hastenEarlier, { lane: delivery.lane, task_id: subject.taskId, at });
  }
  yield* change(insertDelivery, {
    ...delivery,
    id: tx.newId('dlv_', at),
    account_id: subject.accountId,
    task_id: subject.taskId,
    created_at: at,
  });
  tx.notify('deliveries');
}

export const claimDeliveries: Mutation<Parameters<WebhookStore['claim']>[0], ClaimedDelivery[]> = function* (
  _tx,
  { lanes, at, leaseUntil },
) {
  const claimed: ClaimedDelivery[] = [];
  for (const { lane, limit } of lanes) {
    for (const { id } of yield* rows(due, { lane, at, limit })) {
      const row: WebhookDeliveriesTable | null = yield* first(lease, { id, at, until: leaseUntil });
      if (row === null) continue;
      const message: WebhookMessagesTable | null = yield* first(messageOf, { id: row.message_id });
      if (message === null) throw new Error(`delivery ${id} has no message`);
      claimed.push({
        id,
        accountId: row.account_id,
        lane,
        endpointId: row.endpoint_id,
        callbackUrl: row.callback_url,
        attempt: row.attempts,
        tries: row.tries,
        message: {
          id: message.id,
          type: message.type,
          eventId: message.event_id,
          taskId: message.task_id,
          sequence: message.sequence,
          body: message.body,
          createdAt: message.created_at,
        },
      });
    }
  }
  return claimed;
};

export const fixMessageBody: Mutation<{ id: string; body: string }, string> = function* (_tx, { id, body }) {
  yield* change(setBody, { id, body });
  return (yield* first(messageOf, { id }))?.body ?? body;
};

/** Nothing more goes to the endpoint until {@link releaseDeliveries}. */
export function* holdDeliveries(endpointId: string, at: number): Procedure<void> {
  yield* change(hold, { endpoint_id: endpointId, at });
}

export function* releaseDeliveries(tx: Tx, endpointId: string, at: number): Procedure<void> {
  yield* change(release, { endpoint_id: endpointId, at });
  tx.notify('deliveries');
}

export function* cancelDeliveries(endpointId: string, at: number): Procedure<void> {
  yield* change(cancel, { endpoint_id: endpointId, at });
}

/** For an engine that one process owns: when it opens, whoever was sending is dead. */
export function* releaseDeliveryLeases(at: number): Procedure<void> {
  yield* change(endLeases, { at });
}
