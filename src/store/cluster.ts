/** What nodes that share a store ask and tell each other. */
import type { OpenAttemptKey } from '../core/ports.ts';
import { first, rows, statement, type Mutation, type Procedure } from './statement.ts';

const openKeys = statement<{ channel_id: string; after: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .select(['id', 'task_id'])
    .where('channel_id', '=', arg('channel_id'))
    .where('id', '>', arg('after'))
    .where('ended_at', 'is', null)
    .orderBy('id')
    .limit(arg('limit')),
);

const openNumber = statement<{ channel_id: string }>()((db, arg) =>
  db
    .selectFrom('attempts')
    .select((eb) => eb.fn.countAll<number>().as('number'))
    .where('channel_id', '=', arg('channel_id'))
    .where('ended_at', 'is', null),
);

/** A part of a channel's open attempts in order of id, without what is in them. */
export function* openAttemptKeys(
  channelId: string,
  after: string,
  limit: number,
): Procedure<OpenAttemptKey[]> {
  const found = yield* rows(openKeys, { channel_id: channelId, after, limit });
  return found.map((row) => ({ attemptId: row.id, taskId: row.task_id }));
}

/** Attempts `submitting` or `accepted` on a channel. */
export function* openAttemptCount(channelId: string): Procedure<number> {
  return (yield* first(openNumber, { channel_id: channelId }))?.number ?? 0;
}

/** Changes nothing, but is heard of on every node. */
export const tell: Mutation<{ topic: string }, void> = function* (tx, { topic }) {
  tx.notify(topic);
};
