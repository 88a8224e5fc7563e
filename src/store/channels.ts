import type { ChannelRow, RememberKey } from '../core/ports.ts';
import { lockRows } from './engine.ts';
import { patched } from './patch.ts';
import { rememberGiven } from './repeats.ts';
import type { ChannelsTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';

type Written = Omit<ChannelsTable, 'deleted_at'>;

const insert = statement<Written>()((db, arg) =>
  db.insertInto('channels').values({
    id: arg('id'),
    name: arg('name'),
    provider: arg('provider'),
    credential_sealed: arg('credential_sealed'),
    base_url: arg('base_url'),
    priority: arg('priority'),
    weight: arg('weight'),
    concurrency: arg('concurrency'),
    requests_per_second: arg('requests_per_second'),
    enabled: arg('enabled'),
    sandbox: arg('sandbox'),
    allows_compliance_switches: arg('allows_compliance_switches'),
    created_at: arg('created_at'),
    updated_at: arg('updated_at'),
    deleted_at: null,
  }),
);

const update = statement<Omit<Written, 'created_at'>>()((db, arg) =>
  db
    .updateTable('channels')
    .set({
      name: arg('name'),
      provider: arg('provider'),
      credential_sealed: arg('credential_sealed'),
      base_url: arg('base_url'),
      priority: arg('priority'),
      weight: arg('weight'),
      concurrency: arg('concurrency'),
      requests_per_second: arg('requests_per_second'),
      enabled: arg('enabled'),
      sandbox: arg('sandbox'),
      allows_compliance_switches: arg('allows_compliance_switches'),
      updated_at: arg('updated_at'),
    })
    .where('id', '=', arg('id')),
);

const remove = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('channels')
    .set({ deleted_at: arg('at'), updated_at: arg('at'), enabled: 0 })
    .where('id', '=', arg('id'))
    .where('deleted_at', 'is', null),
);

const byId = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('channels').selectAll().where('id', '=', arg('id')),
);

/** {@link byId}, until the change is made that it is read for. */
const lockedById = statement<{ id: string }>()((db, arg, engine) =>
  lockRows(engine, db.selectFrom('channels').selectAll().where('id', '=', arg('id'))),
);

const present = statement()((db) =>
  db.selectFrom('channels').selectAll().where('deleted_at', 'is', null).orderBy('id'),
);

const withWork = statement()((db) =>
  db
    .selectFrom('channels')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.exists(
          eb
            .selectFrom('attempts')
            .select('attempts.id')
            .whereRef('attempts.channel_id', '=', 'channels.id')
            .where('attempts.ended_at', 'is', null),
        ),
        eb.exists(
          eb
            .selectFrom('tasks')
            .select('tasks.id')
            .whereRef('tasks.channel_id', '=', 'channels.id')
            .where('tasks.attempt_id', 'is', null)
            .where('tasks.ended_at', 'is', null),
        ),
      ]),
    )
    .orderBy('id'),
);

export const createChannel: Mutation<{ row: ChannelRow; remember: RememberKey | null }, void> = function* (
  tx,
  { row, remember },
) {
  yield* rememberGiven(remember, { subjectId: row.id, at: row.createdAt });
  yield* change(insert, toRow(row));
  tx.notify('channels');
};

/** Null when there is no such channel, or it is deleted. */
export const updateChannel: Mutation<
  { id: string; patch: Partial<Omit<ChannelRow, 'id' | 'createdAt'>> },
  ChannelRow | null
> = function* (tx, { id, patch }) {
  const row = yield* first(lockedById, { id });
  if (!row || row.deleted_at !== null) return null;
  const changed = patched(fromRow(row), patch);
  yield* change(update, toRow(changed));
  tx.notify('channels');
  return changed;
};

/** The row stays, so that the channel's running tasks can be polled to the end. */
export const deleteChannel: Mutation<{ id: string; at: number }, boolean> = function* (tx, { id, at }) {
  const deleted = (yield* change(remove, { id, at })) === 1;
  if (deleted) tx.notify('channels');
  return deleted;
};

/** Deleted ones too. */
export function* getChannel(id: string): Procedure<ChannelRow | null> {
  const row = yield* first(byId, { id });
  return row && fromRow(row);
}

/** Oldest first, without deleted ones. */
export function* listChannels(): Procedure<ChannelRow[]> {
  return (yield* rows(present, {})).map(fromRow);
}

export function* channelsWithWork(): Procedure<ChannelRow[]> {
  return (yield* rows(withWork, {})).map(fromRow);
}

function toRow(channel: ChannelRow): Written {
  return {
    id: channel.id,
    name: channel.name,
    provider: channel.provider,
    credential_sealed: channel.credentialSealed,
    base_url: channel.baseUrl,
    priority: channel.priority,
    weight: channel.weight,
    concurrency: channel.concurrency,
    requests_per_second: channel.requestsPerSecond,
    enabled: Number(channel.enabled),
    sandbox: Number(channel.sandbox),
    allows_compliance_switches: Number(channel.allowsComplianceSwitches ?? false),
    created_at: channel.createdAt,
    updated_at: channel.updatedAt,
  };
}

function fromRow(row: ChannelsTable): ChannelRow {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    credentialSealed: row.credential_sealed,
    baseUrl: row.base_url,
    priority: row.priority,
    weight: row.weight,
    concurrency: row.concurrency,
    requestsPerSecond: row.requests_per_second,
    enabled: row.enabled === 1,
    sandbox: row.sandbox === 1,
    ...(row.allows_compliance_switches === 1 && { allowsComplianceSwitches: true }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
