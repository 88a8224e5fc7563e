/** Tasks as callers read them: one, lists by keyset, numbered pages. */
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Store } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { AFTER_ALL_IDS, BEFORE_ALL_IDS } from './page.ts';
import { first, rows, statement, statementVariants, type Procedure } from './statement.ts';
import type { TasksTable } from './schema.ts';
import { fromTaskRow } from './task-row.ts';

const byId = statement<{ id: string }>()((db, arg) =>
  db.selectFrom('tasks').selectAll().where('id', '=', arg('id')),
);

const byExternalId = statement<{ account_id: string; external_task_id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('external_task_id', '=', arg('external_task_id')),
);

interface ListArgs {
  account_id: string;
  surface: string;
  /** Ids from this one on, and below that one. */
  from: string;
  before: string;
  limit: number;
}

/**
 * Bounds of an index, from the first tuple on and before the second; with an order by the same columns only this index will
 * do. By `account_id = ? and id < ? order by id`, PostgreSQL takes the primary key or sorts, where it expects few rows.
 */
export function isWithin(
  columns: (keyof TasksTable)[],
  from: unknown[],
  before: unknown[],
): RawBuilder<SqlBool> {
  const tuple = sql`(${sql.join(columns.map((name) => sql.ref(name)))})`;
  return sql<SqlBool>`${tuple} >= (${sql.join(from)}) and ${tuple} < (${sql.join(before)})`;
}

/** Rows of a page whose ids one index finds by itself: what it passes by is never read. */
const list = statementVariants<ListArgs>()((db, arg, given) => {
  const order = given.has('asc') ? 'asc' : 'desc';
  return db
    .selectFrom('tasks')
    .selectAll()
    .where('id', 'in', ({ selectFrom }) => {
      const ids = selectFrom('tasks').select('id').where('hidden_at', 'is', null).limit(arg('limit'));
      if (given.has('surface')) {
        return ids
          .where('account_id', '=', arg('account_id'))
          .where('surface', '=', arg('surface'))
          .where('id', '>=', arg('from'))
          .where('id', '<', arg('before'))
          .orderBy('id', order);
      }
      const account = arg('account_id');
      return ids
        .where(isWithin(['account_id', 'id'], [account, arg('from')], [account, arg('before')]))
        .orderBy('account_id', order)
        .orderBy('id', order);
    })
    .orderBy('id', order);
});

const numberedPage = statement<{ account_id: string; surface: string; offset: number; limit: number }>()(
  (db, arg) =>
    db
      .selectFrom('tasks')
      .selectAll()
      .where('id', 'in', ({ selectFrom }) =>
        selectFrom('tasks')
          .select('id')
          .where('account_id', '=', arg('account_id'))
          .where('surface', '=', arg('surface'))
          .where('hidden_at', 'is', null)
          .orderBy('id', 'desc')
          .limit(arg('limit'))
          .offset(arg('offset')),
      )
      .orderBy('id', 'desc'),
);

/** Hidden ones too. */
export function* getTask(id: string): Procedure<Task | null> {
  const row = yield* first(byId, { id });
  return row && fromTaskRow(row);
}

/** By id or by the account's own external id; hidden and foreign ones are not found. */
export function* findTask(accountId: string, idOrExternalId: string): Procedure<Task | null> {
  let row = yield* first(byId, { id: idOrExternalId });
  if (!row || row.account_id !== accountId) {
    row = yield* first(byExternalId, { account_id: accountId, external_task_id: idOrExternalId });
  }
  return row && row.hidden_at === null ? fromTaskRow(row) : null;
}

export function* listTasks(query: Parameters<Store['listTasks']>[0]): Procedure<Task[]> {
  const { order, surface, after } = query;
  const given = [order, ...(surface === undefined ? [] : ['surface'])];
  const found = yield* rows(list(given), {
    account_id: query.accountId,
    surface: surface ?? '',
    // What comes next after an id is the same with a character behind it: no id is between them.
    from: order === 'asc' && after !== undefined ? `${after} ` : BEFORE_ALL_IDS,
    before: order === 'desc' && after !== undefined ? after : AFTER_ALL_IDS,
    limit: query.limit,
  });
  return found.map(fromTaskRow);
}

/** Newest first. */
export function* pageTasks(query: Parameters<Store['pageTasks']>[0]): Procedure<Task[]> {
  const found = yield* rows(numberedPage, {
    account_id: query.accountId,
    surface: query.surface,
    offset: query.offset,
    limit: query.limit,
  });
  return found.map(fromTaskRow);
}
