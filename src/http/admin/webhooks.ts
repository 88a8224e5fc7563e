import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { readIntent } from '../../core/intent.ts';
import { parseMicros } from '../../core/money.ts';
import type { Admin } from '../../core/ports.ts';
import type { DeliveryDetail, DeliveryRow, WebhookEndpointRow } from '../../core/webhook-ports.ts';
import {
  idParams,
  markReplayed,
  moneyField,
  pageFields,
  pageOf,
  pageQuery,
  readPageQuery,
  renderMoney,
  renderPage,
  renderTime,
  timeField,
  type AdminRoutes,
} from './kit.ts';

const endpoint = z
  .object({
    id: z.string(),
    account_id: z.string(),
    name: z.string(),
    url: z.string(),
    event_types: z.array(z.string()),
    enabled: z.boolean(),
    disabled_reason: z.enum(['paused', 'gone', 'failing']).nullable(),
    disabled_at: timeField.nullable(),
    failing_since: timeField
      .nullable()
      .meta({ description: 'Since when it has taken nothing; null: the last delivery arrived.' }),
    signing_secret_hint: z.string(),
    old_secret_until: timeField.nullable(),
    created_at: timeField,
    updated_at: timeField,
  })
  .meta({ id: 'AdminWebhookEndpoint' });
const endpointWithSecret = endpoint
  .extend({ signing_secret: z.string() })
  .meta({ id: 'AdminWebhookEndpointWithSecret', description: 'The secret is shown this once.' });
const deliveryState = z.enum(['pending', 'held', 'delivered', 'dead', 'cancelled']);
const delivery = z
  .object({
    id: z.string(),
    event_id: z.string(),
    event_type: z
      .string()
      .meta({ description: '`callback`: the body of a `callback_url`, in the words of its door.' }),
    endpoint_id: z.string().nullable(),
    callback_url: z.string().nullable(),
    task_id: z.string().nullable(),
    state: deliveryState,
    attempts: z.number(),
    next_at: timeField.nullable(),
    last_status: z.number().nullable(),
    last_error: z.string().nullable(),
    created_at: timeField,
    settled_at: timeField.nullable(),
  })
  .meta({ id: 'AdminWebhookDelivery' });
