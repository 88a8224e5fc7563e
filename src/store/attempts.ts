/** The life of an attempt. Every change compares the state it expects: whoever comes second changes nothing. */
import type {
  Exchange,
  Found,
  Json,
  LanePace,
  NextAttempt,
  UpstreamCost,
  UpstreamOutput,
} from '../core/ports.ts';
import { writeJson } from '../lib/json.ts';
import { recordEvent, type EventSubject } from './events.ts';
import { recordExchanges } from './exchanges.ts';
import { enqueue } from './jobs.ts';
import { countTurn, notePace as writePace } from './lane-queue.ts';
import type { AttemptsTable } from './schema.ts';
import { startQueued } from './start-task.ts';
import { change, first, statement, type Mutation, type Procedure, type Tx } from './statement.ts';

type Opened = Pick<
  AttemptsTable,
  'id' | 'task_id' | 'channel_id' | 'owner' | 'submit_deadline_at' | 'created_at'
>;

const insert = statement<Opened>()((db, arg) =>
  db.insertInto('attempts').values((eb) => ({
    id: arg('id'),
    task_id: arg('task_id'),
    channel_id: arg('channel_id'),
    number: eb
      .selectFrom('attempts')
      .select((earlier) =>
        earlier(earlier.fn.coalesce(earlier.fn.max('number'), earlier.lit(0)), '+', 1).as('number'),
      )
      .where('task_id', '=', arg('task_id')),
    state: 'submitting',
    owner: arg('owner'),
    submit_deadline_at: arg('submit_deadline_at'),
    created_at: arg('created_at'),
  })),
);

const takeWaitingTask = statement<{ id: string; attempt_id: string; channel_id: string; at: number }>()(
  (db, arg) =>
    db
      .updateTable('tasks')
      .set({ attempt_id: arg('attempt_id'), updated_at: arg('at') })
      .where('id', '=', arg('id'))
      // It may have been moved since it was looked at.
      .where('channel_id', '=', arg('channel_id'))
      .where('attempt_id', 'is', null)
      .where('ended_at', 'is', null)
      .returning(['id', 'account_id', 'callback_url', 'pool']),
);

