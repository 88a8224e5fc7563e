/** The webhook part of the Store port. */
import type { WebhookStore } from '../core/webhook-ports.ts';
import type { Backend } from './backend.ts';
import { getConsumption, listConsumption, walletLow } from './consumption.ts';
import {
  deliveryLanes,
  getDelivery,
  listDeliveries,
  nextDeliveryAfter,
  openDeliveryCount,
} from './delivery-log.ts';
import { findCallbackSigner, getEndpoint, listEndpoints } from './webhook-endpoints.ts';

export function webhookStore({ read, write }: Backend): WebhookStore {
  return {
    createEndpoint: (row, remember = null) => write('createWebhookEndpoint', { row, remember }),
    updateEndpoint: (input) => write('updateWebhookEndpoint', input),
    deleteEndpoint: (input) => write('deleteWebhookEndpoint', input),
    getEndpoint: (accountId, id) => read(getEndpoint(accountId, id)),
    listEndpoints: (query) => read(listEndpoints(query)),
    callbackSigner: (row) => write('ensureCallbackSigner', row),
    findCallbackSigner: (accountId) => read(findCallbackSigner(accountId)),
    lanes: (after, limit) => read(deliveryLanes(after, limit)),
    nextDeliveryAfter: (at) => read(nextDeliveryAfter(at)),
    openCount: (limit) => read(openDeliveryCount(limit)),
    claim: (input) => write('claimDeliveries', input),
    fixBody: (id, body) => write('fixMessageBody', { id, body }),
    settle: (result) => write('settleDelivery', result),
    listDeliveries: (query) => read(listDeliveries(query)),
    getDelivery: (id) => read(getDelivery(id)),
    redeliver: (input) => write('redeliver', input),
    redeliverAll: (input) => write('redeliverAll', input),
    bringForward: (byMs) => write('bringDeliveriesForward', { byMs }),
    prune: (input) => write('pruneMessages', input),
    listConsumption: (query) => read(listConsumption(query)),
    getConsumption: (accountId, sequence) => read(getConsumption(accountId, sequence)),
    walletLow: (accountId) => read(walletLow(accountId)),
    setWalletLow: (input) => write('setWalletLow', input),
  };
}
