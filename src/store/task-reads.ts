/** Tasks as callers read them: one, lists by keyset, numbered pages. */
import { sql } from 'kysely';
import type { Store } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { AFTER_ALL_IDS, BEFORE_ALL_IDS } from './page.ts';
import { first, rows, statement, statementVariants, type Procedure } from './statement.ts';
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
  after: string;
  limit: number;
}

/**
 * Not hidden, in words that the planner has no partial index for: without a surface, PostgreSQL takes the one that begins
 * with account and surface and sorts all that the account ever asked for.
 */
export const isShown = sql<boolean>`coalesce(${sql.ref('hidden_at')}, 0) = 0`;

/** Rows of a page whose ids an index finds by itself: what it passes by is never read, and no other index can be meant. */
const list = statementVariants<ListArgs>()((db, arg, given) => {
  const order = given.has('asc') ? 'asc' : 'desc';
  return db
    .selectFrom('tasks')
    .selectAll()
    .where('id', 'in', ({ selectFrom }) => {
      const ids = selectFrom('tasks')
        .select('id')
        .where('account_id', '=', arg('account_id'))
        .where('id', order === 'asc' ? '>' : '<', arg('after'))
        .orderBy('id', order)
        .limit(arg('limit'));
      if (!given.has('surface')) return ids.where(isShown);
      return ids.where('surface', '=', arg('surface')).where('hidden_at', 'is', null);
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
  const given = [query.order, ...(query.surface === undefined ? [] : ['surface'])];
  const found = yield* rows(list(given), {
    account_id: query.accountId,
    surface: query.surface ?? '',
    after: query.after ?? (query.order === 'asc' ? BEFORE_ALL_IDS : AFTER_ALL_IDS),
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
