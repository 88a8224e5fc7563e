/**
 * Webhook endpoints of one's own: `client.webhooks` of openai 7.55.0 (resources/webhooks/webhooks.js), and beside it
 * pausing, the delivery log and sending again.
 */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readIntent } from '../../core/intent.ts';
import type { Gateway } from '../../core/ports.ts';
import { WEBHOOK_EVENT_TYPES } from '../../core/webhook.ts';
import { textIn, wholeNumberIn, wholeNumberParameter } from '../kit/query.ts';
import { markReplayed } from '../kit/replayed.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { errorResponses } from './errors.ts';
import { mountDeliveries } from './webhook-deliveries.ts';
import {
  callbackSecret,
  eventTypeList,
  listOf,
  renderCallbackSecret,
  renderEndpoint,
  renderWithSecret,
  webhookEndpoint,
  webhookEndpointDeleted,
  webhookEndpointList,
  webhookEndpointWithSecret,
  webhookTestResult,
} from './webhook-object.ts';

const limit = { minimum: 1, maximum: 100, default: 20 };
const tags = ['Webhooks'];
const params = z.object({ id: z.string().meta({ description: 'An endpoint id, `whe_…`.' }) });

const name = z.string({ error: 'must be a string' }).meta({ description: 'For people.' });
const url = z
  .string({ error: 'must be a string' })
  .meta({ description: 'Gets a signed POST per event; no private address. Use https.' });
const eventTypes = z.array(z.string(), { error: 'must be a list of event types' }).meta({
  description: 'See `GET /v1/webhook_event_types`.',
  examples: [['video.completed', 'video.failed']],
});
const enabled = z
  .boolean({ error: 'must be true or false' })
  .meta({ description: 'False pauses it: events wait, and are sent once it is true again.' });
const rotation = z
  .looseObject({
    keep_old_secret_active_for_24_hours: z
      .boolean({ error: 'must be true or false' })
      .nullish()
      .meta({ description: 'Both secrets sign for a day, so that receivers can be changed in peace.' }),
  })
  .nullish()
  .meta({ example: { keep_old_secret_active_for_24_hours: true } });
const creation = z.looseObject({ name, url, event_types: eventTypes, enabled: enabled.nullish() }).meta({
  example: {
    name: 'Production',
    url: 'https://example.com/webhooks',
    event_types: ['video.completed', 'video.failed'],
  },
});
const changes = z
  .looseObject({
    name: name.nullish(),
    url: url.nullish(),
    event_types: eventTypes.nullish(),
    enabled: enabled.nullish(),
  })
  .nullish()
  .meta({ example: { enabled: false } });
const sample = z
  .looseObject({ event_type: z.string({ error: 'must be an event type' }) })
  .meta({ example: { event_type: 'video.completed' } });

/** What the receiver gets and may answer, for the reference: components that no route of ours takes in or gives out. */
const component = (name: string) => ({
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
});
const consumptionCallback = {
  consumption: {
    '{$request.body#/url}': {
      post: {
        requestBody: component('ConsumeCallbackEvent'),
        responses: { '2XX': { description: 'Booked.', ...component('ConsumeCallbackAck') } },
      },
    },
  },
};

