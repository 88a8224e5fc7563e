/** The end of a task: completed, settled, recorded and announced, or failed and released. All of it or none. */
import type { FinishTask, Json, LedgerRow, OperatorNote } from '../core/ports.ts';
import { emptyPosting, releasePostings, settlePostings } from '../core/wallet.ts';
import { writeJson } from '../lib/json.ts';
import { recordEvent } from './events.ts';
import { recordExchanges } from './exchanges.ts';
import { writeOwedPostings } from './ledger.ts';
import { countOut } from './limits.ts';
import { recordResource } from './resources.ts';
import type { AttemptsTable, TasksTable, UsageRecordsTable } from './schema.ts';
import { change, first, statement, type Mutation, type Procedure, type Tx } from './statement.ts';
import { fromQuoteJson } from './task-row.ts';

const end = statement<{
  id: string;
  at: number;
  state: TasksTable['state'];
  charge_micros: bigint | null;
  result: string | null;
  error: string | null;
  attention: TasksTable['attention'];
}>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({
      state: arg('state'),
      ended_at: arg('at'),
      updated_at: arg('at'),
      charge_micros: arg('charge_micros'),
      result: arg('result'),
      error: arg('error'),
      attention: arg('attention'),
    })
    .where('id', '=', arg('id'))
    .where('ended_at', 'is', null)
    .returning([
      'id',
      'account_id',
      'key_id',
      'created_at',
      'retried_at',
      'callback_url',
      'channel_id',
      'attempt_id',
      'tier',
      'quote',
      'hold_micros',
    ]),
);

/** An attempt that was refused or ended already keeps its own end. */
const endAttempt = statement<{
  id: string;
  at: number;
  state: AttemptsTable['state'];
  message: string | null;
  cost: string | null;
}>()((db, arg) =>
  db
    .updateTable('attempts')
    .set((eb) => ({
      state: arg('state'),
      ended_at: eb.fn.coalesce('ended_at', eb.val(arg('at'))),
      message: arg('message'),
      cost: eb.fn.coalesce('cost', eb.val(arg('cost'))),
    }))
    .where('id', '=', arg('id'))
    .where('state', 'in', ['submitting', 'accepted', 'made'])
    .returning(['channel_id', 'cost']),
);

const insertUsage = statement<UsageRecordsTable>()((db, arg) =>
  db.insertInto('usage_records').values({
    id: arg('id'),
    account_id: arg('account_id'),
    task_id: arg('task_id'),
    tier: arg('tier'),
    unit: arg('unit'),
    quantity: arg('quantity'),
    amount_micros: arg('amount_micros'),
    cost: arg('cost'),
    created_at: arg('created_at'),
  }),
);

export const finishTask: Mutation<FinishTask, boolean> = function* (tx, input) {
  return (yield* endTask(tx, input, null)) !== null;
};

/** Null when the task was final already. An operator's end has a posting with his note even where nothing was held. */
export function* endTask(
  tx: Tx,
  input: FinishTask,
  audit: OperatorNote | null,
): Procedure<{ task: EndedTask; postings: LedgerRow[] } | null> {
  const { taskId, at, outcome, exchanges } = input;
  const completed = outcome.state === 'completed';
  const isLost = !completed && outcome.attemptState === 'lost';
  const task = yield* first(end, {
    id: taskId,
    at,
    state: outcome.state,
    charge_micros: completed ? outcome.chargeMicros : 0n,
    result: completed ? writeJson(outcome.result) : null,
    error: completed ? null : JSON.stringify({ code: outcome.code, message: outcome.message }),
    attention: isLost ? 'lost' : null,
  });
  if (!task) return null;

  const attemptId = input.attemptId ?? task.attempt_id;
  // A final task has no open attempt, whoever ended it: its lane would poll it for ever.
  const attempt = attemptId === null ? null : yield* closeAttempt(tx, input, attemptId, task);
  if (attemptId !== null) yield* recordExchanges(tx, attemptId, exchanges);

  // Counters before the wallet, as everywhere: whoever takes them the other way round waits for us, and we for him.
  yield* countOut(task, task.hold_micros - (completed ? outcome.chargeMicros : 0n));
  const owed = completed
    ? settlePostings(task.hold_micros, outcome.chargeMicros)
    : releasePostings(task.hold_micros);
  const postings = yield* writeOwedPostings(tx, {
    accountId: task.account_id,
    postings: audit !== null && owed.length === 0 ? [emptyPosting('release')] : owed,
    taskId,
    at,
    ...audit,
  });
  if (completed) {
    yield* change(insertUsage, {
      id: tx.newId('use_', at),
      account_id: task.account_id,
      task_id: taskId,
      tier: task.tier,
      unit: fromQuoteJson(task.quote).unit,
      quantity: outcome.quantity,
      amount_micros: outcome.chargeMicros,
      cost: attempt?.cost ?? null,
      created_at: at,
    });
    for (const resource of outcome.resources ?? []) yield* recordResource(resource);
  }
  const data: Record<string, Json> = completed ? {} : { code: outcome.code, message: outcome.message };
  yield* recordEvent(tx, task, `task.${outcome.state}`, data, at);
  if (isLost) tx.notify('attention');
  return { task, postings };
}

/** What the end of a task tells of it. */
export type EndedTask = Pick<
  TasksTable,
  'id' | 'account_id' | 'key_id' | 'created_at' | 'retried_at' | 'callback_url' | 'channel_id' | 'hold_micros'
>;

function* closeAttempt(
  tx: Tx,
  { at, outcome }: FinishTask,
  attemptId: string,
  task: Pick<TasksTable, 'id' | 'account_id' | 'callback_url'>,
): Procedure<Pick<AttemptsTable, 'channel_id' | 'cost'> | null> {
  if (outcome.state === 'completed') {
    const cost = outcome.cost ? writeJson(outcome.cost) : null;
    return yield* first(endAttempt, { id: attemptId, at, state: 'made', message: null, cost });
  }
  const state = outcome.attemptState ?? 'failed';
  const attempt = yield* first(endAttempt, {
    id: attemptId,
    at,
    state,
    message: outcome.message,
    cost: null,
  });
  if (attempt) yield* recordEvent(tx, task, `attempt.${state}`, { attemptId }, at);
  return attempt;
}
