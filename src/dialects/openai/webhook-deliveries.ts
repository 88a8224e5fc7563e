/** The delivery log of an endpoint, sending again, and the account's consumption to catch up with. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { readIntent } from '../../core/intent.ts';
import type { Gateway } from '../../core/ports.ts';
import { textIn, wholeNumberIn, wholeNumberParameter, wordParameter } from '../kit/query.ts';
import { markReplayed } from '../kit/replayed.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { consumeCallbackEventList, type ConsumeCallbackEvent } from './consumption-object.ts';
import { errorResponses } from './errors.ts';
import {
  listOf,
  renderDelivery,
  renderDeliveryDetail,
  webhookDelivery,
  webhookDeliveryDetail,
  webhookDeliveryList,
  webhookRedelivery,
} from './webhook-object.ts';

const limit = { minimum: 1, maximum: 100, default: 20 };
const eventLimit = { minimum: 1, maximum: 1_000, default: 100 };
const states = ['pending', 'held', 'delivered', 'dead', 'cancelled'] as const;
const tags = ['Webhooks'];
const params = z.object({ id: z.string().meta({ description: 'An endpoint id, `whe_…`.' }) });
const deliveryParams = params.extend({
  delivery_id: z.string().meta({ description: 'A delivery id, `dlv_…`.' }),
});

export function mountDeliveries(instance: FastifyInstance, { webhooks }: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  /** Another endpoint's delivery is none of this one's. */
  async function deliveryOf(accountId: string, endpointId: string, id: string) {
    const detail = await webhooks.getDelivery(accountId, id);
    if (detail.delivery.endpointId === endpointId) return detail;
    throw new GatewayError('not_found', `There is no delivery ${JSON.stringify(id)}.`);
  }

  routes.get(
    '/v1/webhook_endpoints/:id/deliveries',
    {
      schema: {
        operationId: 'listWebhookDeliveries',
        tags,
        summary: 'List deliveries',
        description: 'What was and will be sent to an endpoint, newest first; kept for 30 days.',
        params,
        querystring: z.looseObject({
          status: wordParameter(states, '', 'Only deliveries that are so.'),
          after: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: 'The `last_id` of the page before.' }),
          limit: wholeNumberParameter({ ...limit, description: 'Deliveries per page.' }),
        }),
        response: { 200: jsonAnswer('One page of deliveries.', webhookDeliveryList), ...errorResponses },
      },
    },
    async (request) => {
      const state = stateIn(request.query);
      const page = await webhooks.listDeliveries(request.principal.accountId, request.params.id, {
        cursor: textIn(request.query, 'after') ?? null,
        limit: wholeNumberIn(request.query, 'limit', limit),
        ...(state === undefined ? {} : { state }),
      });
      return listOf(page.rows.map(renderDelivery), page.nextCursor !== null);
    },
  );

  routes.get(
    '/v1/webhook_endpoints/:id/deliveries/:delivery_id',
    {
      schema: {
        operationId: 'retrieveWebhookDelivery',
        tags,
        summary: 'Retrieve a delivery',
        description: 'A delivery with its body and every try.',
        params: deliveryParams,
        response: { 200: jsonAnswer('The delivery.', webhookDeliveryDetail), ...errorResponses },
      },
    },
    async ({ principal, params: { id, delivery_id } }) =>
      renderDeliveryDetail(await deliveryOf(principal.accountId, id, delivery_id)),
  );

  routes.post(
    '/v1/webhook_endpoints/:id/deliveries/:delivery_id/redeliver',
    {
      schema: {
        operationId: 'redeliverWebhookDelivery',
        tags,
        summary: 'Send a delivery again',
        description:
          'Sends a dead or delivered one once more: the same id, the same body, a fresh signature.',
        params: deliveryParams,
        response: { 200: jsonAnswer('It is on its way.', webhookDelivery), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { principal, params } = request;
      await deliveryOf(principal.accountId, params.id, params.delivery_id);
      const intent = readIntent(request);
      const delivery = await webhooks.redeliver(principal.accountId, params.delivery_id, intent);
      markReplayed(reply, delivery);
      return renderDelivery(delivery);
    },
  );

  routes.post(
    '/v1/webhook_endpoints/:id/redeliver',
    {
      schema: {
        operationId: 'redeliverWebhookDeliveries',
        tags,
        summary: 'Send all deliveries again',
        description: 'Sends everything dead, or everything that was delivered, once more.',
        params,
        body: z
          .looseObject({
            status: z
              .enum(['dead', 'delivered'], { error: 'must be dead or delivered' })
              .nullish()
              .meta({ description: 'Which; `dead` when absent.' }),
            since: z
              .number({ error: 'must be Unix seconds' })
              .nonnegative()
              .nullish()
              .meta({ description: 'Only events from then on, Unix seconds.' }),
          })
          .nullish()
          .meta({ example: { status: 'dead', since: 1780891600 } }),
        response: { 200: jsonAnswer('So many are on their way.', webhookRedelivery), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { status, since } = request.body ?? {};
      const input = { state: status ?? ('dead' as const), since: Math.floor((since ?? 0) * 1000) };
      const { accountId } = request.principal;
      const done = await webhooks.redeliverAll(accountId, request.params.id, input, readIntent(request));
      markReplayed(reply, done);
      return { object: 'webhook_redelivery' as const, count: done.count };
    },
  );

  routes.get(
    '/v1/billing/events',
    {
      schema: {
        operationId: 'listConsumptionEvents',
        tags,
        summary: 'List consumption events',
        description:
          'Every charge, refund and correction of the account in the order of `sequence`, which has no gaps: ' +
          'whoever missed one asks here.',
        querystring: z.looseObject({
          after_sequence: wholeNumberParameter({
            minimum: 0,
            maximum: 999_999_999,
            default: 0,
            description: 'The last sequence that is known already.',
          }),
          limit: wholeNumberParameter({ ...eventLimit, description: 'Events per page.' }),
        }),
        response: { 200: jsonAnswer('One page of events.', consumeCallbackEventList), ...errorResponses },
      },
    },
    async (request) => {
      const afterSequence = wholeNumberIn(request.query, 'after_sequence', {
        minimum: 0,
        maximum: 999_999_999,
        default: 0,
      });
      const { events, hasMore } = await webhooks.consumptionEvents(request.principal.accountId, {
        afterSequence,
        limit: wholeNumberIn(request.query, 'limit', eventLimit),
      });
      return { object: 'list' as const, data: events as ConsumeCallbackEvent[], has_more: hasMore };
    },
  );
}

function stateIn(query: Record<string, unknown>): (typeof states)[number] | undefined {
  const value = textIn(query, 'status');
  if (value === undefined) return undefined;
  const state = states.find((candidate) => candidate === value);
  if (state !== undefined) return state;
  throw new GatewayError('invalid_value', `status must be one of ${states.join(', ')}.`, { param: 'status' });
}
