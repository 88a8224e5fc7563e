/**
 * The body of a message, rendered when it is first sent and kept from then on: every try, and every receiver of the
 * same message, gets the same bytes.
 */
import { formatMicros } from '../core/money.ts';
import type { EventRow, Json } from '../core/ports.ts';
import { isFeature } from '../core/request/feature.ts';
import type { FailureCode, Task, TaskState } from '../core/task.ts';
import type { ClaimedDelivery, ConsumptionRow } from '../core/webhook-ports.ts';
import { writeJson } from '../lib/json.ts';
import type { FlowContext } from './context.ts';
import { viewOf } from './view.ts';

const STATE_OF_EVENT: Record<string, TaskState> = {
  'task.queued': 'queued',
  'task.started': 'in_progress',
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.cancelled': 'cancelled',
};

/** Version of the consumption event's shape. */
const CONSUMPTION_API_VERSION = '2026-11-20';

/** Null where there is nothing to say: the door of the task has no callbacks, or what it was about is gone. */
export async function renderMessage(
  ctx: FlowContext,
  { accountId, message }: Pick<ClaimedDelivery, 'accountId' | 'message'>,
): Promise<string | null> {
  if (message.sequence !== null) {
    const row = await ctx.store.webhooks.getConsumption(accountId, message.sequence);
    return row && writeJson(consumptionEvent(row, ctx.priceBook.currency));
  }
  const event = await ctx.store.getEvent(message.eventId);
  if (event === null) return null;
  if (message.taskId === null) {
    const data = event.data as Record<string, Json>;
    const isMoney = message.type === 'wallet.low';
    return writeJson(envelope(message, isMoney ? { ...data, currency: ctx.priceBook.currency } : data));
  }
  const task = await ctx.store.getTask(message.taskId);
  if (task === null) return null;
  const view = viewOf(ctx, asOf(task, event));
  if (message.type === 'callback') {
    const body = ctx.renderCallback(view);
    return body === null ? null : writeJson(body);
  }
  return writeJson(
    envelope(message, {
      id: task.id,
      external_task_id: task.externalTaskId,
      state: view.task.state,
      video: ctx.renderTask(view),
    }),
  );
}

/** What a test sends: the shape of the real thing, about nothing. */
export function sampleBody(
  message: { id: string; type: string; createdAt: number },
  currency: string,
): string {
  return writeJson(envelope(message, sampleData(message.type, currency)));
}

function sampleData(type: string, currency: string): Json {
  if (type === 'wallet.low') return { available: '4.5', threshold: '5', currency };
  if (type === 'webhook_endpoint.disabled') {
    const url = 'https://example.com/webhooks';
    return {
      id: 'whe_sample',
      name: 'sample',
      url,
      reason: 'failing',
      failing_since: 0,
      last_error: 'sample',
    };
  }
  if (type.startsWith('consume.'))
    return { entry_id: 'pst_sample', amount: '0', currency, status: 'completed' };
  return { id: 'task_sample', external_task_id: null, state: type.slice(type.indexOf('.') + 1) };
}

function envelope(message: { id: string; type: string; createdAt: number }, data: Json): Json {
  return {
    id: message.id,
    object: 'event',
    created_at: Math.floor(message.createdAt / 1000),
    type: message.type,
    data,
  };
}

/** ConsumeCallbackEvent; the pull side answers the same objects. */
export function consumptionEvent(row: ConsumptionRow, currency: string): Record<string, Json> {
  const { task } = row;
  return {
    id: row.eventId,
    object: 'event',
    type: row.type,
    created_at: Math.floor(row.createdAt / 1000),
    sequence: row.sequence,
    api_version: CONSUMPTION_API_VERSION,
    data: {
      entry_id: row.postingId,
      ...(task === null ? {} : consumedBy(task, row)),
      amount: formatMicros(row.amountMicros),
      currency,
      balance_after: formatMicros(row.balanceMicros),
      note: row.note,
      settled_at: Math.floor(row.createdAt / 1000),
    },
  };
}

function consumedBy(task: Task, row: ConsumptionRow): Record<string, Json> {
  const { request, quote } = task;
  return {
    task_id: task.id,
    external_task_id: task.externalTaskId,
    api_key_id: task.keyId,
    key_name: row.keyName,
    system: isFeature(request) ? request.makes : 'video',
    action: request.operation,
    model: task.tier,
    model_requested: task.requestedModel,
    status: task.state === 'completed' ? 'completed' : 'failed',
    unit: row.usage?.unit ?? quote.unit,
    quantity: String(row.usage?.quantity ?? 0),
    unit_price: formatMicros(quote.unitPriceMicros),
    occurred_at: Math.floor(task.createdAt / 1000),
    metadata: task.metadata,
  };
}

/** The task as it stood at the event, so that a late delivery still tells what it was written to tell. */
function asOf(task: Task, event: EventRow): Task {
  const state = STATE_OF_EVENT[event.type] ?? task.state;
  if (state === task.state) return task;
  const then = { ...task, state, updatedAt: event.createdAt, endedAt: null, error: null, result: null };
  // It failed then, and an operator has had it made again since.
  return state === 'failed' ? { ...then, endedAt: event.createdAt, error: failureIn(event) } : then;
}

function failureIn({ data }: EventRow): Task['error'] {
  const { code, message } = data as { code?: FailureCode; message?: string };
  return { code: code ?? 'task_failed', message: message ?? 'The task failed.' };
}