export function mountWebhooks(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  const { webhooks } = gateway;

  routes.post(
    '/v1/webhook_endpoints',
    {
      schema: {
        operationId: 'createWebhookEndpoint',
        tags,
        summary: 'Create a webhook endpoint',
        description: 'From now on it is told of the events it names. The answer shows its secret this once.',
        body: creation,
        callbacks: consumptionCallback,
        response: {
          200: jsonAnswer('The endpoint and its secret.', webhookEndpointWithSecret),
          ...errorResponses,
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const { name, url, event_types: eventTypes, enabled } = request.body;
      const input = { name, url, eventTypes, enabled: enabled ?? true };
      const { accountId } = request.principal;
      const made = await webhooks.createEndpoint(accountId, input, readIntent(request));
      markReplayed(reply, made);
      return renderWithSecret(made);
    },
  );

  routes.get(
    '/v1/webhook_endpoints',
    {
      schema: {
        operationId: 'listWebhookEndpoints',
        tags,
        summary: 'List webhook endpoints',
        description: 'The endpoints of the account, newest first.',
        querystring: z.looseObject({
          after: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: 'The `last_id` of the page before.' }),
          limit: wholeNumberParameter({ ...limit, description: 'Endpoints per page.' }),
        }),
        response: { 200: jsonAnswer('One page of endpoints.', webhookEndpointList), ...errorResponses },
      },
    },
    async (request) => {
      const after = textIn(request.query, 'after');
      const { endpoints, hasMore } = await webhooks.listEndpoints(request.principal.accountId, {
        limit: wholeNumberIn(request.query, 'limit', limit),
        ...(after === undefined ? {} : { after }),
      });
      return listOf(endpoints.map(renderEndpoint), hasMore);
    },
  );

  routes.get(
    '/v1/webhook_event_types',
    {
      schema: {
        operationId: 'listWebhookEventTypes',
        tags,
        summary: 'List event types',
        description: 'Everything an endpoint can subscribe to.',
        response: { 200: jsonAnswer('The event types.', eventTypeList), ...errorResponses },
      },
    },
    async () => ({ object: 'list' as const, data: [...WEBHOOK_EVENT_TYPES] }),
  );

  mountCallbackSecret(instance, gateway);

  routes.get(
    '/v1/webhook_endpoints/:id',
    {
      schema: {
        operationId: 'retrieveWebhookEndpoint',
        tags,
        summary: 'Retrieve a webhook endpoint',
        description: 'What is known of an endpoint; never its secret.',
        params,
        response: { 200: jsonAnswer('The endpoint.', webhookEndpoint), ...errorResponses },
      },
    },
    async (request) =>
      renderEndpoint(await webhooks.getEndpoint(request.principal.accountId, request.params.id)),
  );

  routes.post(
    '/v1/webhook_endpoints/:id',
    {
      schema: {
        operationId: 'updateWebhookEndpoint',
        tags,
        summary: 'Update a webhook endpoint',
        description: 'Changes what is given. `enabled: false` pauses it, `enabled: true` resumes it.',
        params,
        body: changes,
        response: { 200: jsonAnswer('The endpoint.', webhookEndpoint), ...errorResponses },
      },
    },
    async (request) => {
      const body = request.body ?? {};
      return renderEndpoint(
        await webhooks.updateEndpoint(request.principal.accountId, request.params.id, {
          ...(typeof body.name === 'string' && { name: body.name }),
          ...(typeof body.url === 'string' && { url: body.url }),
          ...(Array.isArray(body.event_types) && { eventTypes: body.event_types }),
          ...(typeof body.enabled === 'boolean' && { enabled: body.enabled }),
        }),
      );
    },
  );

  routes.delete(
    '/v1/webhook_endpoints/:id',
    {
      schema: {
        operationId: 'deleteWebhookEndpoint',
        tags,
        summary: 'Delete a webhook endpoint',
        description: 'Nothing is sent there any more; what waited for it is cancelled.',
        params,
        response: { 200: jsonAnswer('It is gone.', webhookEndpointDeleted), ...errorResponses },
      },
    },
    async (request) => {
      await webhooks.deleteEndpoint(request.principal.accountId, request.params.id);
      return { id: request.params.id, object: 'webhook_endpoint.deleted' as const, deleted: true as const };
    },
  );

  routes.post(
    '/v1/webhook_endpoints/:id/rotate_secret',
    {
      schema: {
        operationId: 'rotateWebhookEndpointSecret',
        tags,
        summary: 'Rotate the secret of a webhook endpoint',
        description: 'Makes a new secret and shows it this once.',
        params,
        body: rotation,
        response: {
          200: jsonAnswer('The endpoint and its new secret.', webhookEndpointWithSecret),
          ...errorResponses,
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const keepOld = request.body?.keep_old_secret_active_for_24_hours === true;
      const { accountId } = request.principal;
      const { id } = request.params;
      const made = await webhooks.rotateSecret(accountId, id, { keepOld }, readIntent(request));
      markReplayed(reply, made);
      return renderWithSecret(made);
    },
  );

  routes.post(
    '/v1/webhook_endpoints/:id/test',
    {
      schema: {
        operationId: 'testWebhookEndpoint',
        tags,
        summary: 'Test a webhook endpoint',
        description: 'Sends a signed sample now, once, and tells what the endpoint answered.',
        params,
        body: sample,
        response: { 200: jsonAnswer('It answered.', webhookTestResult), ...errorResponses },
      },
    },
    async (request, reply) => {
      const eventType = request.body.event_type;
      const { accountId } = request.principal;
      const { id } = request.params;
      const done = await webhooks.testEndpoint(accountId, id, eventType, readIntent(request));
      markReplayed(reply, done);
      return {
        object: 'webhook_endpoint.test' as const,
        webhook_endpoint_id: id,
        event_type: eventType,
        status_code: done.status,
        success: true as const,
      };
    },
  );

  mountDeliveries(instance, gateway);
}

/** What signs callbacks to URLs that come with a request: nobody created it, so it can be read at any time. */
function mountCallbackSecret(instance: FastifyInstance, { webhooks }: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/v1/webhook_endpoints/signing_secret',
    {
      schema: {
        operationId: 'retrieveCallbackSecret',
        tags,
        summary: 'Retrieve the secret of callbacks',
        description: 'Callbacks to a `callback_url` of a request, at every door, are signed with it.',
        response: { 200: jsonAnswer('The secret.', callbackSecret), ...errorResponses },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return renderCallbackSecret(await webhooks.callbackSecret(request.principal.accountId));
    },
  );

  routes.post(
    '/v1/webhook_endpoints/signing_secret/rotate_secret',
    {
      schema: {
        operationId: 'rotateCallbackSecret',
        tags,
        summary: 'Rotate the secret of callbacks',
        description: 'Makes a new secret for callbacks to a `callback_url`.',
        body: rotation,
        response: { 200: jsonAnswer('The new secret.', callbackSecret), ...errorResponses },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const keepOld = request.body?.keep_old_secret_active_for_24_hours === true;
      const { accountId } = request.principal;
      const made = await webhooks.rotateCallbackSecret(accountId, { keepOld }, readIntent(request));
      markReplayed(reply, made);
      return renderCallbackSecret(made);
    },
  );
}
