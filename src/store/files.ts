/** Files that accounts keep with us; their bytes lie in the media store. */
import type { FileRow, RememberKey, Store } from '../core/ports.ts';
import { AFTER_ALL_IDS, BEFORE_ALL_IDS } from './page.ts';
import { rememberKey } from './repeats.ts';
import type { FilesTable } from './schema.ts';
import {
  change,
  first,
  rows,
  statement,
  statementVariants,
  type Mutation,
  type Procedure,
} from './statement.ts';

const insert = statement<FilesTable>()((db, arg) =>
  db.insertInto('files').values({
    id: arg('id'),
    account_id: arg('account_id'),
    filename: arg('filename'),
    purpose: arg('purpose'),
    content_type: arg('content_type'),
    bytes: arg('bytes'),
    width: arg('width'),
    height: arg('height'),
    media_key: arg('media_key'),
    created_at: arg('created_at'),
    expires_at: arg('expires_at'),
  }),
);

const byId = statement<{ account_id: string; id: string; at: number }>()((db, arg) =>
  db
    .selectFrom('files')
    .selectAll()
    .where('id', '=', arg('id'))
    .where('account_id', '=', arg('account_id'))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', arg('at'))])),
);

const list = statementVariants<{
  account_id: string;
  purpose: string;
  after: string;
  limit: number;
  at: number;
}>()((db, arg, given) => {
  const ascending = given.has('asc');
  let query = db
    .selectFrom('files')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('id', ascending ? '>' : '<', arg('after'))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', arg('at'))]));
  if (given.has('purpose')) query = query.where('purpose', '=', arg('purpose'));
  return query.orderBy('id', ascending ? 'asc' : 'desc').limit(arg('limit'));
});

const remove = statement<{ account_id: string; id: string }>()((db, arg) =>
  db
    .deleteFrom('files')
    .where('id', '=', arg('id'))
    .where('account_id', '=', arg('account_id'))
    .returningAll(),
);

const expired = statement<{ at: number; limit: number }>()((db, arg) =>
  db
    .selectFrom('files')
    .selectAll()
    .where('expires_at', 'is not', null)
    .where('expires_at', '<=', arg('at'))
    .orderBy('expires_at')
    .limit(arg('limit')),
);

export const createFile: Mutation<{ row: FileRow; remember: RememberKey | null }, void> = function* (
  _tx,
  { row, remember },
) {
  if (remember !== null) {
    yield* rememberKey(remember, { subjectId: row.id, response: { ...row }, at: row.createdAt });
  }
  yield* change(insert, {
    id: row.id,
    account_id: row.accountId,
    filename: row.filename,
    purpose: row.purpose,
    content_type: row.contentType,
    bytes: row.bytes,
    width: row.width,
    height: row.height,
    media_key: row.mediaKey,
    created_at: row.createdAt,
    expires_at: row.expiresAt,
  });
};

/** The row that is gone, so that its bytes can follow; null when there was none. */
export const deleteFile: Mutation<{ accountId: string; id: string }, FileRow | null> = function* (
  _tx,
  { accountId, id },
) {
  const row = yield* first(remove, { account_id: accountId, id });
  return row && fromRow(row);
};

/** Expired ones are not found, whether they are swept yet or not. */
export function* findFile(accountId: string, id: string, at: number): Procedure<FileRow | null> {
  const row = yield* first(byId, { account_id: accountId, id, at });
  return row && fromRow(row);
}

export function* listFiles(query: Parameters<Store['listFiles']>[0]): Procedure<FileRow[]> {
  const given = [query.order, ...(query.purpose === undefined ? [] : ['purpose'])];
  const found = yield* rows(list(given), {
    account_id: query.accountId,
    purpose: query.purpose ?? '',
    after: query.after ?? (query.order === 'asc' ? BEFORE_ALL_IDS : AFTER_ALL_IDS),
    limit: query.limit,
    at: query.at,
  });
  return found.map(fromRow);
}

export function* expiredFiles(at: number, limit: number): Procedure<FileRow[]> {
  return (yield* rows(expired, { at, limit })).map(fromRow);
}

function fromRow(row: FilesTable): FileRow {
  return {
    id: row.id,
    accountId: row.account_id,
    filename: row.filename,
    purpose: row.purpose,
    contentType: row.content_type,
    bytes: row.bytes,
    width: row.width,
    height: row.height,
    mediaKey: row.media_key,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
