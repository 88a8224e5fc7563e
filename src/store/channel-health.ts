/** What is known of the channels' health: one row each, written when it changes. */
import type { ChannelHealth } from '../core/ports.ts';
import type { ChannelHealthTable } from './schema.ts';
import { change, rows, statement, type Mutation, type Procedure } from './statement.ts';

const all = statement()((db) => db.selectFrom('channel_health').selectAll().orderBy('channel_id'));

const write = statement<ChannelHealthTable>()((db, arg) =>
  db
    .insertInto('channel_health')
    .values({
      channel_id: arg('channel_id'),
      state: arg('state'),
      since: arg('since'),
      reason: arg('reason'),
      retry_at: arg('retry_at'),
      trips: arg('trips'),
    })
    .onConflict((conflict) =>
      conflict.column('channel_id').doUpdateSet((eb) => ({
        state: eb.ref('excluded.state'),
        since: eb.ref('excluded.since'),
        reason: eb.ref('excluded.reason'),
        retry_at: eb.ref('excluded.retry_at'),
        trips: eb.ref('excluded.trips'),
      })),
    ),
);

/** Told to everybody who routes: the lane of a channel may be elsewhere. */
export const noteHealth: Mutation<ChannelHealth, void> = function* (tx, health) {
  yield* change(write, {
    channel_id: health.channelId,
    state: health.state,
    since: health.since,
    reason: health.reason,
    retry_at: health.retryAt,
    trips: health.trips,
  });
  tx.notify('health');
};

/** Channels that never had any trouble have none. */
export function* channelHealth(): Procedure<ChannelHealth[]> {
  const found = yield* rows(all, {});
  return found.map((row) => ({
    channelId: row.channel_id,
    state: row.state,
    since: row.since,
    reason: row.reason,
    retryAt: row.retry_at,
    trips: row.trips,
  }));
}
