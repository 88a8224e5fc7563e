/**
 * Deletes old rows in small steps, each a short transaction that begins at the oldest row: ids sort by time, so no step
 * reads what it will not delete.
 */
import type { RetentionStore } from '../core/ports.ts';
import type { Backend } from './backend.ts';
import { lockRows } from './engine.ts';
import { BEFORE_ALL_IDS } from './page.ts';
import type { TasksTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';

const oldestExchanged = statement<{ before: number; limit: number }>()((db, arg) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('exchanges')
        .select('attempt_id')
        .distinct()
        .where('attempt_id', '>', BEFORE_ALL_IDS)
        .orderBy('attempt_id')
        .limit(arg('limit'))
        .as('oldest'),
    )
    .leftJoin('attempts', 'attempts.id', 'oldest.attempt_id')
    .select(['oldest.attempt_id', 'attempts.ended_at'])
    .where((eb) => eb.or([eb('attempts.ended_at', '<=', arg('before')), eb('attempts.id', 'is', null)])),
);

const deleteExchanges = statement<{ attempt_id: string }>()((db, arg) =>
  db.deleteFrom('exchanges').where('attempt_id', '=', arg('attempt_id')),
);

const oldestEvents = statement<{ limit: number }>()((db, arg) =>
  db
    .selectFrom('events')
    .select(['id', 'created_at'])
    .where('id', '>', BEFORE_ALL_IDS)
    .orderBy('id')
    .limit(arg('limit')),
);

const deleteEvent = statement<{ id: string }>()((db, arg) =>
  db.deleteFrom('events').where('id', '=', arg('id')),
);

type Judged = Pick<TasksTable, 'id' | 'ended_at' | 'hidden_at' | 'media_forgotten_at' | 'attention'> & {
  has_result: number;
};

const JUDGED = ['id', 'ended_at', 'hidden_at', 'media_forgotten_at', 'attention'] as const;

const tasksAfter = statement<{ after: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select([...JUDGED, 'created_at'])
    .select((eb) => eb.case().when('result', 'is', null).then(0).else(1).end().as('has_result'))
    .where('id', '>', arg('after'))
    .orderBy('id')
    .limit(arg('limit')),
);

const taskById = statement<{ id: string }>()((db, arg, engine) =>
  // Somebody may be about to try a failed one again.
  lockRows(
    engine,
    db
      .selectFrom('tasks')
      .select(JUDGED)
      .select((eb) => eb.case().when('result', 'is', null).then(0).else(1).end().as('has_result'))
      .where('id', '=', arg('id')),
  ),
);

const exchangesOfTask = statement<{ task_id: string }>()((db, arg) =>
  db
    .deleteFrom('exchanges')
    .where('attempt_id', 'in', (eb) =>
      eb.selectFrom('attempts').select('id').where('task_id', '=', arg('task_id')),
    ),
);

const attemptsOfTask = statement<{ task_id: string }>()((db, arg) =>
  db.deleteFrom('attempts').where('task_id', '=', arg('task_id')),
);

const eventsOfTask = statement<{ task_id: string }>()((db, arg) =>
  db.deleteFrom('events').where('task_id', '=', arg('task_id')),
);

const deleteTask = statement<{ id: string }>()((db, arg) =>
  db.deleteFrom('tasks').where('id', '=', arg('id')),
);

export const pruneExchanges: Mutation<{ before: number; limit: number }, number> = function* (_tx, input) {
  const found = yield* rows(oldestExchanged, input);
  for (const { attempt_id: id } of found) yield* change(deleteExchanges, { attempt_id: id });
  return found.length;
};

export const pruneEvents: Mutation<{ before: number; limit: number }, number> = function* (
  _tx,
  { before, limit },
) {
  let deleted = 0;
  for (const { id, created_at: at } of yield* rows(oldestEvents, { limit })) {
    if (at > before) break;
    deleted += yield* change(deleteEvent, { id });
  }
  return deleted;
};

/** Over for so long, without files, and nobody has to look at it. */
function isPast(task: Judged, before: number): boolean {
  const hasFiles = task.has_result === 1 && task.media_forgotten_at === null && task.hidden_at === null;
  return task.ended_at !== null && task.ended_at <= before && task.attention === null && !hasFiles;
}

/** Those of a step that may go, and where the next step begins. */
export function* pastTasks({
  before,
  after,
  limit,
}: Parameters<RetentionStore['pruneTasks']>[0]): Procedure<{ ids: string[]; next: string | null }> {
  const found = yield* rows(tasksAfter, { after, limit });
  const ids = found.filter((task) => isPast(task, before)).map(({ id }) => id);
  const last = found.at(-1);
  const next = last !== undefined && found.length === limit && last.created_at <= before ? last.id : null;
  return { ids, next };
}

export const deleteTasks: Mutation<{ ids: string[]; before: number }, number> = function* (
  _tx,
  { ids, before },
) {
  let deleted = 0;
  for (const id of ids) {
    const task = yield* first(taskById, { id });
    if (task === null || !isPast(task, before)) continue;
    yield* change(exchangesOfTask, { task_id: id });
    yield* change(attemptsOfTask, { task_id: id });
    yield* change(eventsOfTask, { task_id: id });
    deleted += yield* change(deleteTask, { id });
  }
  return deleted;
};

/** The part of the Store port about it. */
export function retentionStore({ read, write }: Backend): RetentionStore {
  return {
    pruneExchanges: (input) => write('pruneExchanges', input),
    pruneEvents: (input) => write('pruneEvents', input),
    async pruneTasks(input) {
      // What stays is only read: there may be very many of those.
      const { ids, next } = await read(pastTasks(input));
      const deleted = ids.length === 0 ? 0 : await write('deleteTasks', { ids, before: input.before });
      return { deleted, next };
    },
  };
}
