/** What a restored database must not take at its word. */
import { recordAttempt } from './attempts.ts';
import { change, rows, statement, type Mutation } from './statement.ts';

const waiting = statement<{ after: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select(['id', 'account_id', 'callback_url', 'channel_id'])
    .where('id', '>', arg('after'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .limit(arg('limit')),
);

const take = statement<{ id: string; attempt_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('tasks')
    .set({ attempt_id: arg('attempt_id'), updated_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null),
);

/**
 * Waiting tasks may have been submitted after the backup was made. Each gets an attempt whose deadline is long over:
 * like any in doubt it is looked up by its handle before anything is sent.
 */
export const doubtWaiting: Mutation<
  { after: string; limit: number; owner: string; at: number },
  { doubted: number; next: string | null }
> = function* (tx, { after, limit, owner, at }) {
  const found = yield* rows(waiting, { after, limit });
  let doubted = 0;
  for (const task of found) {
    const id = tx.newId('att_', at);
    if ((yield* change(take, { id: task.id, attempt_id: id, at })) === 0) continue;
    yield* recordAttempt(tx, task, { id, channelId: task.channel_id, owner, submitDeadlineAt: 0, at });
    doubted++;
  }
  return { doubted, next: found.length === limit ? found.at(-1)!.id : null };
};
