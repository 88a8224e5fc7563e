/** The flight recorder: everything known of one task. */
import { z } from 'zod';
import type { AttemptRow, EventRow, Exchange, QueuePlace, TaskRecord, UsageRow } from '../../core/ports.ts';
import { queueWaits, type QueueWait } from '../../core/queue-waits.ts';
import { isFeature } from '../../core/request/feature.ts';
import type { Task } from '../../core/task.ts';
import { moneyField, renderMoney, renderTime, timeField, toWire } from './kit.ts';
import { renderTask, taskObject } from './task-object.ts';
import { ledgerEntry, renderEntry } from './wallets.ts';
import { deliveryDetail, renderDeliveryDetail } from './webhooks.ts';

const exchange = z.object({
  attempt_id: z.string(),
  at: timeField,
  method: z.string(),
  path: z.string(),
  request: z.string().nullable(),
  status: z.number().nullable(),
  response: z.string().nullable(),
  duration_ms: z.number(),
  error: z.string().nullable(),
});

const attempt = z.object({
  id: z.string(),
  number: z.number(),
  channel_id: z.string(),
  state: z.enum(['submitting', 'accepted', 'made', 'refused', 'failed', 'lost']),
  ref: z.unknown(),
  owner: z.string(),
  submit_deadline_at: timeField,
  created_at: timeField,
  accepted_at: timeField.nullable(),
  ended_at: timeField.nullable(),
  outputs: z
    .array(
      z.object({
        role: z.string(),
        upstream_id: z.string().nullable(),
        duration_seconds: z.number().nullable(),
      }),
    )
    .nullable(),
  cost: z.object({ amount: z.string(), unit: z.string() }).nullable(),
  upstream_code: z.string().nullable(),
  message: z.string().nullable(),
});

const queueWait = z.object({
  channel_id: z.string().nullable(),
  from: timeField,
  until: timeField.nullable().meta({ description: 'null while it waits.' }),
  ms: z.number().int().nullable(),
});

const pricing = z
  .object({
    tier: z.string(),
    price_book: z.string().meta({ description: 'Version of the prices it was quoted from.' }),
    currency: z.string(),
    unit: z.string(),
    unit_price: moneyField,
    quantity: z.number(),
    quantity_min: z.number().nullable(),
    quantity_max: z.number(),
    hold: moneyField.meta({ description: 'Reserved by each hold: the most it may cost.' }),
    charged_quantity: z.number().nullable(),
    output_seconds: z.number().nullable().meta({ description: 'Of what was made, where a length decides.' }),
    charge: moneyField.nullable(),
    refunded: moneyField,
    inputs: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What of the request the price follows from.' }),
  })
  .meta({ id: 'TaskPricing', description: 'All that the price was computed from, so that it can be again.' });

const operatorAction = z.object({
  id: z.string(),
  action: z.string(),
  author: z.string(),
  note: z.string(),
  amount: moneyField,
  posting_id: z.string(),
  created_at: timeField,
});

export const recordObject = z
  .object({
    task: taskObject,
    request: z.unknown().meta({ description: 'The canonical request.' }),
    result: z
      .object({
        width: z.number().nullable(),
        height: z.number().nullable(),
        duration_seconds: z.number().nullable(),
        has_sound: z.boolean().nullable(),
        outputs: z.array(
          z.object({
            role: z.string(),
            content_type: z.string(),
            bytes: z.number(),
            sha256: z.string(),
            upstream_id: z.string().nullable(),
          }),
        ),
      })
      .nullable(),
    callback_url: z.string().nullable(),
    metadata: z.unknown(),
    attempts: z.array(attempt),
    events: z.array(z.object({ id: z.string(), type: z.string(), data: z.unknown(), created_at: timeField })),
    exchanges: z.array(exchange),
    queue_wait_ms: z.number().int().meta({ description: 'All finished waits together.' }),
    queue_waits: z.array(queueWait),
    queue: z
      .object({ position: z.number().int(), estimated_seconds: z.number().int().nullable() })
      .nullable()
      .meta({ description: 'Where it stands in its lane; null once it does not wait.' }),
    pricing,
    ledger: z.array(ledgerEntry),
    operator_actions: z.array(operatorAction),
    deliveries: z.array(deliveryDetail),
    usage: z.array(
      z.object({
        id: z.string(),
        tier: z.string(),
        unit: z.string(),
        quantity: z.number(),
        amount: moneyField,
        cost: z.object({ amount: z.string(), unit: z.string() }).nullable(),
        created_at: timeField,
      }),
    ),
  })
  .meta({ id: 'TaskRecord' });

