/** Between a task and its row. */
import type { Quote } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { parseJson, writeJson } from '../lib/json.ts';
import type { TasksTable } from './schema.ts';

/** What is written when a task is accepted; everything else begins as null. */
export type NewTaskRow = Omit<
  TasksTable,
  | 'charge_micros'
  | 'started_at'
  | 'ended_at'
  | 'hidden_at'
  | 'media_forgotten_at'
  | 'result'
  | 'error'
  | 'refunded_micros'
  | 'retries'
  | 'retried_at'
  | 'upstream_handle'
  | 'attention'
>;

/** JSON has no bigint that survives parsing: amounts are kept as text inside the quote. */
interface QuoteJson extends Omit<Quote, 'unitPriceMicros' | 'amountMicros'> {
  unitPriceMicros: string;
  amountMicros: string;
}

export function toTaskRow(task: Task, attemptId: string | null): NewTaskRow {
  const { quote } = task;
  return {
    id: task.id,
    account_id: task.accountId,
    key_id: task.keyId,
    state: task.state,
    surface: task.surface,
    channel_id: task.channelId,
    attempt_id: attemptId,
    pool: task.pool,
    queue_rank: 0 - task.priority,
    model: task.model,
    requested_model: task.requestedModel,
    tier: task.tier,
    hold_micros: quote.amountMicros,
    external_task_id: task.externalTaskId,
    callback_url: task.callbackUrl,
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    deadline_at: task.deadlineAt,
    media_expires_at: task.mediaExpiresAt,
    request: writeJson(task.request),
    quote: JSON.stringify({
      ...quote,
      unitPriceMicros: quote.unitPriceMicros.toString(),
      amountMicros: quote.amountMicros.toString(),
    } satisfies QuoteJson),
    warnings: JSON.stringify(task.warnings),
    metadata: writeJson(task.metadata),
  };
}

export function fromTaskRow(row: TasksTable): Task {
  return {
    id: row.id,
    accountId: row.account_id,
    keyId: row.key_id,
    state: row.state,
    surface: row.surface,
    requestedModel: row.requested_model,
    model: row.model,
    tier: row.tier,
    request: readJson(row.request),
    quote: fromQuoteJson(row.quote),
    warnings: readJson(row.warnings),
    externalTaskId: row.external_task_id,
    callbackUrl: row.callback_url,
    channelId: row.channel_id,
    pool: row.pool,
    priority: row.queue_rank === 0 ? 0 : -row.queue_rank,
    attemptId: row.attempt_id,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    updatedAt: row.updated_at,
    deadlineAt: row.deadline_at,
    mediaExpiresAt: row.media_expires_at,
    error: row.error === null ? null : readJson(row.error),
    result: row.result === null ? null : readJson(row.result),
    chargeMicros: row.charge_micros,
    metadata: readJson(row.metadata),
    ...(row.refunded_micros !== null && { refundedMicros: row.refunded_micros }),
    ...(row.retries !== null && { retries: row.retries }),
    ...(row.retried_at !== null && { retriedAt: row.retried_at }),
    ...(row.upstream_handle !== null && { upstreamHandle: row.upstream_handle }),
    ...(row.attention !== null && { attention: row.attention }),
  };
}

export function fromQuoteJson(text: string): Quote {
  const quote = readJson<QuoteJson>(text);
  return {
    ...quote,
    unitPriceMicros: BigInt(quote.unitPriceMicros),
    amountMicros: BigInt(quote.amountMicros),
  };
}

/** Only these need the reader that keeps them whole; a hit inside a text merely costs time. */
const LONG_INTEGER = /[:,[]-?\d{16}/;

/** Our own writing: its shape is known, and deep requests were refused at the edge. */
export function readJson<Value>(text: string): Value {
  return (LONG_INTEGER.test(text) ? parseJson(text, { depthMax: 64 }) : JSON.parse(text)) as Value;
}
