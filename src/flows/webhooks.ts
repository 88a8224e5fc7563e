/** What an account, or an operator in its name, can do about webhooks. */
import { GatewayError } from '../core/errors.ts';
import { WEBHOOK_EVENT_TYPES } from '../core/webhook.ts';
import type { EndpointWithSecret, WebhookEndpointRow, Webhooks } from '../core/webhook-ports.ts';
import { checkUrl } from './admit-media.ts';
import type { FlowContext } from './context.ts';
import { post } from './deliver.ts';
import { consumptionEvent, sampleBody } from './render-message.ts';
import { callbackSigner, newSigningSecret, signingSecret } from './webhook-secrets.ts';

/** How long a secret goes on signing after it was rotated out, where its owner asks for that (OpenAI's 24 hours). */
const SECRET_OVERLAP_MS = 24 * 3_600_000;
/** Every event of an account is written once per endpoint: enough for every environment, too few to flood us. */
const ENDPOINTS_MAX = 50;
const NAME_LENGTH_MAX = 200;
const URL_LENGTH_MAX = 2_048;

/** What the verbs work with. */
export type WebhookContext = Pick<
  FlowContext,
  'store' | 'clock' | 'keyring' | 'newId' | 'guarded' | 'priceBook'
>;

export function createWebhooks(ctx: WebhookContext): Webhooks {
  const { webhooks } = ctx.store;

  async function require(accountId: string, id: string): Promise<WebhookEndpointRow> {
    const row = await webhooks.getEndpoint(accountId, id);
    if (row === null || row.kind !== 'endpoint') throw unknownEndpoint(id);
    return row;
  }

  async function rotate(row: WebhookEndpointRow, keepOld: boolean): Promise<EndpointWithSecret> {
    const at = ctx.clock.now();
    const { secret, sealed, hint } = newSigningSecret(ctx, row.id);
    const endpoint = await webhooks.updateEndpoint({
      accountId: row.accountId,
      id: row.id,
      at,
      patch: {
        secretSealed: sealed,
        secretHint: hint,
        oldSecretSealed: keepOld ? row.secretSealed : null,
        oldSecretUntil: keepOld ? at + SECRET_OVERLAP_MS : null,
      },
    });
    if (endpoint === null) throw unknownEndpoint(row.id);
    return { endpoint, secret };
  }

  async function delivery(accountId: string, id: string) {
    const found = await webhooks.getDelivery(id);
    if (found !== null && found.delivery.accountId === accountId) return found;
    throw new GatewayError('not_found', `There is no delivery ${JSON.stringify(id)}.`);
  }

  return {
    async createEndpoint(accountId, { name, url, eventTypes, enabled }) {
      const input = judged(ctx, { name, url, eventTypes });
      const existing = await webhooks.listEndpoints({ accountId, limit: ENDPOINTS_MAX });
      if (existing.length >= ENDPOINTS_MAX) {
        throw new GatewayError(
          'conflict',
          `An account may have ${ENDPOINTS_MAX} webhook endpoints: delete one first.`,
        );
      }
      const id = ctx.newId('whe_');
      const { secret, sealed, hint } = newSigningSecret(ctx, id);
      const now = ctx.clock.now();
      const endpoint: WebhookEndpointRow = {
        id,
        accountId,
        kind: 'endpoint',
        ...input,
        enabled,
        disabledReason: enabled ? null : 'paused',
        ...(!enabled && { disabledAt: now }),
        secretSealed: sealed,
        secretHint: hint,
        oldSecretSealed: null,
        oldSecretUntil: null,
        createdAt: now,
        updatedAt: now,
      };
      await webhooks.createEndpoint(endpoint);
      return { endpoint, secret };
    },
    async listEndpoints(accountId, { after, limit }) {
      const found = await webhooks.listEndpoints({
        accountId,
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      return { endpoints: found.slice(0, limit), hasMore: found.length > limit };
    },
    getEndpoint: require,
    async updateEndpoint(accountId, id, patch) {
      await require(accountId, id);
      const { enabled, ...fields } = patch;
      const changes = { ...judged(ctx, fields), ...(enabled === undefined ? {} : { enabled }) };
      const row = await webhooks.updateEndpoint({ accountId, id, at: ctx.clock.now(), patch: changes });
      if (row === null) throw unknownEndpoint(id);
      return row;
    },
    async deleteEndpoint(accountId, id) {
      if (!(await webhooks.deleteEndpoint({ accountId, id, at: ctx.clock.now() }))) throw unknownEndpoint(id);
    },
    rotateSecret: async (accountId, id, { keepOld }) => rotate(await require(accountId, id), keepOld),
    async testEndpoint(accountId, id, eventType) {
      const sender = await require(accountId, id);
      refuseUnknownTypes([eventType], 'event_type');
      const message = { id: ctx.newId('evt_'), type: eventType, createdAt: ctx.clock.now() };
      const body = sampleBody(message, ctx.priceBook.currency);
      const { url } = sender;
      const posted = await post(ctx, {
        url,
        sender,
        id: message.id,
        type: eventType,
        eventId: message.id,
        body,
      });
      if (posted.status !== null) return posted.status;
      throw new GatewayError('invalid_request', `The endpoint did not answer: ${posted.error}.`);
    },
    async callbackSecret(accountId) {
      const endpoint = await callbackSigner(ctx, accountId);
      return { endpoint, secret: signingSecret(ctx, endpoint) };
    },
    rotateCallbackSecret: async (accountId, { keepOld }) =>
      rotate(await callbackSigner(ctx, accountId), keepOld),
    async listDeliveries(accountId, endpointId, query) {
      await require(accountId, endpointId);
      return webhooks.listDeliveries({ accountId, endpointId, ...query });
    },
    getDelivery: delivery,
    async redeliver(accountId, id) {
      await delivery(accountId, id);
      if (!(await webhooks.redeliver({ id, at: ctx.clock.now() }))) {
        throw new GatewayError(
          'conflict',
          'The delivery is still under way, or its endpoint was deleted: there is nothing to send again.',
        );
      }
      return (await delivery(accountId, id)).delivery;
    },
    async redeliverAll(accountId, endpointId, { state, since }) {
      await require(accountId, endpointId);
      return webhooks.redeliverAll({ accountId, endpointId, state, since, at: ctx.clock.now() });
    },
    async consumptionEvents(accountId, { afterSequence, limit }) {
      const found = await webhooks.listConsumption({ accountId, afterSequence, limit: limit + 1 });
      const events = found.slice(0, limit).map((row) => consumptionEvent(row, ctx.priceBook.currency));
      return { events, hasMore: found.length > limit };
    },
    walletLow: (accountId) => webhooks.walletLow(accountId),
    async setWalletLow(accountId, lowMicros) {
      if (!(await webhooks.setWalletLow({ accountId, lowMicros }))) {
        throw new GatewayError('not_found', `There is no account '${accountId}'.`);
      }
    },
  };
}

/** The fields that are given, checked and tidied. Throws `invalid_value` or `url_not_allowed`. */
function judged<Fields extends { name?: string; url?: string; eventTypes?: string[] }>(
  ctx: WebhookContext,
  fields: Fields,
): Fields {
  const { name, url, eventTypes } = fields;
  const tidy = { ...fields };
  if (name !== undefined) {
    tidy.name = name.trim();
    if (tidy.name === '' || tidy.name.length > NAME_LENGTH_MAX) {
      throw new GatewayError('invalid_value', `name must have 1 to ${NAME_LENGTH_MAX} characters.`, {
        param: 'name',
      });
    }
  }
  if (url !== undefined) {
    if (url.length > URL_LENGTH_MAX) {
      throw new GatewayError('invalid_value', `url may have at most ${URL_LENGTH_MAX} characters.`, {
        param: 'url',
      });
    }
    checkUrl(ctx, url, 'url');
  }
  if (eventTypes !== undefined) {
    if (eventTypes.length === 0) {
      throw new GatewayError('invalid_value', 'event_types must name at least one event type.', {
        param: 'event_types',
      });
    }
    refuseUnknownTypes(eventTypes, 'event_types');
    tidy.eventTypes = [...new Set(eventTypes)];
  }
  return tidy;
}

function refuseUnknownTypes(types: string[], param: string): void {
  const known: readonly string[] = WEBHOOK_EVENT_TYPES;
  const unknown = types.find((type) => !known.includes(type));
  if (unknown === undefined) return;
  throw new GatewayError(
    'invalid_value',
    `${param}: ${JSON.stringify(unknown)} is no event type here; there are ${known.join(', ')}.`,
    { param },
  );
}

function unknownEndpoint(id: string): GatewayError {
  return new GatewayError('not_found', `There is no webhook endpoint ${JSON.stringify(id)}.`);
}
