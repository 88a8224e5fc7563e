import type { Limits } from '../core/limits.ts';
import type { KeyRow, UsableKey, RememberAnswer } from '../core/ports.ts';
import { lockRows } from './engine.ts';
import { applyLimits, fromLimitsText, toLimitsText } from './limits.ts';
import { withLimits } from './patch.ts';
import { rememberGiven } from './repeats.ts';
import type { AccountsTable, ApiKeysTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';

const insert = statement<Omit<ApiKeysTable, 'revoked_at'>>()((db, arg) =>
  db.insertInto('api_keys').values({
    id: arg('id'),
    account_id: arg('account_id'),
    name: arg('name'),
    hint: arg('hint'),
    key_hash: arg('key_hash'),
    access_key: arg('access_key'),
    secret_key_sealed: arg('secret_key_sealed'),
    response_style: arg('response_style'),
    created_at: arg('created_at'),
    revoked_at: null,
    limits: arg('limits'),
  }),
);

const ofAccount = statement<{ account_id: string }>()((db, arg) =>
  db.selectFrom('api_keys').selectAll().where('account_id', '=', arg('account_id')).orderBy('id', 'desc'),
);

const lockedById = statement<{ id: string; account_id: string }>()((db, arg, engine) =>
  lockRows(
    engine,
    db
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', arg('id'))
      .where('account_id', '=', arg('account_id')),
  ),
);

const update = statement<Pick<ApiKeysTable, 'id' | 'name' | 'limits'>>()((db, arg) =>
  db
    .updateTable('api_keys')
    .set({ name: arg('name'), limits: arg('limits') })
    .where('id', '=', arg('id')),
);

const revoke = statement<{ id: string; account_id: string; at: number }>()((db, arg) =>
  db
    .updateTable('api_keys')
    .set({ revoked_at: arg('at') })
    .where('id', '=', arg('id'))
    .where('account_id', '=', arg('account_id'))
    .where('revoked_at', 'is', null)
    .returningAll(),
);

const byHash = statement<{ key_hash: string }>()((db, arg) =>
  db
    .selectFrom('api_keys')
    .innerJoin('accounts', 'accounts.id', 'api_keys.account_id')
    .selectAll('api_keys')
    .select(['accounts.status', 'accounts.limits as account_limits'])
    .where('key_hash', '=', arg('key_hash'))
    .where('revoked_at', 'is', null),
);

const byAccessKey = statement<{ access_key: string }>()((db, arg) =>
  db
    .selectFrom('api_keys')
    .innerJoin('accounts', 'accounts.id', 'api_keys.account_id')
    .selectAll('api_keys')
    .select(['accounts.status', 'accounts.limits as account_limits'])
    .where('access_key', '=', arg('access_key'))
    .where('revoked_at', 'is', null),
);

export const createKey: Mutation<
  { row: KeyRow & { keyHash: string }; remember: RememberAnswer | null },
  void
> = function* (tx, { row, remember }) {
  yield* rememberGiven(remember, { subjectId: row.id, at: row.createdAt });
  yield* change(insert, {
    id: row.id,
    account_id: row.accountId,
    name: row.name,
    hint: row.hint,
    key_hash: row.keyHash,
    access_key: row.accessKey,
    secret_key_sealed: row.secretKeySealed,
    response_style: row.responseStyle,
    created_at: row.createdAt,
    limits: toLimitsText(row.limits),
  });
  yield* applyLimits({ accountId: row.accountId, keyId: row.id }, row.limits, row.createdAt);
  tx.notify('keys');
};

/** Null when there is no such key. */
export const updateKey: Mutation<
  {
    accountId: string;
    id: string;
    at: number;
    patch: { name?: string; limits?: Limits | null };
  },
  KeyRow | null
> = function* (tx, { accountId, id, at, patch }) {
  const row = yield* first(lockedById, { id, account_id: accountId });
  if (!row) return null;
  const changed = withLimits(fromRow(row), patch);
  yield* change(update, { id, name: changed.name, limits: toLimitsText(changed.limits) });
  if (patch.limits !== undefined) yield* applyLimits({ accountId, keyId: id }, changed.limits, at);
  tx.notify('keys');
  return changed;
};

/** Null when there is no such key, or it is revoked already. */
export const revokeKey: Mutation<{ accountId: string; id: string; at: number }, KeyRow | null> = function* (
  tx,
  { accountId, id, at },
) {
  const row = yield* first(revoke, { id, account_id: accountId, at });
  if (row) tx.notify('keys');
  return row && fromRow(row);
};

/** Newest first, revoked ones included. */
export function* listKeys(accountId: string): Procedure<KeyRow[]> {
  return (yield* rows(ofAccount, { account_id: accountId })).map(fromRow);
}

export function* findKeyByHash(keyHash: string): Procedure<UsableKey | null> {
  return usable(yield* first(byHash, { key_hash: keyHash }));
}

export function* findKeyByAccessKey(accessKey: string): Procedure<UsableKey | null> {
  return usable(yield* first(byAccessKey, { access_key: accessKey }));
}

type FoundRow = ApiKeysTable & Pick<AccountsTable, 'status'> & { account_limits: string | null };

function usable(row: FoundRow | null): UsableKey | null {
  if (!row) return null;
  const { limits } = fromLimitsText(row.account_limits);
  return { ...fromRow(row), accountStatus: row.status, ...(limits && { accountLimits: limits }) };
}

function fromRow(row: ApiKeysTable): KeyRow {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    hint: row.hint,
    accessKey: row.access_key,
    secretKeySealed: row.secret_key_sealed,
    responseStyle: row.response_style,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    ...fromLimitsText(row.limits),
  };
}
