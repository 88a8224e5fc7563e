/** Voices, elements and the like: made by a task, pinned to the channel that knows them, owned by one account. */
import type { ResourceRow, Store } from '../core/ports.ts';
import { writeJson } from '../lib/json.ts';
import type { ResourcesTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';
import { readJson } from './task-row.ts';

type Kind = ResourcesTable['kind'];

const insert = statement<Omit<ResourcesTable, 'deleted_at'>>()((db, arg) =>
  db.insertInto('resources').values({
    id: arg('id'),
    account_id: arg('account_id'),
    kind: arg('kind'),
    channel_id: arg('channel_id'),
    upstream_id: arg('upstream_id'),
    name: arg('name'),
    task_id: arg('task_id'),
    created_at: arg('created_at'),
    expires_at: arg('expires_at'),
    data: arg('data'),
  }),
);

const byId = statement<{ account_id: string; kind: Kind; id: string; at: number }>()((db, arg) =>
  db
    .selectFrom('resources')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('kind', '=', arg('kind'))
    .where('id', '=', arg('id'))
    .where('deleted_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', arg('at'))])),
);

const byUpstreamId = statement<{ kind: Kind; upstream_id: string }>()((db, arg) =>
  db
    .selectFrom('resources')
    .select('id')
    .where('kind', '=', arg('kind'))
    .where('upstream_id', '=', arg('upstream_id'))
    .where('deleted_at', 'is', null)
    .limit(1),
);

const byIdAlone = statement<{ kind: Kind; id: string }>()((db, arg) =>
  db.selectFrom('resources').select('id').where('id', '=', arg('id')).where('kind', '=', arg('kind')),
);

const page = statement<{ account_id: string; kind: Kind; at: number; limit: number; offset: number }>()(
  (db, arg) =>
    db
      .selectFrom('resources')
      .selectAll()
      .where('account_id', '=', arg('account_id'))
      .where('kind', '=', arg('kind'))
      .where('deleted_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', arg('at'))]))
      .orderBy('id', 'desc')
      .limit(arg('limit'))
      .offset(arg('offset')),
);

const remove = statement<{ account_id: string; kind: Kind; id: string; at: number }>()((db, arg) =>
  db
    .updateTable('resources')
    .set({ deleted_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('account_id', '=', arg('account_id'))
    .where('kind', '=', arg('kind'))
    .where('deleted_at', 'is', null),
);

/** Comes into being with the result of its task, in the same transaction. */
export function* recordResource(row: ResourceRow): Procedure<void> {
  yield* change(insert, {
    id: row.id,
    account_id: row.accountId,
    kind: row.kind,
    channel_id: row.channelId,
    upstream_id: row.upstreamId,
    name: row.name,
    task_id: row.taskId,
    created_at: row.createdAt,
    expires_at: row.expiresAt,
    data: writeJson(row.data),
  });
}

/** False when it is not there, not the account's, or deleted already. */
export const deleteResource: Mutation<Parameters<Store['deleteResource']>[0], boolean> = function* (
  _tx,
  { accountId, kind, id, at },
) {
  return (yield* change(remove, { account_id: accountId, kind, id, at })) === 1;
};

export function* findResource(
  accountId: string,
  kind: Kind,
  id: string,
  at: number,
): Procedure<ResourceRow | null> {
  const row = yield* first(byId, { account_id: accountId, kind, id, at });
  return row && fromRow(row);
}

export function* isOwnedUpstream(kind: Kind, upstreamId: string): Procedure<boolean> {
  return (yield* first(byUpstreamId, { kind, upstream_id: upstreamId })) !== null;
}

/** Whoever's it is or was. */
export function* isResourceId(kind: Kind, id: string): Procedure<boolean> {
  return (yield* first(byIdAlone, { kind, id })) !== null;
}

/** Newest first. */
export function* pageResources(query: Parameters<Store['pageResources']>[0]): Procedure<ResourceRow[]> {
  const { accountId, kind, at, offset, limit } = query;
  return (yield* rows(page, { account_id: accountId, kind, at, offset, limit })).map(fromRow);
}

function fromRow(row: ResourcesTable): ResourceRow {
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    channelId: row.channel_id,
    upstreamId: row.upstream_id,
    name: row.name,
    data: readJson(row.data),
    taskId: row.task_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    deletedAt: row.deleted_at,
  };
}
