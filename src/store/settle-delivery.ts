/** How a POST went, and what follows from it: for the delivery, and for an endpoint that is gone or takes nothing. */
import type { Json } from '../core/ports.ts';
import { FAILING_MS_MAX } from '../core/webhook.ts';
import type { DeliveryResult, DisabledReason } from '../core/webhook-ports.ts';
import { holdDeliveries } from './deliveries.ts';
import { recordAccountEvent } from './events.ts';
import type { WebhookAttemptsTable, WebhookDeliveriesTable } from './schema.ts';
import { change, first, statement, type Mutation, type Procedure, type Tx } from './statement.ts';

const finish = statement<{
  id: string;
  attempt: number;
  state: WebhookDeliveriesTable['state'];
  last_status: number | null;
  last_error: string | null;
  settled_at: number;
}>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({
      state: arg('state'),
      held_at: null,
      leased: 0,
      last_status: arg('last_status'),
      last_error: arg('last_error'),
      settled_at: arg('settled_at'),
    })
    .where('id', '=', arg('id'))
    .where('attempts', '=', arg('attempt'))
    .where('settled_at', 'is', null)
    .returning('endpoint_id'),
);

/** Where it was held while under way it stays held. */
const postpone = statement<{
  id: string;
  attempt: number;
  next_at: number;
  last_status: number | null;
  last_error: string | null;
}>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set({
      leased: 0,
      next_at: arg('next_at'),
      last_status: arg('last_status'),
      last_error: arg('last_error'),
    })
    .where('id', '=', arg('id'))
    .where('attempts', '=', arg('attempt'))
    .where('settled_at', 'is', null)
    .returning('endpoint_id'),
);

const insertAttempt = statement<WebhookAttemptsTable>()((db, arg) =>
  db.insertInto('webhook_attempts').values({
    delivery_id: arg('delivery_id'),
    number: arg('number'),
    at: arg('at'),
    duration_ms: arg('duration_ms'),
    status: arg('status'),
    error: arg('error'),
  }),
);

/** Nothing is written while all is well. */
const recovered = statement<{ id: string }>()((db, arg) =>
  db
    .updateTable('webhook_endpoints')
    .set({ failing_since: null })
    .where('id', '=', arg('id'))
    .where('enabled', '=', 1)
    .where('failing_since', 'is not', null),
);

const failing = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_endpoints')
    .set({ failing_since: arg('at') })
    .where('id', '=', arg('id'))
    .where('enabled', '=', 1)
    .where('failing_since', 'is', null),
);

/** Of one that answered 410 it does not matter since when (`since`: now). */
const disable = statement<{ id: string; at: number; since: number; reason: DisabledReason }>()((db, arg) =>
  db
    .updateTable('webhook_endpoints')
    .set({ enabled: 0, disabled_reason: arg('reason'), disabled_at: arg('at'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('enabled', '=', 1)
    .where('failing_since', '<=', arg('since'))
    .returning(['id', 'account_id', 'name', 'url', 'failing_since']),
);

export const settleDelivery: Mutation<DeliveryResult, boolean> = function* (tx, result) {
  const { id, attempt, at, error, nextAt } = result;
  const endedAt = at + result.durationMs;
  const noted = { id, attempt, last_status: result.status, last_error: error };
  const row = yield* error === null || nextAt === null
    ? first(finish, { ...noted, state: error === null ? 'delivered' : 'dead', settled_at: endedAt })
    : first(postpone, { ...noted, next_at: nextAt });
  if (row === null) return false;
  yield* change(insertAttempt, {
    delivery_id: id,
    number: attempt,
    at,
    duration_ms: result.durationMs,
    status: result.status,
    error,
  });
  if (row.endpoint_id !== null && result.isUnsent !== true) {
    yield* judgeEndpoint(tx, row.endpoint_id, result, endedAt);
  }
  tx.notify('deliveries');
  return true;
};

/** The endpoint of a POST: well again, failing since now, or switched off; what waits for it then is held. */
function* judgeEndpoint(tx: Tx, id: string, { error, isGone }: DeliveryResult, at: number): Procedure<void> {
  if (error === null) {
    yield* change(recovered, { id });
    return;
  }
  yield* change(failing, { id, at });
  const reason: DisabledReason = isGone ? 'gone' : 'failing';
  const off = yield* first(disable, { id, at, since: isGone ? at : at - FAILING_MS_MAX, reason });
  if (off === null) return;
  yield* holdDeliveries(id, at);
  const data: Record<string, Json> = {
    id,
    name: off.name,
    url: off.url,
    reason,
    failing_since: Math.floor((off.failing_since ?? at) / 1000),
    last_error: error,
  };
  yield* recordAccountEvent(tx, off.account_id, 'webhook_endpoint.disabled', data, at);
}
