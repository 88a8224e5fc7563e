/**
 * Sends one delivery: fixes the body, signs it, posts it through the guarded client and says what follows. Nothing it
 * meets out there is an error of ours; whatever goes wrong becomes a later try.
 */
import type { Readable } from 'node:stream';
import { judgeAnswer, readRetryAfter, retryDelayMs, signedHeaders } from '../core/webhook.ts';
import type { ClaimedDelivery, DeliveryResult, WebhookEndpointRow } from '../core/webhook-ports.ts';
import { TransferFailed, UrlRefused } from '../lib/guarded-http.ts';
import type { FlowContext } from './context.ts';
import { renderMessage } from './render-message.ts';
import { activeSecrets, callbackSigner } from './webhook-secrets.ts';

/** Longer than any receiver should need, shorter than a delivery's lease. */
export const DELIVERY_TIMEOUT_MS = 15_000;
/** An acknowledgement is a few words. */
const ANSWER_BYTES_MAX = 65_536;

export interface Posted {
  /** Null where nothing was answered. */
  status: number | null;
  /** Null: received. */
  error: string | null;
  retryAfterMs: number | null;
  /** Nothing came within the time: the receiver hangs. */
  timedOut: boolean;
}

/** The outcome of a delivery, and for how long its receiver wants to be left alone (0: not at all). */
export interface Delivered extends DeliveryResult {
  pauseMs: number;
  timedOut: boolean;
}

export async function deliver(ctx: FlowContext, delivery: ClaimedDelivery): Promise<Delivered> {
  const at = ctx.clock.now();
  const settle = (posted: Posted, isFinal = false): Delivered => {
    const failed = posted.error !== null && !isFinal;
    const delayMs = failed ? retryDelayMs(delivery.tries, ctx.random(), posted.retryAfterMs) : null;
    const now = ctx.clock.now();
    return {
      id: delivery.id,
      attempt: delivery.attempt,
      at,
      durationMs: now - at,
      status: posted.status,
      error: posted.error,
      nextAt: delayMs === null ? null : now + delayMs,
      isGone: posted.status === 410,
      pauseMs: posted.retryAfterMs ?? 0,
      timedOut: posted.timedOut,
    };
  };
  const unsent = (error: string, isFinal = false): Delivered => ({
    ...settle({ status: null, error, retryAfterMs: null, timedOut: false }, isFinal),
    isUnsent: true,
  });

  const sender = await senderOf(ctx, delivery);
  if (sender === null) return unsent('the endpoint was deleted', true);
  if (!sender.enabled) return unsent('the endpoint was paused');
  const { message } = delivery;
  let { body } = message;
  if (body === null) {
    const rendered = await renderMessage(ctx, delivery);
    if (rendered === null) return unsent('there is nothing to tell any more', true);
    body = await ctx.store.webhooks.fixBody(message.id, rendered);
  }
  const url = delivery.callbackUrl ?? sender.url;
  const { id, type, eventId } = message;
  const posted = await post(ctx, { url, sender, id, type, eventId, body });
  return settle(posted, posted.status === 410);
}

function senderOf(ctx: FlowContext, delivery: ClaimedDelivery): Promise<WebhookEndpointRow | null> {
  return delivery.endpointId === null
    ? callbackSigner(ctx, delivery.accountId)
    : ctx.store.webhooks.getEndpoint(delivery.accountId, delivery.endpointId);
}

/** One signed POST; never throws. */
export async function post(
  ctx: Pick<FlowContext, 'guarded' | 'keyring' | 'clock'>,
  message: {
    url: string;
    sender: WebhookEndpointRow;
    id: string;
    type: string;
    eventId: string;
    body: string;
  },
): Promise<Posted> {
  const now = ctx.clock.now();
  try {
    const response = await ctx.guarded.request({
      url: message.url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-reelay-event-id': message.eventId,
        ...signedHeaders(message, activeSecrets(ctx, message.sender), now),
      },
      body: message.body,
      timeoutMs: DELIVERY_TIMEOUT_MS,
      bytesMax: ANSWER_BYTES_MAX,
    });
    const { status, headers } = response;
    // Where only the status matters, what a hostile receiver sends after it is not read.
    const isRead = message.type.startsWith('consume.') && status >= 200 && status <= 299;
    const answer = isRead ? await readText(response.body) : '';
    if (!isRead) response.body.destroy();
    const retryAfter = headers['retry-after'];
    const error = judgeAnswer(message.type, { status, body: answer });
    return {
      status,
      error,
      retryAfterMs:
        error === null
          ? null
          : readRetryAfter(typeof retryAfter === 'string' ? retryAfter : null, ctx.clock.now()),
      timedOut: false,
    };
  } catch (error) {
    const isOurs = error instanceof TransferFailed || error instanceof UrlRefused;
    return {
      status: null,
      error: isOurs ? error.message : 'the receiver could not be reached',
      retryAfterMs: null,
      timedOut: error instanceof TransferFailed && error.reason === 'timeout',
    };
  }
}

/** What is too long to be an acknowledgement is none, like anything else that does not look like one. */
async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    if (error instanceof TransferFailed && error.reason === 'too_large') return '';
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}