const move = statement<{ id: string; from: string; to: string; pool: string; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ channel_id: arg('to'), pool: arg('pool'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('channel_id', '=', arg('from'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null)
    .returning(['id', 'account_id', 'callback_url']),
);

const accept = statement<{ id: string; ref: string; at: number }>()((db, arg) =>
  db
    .updateTable('attempts')
    .set({ state: 'accepted', ref: arg('ref'), accepted_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('state', '=', 'submitting')
    .returning(['task_id', 'channel_id']),
);

const refuse = statement<{ id: string; at: number; upstream_code: string | null; message: string }>()(
  (db, arg) =>
    db
      .updateTable('attempts')
      .set({
        state: 'refused',
        ended_at: arg('at'),
        upstream_code: arg('upstream_code'),
        message: arg('message'),
      })
      .where('id', '=', arg('id'))
      .where('state', '=', 'submitting')
      .returning(['task_id', 'channel_id']),
);

const putBackTask = statement<{
  id: string;
  attempt_id: string;
  /** Null: it waits. */
  next_id: string | null;
  channel_id: string;
  pool: string;
  at: number;
}>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({
      attempt_id: arg('next_id'),
      channel_id: arg('channel_id'),
      pool: arg('pool'),
      updated_at: arg('at'),
    })
    .where('id', '=', arg('id'))
    .where('attempt_id', '=', arg('attempt_id'))
    .where('ended_at', 'is', null)
    .returning(['id', 'account_id', 'callback_url']),
);

const failAccepted = statement<{ id: string; at: number; upstream_code: string | null; message: string }>()(
  (db, arg) =>
    db
      .updateTable('attempts')
      .set({
        state: 'failed',
        ended_at: arg('at'),
        upstream_code: arg('upstream_code'),
        message: arg('message'),
      })
      .where('id', '=', arg('id'))
      .where('state', '=', 'accepted')
      .returning(['task_id', 'channel_id']),
);

const putBackUnderHandle = statement<{ id: string; attempt_id: string; handle: string; at: number }>()(
  (db, arg) =>
    db
      .updateTable('tasks')
      .set({ attempt_id: null, upstream_handle: arg('handle'), updated_at: arg('at') })
      .where('id', '=', arg('id'))
      .where('attempt_id', '=', arg('attempt_id'))
      .where('ended_at', 'is', null),
);

const reopen = statement<{ id: string; owner: string; submit_deadline_at: number }>()((db, arg) =>
  db
    .updateTable('attempts')
    .set({ owner: arg('owner'), submit_deadline_at: arg('submit_deadline_at') })
    .where('id', '=', arg('id'))
    .where('state', '=', 'submitting')
    .returning(['task_id', 'channel_id']),
);

const made = statement<{
  id: string;
  at: number;
  outputs: string;
  found: string | null;
  cost: string | null;
}>()((db, arg) =>
  db
    .updateTable('attempts')
    .set({
      state: 'made',
      ended_at: arg('at'),
      outputs: arg('outputs'),
      found: arg('found'),
      cost: arg('cost'),
    })
    .where('id', '=', arg('id'))
    .where('state', '=', 'accepted')
    .returning(['task_id', 'channel_id']),
);

/** {@link made}, where the answer to the submit was the end of it. */
const madeAtOnce = statement<{
  id: string;
  at: number;
  ref: string;
  outputs: string;
  found: string | null;
  cost: string | null;
}>()((db, arg) =>
  db
    .updateTable('attempts')
    .set({
      state: 'made',
      ref: arg('ref'),
      accepted_at: arg('at'),
      ended_at: arg('at'),
      outputs: arg('outputs'),
      found: arg('found'),
      cost: arg('cost'),
    })
    .where('id', '=', arg('id'))
    .where('state', '=', 'submitting')
    .returning(['task_id', 'channel_id']),
);

const subjectOf = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('tasks').select(['id', 'account_id', 'callback_url']).where('id', '=', arg('id')),
);

/** Writes a new attempt of a task whose row names it already. */
export function* recordAttempt(
  tx: Tx,
  task: EventSubject,
  attempt: { id: string; channelId: string; owner: string; submitDeadlineAt: number; at: number },
): Procedure<void> {
  yield* change(insert, {
    id: attempt.id,
    task_id: task.id,
    channel_id: attempt.channelId,
    owner: attempt.owner,
    submit_deadline_at: attempt.submitDeadlineAt,
    created_at: attempt.at,
  });
  const data = { attemptId: attempt.id, channelId: attempt.channelId };
  yield* recordEvent(tx, task, 'attempt.submitting', data, attempt.at);
}

/** Answers the ids of the attempts whose tasks were still waiting. */
export const openAttempts: Mutation<
  {
    id: string;
    taskId: string;
    channelId: string;
    owner: string;
    submitDeadlineAt: number;
    at: number;
  }[],
  string[]
> = function* (tx, attempts) {
  const opened: string[] = [];
  for (const attempt of attempts) {
    const { id, taskId, channelId, at } = attempt;
    const task = yield* first(takeWaitingTask, { id: taskId, attempt_id: id, channel_id: channelId, at });
    if (!task) continue;
    yield* recordAttempt(tx, task, attempt);
    yield* countTurn(channelId, task.pool, task.account_id);
    opened.push(id);
  }
  return opened;
};

export const acceptAttempt: Mutation<
  { attemptId: string; ref: Json; at: number; exchanges: Exchange[] },
  boolean
> = function* (tx, { attemptId, ref, at, exchanges }) {
  const attempt = yield* first(accept, { id: attemptId, ref: writeJson(ref), at });
  if (!attempt) return false;
  yield* recordExchanges(tx, attemptId, exchanges);
  yield* recordAttemptEvent(tx, attempt.task_id, 'attempt.accepted', { attemptId }, at);
  return true;
};

/**
 * The task goes back to waiting, on the same channel or another; with `next`, the attempt there is open at once and
 * nobody else takes it up.
 */
export const refuseAttempt: Mutation<
  {
    attemptId: string;
    at: number;
    upstreamCode: string | null;
    message: string;
    channelId: string;
    pool: string;
    next?: NextAttempt | null;
    exchanges: Exchange[];
  },
  boolean
> = function* (tx, { attemptId, at, upstreamCode, message, channelId, pool, next = null, exchanges }) {
  const attempt = yield* first(refuse, { id: attemptId, at, upstream_code: upstreamCode, message });
  if (!attempt) return false;
  const task = yield* first(putBackTask, {
    id: attempt.task_id,
    attempt_id: attemptId,
    next_id: next?.id ?? null,
    channel_id: channelId,
    pool,
    at,
  });
  yield* recordExchanges(tx, attemptId, exchanges);
  const data = { attemptId, upstreamCode, message, channelId };
  yield* recordAttemptEvent(tx, attempt.task_id, 'attempt.refused', data, at);
  if (task && next) yield* recordAttempt(tx, task, { ...next, channelId, at });
  else tx.notify(`lane:${channelId}`);
  return true;
};

/**
 * What the upstream had accepted failed there, and certainly nothing was made: the task waits again where it was. Its
 * handle is used up.
 */
export const returnAttempt: Mutation<
  {
    attemptId: string;
    at: number;
    upstreamCode: string | null;
    message: string;
    upstreamHandle: string;
    exchanges: Exchange[];
  },
  boolean
> = function* (tx, { attemptId, at, upstreamCode, message, upstreamHandle, exchanges }) {
  const attempt = yield* first(failAccepted, { id: attemptId, at, upstream_code: upstreamCode, message });
  if (!attempt) return false;
  yield* change(putBackUnderHandle, {
    id: attempt.task_id,
    attempt_id: attemptId,
    handle: upstreamHandle,
    at,
  });
  yield* recordExchanges(tx, attemptId, exchanges);
  const data = { attemptId, upstreamCode, message, channelId: attempt.channel_id, willRetry: true };
  yield* recordAttemptEvent(tx, attempt.task_id, 'attempt.failed', data, at);
  tx.notify(`lane:${attempt.channel_id}`);
  return true;
};

/** Answers the ids of the tasks that still waited there and wait elsewhere now. */
export const moveWaiting: Mutation<
  { tasks: { id: string; pool: string }[]; from: string; to: string; reason: string; at: number },
  string[]
> = function* (tx, { tasks, from, to, reason, at }) {
  const moved: string[] = [];
  for (const { id, pool } of tasks) {
    const task = yield* first(move, { id, from, to, pool, at });
    if (!task) continue;
    yield* recordEvent(tx, task, 'queue.moved', { from, to, reason }, at);
    moved.push(id);
  }
  if (moved.length > 0) tx.notify(`lane:${to}`);
  return moved;
};

export const notePace: Mutation<LanePace & { at: number }, void> = function* (_tx, pace) {
  yield* writePace(pace);
};

export const reopenAttempt: Mutation<
  { attemptId: string; owner: string; submitDeadlineAt: number; at: number },
  boolean
> = function* (tx, { attemptId, owner, submitDeadlineAt, at }) {
  const attempt = yield* first(reopen, { id: attemptId, owner, submit_deadline_at: submitDeadlineAt });
  if (!attempt) return false;
  yield* recordAttemptEvent(tx, attempt.task_id, 'attempt.reopened', { attemptId }, at);
  return true;
};

/** With the job that fetches the outputs. */
export const madeAttempt: Mutation<
  {
    attemptId: string;
    at: number;
    outputs: UpstreamOutput[];
    found?: Found | null;
    cost: UpstreamCost | null;
    exchanges: Exchange[];
    atOnce?: { ref: Json; fetchAt: number };
  },
  boolean
> = function* (tx, { attemptId, at, outputs, found = null, cost, exchanges, atOnce }) {
  const end = {
    id: attemptId,
    at,
    outputs: writeJson(outputs),
    found: found && writeJson(found),
    cost: cost && writeJson(cost),
  };
  const attempt = atOnce
    ? yield* first(madeAtOnce, { ...end, ref: writeJson(atOnce.ref) })
    : yield* first(made, end);
  if (!attempt) return false;
  // It may have been made before any poll saw it running.
  yield* startQueued(tx, attempt.task_id, at);
  yield* recordExchanges(tx, attemptId, exchanges);
  yield* recordAttemptEvent(tx, attempt.task_id, 'attempt.made', { attemptId }, at);
  yield* enqueue(tx, {
    queue: 'persist-output',
    data: { taskId: attempt.task_id, attemptId },
    runAt: atOnce?.fetchAt ?? at,
    at,
  });
  return true;
};

function* recordAttemptEvent(
  tx: Tx,
  taskId: string,
  type: `attempt.${string}`,
  data: Record<string, Json>,
  at: number,
): Procedure<void> {
  const task = yield* first(subjectOf, { id: taskId });
  if (!task) throw new Error(`the task ${taskId} of an attempt is missing`);
  yield* recordEvent(tx, task, type, data, at);
}
