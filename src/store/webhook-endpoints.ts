/** Endpoints of accounts and what they subscribe to. */
import type { RememberAnswer } from '../core/ports.ts';
import type { WebhookEndpointRow, WebhookStore } from '../core/webhook-ports.ts';
import { cancelDeliveries, holdDeliveries, releaseDeliveries } from './deliveries.ts';
import { lockRows } from './engine.ts';
import { AFTER_ALL_IDS } from './page.ts';
import { patched } from './patch.ts';
import { rememberGiven } from './repeats.ts';
import type { WebhookEndpointsTable, WebhookSubscriptionsTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';

const insert = statement<Omit<WebhookEndpointsTable, 'deleted_at'>>()((db, arg) =>
  db.insertInto('webhook_endpoints').values({
    id: arg('id'),
    account_id: arg('account_id'),
    kind: arg('kind'),
    name: arg('name'),
    url: arg('url'),
    event_types: arg('event_types'),
    enabled: arg('enabled'),
    disabled_reason: arg('disabled_reason'),
    secret_sealed: arg('secret_sealed'),
    secret_hint: arg('secret_hint'),
    old_secret_sealed: arg('old_secret_sealed'),
    old_secret_until: arg('old_secret_until'),
    failing_since: arg('failing_since'),
    disabled_at: arg('disabled_at'),
    created_at: arg('created_at'),
    updated_at: arg('updated_at'),
  }),
);

const update = statement<Omit<WebhookEndpointsTable, 'account_id' | 'kind' | 'created_at' | 'deleted_at'>>()(
  (db, arg) =>
    db
      .updateTable('webhook_endpoints')
      .set({
        name: arg('name'),
        url: arg('url'),
        event_types: arg('event_types'),
        enabled: arg('enabled'),
        disabled_reason: arg('disabled_reason'),
        secret_sealed: arg('secret_sealed'),
        secret_hint: arg('secret_hint'),
        old_secret_sealed: arg('old_secret_sealed'),
        old_secret_until: arg('old_secret_until'),
        failing_since: arg('failing_since'),
        disabled_at: arg('disabled_at'),
        updated_at: arg('updated_at'),
      })
      .where('id', '=', arg('id')),
);

const remove = statement<{ account_id: string; id: string; at: number }>()((db, arg) =>
  db
    .updateTable('webhook_endpoints')
    .set({ deleted_at: arg('at'), updated_at: arg('at'), enabled: 0 })
    .where('account_id', '=', arg('account_id'))
    .where('id', '=', arg('id'))
    .where('kind', '=', 'endpoint')
    .where('deleted_at', 'is', null),
);

const byId = statement<{ account_id: string; id: string }>()((db, arg) =>
  db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('id', '=', arg('id'))
    .where('account_id', '=', arg('account_id'))
    .where('deleted_at', 'is', null),
);

/** {@link byId}, until the change is made that it is read for. */
const lockedById = statement<{ account_id: string; id: string }>()((db, arg, engine) =>
  lockRows(
    engine,
    db
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('id', '=', arg('id'))
      .where('account_id', '=', arg('account_id'))
      .where('deleted_at', 'is', null),
  ),
);

/** Held by whoever may make the account's one signer. */
const lockedAccount = statement<{ id: string }>()((db, arg, engine) =>
  lockRows(engine, db.selectFrom('accounts').select('id').where('id', '=', arg('id'))),
);

const ofAccount = statement<{
  account_id: string;
  kind: WebhookEndpointsTable['kind'];
  before: string;
  limit: number;
}>()((db, arg) =>
  db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('kind', '=', arg('kind'))
    .where('id', '<', arg('before'))
    .where('deleted_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(arg('limit')),
);

const subscribe = statement<WebhookSubscriptionsTable>()((db, arg) =>
  db.insertInto('webhook_subscriptions').values({
    account_id: arg('account_id'),
    event_type: arg('event_type'),
    endpoint_id: arg('endpoint_id'),
  }),
);

const unsubscribe = statement<{ endpoint_id: string }>()((db, arg) =>
  db.deleteFrom('webhook_subscriptions').where('endpoint_id', '=', arg('endpoint_id')),
);

export const createWebhookEndpoint: Mutation<
  { row: WebhookEndpointRow; remember: RememberAnswer | null },
  void
> = function* (_tx, { row, remember }) {
  yield* rememberGiven(remember, { subjectId: row.id, at: row.createdAt });
  yield* change(insert, { ...toRow(row), created_at: row.createdAt });
  yield* writeSubscriptions(row);
};

export const updateWebhookEndpoint: Mutation<
  Parameters<WebhookStore['updateEndpoint']>[0],
  WebhookEndpointRow | null
> = function* (tx, { accountId, id, at, patch, remember }) {
  const found = yield* first(lockedById, { account_id: accountId, id });
  if (found === null) return null;
  const row = fromRow(found);
  yield* rememberGiven(remember, { subjectId: id, at });
  const changed = patched(row, patch);
  changed.disabledReason = changed.enabled ? null : (row.disabledReason ?? 'paused');
  if (row.enabled && !changed.enabled) changed.disabledAt = at;
  if (!row.enabled && changed.enabled) {
    delete changed.disabledAt;
    delete changed.failingSince;
  }
  if (JSON.stringify(changed) === JSON.stringify(row)) return row;
  changed.updatedAt = at;
  yield* change(update, toRow(changed));
  if (patch.eventTypes !== undefined) {
    yield* change(unsubscribe, { endpoint_id: id });
    yield* writeSubscriptions(changed);
  }
  if (row.enabled && !changed.enabled) yield* holdDeliveries(id, at);
  if (!row.enabled && changed.enabled) yield* releaseDeliveries(tx, id, at);
  return changed;
};

export const deleteWebhookEndpoint: Mutation<{ accountId: string; id: string; at: number }, boolean> =
  function* (_tx, { accountId, id, at }) {
    if ((yield* change(remove, { account_id: accountId, id, at })) === 0) return false;
    yield* change(unsubscribe, { endpoint_id: id });
    yield* cancelDeliveries(id, at);
    return true;
  };

/** Whoever comes second gets the first one's. */
export const ensureCallbackSigner: Mutation<WebhookEndpointRow, WebhookEndpointRow> = function* (_tx, row) {
  yield* first(lockedAccount, { id: row.accountId });
  const existing = yield* findCallbackSigner(row.accountId);
  if (existing !== null) return existing;
  yield* change(insert, { ...toRow(row), created_at: row.createdAt });
  return row;
};

export function* getEndpoint(accountId: string, id: string): Procedure<WebhookEndpointRow | null> {
  const row = yield* first(byId, { account_id: accountId, id });
  return row && fromRow(row);
}

/** Newest first. */
export function* listEndpoints(
  query: Parameters<WebhookStore['listEndpoints']>[0],
): Procedure<WebhookEndpointRow[]> {
  const found = yield* rows(ofAccount, {
    account_id: query.accountId,
    kind: 'endpoint',
    before: query.after ?? AFTER_ALL_IDS,
    limit: query.limit,
  });
  return found.map(fromRow);
}

export function* findCallbackSigner(accountId: string): Procedure<WebhookEndpointRow | null> {
  const row = yield* first(ofAccount, {
    account_id: accountId,
    kind: 'callbacks',
    before: AFTER_ALL_IDS,
    limit: 1,
  });
  return row && fromRow(row);
}

function* writeSubscriptions(row: WebhookEndpointRow): Procedure<void> {
  for (const type of new Set(row.eventTypes)) {
    yield* change(subscribe, { account_id: row.accountId, event_type: type, endpoint_id: row.id });
  }
}

function toRow(row: WebhookEndpointRow): Omit<WebhookEndpointsTable, 'created_at' | 'deleted_at'> {
  return {
    id: row.id,
    account_id: row.accountId,
    kind: row.kind,
    name: row.name,
    url: row.url,
    event_types: JSON.stringify(row.eventTypes),
    enabled: row.enabled ? 1 : 0,
    disabled_reason: row.disabledReason,
    secret_sealed: row.secretSealed,
    secret_hint: row.secretHint,
    old_secret_sealed: row.oldSecretSealed,
    old_secret_until: row.oldSecretUntil,
    failing_since: row.failingSince ?? null,
    disabled_at: row.disabledAt ?? null,
    updated_at: row.updatedAt,
  };
}

function fromRow(row: WebhookEndpointsTable): WebhookEndpointRow {
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    name: row.name,
    url: row.url,
    eventTypes: JSON.parse(row.event_types) as string[],
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    ...(row.disabled_at !== null && { disabledAt: row.disabled_at }),
    ...(row.failing_since !== null && { failingSince: row.failing_since }),
    secretSealed: row.secret_sealed,
    secretHint: row.secret_hint,
    oldSecretSealed: row.old_secret_sealed,
    oldSecretUntil: row.old_secret_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
