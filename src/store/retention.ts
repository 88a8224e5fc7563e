/**
 * Deletes old rows in small steps, each a short transaction that begins at the oldest row: ids sort by time, so no step
 * reads what it will not delete.
 */
import type { RetentionStore } from '../core/ports.ts';
import type { Backend } from './backend.ts';
import { lockRows } from './engine.ts';
import { change, rows, statement, type Mutation } from './statement.ts';

const oldestExchanged = statement<{ before: number; limit: number }>()((db, arg) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('exchanges')
        .select('attempt_id')
        .distinct()
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
  db.selectFrom('events').select(['id', 'created_at']).orderBy('id').limit(arg('limit')),
);

const deleteEvent = statement<{ id: string }>()((db, arg) =>
  db.deleteFrom('events').where('id', '=', arg('id')),
);

const tasksAfter = statement<{ after: string; limit: number }>()((db, arg, engine) =>
  // Somebody may be about to try a failed one again.
  lockRows(
    engine,
    db
      .selectFrom('tasks')
      .select((eb) => [
        'id',
        'created_at',
        'ended_at',
        'hidden_at',
        'media_forgotten_at',
        'attention',
        eb.case().when('result', 'is', null).then(0).else(1).end().as('has_result'),
      ])
      .where('id', '>', arg('after'))
      .orderBy('id')
      .limit(arg('limit')),
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

export const pruneTasks: Mutation<
  { before: number; after: string; limit: number },
  { deleted: number; next: string | null }
> = function* (_tx, { before, after, limit }) {
  const found = yield* rows(tasksAfter, { after, limit });
  let deleted = 0;
  for (const task of found) {
    if (task.created_at > before) return { deleted, next: null };
    const isOver = task.ended_at !== null && task.ended_at <= before && task.attention === null;
    const hasFiles = task.has_result === 1 && task.media_forgotten_at === null && task.hidden_at === null;
    if (!isOver || hasFiles) continue;
    yield* change(exchangesOfTask, { task_id: task.id });
    yield* change(attemptsOfTask, { task_id: task.id });
    yield* change(eventsOfTask, { task_id: task.id });
    deleted += yield* change(deleteTask, { id: task.id });
  }
  return { deleted, next: found.length === limit ? found.at(-1)!.id : null };
};

/** The part of the Store port about it. */
export function retentionStore({ write }: Backend): RetentionStore {
  return {
    pruneExchanges: (input) => write('pruneExchanges', input),
    pruneEvents: (input) => write('pruneEvents', input),
    pruneTasks: (input) => write('pruneTasks', input),
  };
}
