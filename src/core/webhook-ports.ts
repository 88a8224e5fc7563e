/** Rows and verbs of webhooks: what the store keeps, and what callers and operators can do. */
import type { Intent } from './intent.ts';
import type { Json, Page, PageQuery, RememberAnswer, RememberKey } from './ports.ts';
import type { Task } from './task.ts';
import type { ConsumptionEventType } from './webhook.ts';

/**
 * Why an endpoint gets nothing: its owner paused it, it answered 410 Gone, or it took nothing for days
 * (`FAILING_MS_MAX`).
 */
export type DisabledReason = 'paused' | 'gone' | 'failing';

/** Who signs, and where to. Of kind `callbacks` there is one per account: it signs for callback URLs of requests. */
export interface WebhookEndpointRow {
  id: string;
  accountId: string;
  kind: 'endpoint' | 'callbacks';
  name: string;
  url: string;
  eventTypes: string[];
  enabled: boolean;
  disabledReason: DisabledReason | null;
  /** Absent: it is enabled. */
  disabledAt?: number;
  /** Since when it has taken nothing; absent: the last delivery arrived, or there was none. */
  failingSince?: number;
  secretSealed: string;
  /** First and last characters, for people. */
  secretHint: string;
  /** Signs as well until `oldSecretUntil`. */
  oldSecretSealed: string | null;
  oldSecretUntil: number | null;
  createdAt: number;
  updatedAt: number;
}

/** `held`: waits for its endpoint to be resumed. `dead`: given up, kept, can be sent again. */
export type DeliveryState = 'pending' | 'held' | 'delivered' | 'dead' | 'cancelled';

/** One message to one receiver. */
export interface DeliveryRow {
  id: string;
  accountId: string;
  messageId: string;
  eventType: string;
  /** Null: to `callbackUrl`. */
  endpointId: string | null;
  callbackUrl: string | null;
  taskId: string | null;
  state: DeliveryState;
  /** POSTs so far. */
  attempts: number;
  /** Null once there is nothing more to come. */
  nextAt: number | null;
  lastStatus: number | null;
  lastError: string | null;
  createdAt: number;
  settledAt: number | null;
}

/** One POST of a delivery. */
export interface DeliveryAttemptRow {
  deliveryId: string;
  number: number;
  at: number;
  durationMs: number;
  status: number | null;
  error: string | null;
}

export interface DeliveryDetail {
  delivery: DeliveryRow;
  attempts: DeliveryAttemptRow[];
  /** What was, or will be, sent; null before the first try. */
  body: string | null;
}

/** A delivery in hand, with all that sending needs. */
export interface ClaimedDelivery {
  id: string;
  accountId: string;
  lane: string;
  endpointId: string | null;
  callbackUrl: string | null;
  /** The number of this POST, and how many since the delivery was last begun anew. */
  attempt: number;
  tries: number;
  message: {
    id: string;
    type: string;
    eventId: string;
    taskId: string | null;
    sequence: number | null;
    body: string | null;
    createdAt: number;
  };
}

/** How a POST went. */
export interface DeliveryResult {
  id: string;
  attempt: number;
  /** When it was begun. */
  at: number;
  durationMs: number;
  status: number | null;
  /** Null: it was received. */
  error: string | null;
  /** When to try again; null: never, it is delivered or dead. */
  nextAt: number | null;
  /** The endpoint said that it is gone. */
  isGone: boolean;
  /** Nothing was sent, so it says nothing of the receiver. */
  isUnsent?: true;
}

/** What was taken from a wallet, or returned, for good; in the account's own gap-free sequence from 1. */
export interface ConsumptionRow {
  accountId: string;
  sequence: number;
  eventId: string;
  type: ConsumptionEventType;
  postingId: string;
  /** Below zero where money came back. */
  amountMicros: bigint;
  /** Available and held, after it. */
  balanceMicros: bigint;
  note: string | null;
  createdAt: number;
  task: Task | null;
  /** Name of the key the task was asked for with. */
  keyName: string | null;
  usage: { unit: string; quantity: number } | null;
}

export interface DeliveryQuery extends PageQuery {
  accountId: string;
  endpointId: string;
  state?: DeliveryState;
}

/** Everything durable about webhooks. Deliveries come into being inside the changes they tell of. */
export interface WebhookStore {
  createEndpoint(row: WebhookEndpointRow, remember?: RememberAnswer | null): Promise<void>;
  /** Pausing holds what waits, resuming makes it due at `at`. Null: there is no such endpoint. */
  updateEndpoint(input: {
    accountId: string;
    id: string;
    at: number;
    patch: Partial<
      Pick<
        WebhookEndpointRow,
        | 'name'
        | 'url'
        | 'eventTypes'
        | 'enabled'
        | 'secretSealed'
        | 'secretHint'
        | 'oldSecretSealed'
        | 'oldSecretUntil'
      >
    >;
    remember?: RememberAnswer | null;
  }): Promise<WebhookEndpointRow | null>;
  /** What still waits for it is cancelled; the log stays. */
  deleteEndpoint(input: { accountId: string; id: string; at: number }): Promise<boolean>;
  getEndpoint(accountId: string, id: string): Promise<WebhookEndpointRow | null>;
  /** Newest first; `after` is the last id of the page before. */
  listEndpoints(query: { accountId: string; after?: string; limit: number }): Promise<WebhookEndpointRow[]>;
  /** The account's own signer of callbacks: `row` where there is none yet. */
  callbackSigner(row: WebhookEndpointRow): Promise<WebhookEndpointRow>;
  findCallbackSigner(accountId: string): Promise<WebhookEndpointRow | null>;

