/** The changes of a task before and beside its attempts: accepted, started, cancelled, hidden, files forgotten. */
import { GatewayError } from '../core/errors.ts';
import type { RememberKey, RememberSending } from '../core/ports.ts';
import { holdPostings, releasePostings } from '../core/wallet.ts';
import { recordAttempt } from './attempts.ts';
import { recordEvent } from './events.ts';
import { writeOwedPostings, writePostings } from './ledger.ts';
import { countIn, countOut } from './limits.ts';
import { rememberTask } from './repeats.ts';
import { startQueued } from './start-task.ts';
import type { NewTaskRow } from './task-row.ts';
import type { TasksTable } from './schema.ts';
import { change, first, statement, type Mutation } from './statement.ts';

const insert = statement<NewTaskRow>()((db, arg) =>
  db
    .insertInto('tasks')
    .values({
      id: arg('id'),
      account_id: arg('account_id'),
      key_id: arg('key_id'),
      state: arg('state'),
      surface: arg('surface'),
      channel_id: arg('channel_id'),
      attempt_id: arg('attempt_id'),
      pool: arg('pool'),
      queue_rank: arg('queue_rank'),
      model: arg('model'),
      requested_model: arg('requested_model'),
      tier: arg('tier'),
      hold_micros: arg('hold_micros'),
      external_task_id: arg('external_task_id'),
      callback_url: arg('callback_url'),
      created_at: arg('created_at'),
      updated_at: arg('updated_at'),
      deadline_at: arg('deadline_at'),
      media_expires_at: arg('media_expires_at'),
      request: arg('request'),
      quote: arg('quote'),
      warnings: arg('warnings'),
      metadata: arg('metadata'),
    })
    // Only the caller's own name for the task may be taken already; any other clash is a fault and throws.
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'external_task_id'])
        .where('external_task_id', 'is not', null)
        .doNothing(),
    ),
);

const cancel = statement<{ id: string; at: number; error: string }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ state: 'cancelled', ended_at: arg('at'), updated_at: arg('at'), error: arg('error') })
    .where('id', '=', arg('id'))
    .where('state', '=', 'queued')
    .where('attempt_id', 'is', null)
    .returning([
      'id',
      'account_id',
      'key_id',
      'callback_url',
      'channel_id',
      'hold_micros',
      'created_at',
      'retried_at',
    ]),
);

const hide = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ hidden_at: arg('at'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('ended_at', 'is not', null)
    .where('hidden_at', 'is', null),
);

const resultOf = statement<{ id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select('result')
    .where('id', '=', arg('id'))
    .where('result', 'is not', null)
    .where('media_forgotten_at', 'is', null),
);

const forget = statement<{ id: string; at: number; result: string }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ result: arg('result'), media_forgotten_at: arg('at'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('media_forgotten_at', 'is', null),
);

const CANCELLED = JSON.stringify({
  code: 'cancelled',
  message: 'The task was cancelled before it was submitted.',
} satisfies { code: 'cancelled'; message: string });

/** A task as its row, and the attempt that the request itself opened. */
export interface AcceptTaskArgs {
  task: NewTaskRow;
  attempt: { id: string; owner: string; submitDeadlineAt: number } | null;
  remember?: RememberKey | RememberSending | null;
}

/** Task + hold + event (+ attempt, + what recognises a repeat). The duplicate is refused first: a repeat must not read as a lack of money. */
export const acceptTask: Mutation<AcceptTaskArgs, void> = function* (tx, { task, attempt, remember }) {
  const at = task.created_at;
  if ((yield* change(insert, task)) === 0) {
    throw new GatewayError(
      'duplicate_external_task_id',
      `external_task_id ${JSON.stringify(task.external_task_id)} is already used by another task of this account.`,
      { param: 'external_task_id' },
    );
  }
  if (remember) yield* rememberTask(remember, task);
  yield* countIn(task);
  const held = yield* writePostings(tx, {
    accountId: task.account_id,
    postings: holdPostings(task.hold_micros),
    taskId: task.id,
    note: null,
    at,
  });
  if (held === false) {
    throw new GatewayError('insufficient_quota', 'The available balance does not cover this request.');
  }
  yield* recordEvent(tx, task, 'task.queued', { channelId: task.channel_id }, at);
  if (attempt) {
    yield* recordAttempt(tx, task, {
      id: attempt.id,
      channelId: task.channel_id,
      owner: attempt.owner,
      submitDeadlineAt: attempt.submitDeadlineAt,
      at,
    });
  } else {
    tx.notify(`lane:${task.channel_id}`);
  }
};

export const startTask: Mutation<{ taskId: string; at: number }, boolean> = function* (tx, { taskId, at }) {
  return yield* startQueued(tx, taskId, at);
};

/** Only what nobody can have submitted: queued, and no attempt open. */
export const cancelTask: Mutation<{ taskId: string; at: number }, boolean> = function* (tx, { taskId, at }) {
  const task = yield* first(cancel, { id: taskId, at, error: CANCELLED });
  if (!task) return false;
  yield* countOut(task, task.hold_micros);
  yield* writeOwedPostings(tx, {
    accountId: task.account_id,
    postings: releasePostings(task.hold_micros),
    taskId,
    at,
  });
  yield* recordEvent(tx, task, 'task.cancelled', {}, at);
  return true;
};

export const hideTask: Mutation<{ taskId: string; at: number }, boolean> = function* (_tx, { taskId, at }) {
  return (yield* change(hide, { id: taskId, at })) === 1;
};

/** The files are gone: what was made and charged stays, the list of stored outputs becomes empty. */
export const forgetMedia: Mutation<{ taskId: string; at: number }, boolean> = function* (
  _tx,
  { taskId, at },
) {
  const row: Pick<TasksTable, 'result'> | null = yield* first(resultOf, { id: taskId });
  if (!row?.result) return false;
  const result = JSON.stringify({ ...(JSON.parse(row.result) as object), outputs: [] });
  return (yield* change(forget, { id: taskId, at, result })) === 1;
};
