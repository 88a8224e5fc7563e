/** What lanes, sweeps and metrics look for among the tasks that are not final. */
import type { OpenAttempt, RunningAttempt } from '../core/ports.ts';
import type { Task, TaskState } from '../core/task.ts';
import { fromAttemptRow } from './attempt-row.ts';
import { BEFORE_ALL_IDS } from './page.ts';
import type { AttemptsTable } from './schema.ts';
import { first, rows, statement, type Procedure } from './statement.ts';
import { getTask } from './task-reads.ts';
import { fromTaskRow, readJson } from './task-row.ts';

const waitingNumber = statement<{ channel_id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll<number>().as('number'))
    .where('channel_id', '=', arg('channel_id'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null),
);

interface OpenArgs {
  channel_id: string;
  after: string;
  limit: number;
}

/** No more of a task than a lane keeps: of a hundred thousand, every column counts. */
const openOnChannel = statement<OpenArgs>()((db, arg) =>
  db
    .selectFrom('attempts')
    .innerJoin('tasks', 'tasks.id', 'attempts.task_id')
    .select([
      'attempts.id',
      'attempts.task_id',
      'attempts.state',
      'attempts.ref',
      'attempts.accepted_at',
      'attempts.created_at',
      'tasks.state as task_state',
      'tasks.deadline_at',
      'tasks.request',
    ])
    .where('attempts.channel_id', '=', arg('channel_id'))
    .where('attempts.id', '>', arg('after'))
    .where('attempts.ended_at', 'is', null)
    .orderBy('attempts.id')
    .limit(arg('limit')),
);

const attemptById = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('attempts').selectAll().where('id', '=', arg('id')),
);

const attemptOfTask = statement<{ task_id: string }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .innerJoin('tasks', 'tasks.attempt_id', 'attempts.id')
    .selectAll('attempts')
    .where('tasks.id', '=', arg('task_id')),
);

const refusals = statement<{ task_id: string; channel_id: string }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .select((eb) => eb.fn.countAll<number>().as('number'))
    .where('task_id', '=', arg('task_id'))
    .where('channel_id', '=', arg('channel_id'))
    .where('state', '=', 'refused'),
);

const overdue = statement<{ at: number; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('deadline_at', '<=', arg('at'))
    .where('ended_at', 'is', null)
    .orderBy('deadline_at')
    .limit(arg('limit')),
);

const expired = statement<{ at: number; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('media_expires_at', '<=', arg('at'))
    .where('media_expires_at', 'is not', null)
    .where('media_forgotten_at', 'is', null)
    .where('state', '=', 'completed')
    .orderBy('media_expires_at')
    .limit(arg('limit')),
);

const countsOfOpen = statement()((db) =>
  db
    .selectFrom('tasks')
    .select(['state', (eb) => eb.fn.countAll<number>().as('number')])
    .where('ended_at', 'is', null)
    .groupBy('state'),
);

export function* waitingCount(channelId: string): Procedure<number> {
  return (yield* first(waitingNumber, { channel_id: channelId }))?.number ?? 0;
}

/** A part of a channel's open attempts in order of id. */
export function* openAttemptsAfter(
  channelId: string,
  after: string | null,
  limit: number,
): Procedure<RunningAttempt[]> {
  const args = { channel_id: channelId, after: after ?? BEFORE_ALL_IDS, limit };
  const found = yield* rows(openOnChannel, args);
  return found.map((row) => ({
    attemptId: row.id,
    taskId: row.task_id,
    ref: row.state === 'accepted' && row.ref !== null ? readJson(row.ref) : null,
    acceptedAt: row.accepted_at ?? row.created_at,
    deadlineAt: row.deadline_at,
    started: row.task_state === 'in_progress',
    request: readJson(row.request),
  }));
}

export function* getAttempt(id: string): Procedure<OpenAttempt | null> {
  return yield* withTask(yield* first(attemptById, { id }));
}

export function* currentAttempt(taskId: string): Procedure<OpenAttempt | null> {
  return yield* withTask(yield* first(attemptOfTask, { task_id: taskId }));
}

export function* refusalsOf(taskId: string, channelId: string): Procedure<number> {
  return (yield* first(refusals, { task_id: taskId, channel_id: channelId }))?.number ?? 0;
}

export function* overdueTasks(at: number, limit: number): Procedure<Task[]> {
  return (yield* rows(overdue, { at, limit })).map(fromTaskRow);
}

export function* expiredMedia(at: number, limit: number): Procedure<Task[]> {
  return (yield* rows(expired, { at, limit })).map(fromTaskRow);
}

/** Tasks that are not final, by state. */
export function* taskCounts(): Procedure<Partial<Record<TaskState, number>>> {
  const found = yield* rows(countsOfOpen, {});
  return Object.fromEntries(found.map((row) => [row.state, row.number]));
}

function* withTask(row: AttemptsTable | null): Procedure<OpenAttempt | null> {
  const task = row && (yield* getTask(row.task_id));
  return row && task ? { attempt: fromAttemptRow(row), task } : null;
}
