/** Tasks as they are read: one, lists by keyset, what lanes and workers look for. */
import type { OpenAttempt, Page, Store } from '../core/ports.ts';
import type { Task, TaskState } from '../core/task.ts';
import { fromAttemptRow } from './attempt-row.ts';
import { AFTER_ALL_IDS, BEFORE_ALL_IDS, toPage } from './page.ts';
import type { AttemptsTable } from './schema.ts';
import { first, rows, statement, statementVariants, type Procedure } from './statement.ts';
import { fromTaskRow } from './task-row.ts';

const byId = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('tasks').selectAll().where('id', '=', arg('id')),
);

const byExternalId = statement<{ account_id: string; external_task_id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('external_task_id', '=', arg('external_task_id')),
);

interface ListArgs {
  account_id: string;
  surface: string;
  after: string;
  limit: number;
}

const list = statementVariants<ListArgs>()((db, arg, given) => {
  const ascending = given.has('asc');
  let query = db
    .selectFrom('tasks')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('hidden_at', 'is', null)
    .where('id', ascending ? '>' : '<', arg('after'));
  if (given.has('surface')) query = query.where('surface', '=', arg('surface'));
  return query.orderBy('id', ascending ? 'asc' : 'desc').limit(arg('limit'));
});

const numberedPage = statement<{ account_id: string; surface: string; offset: number; limit: number }>()(
  (db, arg) =>
    db
      .selectFrom('tasks')
      .selectAll()
      .where('id', 'in', (eb) =>
        // The index alone finds the page: skipped rows are never read.
        eb
          .selectFrom('tasks')
          .select('id')
          .where('account_id', '=', arg('account_id'))
          .where('surface', '=', arg('surface'))
          .where('hidden_at', 'is', null)
          .orderBy('id', 'desc')
          .limit(arg('limit'))
          .offset(arg('offset')),
      )
      .orderBy('id', 'desc'),
);

interface AdminArgs {
  before: string;
  limit: number;
  account_id: string;
  state: Task['state'];
  channel_id: string;
  model: string;
  tier: string;
  created_from: number;
  created_to: number;
}

const adminList = statementVariants<AdminArgs>()((db, arg, given) => {
  let query = db.selectFrom('tasks').selectAll().where('id', '<', arg('before'));
  if (given.has('account_id')) query = query.where('account_id', '=', arg('account_id'));
  if (given.has('state')) query = query.where('state', '=', arg('state'));
  if (given.has('channel_id')) query = query.where('channel_id', '=', arg('channel_id'));
  if (given.has('model')) query = query.where('model', '=', arg('model'));
  if (given.has('tier')) query = query.where('tier', '=', arg('tier'));
  if (given.has('created_from')) query = query.where('created_at', '>=', arg('created_from'));
  if (given.has('created_to')) query = query.where('created_at', '<=', arg('created_to'));
  return query.orderBy('id', 'desc').limit(arg('limit'));
});

const waiting = statement<{ channel_id: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('channel_id', '=', arg('channel_id'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .limit(arg('limit')),
);

const waitingNumber = statement<{ channel_id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll<number>().as('number'))
    .where('channel_id', '=', arg('channel_id'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null),
);

const openOnChannel = statement<{ channel_id: string }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .selectAll()
    .where('channel_id', '=', arg('channel_id'))
    .where('ended_at', 'is', null)
    .orderBy('id'),
);

const tasksOfOpenAttempts = statement<{ channel_id: string }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .innerJoin('tasks', 'tasks.id', 'attempts.task_id')
    .selectAll('tasks')
    .where('attempts.channel_id', '=', arg('channel_id'))
    .where('attempts.ended_at', 'is', null),
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

/** Hidden ones too. */
export function* getTask(id: string): Procedure<Task | null> {
  const row = yield* first(byId, { id });
  return row && fromTaskRow(row);
}

/** By id or by the account's own external id; hidden and foreign ones are not found. */
export function* findTask(accountId: string, idOrExternalId: string): Procedure<Task | null> {
  let row = yield* first(byId, { id: idOrExternalId });
  if (!row || row.account_id !== accountId) {
    row = yield* first(byExternalId, { account_id: accountId, external_task_id: idOrExternalId });
  }
  return row && row.hidden_at === null ? fromTaskRow(row) : null;
}

export function* listTasks(query: Parameters<Store['listTasks']>[0]): Procedure<Task[]> {
  const given = [query.order, ...(query.surface === undefined ? [] : ['surface'])];
  const found = yield* rows(list(given), {
    account_id: query.accountId,
    surface: query.surface ?? '',
    after: query.after ?? (query.order === 'asc' ? BEFORE_ALL_IDS : AFTER_ALL_IDS),
    limit: query.limit,
  });
  return found.map(fromTaskRow);
}

/** Newest first. */
export function* pageTasks(query: Parameters<Store['pageTasks']>[0]): Procedure<Task[]> {
  const found = yield* rows(numberedPage, {
    account_id: query.accountId,
    surface: query.surface,
    offset: query.offset,
    limit: query.limit,
  });
  return found.map(fromTaskRow);
}

/** Newest first, hidden ones included. */
export function* adminTasks(query: Parameters<Store['adminTasks']>[0]): Procedure<Page<Task>> {
  const filters = {
    account_id: query.accountId,
    state: query.state,
    channel_id: query.channelId,
    model: query.model,
    tier: query.tier,
    created_from: query.createdFrom,
    created_to: query.createdTo,
  };
  const given = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  // Filters that are not given are not in the statement either: their place holders are never bound.
  const args = { ...filters, before: query.cursor ?? AFTER_ALL_IDS, limit: query.limit + 1 } as AdminArgs;
  return toPage(query, yield* rows(adminList(given), args), fromTaskRow);
}

export function* waitingTasks(channelId: string, limit: number): Procedure<Task[]> {
  return (yield* rows(waiting, { channel_id: channelId, limit })).map(fromTaskRow);
}

export function* waitingCount(channelId: string): Procedure<number> {
  return (yield* first(waitingNumber, { channel_id: channelId }))?.number ?? 0;
}

export function* openAttemptsOf(channelId: string): Procedure<OpenAttempt[]> {
  const attempts = yield* rows(openOnChannel, { channel_id: channelId });
  const tasks = new Map<string, Task>();
  for (const row of yield* rows(tasksOfOpenAttempts, { channel_id: channelId })) {
    tasks.set(row.id, fromTaskRow(row));
  }
  return attempts.flatMap((row) => {
    const task = tasks.get(row.task_id);
    return task ? [{ attempt: fromAttemptRow(row), task }] : [];
  });
}

export function* getAttempt(id: string): Procedure<OpenAttempt | null> {
  return yield* withTask(yield* first(attemptById, { id }));
}

export function* currentAttempt(taskId: string): Procedure<OpenAttempt | null> {
  return yield* withTask(yield* first(attemptOfTask, { task_id: taskId }));
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
