/** What an account, or an operator in its name, can do about webhooks. */
import { GatewayError } from '../core/errors.ts';
import type { Intent } from '../core/intent.ts';
import type { RememberKey } from '../core/ports.ts';
import { WEBHOOK_EVENT_TYPES } from '../core/webhook.ts';
import type { DeliveryRow, EndpointWithSecret, WebhookEndpointRow, Webhooks } from '../core/webhook-ports.ts';
import { checkUrl } from './admit-media.ts';
import type { FlowContext } from './context.ts';
import { post } from './deliver.ts';
import { createOnce, hasKey } from './once.ts';
import { consumptionEvent, sampleBody } from './render-message.ts';
import { openAnswer, sealAnswer } from './sealed-answer.ts';
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

/** `scopeOf` tells whose idempotency keys count: an account's own, or those of operators. */
export function createWebhooks(ctx: WebhookContext, scopeOf: (accountId: string) => string): Webhooks {
  const { webhooks } = ctx.store;
  const once = createOnce(ctx);

  /** What shows a secret, once per key; the secret lies sealed beside the key until that expires. */
  function shownOnce(
    accountId: string,
    intent: Intent | null | undefined,
    work: (remember: RememberKey | null) => Promise<EndpointWithSecret>,
    find: (id: string) => Promise<WebhookEndpointRow>,
  ): Promise<EndpointWithSecret> {
    if (!hasKey(intent)) return work(null);
    const scope = scopeOf(accountId);
    return once<EndpointWithSecret>(scope, intent, {
      create: ({ remember }) => work(remember),
      async replay(used) {
        const { secret } = openAnswer<{ secret: string }>(ctx, scope, intent.key, used);
        return { endpoint: await find(used.subjectId), secret, replayed: true };
      },
    });
  }

  async function require(accountId: string, id: string): Promise<WebhookEndpointRow> {
    const row = await webhooks.getEndpoint(accountId, id);
    if (row === null || row.kind !== 'endpoint') throw unknownEndpoint(id);
    return row;
  }

  async function create(
    accountId: string,
    input: { name: string; url: string; eventTypes: string[] },
    enabled: boolean,
    remember: RememberKey | null,
  ): Promise<EndpointWithSecret> {
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
    await webhooks.createEndpoint(endpoint, remember && sealAnswer(ctx, remember, { secret }));
    return { endpoint, secret };
  }

  async function rotate(
    row: WebhookEndpointRow,
    keepOld: boolean,
    remember: RememberKey | null,
  ): Promise<EndpointWithSecret> {
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
      remember: remember && sealAnswer(ctx, remember, { secret }),
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
    async createEndpoint(accountId, { name, url, eventTypes, enabled }, intent) {
      const input = judged(ctx, { name, url, eventTypes });
      return shownOnce(
        accountId,
        intent,
        async (remember) => {
          const existing = await webhooks.listEndpoints({ accountId, limit: ENDPOINTS_MAX });
          if (existing.length < ENDPOINTS_MAX) return create(accountId, input, enabled, remember);
          throw new GatewayError(
            'conflict',
            `An account may have ${ENDPOINTS_MAX} webhook endpoints: delete one first.`,
          );
        },
        (id) => require(accountId, id),
      );
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
    async rotateSecret(accountId, id, { keepOld }, intent) {
      const row = await require(accountId, id);
      const find = (found: string) => require(accountId, found);
      return shownOnce(accountId, intent, (remember) => rotate(row, keepOld, remember), find);
    },
    async testEndpoint(accountId, id, eventType, intent) {
      const sender = await require(accountId, id);
      refuseUnknownTypes([eventType], 'event_type');
      const test = async (): Promise<number> => {
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
      };
      if (!hasKey(intent)) return { status: await test() };
      return once<{ status: number; replayed?: true }>(scopeOf(accountId), intent, {
        async create({ remember }) {
          const status = await test();
          const answer = { ...remember, response: { status } };
          await ctx.store.rememberAnswer({ remember: answer, subjectId: id, at: ctx.clock.now() });
          return { status };
        },
        replay: async ({ response }) => ({ ...(response as { status: number }), replayed: true }),
      });
    },
    async callbackSecret(accountId) {
      const endpoint = await callbackSigner(ctx, accountId);
      return { endpoint, secret: signingSecret(ctx, endpoint) };
    },
    async rotateCallbackSecret(accountId, { keepOld }, intent) {
      const find = () => callbackSigner(ctx, accountId);
      return shownOnce(accountId, intent, async (remember) => rotate(await find(), keepOld, remember), find);
    },
    async listDeliveries(accountId, endpointId, query) {
      await require(accountId, endpointId);
      return webhooks.listDeliveries({ accountId, endpointId, ...query });
    },
    getDelivery: delivery,
    async redeliver(accountId, id, intent) {
      await delivery(accountId, id);
      const again = async (remember: RememberKey | null): Promise<DeliveryRow> => {
        const begun = await webhooks.redeliver({ id, at: ctx.clock.now(), remember });
        if (begun !== null) return begun;
        throw new GatewayError(
          'conflict',
          'The delivery is still under way, or its endpoint was deleted: there is nothing to send again.',
        );
      };
      if (!hasKey(intent)) return again(null);
      return once<DeliveryRow & { replayed?: true }>(scopeOf(accountId), intent, {
        create: ({ remember }) => again(remember),
        replay: async ({ response }) => ({ ...(response as unknown as DeliveryRow), replayed: true }),
      });
    },
    async redeliverAll(accountId, endpointId, { state, since }, intent) {
      await require(accountId, endpointId);
      const again = async (remember: RememberKey | null) => {
        const at = ctx.clock.now();
        return { count: await webhooks.redeliverAll({ accountId, endpointId, state, since, at, remember }) };
      };
      if (!hasKey(intent)) return again(null);
      return once<{ count: number; replayed?: true }>(scopeOf(accountId), intent, {
        create: ({ remember }) => again(remember),
        replay: async ({ response }) => ({ ...(response as { count: number }), replayed: true }),
      });
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