export function renderRecord(found: TaskRecord & { place?: QueuePlace }): z.infer<typeof recordObject> {
  const waits = queueWaits(found.events);
  return {
    task: renderTask(found.task),
    request: toWire(found.task.request),
    result: renderResult(found.task.result),
    callback_url: found.task.callbackUrl,
    metadata: found.task.metadata,
    attempts: found.attempts.map(renderAttempt),
    events: found.events.map((event) => ({
      id: event.id,
      type: event.type,
      data: toWire(event.data),
      created_at: renderTime(event.createdAt),
    })),
    exchanges: found.exchanges.map(renderExchange),
    queue_wait_ms: waits.reduce((total, wait) => total + (lengthOf(wait) ?? 0), 0),
    queue_waits: waits.map((wait) => ({
      channel_id: wait.channelId,
      from: renderTime(wait.from),
      until: renderTime(wait.until),
      ms: lengthOf(wait),
    })),
    queue:
      found.place === undefined
        ? null
        : { position: found.place.position, estimated_seconds: found.place.estimatedSeconds },
    pricing: renderPricing(found),
    ledger: found.ledger.map(renderEntry),
    operator_actions: found.events.flatMap(renderAction),
    usage: found.usage.map(renderUsage),
    deliveries: found.deliveries.map(renderDeliveryDetail),
  };
}

function renderResult(result: Task['result']): z.infer<typeof recordObject>['result'] {
  if (result === null) return null;
  return {
    width: result.width,
    height: result.height,
    duration_seconds: result.durationSeconds,
    has_sound: result.hasSound,
    outputs: result.outputs.map((output) => ({
      role: output.role,
      content_type: output.contentType,
      bytes: output.bytes,
      sha256: output.sha256,
      upstream_id: output.upstreamId,
    })),
  };
}

function renderAttempt(row: AttemptRow): z.infer<typeof attempt> {
  return {
    id: row.id,
    number: row.number,
    channel_id: row.channelId,
    state: row.state,
    ref: row.ref,
    owner: row.owner,
    submit_deadline_at: renderTime(row.submitDeadlineAt),
    created_at: renderTime(row.createdAt),
    accepted_at: renderTime(row.acceptedAt),
    ended_at: renderTime(row.endedAt),
    // Source URLs are as good as a key to the file: they stay inside.
    outputs:
      row.outputs?.map((output) => ({
        role: output.role,
        upstream_id: output.upstreamId,
        duration_seconds: output.durationSeconds,
      })) ?? null,
    cost: row.cost,
    upstream_code: row.upstreamCode,
    message: row.message,
  };
}

function renderExchange(row: Exchange & { attemptId: string }): z.infer<typeof exchange> {
  return {
    attempt_id: row.attemptId,
    at: renderTime(row.at),
    method: row.method,
    path: row.path,
    request: row.request,
    status: row.status,
    response: row.response,
    duration_ms: row.durationMs,
    error: row.error,
  };
}

function renderUsage(row: UsageRow): z.infer<typeof recordObject>['usage'][number] {
  return {
    id: row.id,
    tier: row.tier,
    unit: row.unit,
    quantity: row.quantity,
    amount: renderMoney(row.amountMicros),
    cost: row.cost,
    created_at: renderTime(row.createdAt),
  };
}

function lengthOf({ from, until }: QueueWait): number | null {
  return until === null ? null : until - from;
}

function renderPricing({ task, usage }: TaskRecord): z.infer<typeof pricing> {
  const { quote } = task;
  return {
    tier: quote.tier,
    price_book: quote.priceBook,
    currency: quote.currency,
    unit: quote.unit,
    unit_price: renderMoney(quote.unitPriceMicros),
    quantity: quote.quantity,
    quantity_min: quote.quantityMin ?? null,
    quantity_max: quote.quantityMax,
    hold: renderMoney(quote.amountMicros),
    charged_quantity: usage[0]?.quantity ?? null,
    output_seconds: task.result?.durationSeconds ?? null,
    charge: renderMoney(task.chargeMicros),
    refunded: renderMoney(task.refundedMicros ?? 0n),
    inputs: priceInputs(task),
  };
}

/** What tiers, quantities and surcharges of families are decided by. */
function priceInputs({ request }: Task): Record<string, unknown> {
  const { operation, model, seconds } = request;
  const shared = { operation, model, seconds, bills_output_length: request.billsOutputLength === true };
  if (isFeature(request)) {
    const { count, parameters } = request;
    return { ...shared, count, parameters: toWire(parameters), media: request.media.length };
  }
  return {
    ...shared,
    resolution: request.resolution,
    quality: request.quality,
    sound: request.sound,
    voices: request.voiceIds.length,
    references: request.references.length,
    reference_video: request.referenceVideo?.role ?? null,
    motion: request.motion?.level ?? null,
  };
}

function renderAction({ id, type, data, createdAt }: EventRow): z.infer<typeof operatorAction>[] {
  if (!type.startsWith('operator.')) return [];
  const { author, note, amount, postingId } = data as Record<
    'author' | 'note' | 'amount' | 'postingId',
    string
  >;
  return [
    {
      id,
      action: type.slice('operator.'.length),
      author,
      note,
      amount,
      posting_id: postingId,
      created_at: renderTime(createdAt),
    },
  ];
}