export const deliveryDetail = delivery
  .extend({
    body: z.string().nullable(),
    attempt_log: z.array(
      z.object({
        number: z.number(),
        at: timeField,
        duration_ms: z.number(),
        status: z.number().nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AdminWebhookDeliveryDetail' });

const endpointParams = z.object({ id: z.string(), endpoint_id: z.string() });
const deliveryParams = z.object({ id: z.string(), delivery_id: z.string() });
const fields = {
  name: z.string(),
  url: z.string(),
  event_types: z.array(z.string()),
  enabled: z.boolean(),
};
const base = '/admin/v1/accounts/:id/webhook-endpoints';
const one = `${base}/:endpoint_id` as const;

/** The webhook endpoints of an account, by an operator: the same verbs the account has itself. */
export function addWebhookRoutes(routes: AdminRoutes, admin: Admin): void {
  const { webhooks } = admin;

  routes.get(
    base,
    {
      schema: {
        summary: 'List webhook endpoints',
        params: idParams,
        querystring: pageQuery,
        response: { 200: pageOf(endpoint) },
      },
    },
    async (request) => {
      await admin.getAccount(request.params.id);
      const { cursor, limit } = request.query;
      const { endpoints, hasMore } = await webhooks.listEndpoints(request.params.id, {
        limit,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      const nextCursor = hasMore ? (endpoints.at(-1)?.id ?? null) : null;
      return renderPage({ rows: endpoints, nextCursor }, renderEndpoint);
    },
  );
  routes.post(
    base,
    {
      schema: {
        summary: 'Create a webhook endpoint',
        params: idParams,
        body: z.strictObject({ ...fields, enabled: fields.enabled.default(true) }),
        response: { 200: endpointWithSecret },
      },
    },
    async (request, reply) => {
      const { params } = request;
      await admin.getAccount(params.id);
      reply.header('cache-control', 'no-store');
      const { event_types: eventTypes, ...rest } = request.body;
      const made = await webhooks.createEndpoint(params.id, { ...rest, eventTypes }, readIntent(request));
      markReplayed(reply, made);
      return { ...renderEndpoint(made.endpoint), signing_secret: made.secret };
    },
  );
  routes.get(
    one,
    { schema: { summary: 'A webhook endpoint', params: endpointParams, response: { 200: endpoint } } },
    async ({ params }) => renderEndpoint(await webhooks.getEndpoint(params.id, params.endpoint_id)),
  );
  routes.patch(
    one,
    {
      schema: {
        summary: 'Change, pause or resume a webhook endpoint',
        params: endpointParams,
        body: z.strictObject(fields).partial(),
        response: { 200: endpoint },
      },
    },
    async ({ params, body }) => {
      const { name, url, event_types: eventTypes, enabled } = body;
      return renderEndpoint(
        await webhooks.updateEndpoint(params.id, params.endpoint_id, {
          ...(name !== undefined && { name }),
          ...(url !== undefined && { url }),
          ...(eventTypes !== undefined && { eventTypes }),
          ...(enabled !== undefined && { enabled }),
        }),
      );
    },
  );
  routes.delete(
    one,
    {
      schema: {
        summary: 'Delete a webhook endpoint',
        params: endpointParams,
        response: { 200: z.object({ id: z.string(), deleted: z.literal(true) }) },
      },
    },
    async ({ params }) => {
      await webhooks.deleteEndpoint(params.id, params.endpoint_id);
      return { id: params.endpoint_id, deleted: true as const };
    },
  );
  routes.post(
    `${one}/rotate-secret`,
    {
      schema: {
        summary: 'Rotate the secret of a webhook endpoint',
        params: endpointParams,
        body: z.strictObject({
          keep_old_secret_active_for_24_hours: z.boolean().default(false),
        }),
        response: { 200: endpointWithSecret },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const { id, endpoint_id: endpointId } = request.params;
      const keepOld = request.body.keep_old_secret_active_for_24_hours;
      const made = await webhooks.rotateSecret(id, endpointId, { keepOld }, readIntent(request));
      markReplayed(reply, made);
      return { ...renderEndpoint(made.endpoint), signing_secret: made.secret };
    },
  );
  routes.post(
    `${one}/test`,
    {
      schema: {
        summary: 'Send a sample to a webhook endpoint',
        params: endpointParams,
        body: z.strictObject({ event_type: z.string() }),
        response: { 200: z.object({ status: z.number() }) },
      },
    },
    async (request, reply) => {
      const { id, endpoint_id: endpointId } = request.params;
      const { event_type: eventType } = request.body;
      const done = await webhooks.testEndpoint(id, endpointId, eventType, readIntent(request));
      markReplayed(reply, done);
      return { status: done.status };
    },
  );
  addDeliveryRoutes(routes, admin);
  addWalletAlert(routes, admin);
}

function addDeliveryRoutes(routes: AdminRoutes, { webhooks }: Admin): void {
  routes.get(
    `${one}/deliveries`,
    {
      schema: {
        summary: 'Deliveries to a webhook endpoint, newest first',
        params: endpointParams,
        querystring: z.object({ ...pageFields, state: deliveryState.optional() }),
        response: { 200: pageOf(delivery) },
      },
    },
    async ({ params, query }) =>
      renderPage(
        await webhooks.listDeliveries(params.id, params.endpoint_id, {
          ...readPageQuery(query),
          ...(query.state === undefined ? {} : { state: query.state }),
        }),
        renderDelivery,
      ),
  );
  routes.post(
    `${one}/redeliver`,
    {
      schema: {
        summary: 'Send all dead (or all delivered) ones again',
        params: endpointParams,
        body: z.strictObject({
          state: z.enum(['dead', 'delivered']).default('dead'),
          since: z.iso
            .datetime({ offset: true })
            .optional()
            .meta({ description: 'Only events from then on.' }),
        }),
        response: { 200: z.object({ count: z.number() }) },
      },
    },
    async (request, reply) => {
      const { id, endpoint_id: endpointId } = request.params;
      const { state, since } = request.body;
      const input = { state, since: since === undefined ? 0 : Date.parse(since) };
      const done = await webhooks.redeliverAll(id, endpointId, input, readIntent(request));
      markReplayed(reply, done);
      return { count: done.count };
    },
  );
  routes.get(
    '/admin/v1/accounts/:id/deliveries/:delivery_id',
    {
      schema: {
        summary: 'A delivery with every try',
        params: deliveryParams,
        response: { 200: deliveryDetail },
      },
    },
    async ({ params }) => renderDeliveryDetail(await webhooks.getDelivery(params.id, params.delivery_id)),
  );
  routes.post(
    '/admin/v1/accounts/:id/deliveries/:delivery_id/redeliver',
    { schema: { summary: 'Send a delivery again', params: deliveryParams, response: { 200: delivery } } },
    async (request, reply) => {
      const { id, delivery_id: deliveryId } = request.params;
      const delivery = await webhooks.redeliver(id, deliveryId, readIntent(request));
      markReplayed(reply, delivery);
      return renderDelivery(delivery);
    },
  );
}

const alert = z
  .object({
    low_threshold: moneyField
      .nullable()
      .meta({ description: '`wallet.low` is told when the available balance falls below it; null: never.' }),
  })
  .meta({ id: 'WalletAlert' });

function addWalletAlert(routes: AdminRoutes, admin: Admin): void {
  const path = '/admin/v1/accounts/:id/wallet-alert';
  routes.get(
    path,
    { schema: { summary: 'When wallet.low is told', params: idParams, response: { 200: alert } } },
    async ({ params }) => {
      await admin.getAccount(params.id);
      return { low_threshold: renderMoney(await admin.webhooks.walletLow(params.id)) };
    },
  );
  routes.put(
    path,
    {
      schema: {
        summary: 'Set when wallet.low is told',
        params: idParams,
        body: z.strictObject({ low_threshold: z.union([z.string(), z.number()]).nullable() }),
        response: { 200: alert },
      },
    },
    async ({ params, body }) => {
      const lowMicros = body.low_threshold === null ? null : readThreshold(body.low_threshold);
      await admin.webhooks.setWalletLow(params.id, lowMicros);
      return { low_threshold: renderMoney(lowMicros) };
    },
  );
}

function readThreshold(amount: string | number): bigint {
  const micros = parseMicros(amount);
  if (micros !== null && micros > 0n) return micros;
  throw new GatewayError(
    'invalid_value',
    '\'low_threshold\' must be a decimal above zero with at most six decimals, like "5.00", or null.',
    { param: 'low_threshold' },
  );
}

function renderEndpoint(row: WebhookEndpointRow): z.infer<typeof endpoint> {
  return {
    id: row.id,
    account_id: row.accountId,
    name: row.name,
    url: row.url,
    event_types: row.eventTypes,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    disabled_at: renderTime(row.disabledAt ?? null),
    failing_since: renderTime(row.failingSince ?? null),
    signing_secret_hint: row.secretHint,
    old_secret_until: renderTime(row.oldSecretUntil),
    created_at: renderTime(row.createdAt),
    updated_at: renderTime(row.updatedAt),
  };
}

function renderDelivery(row: DeliveryRow): z.infer<typeof delivery> {
  return {
    id: row.id,
    event_id: row.messageId,
    event_type: row.eventType,
    endpoint_id: row.endpointId,
    callback_url: row.callbackUrl,
    task_id: row.taskId,
    state: row.state,
    attempts: row.attempts,
    next_at: renderTime(row.nextAt),
    last_status: row.lastStatus,
    last_error: row.lastError,
    created_at: renderTime(row.createdAt),
    settled_at: renderTime(row.settledAt),
  };
}

/** A delivery as the flight recorder shows it. */
export function renderDeliveryDetail(detail: DeliveryDetail): z.infer<typeof deliveryDetail> {
  return {
    ...renderDelivery(detail.delivery),
    body: detail.body,
    attempt_log: detail.attempts.map((attempt) => ({
      number: attempt.number,
      at: renderTime(attempt.at),
      duration_ms: attempt.durationMs,
      status: attempt.status,
      error: attempt.error,
    })),
  };
}
