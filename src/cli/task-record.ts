/** The flight recorder of one task, as a person reads it. */
import { entryColumns } from './ledger.ts';
import { facts, table, type Column } from './table.ts';
import { elapsed, time } from './text.ts';
import type { TaskRecord } from './wire.ts';

type Row<Name extends keyof TaskRecord> = TaskRecord[Name] extends (infer Item)[] ? Item : never;

const attemptColumns: Column<Row<'attempts'>>[] = [
  { title: '#', align: 'right', text: (attempt) => String(attempt.number) },
  { title: 'channel', text: (attempt) => attempt.channel_id },
  { title: 'state', text: (attempt) => attempt.state },
  { title: 'opened (UTC)', text: (attempt) => time(attempt.created_at) },
  { title: 'ended (UTC)', text: (attempt) => time(attempt.ended_at) },
  { title: 'upstream code', text: (attempt) => attempt.upstream_code ?? '' },
  { title: 'message', text: (attempt) => attempt.message ?? '', widthMax: 60 },
];

const eventColumns: Column<Row<'events'>>[] = [
  { title: 'when (UTC)', text: (event) => time(event.created_at) },
  { title: 'event', text: (event) => event.type },
];

const exchangeColumns: Column<Row<'exchanges'>>[] = [
  { title: 'when (UTC)', text: (exchange) => time(exchange.at) },
  { title: 'exchange', text: (exchange) => `${exchange.method} ${exchange.path}`, widthMax: 70 },
  { title: 'status', align: 'right', text: (exchange) => String(exchange.status ?? '–') },
  { title: 'ms', align: 'right', text: (exchange) => String(Math.round(exchange.duration_ms)) },
  { title: 'error', text: (exchange) => exchange.error ?? '', widthMax: 40 },
];

const actionColumns: Column<Row<'operator_actions'>>[] = [
  { title: 'when (UTC)', text: (action) => time(action.created_at) },
  { title: 'by hand', text: (action) => action.action },
  { title: 'amount', align: 'right', text: (action) => action.amount },
  { title: 'author', text: (action) => action.author, widthMax: 30 },
  { title: 'note', text: (action) => action.note, widthMax: 60 },
];

const deliveryColumns: Column<Row<'deliveries'>>[] = [
  { title: 'delivery', text: (delivery) => delivery.event_type },
  { title: 'to', text: (delivery) => delivery.endpoint_id ?? delivery.callback_url ?? '', widthMax: 50 },
  { title: 'state', text: (delivery) => delivery.state },
  { title: 'tries', align: 'right', text: (delivery) => String(delivery.attempts) },
  { title: 'last error', text: (delivery) => delivery.last_error ?? '', widthMax: 50 },
];

export function recordText(record: TaskRecord): string {
  const { task, pricing } = record;
  const { currency } = task.quote;
  const head = facts([
    ['task', task.id],
    ['account', task.account_id],
    ['state', task.state],
    ['attention', task.attention && 'lost: it may exist upstream. Retry it, or mark it failed.'],
    ['error', task.error && `${task.error.code}: ${task.error.message}`],
    ['asked for', `${task.requested_model} at ${task.surface}`],
    ['billed as', `${task.tier}, quote ${task.quote.amount} ${currency}, charge ${task.charge ?? 'open'}`],
    ['price', `${pricing.quantity} × ${pricing.unit_price} per ${pricing.unit}, book ${pricing.price_book}`],
    ['refunded', Number(task.refunded) === 0 ? null : `${task.refunded} ${currency}`],
    ['retries', task.retries === 0 ? null : `${task.retries}, upstream as ${task.upstream_handle}`],
    ['prompt', task.prompt],
    ['created', `${time(task.created_at)} UTC`],
    ['waited', elapsed(record.queue_wait_ms)],
    ['ended', task.ended_at === null ? null : `${time(task.ended_at)} UTC`],
  ]);
  return [
    head,
    ...section(actionColumns, record.operator_actions),
    table(attemptColumns, record.attempts),
    table(eventColumns, record.events),
    table(exchangeColumns, record.exchanges),
    table(entryColumns, record.ledger),
    ...section(deliveryColumns, record.deliveries),
  ].join('\n');
}

/** Nothing where there is nothing to tell. */
function section<Item>(columns: Column<Item>[], rows: Item[]): string[] {
  return rows.length === 0 ? [] : [table(columns, rows)];
}
