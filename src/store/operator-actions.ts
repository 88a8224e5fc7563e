/**
 * What operators do to tasks by hand: have a failed one made again, give money back, mark one as failed. Each is one
 * transaction that compares before it sets, and leaves an event and a posting with author and note; where no money
 * moves the posting is of zero, so that the ledger tells of every such action.
 */
import { GatewayError } from '../core/errors.ts';
import { formatMicros } from '../core/money.ts';
import type {
  Json,
  LedgerRow,
  OperatorAction,
  OperatorNote,
  RememberKey,
  RetryTask,
  Store,
} from '../core/ports.ts';
import type { Attention } from '../core/task.ts';
import { emptyPosting, holdPostings, refundPostings } from '../core/wallet.ts';
import { recordAttempt } from './attempts.ts';
import { lockRows } from './engine.ts';
import { recordEvent, type EventSubject } from './events.ts';
import { endTask } from './finish-task.ts';
import { writeOwedPostings, writePostings } from './ledger.ts';
import { countIn, countRefund } from './limits.ts';
import { rememberKey } from './repeats.ts';
import { first, rows, statement, type Mutation, type Procedure, type Tx } from './statement.ts';

/** As it stays until the action is committed. */
const taskOf = statement<{ id: string }>()((db, arg, engine) =>
  lockRows(
    engine,
    db.selectFrom('tasks').select(['state', 'charge_micros', 'refunded_micros']).where('id', '=', arg('id')),
  ),
);

type Again = {
  id: string;
  retries_before: number;
  retries: number;
  attempt_id: string | null;
  channel_id: string;
  pool: string;
  upstream_handle: string | null;
  deadline_at: number;
  media_expires_at: number | null;
  at: number;
};

const queueAgain = statement<Again>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({
      state: 'queued',
      attempt_id: arg('attempt_id'),
      channel_id: arg('channel_id'),
      pool: arg('pool'),
      upstream_handle: arg('upstream_handle'),
      deadline_at: arg('deadline_at'),
      media_expires_at: arg('media_expires_at'),
      retries: arg('retries'),
      retried_at: arg('at'),
      updated_at: arg('at'),
      started_at: null,
      ended_at: null,
      charge_micros: null,
      error: null,
      attention: null,
    })
    .where('id', '=', arg('id'))
    .where('state', '=', 'failed')
    .where('hidden_at', 'is', null)
    .where((eb) => eb(eb.fn.coalesce('retries', eb.lit(0)), '=', arg('retries_before')))
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

const giveBack = statement<{ id: string; amount: bigint; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set((eb) => ({
      refunded_micros: eb(eb.fn.coalesce('refunded_micros', eb.val(0n)), '+', arg('amount')),
      updated_at: arg('at'),
    }))
    .where('id', '=', arg('id'))
    .where('state', '=', 'completed')
    .where((eb) =>
      eb(
        eb(eb.fn.coalesce('refunded_micros', eb.val(0n)), '+', arg('amount')),
        '<=',
        eb.ref('charge_micros'),
      ),
    )
    .returning(['id', 'account_id', 'key_id', 'callback_url', 'created_at', 'retried_at']),
);

const dealtWith = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ attention: null, updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('attention', 'is not', null)
    .returning(['id', 'account_id', 'callback_url']),
);

const needed = statement()((db) =>
  db
    .selectFrom('tasks')
    .select(['attention', (eb) => eb.fn.countAll<number>().as('number')])
    .where('attention', 'is not', null)
    .groupBy('attention'),
);

/** What callers read of a task that an operator ended. */
const ENDED = {
  state: 'failed',
  code: 'ended_by_operator',
  message: 'The operator of the gateway ended this task; nothing was charged.',
  attemptState: 'failed',
} as const;

export const retryTask: Mutation<RetryTask, OperatorAction | null> = function* (tx, input) {
  const { taskId, audit, at, attempt } = input;
  const task = yield* first(queueAgain, {
    id: taskId,
    retries_before: input.retries,
    retries: input.retries + 1,
    attempt_id: attempt?.id ?? null,
    channel_id: input.channelId,
    pool: input.pool,
    upstream_handle: input.upstreamHandle,
    deadline_at: input.deadlineAt,
    media_expires_at: input.mediaExpiresAt,
    at,
  });
  if (task === null) return null;
  yield* countIn(task);
  const held = holdPostings(task.hold_micros);
  const postings = yield* writePostings(tx, {
    accountId: task.account_id,
    postings: held.length === 0 ? [emptyPosting('hold')] : held,
    taskId,
    at,
    ...audit,
  });
  if (postings === false) {
    throw new GatewayError(
      'insufficient_quota',
      `The account's available balance does not cover the ${formatMicros(task.hold_micros)} that the task holds again: top it up first.`,
    );
  }
  const action = yield* recordAction(tx, task, {
    action: 'retried',
    audit,
    postings,
    amountMicros: task.hold_micros,
    more: { channelId: input.channelId, retry: input.retries + 1, isLookedUp: attempt !== null },
    at,
    remember: input.remember,
  });
  yield* recordEvent(tx, task, 'task.queued', { channelId: task.channel_id }, at);
  if (attempt === null) tx.notify(`lane:${task.channel_id}`);
  else yield* recordAttempt(tx, task, { ...attempt, channelId: task.channel_id, at });
  return action;
};

