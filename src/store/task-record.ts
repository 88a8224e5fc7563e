/** The flight recorder: everything known of one task. */
import type { TaskRecord, UsageRow } from '../core/ports.ts';
import { fromAttemptRow } from './attempt-row.ts';
import { deliveriesOfTask } from './delivery-log.ts';
import { eventsOfTask } from './events.ts';
import { exchangesOfTask } from './exchanges.ts';
import { ledgerOfTask } from './ledger.ts';
import type { UsageRecordsTable } from './schema.ts';
import { rows, statement, type Procedure } from './statement.ts';
import { getTask } from './task-reads.ts';
import { readJson } from './task-row.ts';

const attemptsOf = statement<{ task_id: string }>()((db, arg) =>
  db.selectFrom('attempts').selectAll().where('task_id', '=', arg('task_id')).orderBy('number'),
);

const usageOf = statement<{ task_id: string }>()((db, arg) =>
  db.selectFrom('usage_records').selectAll().where('task_id', '=', arg('task_id')),
);

export function* taskRecord(id: string): Procedure<TaskRecord | null> {
  const task = yield* getTask(id);
  if (!task) return null;
  return {
    task,
    attempts: (yield* rows(attemptsOf, { task_id: id })).map(fromAttemptRow),
    events: yield* eventsOfTask(id),
    exchanges: yield* exchangesOfTask(id),
    ledger: yield* ledgerOfTask(id),
    deliveries: yield* deliveriesOfTask(id),
    usage: (yield* rows(usageOf, { task_id: id })).map(fromUsageRow),
  };
}

function fromUsageRow(row: UsageRecordsTable): UsageRow {
  return {
    id: row.id,
    accountId: row.account_id,
    taskId: row.task_id,
    tier: row.tier,
    unit: row.unit,
    quantity: row.quantity,
    amountMicros: row.amount_micros,
    cost: row.cost === null ? null : readJson(row.cost),
    createdAt: row.created_at,
  };
}
