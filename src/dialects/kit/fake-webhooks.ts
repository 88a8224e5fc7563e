/** Webhook endpoints in memory, to the extent that the shapes of answers need. */
import { GatewayError } from '../../core/errors.ts';
import type { WebhookEndpointRow, Webhooks } from '../../core/webhook-ports.ts';

/** 2026-06-08T04:05:41Z. */
const createdAt = 1_780_891_541_000;
const secret = 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=';

/** `check` runs before every verb and may refuse it. */
export function createFakeWebhooks(check: () => void): Webhooks {
  const endpoints: WebhookEndpointRow[] = [];

  function find(accountId: string, id: string): WebhookEndpointRow {
    check();
    const row = endpoints.find((each) => each.accountId === accountId && each.id === id);
    if (row !== undefined) return row;
    throw new GatewayError('not_found', `There is no webhook endpoint ${id}.`);
  }

  function missing(what: string): never {
    check();
    throw new GatewayError('not_found', `There is no ${what}.`);
  }

  const signer = (accountId: string): WebhookEndpointRow => ({
    id: 'whe_callbacks',
    accountId,
    kind: 'callbacks',
    name: 'callback_url',
    url: '',
    eventTypes: [],
    enabled: true,
    disabledReason: null,
    secretSealed: '',
    secretHint: 'whsec_dG…MTI=',
    oldSecretSealed: null,
    oldSecretUntil: null,
    createdAt,
    updatedAt: createdAt,
  });

  return {
    async createEndpoint(accountId, { name, url, eventTypes, enabled }) {
      check();
      const endpoint: WebhookEndpointRow = {
        ...signer(accountId),
        id: `whe_${endpoints.length + 1}`,
        kind: 'endpoint',
        name,
        url,
        eventTypes,
        enabled,
        disabledReason: enabled ? null : 'paused',
      };
      endpoints.push(endpoint);
      return { endpoint, secret };
    },
    async listEndpoints(accountId, { after, limit }) {
      check();
      const mine = endpoints.filter((each) => each.accountId === accountId).reverse();
      const start = after === undefined ? 0 : mine.findIndex(({ id }) => id === after) + 1;
      const page = mine.slice(start, start + limit);
      return { endpoints: page, hasMore: start + page.length < mine.length };
    },
    getEndpoint: async (accountId, id) => find(accountId, id),
    updateEndpoint: async (accountId, id, patch) => Object.assign(find(accountId, id), patch),
    async deleteEndpoint(accountId, id) {
      endpoints.splice(endpoints.indexOf(find(accountId, id)), 1);
    },
    rotateSecret: async (accountId, id) => ({ endpoint: find(accountId, id), secret }),
    async testEndpoint(accountId, id) {
      find(accountId, id);
      return { status: 200 };
    },
    callbackSecret: async (accountId) => ({ endpoint: signer(accountId), secret }),
    rotateCallbackSecret: async (accountId) => ({ endpoint: signer(accountId), secret }),
    async listDeliveries(accountId, id) {
      find(accountId, id);
      return { rows: [], nextCursor: null };
    },
    getDelivery: async () => missing('delivery'),
    redeliver: async () => missing('delivery'),
    async redeliverAll(accountId, id) {
      find(accountId, id);
      return { count: 0 };
    },
    async consumptionEvents() {
      check();
      return { events: [], hasMore: false };
    },
    async walletLow() {
      check();
      return null;
    },
    async setWalletLow() {
      check();
    },
  };
}