export const refundTask: Mutation<Parameters<Store['refundTask']>[0], OperatorAction> = function* (
  tx,
  { taskId, amountMicros, audit, at, remember },
) {
  const seen = (yield* first(taskOf, { id: taskId })) ?? unknownTask(taskId);
  if (seen.state !== 'completed') {
    throw new GatewayError(
      'conflict',
      `Task ${taskId} is ${seen.state}: only what was charged can be refunded.`,
    );
  }
  const charged = seen.charge_micros ?? 0n;
  const left = charged - (seen.refunded_micros ?? 0n);
  const amount = amountMicros ?? left;
  if (left === 0n) {
    throw new GatewayError(
      'conflict',
      `Of the charge of ${formatMicros(charged)} for task ${taskId} nothing is left to be refunded.`,
    );
  }
  if (amount <= 0n || amount > left) throw tooMuch(left);
  const task = yield* first(giveBack, { id: taskId, amount, at });
  if (task === null) throw new Error(`task ${taskId} changed although its row was locked`);
  yield* countRefund(task, amount);
  const postings = yield* writeOwedPostings(tx, {
    accountId: task.account_id,
    postings: refundPostings(amount),
    taskId,
    at,
    ...audit,
  });
  return yield* recordAction(tx, task, {
    action: 'refunded',
    audit,
    postings,
    amountMicros: amount,
    more: {},
    at,
    remember,
  });
};

export const failTask: Mutation<Parameters<Store['failTask']>[0], OperatorAction> = function* (
  tx,
  { taskId, audit, at, remember },
) {
  const seen = (yield* first(taskOf, { id: taskId })) ?? unknownTask(taskId);
  const ended = yield* endTask(tx, { taskId, attemptId: null, at, exchanges: [], outcome: ENDED }, audit);
  if (ended !== null) {
    const { task, postings } = ended;
    return yield* recordAction(tx, task, {
      action: 'failed',
      audit,
      postings,
      amountMicros: task.hold_micros,
      more: { was: seen.state },
      at,
      remember,
    });
  }
  const lost = yield* first(dealtWith, { id: taskId, at });
  if (lost === null) {
    throw new GatewayError(
      'conflict',
      `Task ${taskId} is ${seen.state} already: there is nothing to end, and nothing is held for it.`,
    );
  }
  const postings = yield* writeOwedPostings(tx, {
    accountId: lost.account_id,
    postings: [emptyPosting('release')],
    taskId,
    at,
    ...audit,
  });
  const more = { was: 'lost' };
  return yield* recordAction(tx, lost, {
    action: 'failed',
    audit,
    postings,
    amountMicros: 0n,
    more,
    at,
    remember,
  });
};

/** By reason; every reason is named. */
export function* attentionCounts(): Procedure<Record<Attention, number>> {
  const counts: Record<Attention, number> = { lost: 0 };
  for (const row of yield* rows(needed, {})) if (row.attention !== null) counts[row.attention] = row.number;
  return counts;
}

function* recordAction(
  tx: Tx,
  task: EventSubject,
  done: {
    action: OperatorAction['action'];
    audit: OperatorNote;
    postings: LedgerRow[];
    amountMicros: bigint;
    more: Record<string, Json>;
    at: number;
    remember: RememberKey | null | undefined;
  },
): Procedure<OperatorAction> {
  const { action, audit, amountMicros, at, remember } = done;
  const postingId = done.postings[0]?.postingId;
  if (postingId === undefined) throw new Error(`an operator's action on ${task.id} left no posting`);
  const data = { ...audit, postingId, amount: formatMicros(amountMicros), ...done.more };
  const id = yield* recordEvent(tx, task, `operator.${action}`, data, at);
  const told = { id, action, taskId: task.id, ...audit, postingId, amountMicros, createdAt: at };
  if (remember) {
    const response = { ...told, amountMicros: amountMicros.toString() };
    yield* rememberKey(remember, { subjectId: id, response, at });
  }
  return told;
}

function tooMuch(leftMicros: bigint): GatewayError {
  return new GatewayError(
    'invalid_value',
    `'amount' must be above zero and at most ${formatMicros(leftMicros)}: what was charged less what was refunded.`,
    { param: 'amount' },
  );
}

function unknownTask(id: string): never {
  throw new GatewayError('task_not_found', `There is no task '${id}'.`);
}
