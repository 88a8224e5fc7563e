import type { Limits } from '../core/limits.ts';
import type { AccountRow, Page, PageQuery, RememberKey } from '../core/ports.ts';
import { applyLimits, fromLimitsText, toLimitsText } from './limits.ts';
import { lockRows } from './engine.ts';
import { fromPage } from './page.ts';
import { withLimits } from './patch.ts';
import { rememberGiven } from './repeats.ts';
import type { AccountsTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure } from './statement.ts';

const insert = statement<AccountsTable>()((db, arg) =>
  db.insertInto('accounts').values({
    id: arg('id'),
    name: arg('name'),
    status: arg('status'),
    created_at: arg('created_at'),
    limits: arg('limits'),
  }),
);

const insertWallet = statement<{ account_id: string }>()((db, arg) =>
  db.insertInto('wallets').values({ account_id: arg('account_id'), available_micros: 0n, held_micros: 0n }),
);

const update = statement<Pick<AccountsTable, 'id' | 'name' | 'status' | 'limits'>>()((db, arg) =>
  db
    .updateTable('accounts')
    .set({ name: arg('name'), status: arg('status'), limits: arg('limits') })
    .where('id', '=', arg('id')),
);

const byId = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('accounts').selectAll().where('id', '=', arg('id')),
);

/** {@link byId}, until the change is made that it is read for. */
const lockedById = statement<{ id: string }>()((db, arg, engine) =>
  lockRows(engine, db.selectFrom('accounts').selectAll().where('id', '=', arg('id'))),
);

const page = statement<{ before: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('accounts')
    .selectAll()
    .where('id', '<', arg('before'))
    .orderBy('id', 'desc')
    .limit(arg('limit')),
);

/** An account and its empty wallet. */
export const createAccount: Mutation<{ row: AccountRow; remember: RememberKey | null }, void> = function* (
  _tx,
  { row, remember },
) {
  yield* rememberGiven(remember, { subjectId: row.id, at: row.createdAt });
  yield* change(insert, {
    id: row.id,
    name: row.name,
    status: row.status,
    created_at: row.createdAt,
    limits: toLimitsText(row.limits),
  });
  yield* change(insertWallet, { account_id: row.id });
  yield* applyLimits({ accountId: row.id, keyId: null }, row.limits, row.createdAt);
};

export const updateAccount: Mutation<
  {
    id: string;
    patch: Partial<Pick<AccountRow, 'name' | 'status'>> & { limits?: Limits | null };
    at: number;
  },
  AccountRow | null
> = function* (tx, { id, patch, at }) {
  const row = yield* first(lockedById, { id });
  if (!row) return null;
  const changed = withLimits(fromRow(row), patch);
  const { name, status, limits } = changed;
  yield* change(update, { id, name, status, limits: toLimitsText(limits) });
  if (patch.limits !== undefined) yield* applyLimits({ accountId: id, keyId: null }, limits, at);
  // Whoever keeps keys in memory keeps the account's status with them.
  tx.notify('keys');
  return changed;
};

export function* getAccount(id: string): Procedure<AccountRow | null> {
  const row = yield* first(byId, { id });
  return row && fromRow(row);
}

/** Newest first. */
export function* listAccounts(query: PageQuery): Procedure<Page<AccountRow>> {
  return yield* fromPage(query, fromRow, (before, limit) => rows(page, { before, limit }));
}

function fromRow(row: AccountsTable): AccountRow {
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    createdAt: row.created_at,
    ...fromLimitsText(row.limits),
  };
}
