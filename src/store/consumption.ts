/**
 * What was taken from a wallet for good, or returned: one event per such posting, numbered per account without gaps,
 * so that a receiver sees what it missed and can ask for it.
 */
import type { ConsumptionEventType } from '../core/webhook.ts';
import type { ConsumptionRow, WebhookStore } from '../core/webhook-ports.ts';
import type { LedgerKind } from '../core/ports.ts';
import { announce } from './deliveries.ts';
import { change, first, rows, statement, type Mutation, type Procedure, type Tx } from './statement.ts';
import { getTask } from './task-reads.ts';

/** Holds and releases move money inside the wallet, top-ups bring it in: nothing is consumed by those. */
const TYPE_OF: Partial<Record<LedgerKind, ConsumptionEventType>> = {
  settle: 'consume.settled',
  refund: 'consume.refunded',
  adjustment: 'consume.adjusted',
};

/** The number follows the account's last one; the wallet's row was moved before and is ours until the commit. */
const insert = statement<{
  account_id: string;
  event_id: string;
  type: ConsumptionEventType;
  posting_id: string;
  amount_micros: bigint;
  balance_micros: bigint;
  task_id: string | null;
  note: string | null;
  created_at: number;
}>()((db, arg) =>
  db
    .insertInto('consumption_events')
    .values((eb) => ({
      account_id: arg('account_id'),
      sequence: eb
        .selectFrom('consumption_events')
        .select((last) => last(last.fn.coalesce(last.fn.max('sequence'), last.lit(0)), '+', 1).as('sequence'))
        .where('account_id', '=', arg('account_id')),
      event_id: arg('event_id'),
      type: arg('type'),
      posting_id: arg('posting_id'),
      amount_micros: arg('amount_micros'),
      balance_micros: arg('balance_micros'),
      task_id: arg('task_id'),
      note: arg('note'),
      created_at: arg('created_at'),
    }))
    .returning('sequence'),
);

const select = statement<{ account_id: string; after: number; limit: number }>()((db, arg) =>
  db
    .selectFrom('consumption_events as event')
    .leftJoin('tasks as task', 'task.id', 'event.task_id')
    .leftJoin('api_keys as key', 'key.id', 'task.key_id')
    .leftJoin('usage_records as usage', 'usage.task_id', 'event.task_id')
    .selectAll('event')
    .select(['key.name as key_name', 'usage.unit', 'usage.quantity'])
    .where('event.account_id', '=', arg('account_id'))
    .where('event.sequence', '>', arg('after'))
    .orderBy('event.sequence')
    .limit(arg('limit')),
);

const low = statement<{ account_id: string }>()((db, arg) =>
  db.selectFrom('wallets').select('low_micros').where('account_id', '=', arg('account_id')),
);

const setLow = statement<{ account_id: string; low_micros: bigint | null }>()((db, arg) =>
  db
    .updateTable('wallets')
    .set({ low_micros: arg('low_micros') })
    .where('account_id', '=', arg('account_id')),
);

/** Records a posting that consumes; others pass. */
export function* recordConsumption(
  tx: Tx,
  posting: {
    id: string;
    kind: LedgerKind;
    accountId: string;
    /** What the account's own books gained by it. */
    gainedMicros: bigint;
    /** Available and held after it. */
    balanceMicros: bigint;
    taskId: string | null;
    note: string | null;
    at: number;
  },
): Procedure<void> {
  const type = TYPE_OF[posting.kind];
  if (type === undefined) return;
  const { accountId, taskId, at } = posting;
  const eventId = tx.newId('evt_', at);
  const row = yield* first(insert, {
    account_id: accountId,
    event_id: eventId,
    type,
    posting_id: posting.id,
    amount_micros: -posting.gainedMicros,
    balance_micros: posting.balanceMicros,
    task_id: taskId,
    note: posting.note,
    created_at: at,
  });
  const fact = { eventId, type, sequence: row?.sequence ?? null };
  // Of no task in the order of deliveries: the sequence tells a receiver more than the order of arrival could.
  yield* announce(tx, { accountId, taskId: null, callbackUrl: null }, fact, at);
}

/** Oldest first. */
export function* listConsumption(
  query: Parameters<WebhookStore['listConsumption']>[0],
): Procedure<ConsumptionRow[]> {
  const { accountId, afterSequence, limit } = query;
  const found = yield* rows(select, { account_id: accountId, after: afterSequence, limit });
  const events: ConsumptionRow[] = [];
  for (const row of found) {
    events.push({
      accountId,
      sequence: row.sequence,
      eventId: row.event_id,
      type: row.type,
      postingId: row.posting_id,
      amountMicros: row.amount_micros,
      balanceMicros: row.balance_micros,
      note: row.note,
      createdAt: row.created_at,
      task: row.task_id === null ? null : yield* getTask(row.task_id),
      keyName: row.key_name,
      usage: row.unit === null || row.quantity === null ? null : { unit: row.unit, quantity: row.quantity },
    });
  }
  return events;
}

export function* getConsumption(accountId: string, sequence: number): Procedure<ConsumptionRow | null> {
  const [row] = yield* listConsumption({ accountId, afterSequence: sequence - 1, limit: 1 });
  return row?.sequence === sequence ? row : null;
}

export function* walletLow(accountId: string): Procedure<bigint | null> {
  return (yield* first(low, { account_id: accountId }))?.low_micros ?? null;
}

export const setWalletLow: Mutation<{ accountId: string; lowMicros: bigint | null }, boolean> = function* (
  _tx,
  { accountId, lowMicros },
) {
  return (yield* change(setLow, { account_id: accountId, low_micros: lowMicros })) === 1;
};
