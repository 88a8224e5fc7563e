import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Admin, AttemptRow, Exchange, TaskRecord, UsageRow } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import {
  idParams,
  moneyField,
  pageFields,
  pageOf,
  readPageQuery,
  renderMoney,
  renderPage,
  renderTime,
  toWire,
  timeField,
  type AdminRoutes,
} from './kit.ts';
import { ledgerEntry, renderEntry } from './wallets.ts';
import { deliveryDetail, renderDeliveryDetail } from './webhooks.ts';

const taskState = z.enum(['queued', 'in_progress', 'completed', 'failed', 'cancelled']);

const task = z
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

const record = z
  .object({
    task,
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
    ledger: z.array(ledgerEntry),
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

const timeFilter = z
  .string()
  .optional()
  .meta({ description: 'ISO 8601 or Unix milliseconds.', examples: ['2026-11-20T00:00:00Z'] });

const taskQuery = z.object({
  ...pageFields,
  account_id: z.string().optional(),
  state: taskState.optional(),
  channel_id: z.string().optional(),
  model: z.string().optional(),
  tier: z.string().optional(),
  created_from: timeFilter,
  created_to: timeFilter,
});

export function addTaskRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/tasks',
    {
      schema: {
        summary: 'List tasks, newest first, hidden ones included',
        querystring: taskQuery,
        response: { 200: pageOf(task) },
      },
    },
    async (request) => renderPage(await admin.listTasks(readFilters(request.query)), renderTask),
  );

  routes.get(
    '/admin/v1/tasks/:id',
    {
      schema: {
        summary: 'Everything known of one task',
        params: idParams,
        response: { 200: record },
      },
    },
    async (request) => renderRecord(await admin.taskRecord(request.params.id)),
  );
}

function readFilters(query: z.infer<typeof taskQuery>): Parameters<Admin['listTasks']>[0] {
  const filters: Parameters<Admin['listTasks']>[0] = readPageQuery(query);
  if (query.account_id !== undefined) filters.accountId = query.account_id;
  if (query.state !== undefined) filters.state = query.state;
  if (query.channel_id !== undefined) filters.channelId = query.channel_id;
  if (query.model !== undefined) filters.model = query.model;
  if (query.tier !== undefined) filters.tier = query.tier;
  if (query.created_from !== undefined) filters.createdFrom = readTime(query.created_from, 'created_from');
  if (query.created_to !== undefined) filters.createdTo = readTime(query.created_to, 'created_to');
  return filters;
}

function readTime(text: string, param: string): number {
  const unixMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(unixMs)) return unixMs;
  throw new GatewayError(
    'invalid_value',
    `'${param}' must be a time like 2026-11-20T00:00:00Z or Unix milliseconds.`,
    { param },
  );
}

function renderTask(row: Task): z.infer<typeof task> {
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

function renderRecord(found: TaskRecord): z.infer<typeof record> {
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
    ledger: found.ledger.map(renderEntry),
    usage: found.usage.map(renderUsage),
    deliveries: found.deliveries.map(renderDeliveryDetail),
  };
}

function renderResult(result: Task['result']): z.infer<typeof record>['result'] {
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

function renderUsage(row: UsageRow): z.infer<typeof record>['usage'][number] {
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
