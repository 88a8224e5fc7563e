/** Webhook endpoints and deliveries in the shapes of openai 7.55.0 (`client.webhooks`), with what it has no word for. */
import { z } from 'zod';
import { WEBHOOK_EVENT_TYPES } from '../../core/webhook.ts';
import type {
  DeliveryDetail,
  DeliveryRow,
  EndpointWithSecret,
  WebhookEndpointRow,
} from '../../core/webhook-ports.ts';
import { toSeconds } from '../kit/video-object.ts';

const unixSeconds = z.number().int().meta({ description: 'Unix seconds.' });
const eventTypes = z.array(z.string()).meta({
  description: `Event types: ${WEBHOOK_EVENT_TYPES.map((type) => `\`${type}\``).join(', ')}.`,
});

const endpointShape = {
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  name: z.string(),
  url: z.string(),
  event_types: eventTypes,
  enabled: z.boolean().meta({ description: 'While it is not, what happens waits for it.' }),
  disabled_reason: z.enum(['paused', 'gone', 'failing']).nullable().meta({
    description: '`paused` by its owner; `gone`: it answered 410; `failing`: it took nothing for five days.',
  }),
  disabled_at: unixSeconds.nullable(),
  failing_since: unixSeconds
    .nullable()
    .meta({ description: 'Since when it has taken nothing; null: the last delivery arrived.' }),
  signing_secret_hint: z.string().nullable(),
  created_at: unixSeconds,
  updated_at: unixSeconds,
};

const endpointExample = {
  id: 'whe_0Qk3XhV7bT2mYwLr9sJfN4cP',
  object: 'webhook_endpoint' as const,
  name: 'Production',
  url: 'https://example.com/webhooks',
  event_types: ['video.completed', 'video.failed'],
  enabled: true,
  disabled_reason: null,
  disabled_at: null,
  failing_since: null,
  signing_secret_hint: 'whsec_Mf…Sw0=',
  created_at: 1780891541,
  updated_at: 1780891541,
};

export const webhookEndpoint = z.object(endpointShape).meta({
  id: 'WebhookEndpoint',
  description: 'A URL of the account that is told of events.',
  examples: [endpointExample],
});

export const webhookEndpointWithSecret = z
  .object({
    ...endpointShape,
    signing_secret: z.string().meta({ description: 'Verifies the signatures; keep it secret.' }),
  })
  .meta({
    id: 'WebhookEndpointWithSecret',
    description: 'The secret is shown when it is made and when it is rotated, and never again.',
    examples: [{ ...endpointExample, signing_secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0M5yXk1bF3E=' }],
  });

export const webhookEndpointList = z
  .object({
    object: z.literal('list'),
    data: z.array(webhookEndpoint),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({
    id: 'WebhookEndpointList',
    description: 'One page of endpoints, newest first.',
    examples: [
      {
        object: 'list',
        data: [endpointExample],
        first_id: endpointExample.id,
        last_id: endpointExample.id,
        has_more: false,
      },
    ],
  });

export const webhookEndpointDeleted = z
  .object({ id: z.string(), object: z.literal('webhook_endpoint.deleted'), deleted: z.literal(true) })
  .meta({
    id: 'WebhookEndpointDeleted',
    description: 'Nothing is sent there any more.',
    examples: [{ id: endpointExample.id, object: 'webhook_endpoint.deleted', deleted: true }],
  });

export const webhookTestResult = z
  .object({
    object: z.literal('webhook_endpoint.test'),
    webhook_endpoint_id: z.string(),
    event_type: z.string(),
    status_code: z.number().int().meta({ description: 'What the endpoint answered.' }),
    success: z.literal(true).meta({ description: 'The test was sent and answered, whatever the answer.' }),
  })
  .meta({
    id: 'WebhookEndpointTestResult',
    description: 'How a test went.',
    examples: [
      {
        object: 'webhook_endpoint.test',
        webhook_endpoint_id: endpointExample.id,
        event_type: 'video.completed',
        status_code: 200,
        success: true,
      },
    ],
  });

export const callbackSecret = z
  .object({
    object: z.literal('webhook_signing_secret'),
    signing_secret: z.string(),
    signing_secret_hint: z.string(),
    old_secret_active_until: unixSeconds.nullable(),
  })
  .meta({
    id: 'WebhookSigningSecret',
    description: 'What signs callbacks to a `callback_url` that came with a request.',
    examples: [
      {
        object: 'webhook_signing_secret',
        signing_secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0M5yXk1bF3E=',
        signing_secret_hint: 'whsec_Mf…bF3E=',
        old_secret_active_until: null,
      },
    ],
  });

export const eventTypeList = z.object({ object: z.literal('list'), data: z.array(z.string()) }).meta({
  id: 'WebhookEventTypeList',
  description: 'Everything an endpoint can subscribe to.',
  examples: [{ object: 'list', data: [...WEBHOOK_EVENT_TYPES] }],
});

const deliveryShape = {
  id: z.string(),
  object: z.literal('webhook_delivery'),
  event_id: z.string().meta({ description: 'The `webhook-id` header: the same at every try.' }),
  event_type: z.string(),
  task_id: z.string().nullable(),
  status: z
    .enum(['pending', 'held', 'delivered', 'dead', 'cancelled'])
    .meta({ description: '`held`: the endpoint is disabled; `dead`: given up, can be sent again.' }),
  attempts: z.number().int(),
  next_attempt_at: unixSeconds.nullable(),
  last_status_code: z.number().int().nullable(),
  last_error: z.string().nullable(),
  created_at: unixSeconds,
  settled_at: unixSeconds.nullable(),
};

const deliveryExample = {
  id: 'dlv_0Qk3XhV7bT2mYwLr9sJfN4cP',
  object: 'webhook_delivery' as const,
  event_id: 'evt_0Qk3XhV7bT2mYwLr9sJfN4cP',
  event_type: 'video.completed',
  task_id: 'task_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue',
  status: 'dead' as const,
  attempts: 12,
  next_attempt_at: null,
  last_status_code: 503,
  last_error: 'the receiver answered 503',
  created_at: 1780891600,
  settled_at: 1781164120,
};

export const webhookDelivery = z.object(deliveryShape).meta({
  id: 'WebhookDelivery',
  description: 'One event on its way to one endpoint.',
  examples: [deliveryExample],
});

export const webhookDeliveryDetail = z
  .object({
    ...deliveryShape,
    body: z
      .string()
      .nullable()
      .meta({ description: 'What is sent, byte for byte; null before the first try.' }),
    attempt_log: z.array(
      z.object({
        number: z.number().int(),
        at: unixSeconds,
        duration_ms: z.number(),
        status_code: z.number().int().nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({
    id: 'WebhookDeliveryDetail',
    description: 'A delivery with its body and every try.',
    examples: [
      {
        ...deliveryExample,
        body: '{"id":"evt_0Qk3XhV7bT2mYwLr9sJfN4cP","object":"event","type":"video.completed","data":{}}',
        attempt_log: [
          {
            number: 12,
            at: 1781164120,
            duration_ms: 35,
            status_code: 503,
            error: 'the receiver answered 503',
          },
        ],
      },
    ],
  });

export const webhookDeliveryList = z
  .object({
    object: z.literal('list'),
    data: z.array(webhookDelivery),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({
    id: 'WebhookDeliveryList',
    description: 'One page of deliveries, newest first.',
    examples: [
      {
        object: 'list',
        data: [deliveryExample],
        first_id: deliveryExample.id,
        last_id: deliveryExample.id,
        has_more: false,
      },
    ],
  });

export const webhookRedelivery = z
  .object({ object: z.literal('webhook_redelivery'), count: z.number().int() })
  .meta({
    id: 'WebhookRedelivery',
    description: 'How many deliveries are sent again.',
    examples: [{ object: 'webhook_redelivery', count: 7 }],
  });

export function renderEndpoint(row: WebhookEndpointRow): z.output<typeof webhookEndpoint> {
  return {
    id: row.id,
    object: 'webhook_endpoint',
    name: row.name,
    url: row.url,
    event_types: row.eventTypes,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    disabled_at: secondsOf(row.disabledAt ?? null),
    failing_since: secondsOf(row.failingSince ?? null),
    signing_secret_hint: row.secretHint,
    created_at: toSeconds(row.createdAt),
    updated_at: toSeconds(row.updatedAt),
  };
}

export function renderWithSecret({
  endpoint,
  secret,
}: EndpointWithSecret): z.output<typeof webhookEndpointWithSecret> {
  return { ...renderEndpoint(endpoint), signing_secret: secret };
}

export function renderCallbackSecret({
  endpoint,
  secret,
}: EndpointWithSecret): z.output<typeof callbackSecret> {
  return {
    object: 'webhook_signing_secret',
    signing_secret: secret,
    signing_secret_hint: endpoint.secretHint,
    old_secret_active_until: secondsOf(endpoint.oldSecretUntil),
  };
}

export function renderDelivery(row: DeliveryRow): z.output<typeof webhookDelivery> {
  return {
    id: row.id,
    object: 'webhook_delivery',
    event_id: row.messageId,
    event_type: row.eventType,
    task_id: row.taskId,
    status: row.state,
    attempts: row.attempts,
    next_attempt_at: secondsOf(row.nextAt),
    last_status_code: row.lastStatus,
    last_error: row.lastError,
    created_at: toSeconds(row.createdAt),
    settled_at: secondsOf(row.settledAt),
  };
}

export function renderDeliveryDetail(detail: DeliveryDetail): z.output<typeof webhookDeliveryDetail> {
  return {
    ...renderDelivery(detail.delivery),
    body: detail.body,
    attempt_log: detail.attempts.map((attempt) => ({
      number: attempt.number,
      at: toSeconds(attempt.at),
      duration_ms: attempt.durationMs,
      status_code: attempt.status,
      error: attempt.error,
    })),
  };
}

/** The page object of OpenAI's lists; its clients go on while `has_more` and the last id say so. */
export function listOf<Item extends { id: string }>(data: Item[], hasMore: boolean) {
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}

function secondsOf(unixMs: number | null): number | null {
  return unixMs === null ? null : toSeconds(unixMs);
}
