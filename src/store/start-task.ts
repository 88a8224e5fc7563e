/** A task begins to run: told once, and always before its end. */
import { recordEvent } from './events.ts';
import { first, statement, type Procedure, type Tx } from './statement.ts';

const start = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ state: 'in_progress', started_at: arg('at'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('state', '=', 'queued')
    .returning(['id', 'account_id', 'callback_url']),
);

/** False when it was not queued any more. */
export function* startQueued(tx: Tx, taskId: string, at: number): Procedure<boolean> {
  const task = yield* first(start, { id: taskId, at });
  if (!task) return false;
  yield* recordEvent(tx, task, 'task.started', {}, at);
  return true;
}
