/** A task as operators see it. */
import { z } from 'zod';
import { handleOf, type Task } from '../../core/task.ts';
import { moneyField, renderMoney, renderTime, timeField } from './kit.ts';

export const taskState = z.enum(['queued', 'in_progress', 'completed', 'failed', 'cancelled']);

export const taskObject = z
  .object({
    id: z.string(),
    account_id: z.string(),
    key_id: z.string(),
    state: taskState,
    surface: z
      .string()
      .meta({ description: 'Where it was asked for: `openai.videos`, `kling.text2video`, …' }),
    operation: z.string(),
    requested_model: z.string(),
    model: z.string(),
    tier: z.string(),
    channel_id: z.string(),
    priority: z.number().int().meta({ description: "Among its account's waiting tasks: higher first." }),
    external_task_id: z.string().nullable(),
    prompt: z.string(),
    quote: z.object({
      unit: z.string(),
      quantity: z.number(),
      quantity_max: z.number(),
      unit_price: moneyField,
      amount: moneyField,
      currency: z.string(),
      price_book: z.string(),
    }),
    charge: moneyField.nullable().meta({ description: 'null until settled; zero when nothing was made.' }),
    refunded: moneyField.meta({ description: 'What was given back of the charge.' }),
    retries: z.number().int().meta({ description: 'How often an operator had it made again.' }),
    upstream_handle: z.string().meta({
      description: 'What upstreams know it by: its id, or a name of its own once it was made anew.',
    }),
    attention: z.enum(['lost']).nullable().meta({
      description:
        '`lost`: an attempt of it may exist upstream, and nobody knows. Until an operator retries it or marks it failed.',
    }),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    warnings: z.array(z.object({ code: z.string(), field: z.string().nullable(), message: z.string() })),
    created_at: timeField,
    started_at: timeField.nullable(),
    ended_at: timeField.nullable(),
    updated_at: timeField,
    deadline_at: timeField,
    media_expires_at: timeField.nullable(),
  })
  .meta({ id: 'AdminTask' });

export function renderTask(row: Task): z.infer<typeof taskObject> {
  return {
    id: row.id,
    account_id: row.accountId,
    key_id: row.keyId,
    state: row.state,
    surface: row.surface,
    operation: row.request.operation,
    requested_model: row.requestedModel,
    model: row.model,
    tier: row.tier,
    channel_id: row.channelId,
    priority: row.priority,
    external_task_id: row.externalTaskId,
    prompt: row.request.prompt,
    quote: {
      unit: row.quote.unit,
      quantity: row.quote.quantity,
      quantity_max: row.quote.quantityMax,
      unit_price: renderMoney(row.quote.unitPriceMicros),
      amount: renderMoney(row.quote.amountMicros),
      currency: row.quote.currency,
      price_book: row.quote.priceBook,
    },
    charge: renderMoney(row.chargeMicros),
    refunded: renderMoney(row.refundedMicros ?? 0n),
    retries: row.retries ?? 0,
    upstream_handle: handleOf(row),
    attention: row.attention ?? null,
    error: row.error,
    warnings: row.warnings,
    created_at: renderTime(row.createdAt),
    started_at: renderTime(row.startedAt),
    ended_at: renderTime(row.endedAt),
    updated_at: renderTime(row.updatedAt),
    deadline_at: renderTime(row.deadlineAt),
    media_expires_at: renderTime(row.mediaExpiresAt),
  };
}