  /** Lanes after `after`, by name, in which something waits, and when the first of it is due. */
  lanes(after: string, limit: number): Promise<{ lane: string; nextAt: number }[]>;
  /** The first time after `at` at which something is due. */
  nextDeliveryAfter(at: number): Promise<number | null>;
  /** Deliveries that wait or are under way; `limit` stands for that many or more. */
  openCount(limit: number): Promise<number>;
  /**
   * Takes what is due in these lanes. Within a lane, a delivery waits while an earlier one about the same task is
   * under way or has been tried fewer than three times.
   */
  claim(input: {
    lanes: { lane: string; limit: number }[];
    at: number;
    leaseUntil: number;
  }): Promise<ClaimedDelivery[]>;
  /** The first body given for a message is the one that stays; answers it. */
  fixBody(messageId: string, body: string): Promise<string>;
  /** Notes a POST and what follows from it. False when somebody else has settled the delivery since. */
  settle(result: DeliveryResult): Promise<boolean>;

  /** Newest first. */
  listDeliveries(query: DeliveryQuery): Promise<Page<DeliveryRow>>;
  getDelivery(id: string): Promise<DeliveryDetail | null>;
  /**
   * Delivers what is settled once more, from the first try on; keeps the row with the key. Null when there is nothing
   * to do.
   */
  redeliver(input: { id: string; at: number; remember?: RememberKey | null }): Promise<DeliveryRow | null>;
  /**
   * All of an endpoint's that were made from `since` on and are in that state; answers how many, and keeps that with
   * the key.
   */
  redeliverAll(input: {
    accountId: string;
    endpointId: string;
    state: 'dead' | 'delivered';
    since: number;
    at: number;
    remember?: RememberKey | null;
  }): Promise<number>;
  /** The clock was put back by so much: what waits for a time comes as much earlier. */
  bringForward(byMs: number): Promise<void>;
  /** Forgets messages older than `before` that nobody waits for; answers how many. */
  prune(input: { before: number; limit: number }): Promise<number>;

  /** Oldest first, from `afterSequence` + 1 on. */
  listConsumption(query: {
    accountId: string;
    afterSequence: number;
    limit: number;
  }): Promise<ConsumptionRow[]>;
  getConsumption(accountId: string, sequence: number): Promise<ConsumptionRow | null>;

  /** The amount available below which `wallet.low` is told; null: never. */
  walletLow(accountId: string): Promise<bigint | null>;
  setWalletLow(input: { accountId: string; lowMicros: bigint | null }): Promise<boolean>;
}

/** An endpoint with the secret it signs with, shown when it is made and when it is rotated. */
export interface EndpointWithSecret {
  endpoint: WebhookEndpointRow;
  secret: string;
  /** The answer to a repeat: nothing was done for it. */
  replayed?: true;
}

/** What an account (and an operator in its name) can do. Refusals are GatewayErrors. */
export interface Webhooks {
  createEndpoint(
    accountId: string,
    input: { name: string; url: string; eventTypes: string[]; enabled: boolean },
    intent?: Intent | null,
  ): Promise<EndpointWithSecret>;
  /** Newest first. */
  listEndpoints(
    accountId: string,
    query: { after?: string; limit: number },
  ): Promise<{ endpoints: WebhookEndpointRow[]; hasMore: boolean }>;
  getEndpoint(accountId: string, id: string): Promise<WebhookEndpointRow>;
  updateEndpoint(
    accountId: string,
    id: string,
    patch: { name?: string; url?: string; eventTypes?: string[]; enabled?: boolean },
  ): Promise<WebhookEndpointRow>;
  deleteEndpoint(accountId: string, id: string): Promise<void>;
  rotateSecret(
    accountId: string,
    id: string,
    options: { keepOld: boolean },
    intent?: Intent | null,
  ): Promise<EndpointWithSecret>;
  /** Sends a sample now, once; answers the receiver's status. */
  testEndpoint(
    accountId: string,
    id: string,
    eventType: string,
    intent?: Intent | null,
  ): Promise<{ status: number; replayed?: true }>;
  /** What signs callbacks to URLs that come with a request; made when first asked for. */
  callbackSecret(accountId: string): Promise<EndpointWithSecret>;
  rotateCallbackSecret(
    accountId: string,
    options: { keepOld: boolean },
    intent?: Intent | null,
  ): Promise<EndpointWithSecret>;
  listDeliveries(
    accountId: string,
    endpointId: string,
    query: PageQuery & { state?: DeliveryState },
  ): Promise<Page<DeliveryRow>>;
  getDelivery(accountId: string, id: string): Promise<DeliveryDetail>;
  redeliver(
    accountId: string,
    id: string,
    intent?: Intent | null,
  ): Promise<DeliveryRow & { replayed?: true }>;
  redeliverAll(
    accountId: string,
    endpointId: string,
    input: { state: 'dead' | 'delivered'; since: number },
    intent?: Intent | null,
  ): Promise<{ count: number; replayed?: true }>;
  /** ConsumeCallbackEvents, oldest first. */
  consumptionEvents(
    accountId: string,
    query: { afterSequence: number; limit: number },
  ): Promise<{ events: Record<string, Json>[]; hasMore: boolean }>;
  walletLow(accountId: string): Promise<bigint | null>;
  setWalletLow(accountId: string, lowMicros: bigint | null): Promise<void>;
}
