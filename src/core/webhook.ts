/**
 * What is told to receivers: event types, signatures after Standard Webhooks, when a delivery is tried again, and
 * what counts as received. Pure.
 */
import { createHmac } from 'node:crypto';

/** Of a task, in our own words; and the two that OpenAI's clients know. */
export const TASK_EVENT_TYPES = [
  'task.queued',
  'task.started',
  'task.completed',
  'task.failed',
  'task.cancelled',
  'video.completed',
  'video.failed',
] as const;
/** One for every posting that takes or returns money for good. */
export const CONSUMPTION_EVENT_TYPES = ['consume.settled', 'consume.refunded', 'consume.adjusted'] as const;

/** Everything an endpoint can subscribe to. */
export const WEBHOOK_EVENT_TYPES = [
  ...TASK_EVENT_TYPES,
  ...CONSUMPTION_EVENT_TYPES,
  'wallet.low',
  'webhook_endpoint.disabled',
] as const;

export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];
export type ConsumptionEventType = (typeof CONSUMPTION_EVENT_TYPES)[number];

/** OpenAI's dialect knows two ends only: what was cancelled has failed there. */
const ALSO_TOLD_AS: Record<string, WebhookEventType> = {
  'task.completed': 'video.completed',
  'task.failed': 'video.failed',
  'task.cancelled': 'video.failed',
};

const TOLD_AS: ReadonlyMap<string, readonly WebhookEventType[]> = new Map(
  WEBHOOK_EVENT_TYPES.map((type) => {
    const other = ALSO_TOLD_AS[type];
    return [type, other === undefined ? [type] : [type, other]];
  }),
);

/** The types under which a recorded fact is told; none for facts that are the operator's only. */
export function toldAs(type: string): readonly WebhookEventType[] {
  return TOLD_AS.get(type) ?? [];
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Waits between tries. The first ones bridge a restart, the later ones a weekend: together 75.7 hours before a
 * delivery is given up, because 72 is what receivers are promised.
 */
const RETRY_DELAYS_MS = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];
/**
 * An endpoint that took nothing for so long is switched off: longer than the retries of any one delivery last, so that
 * none loses a try that was promised.
 */
export const FAILING_MS_MAX = 5 * 24 * hour;

/** A receiver may ask for patience, but not for ever. */
const RETRY_AFTER_MS_MAX = 24 * hour;

/**
 * How long to wait after the `tries`th failed try; null: give up. Jitter only lengthens, so that the promised time is
 * kept; `random` in [0, 1).
 */
export function retryDelayMs(tries: number, random: number, retryAfterMs: number | null): number | null {
  const delayMs = RETRY_DELAYS_MS[tries - 1];
  if (delayMs === undefined) return null;
  return Math.round(Math.max(delayMs * (1 + 0.1 * random), Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX)));
}

/** `Retry-After` as seconds or an HTTP date, in ms from `nowMs`; null where it says nothing usable. */
export function readRetryAfter(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value.trim()) * second;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** The key of a `whsec_` secret: what follows the prefix, decoded from base64. */
function keyOf(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/**
 * The three headers of Standard Webhooks. Several secrets give several signatures: a receiver that knows any of them
 * is content (https://www.standardwebhooks.com, and specs/kling.md §2.7 for Kling's own callbacks).
 */
export function signedHeaders(
  message: { id: string; body: string },
  secrets: readonly string[],
  atMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const text = `${message.id}.${timestamp}.${message.body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', keyOf(secret)).update(text, 'utf8').digest('base64')}`,
  );
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/**
 * Whether a receiver took the message, and if not, why. Any 2xx does. A consumption event is also taken with 409
 * (booked already), and not with a body that says `code` other than 0 or `success: false`: receivers in that trade
 * answer 200 with an error inside (ConsumeCallbackAck).
 */
export function judgeAnswer(type: string, answer: { status: number; body: string }): string | null {
  const { status } = answer;
  const isConsumption = type.startsWith('consume.');
  if (isConsumption && status === 409) return null;
  if (status >= 300 && status <= 399) return `the receiver answered ${status}: redirects are not followed`;
  if (status < 200 || status > 299) return `the receiver answered ${status}`;
  return isConsumption ? refusalIn(answer.body) : null;
}

function refusalIn(body: string): string | null {
  let ack: unknown;
  try {
    ack = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof ack !== 'object' || ack === null) return null;
  if ('code' in ack && typeof ack.code === 'number' && ack.code !== 0) {
    return `the receiver answered code ${ack.code} in its acknowledgement`;
  }
  return 'success' in ack && ack.success === false ? 'the receiver answered success: false' : null;
}
