/**
 * Operators' lists of tasks, by any filter. A filter without an index of its own is a walk through the tasks from the
 * newest down; it is done in steps, so that a rare match among a million does not hold up everything else.
 */
import type { Store } from '../core/ports.ts';
import type { Attention, Task } from '../core/task.ts';
import { first, rows, statementVariants, type Procedure } from './statement.ts';
import { fromTaskRow } from './task-row.ts';

export type AdminQuery = Parameters<Store['adminTasks']>[0];

/** Rows looked at in one step: a few milliseconds. */
const STEP_ROWS = 1_000;

interface Args {
  before: string;
  /** Where the step ends, itself included. */
  from: string;
  limit: number;
  account_id: string;
  state: Task['state'];
  channel_id: string;
  model: string;
  tier: string;
  created_from: number;
  created_to: number;
  attention: Attention;
}

const list = statementVariants<Args>()((db, arg, given) => {
  let query = db
    .selectFrom('tasks')
    .selectAll()
    .where('id', '<', arg('before'))
    .where('id', '>=', arg('from'));
  if (given.has('account_id')) query = query.where('account_id', '=', arg('account_id'));
  if (given.has('state')) query = query.where('state', '=', arg('state'));
  if (given.has('channel_id')) query = query.where('channel_id', '=', arg('channel_id'));
  if (given.has('model')) query = query.where('model', '=', arg('model'));
  if (given.has('tier')) query = query.where('tier', '=', arg('tier'));
  if (given.has('created_from')) query = query.where('created_at', '>=', arg('created_from'));
  if (given.has('created_to')) query = query.where('created_at', '<=', arg('created_to'));
  // The first condition names the index: those few rows are all that is read.
  if (given.has('attention'))
    query = query.where('attention', 'is not', null).where('attention', '=', arg('attention'));
  return query.orderBy('id', 'desc').limit(arg('limit'));
});

/** The id a step ends with; found in an index alone. */
const stepEnd = statementVariants<{ before: string; account_id: string; offset: number }>()((
  db,
  arg,
  given,
) => {
  let query = db.selectFrom('tasks').select('id').where('id', '<', arg('before'));
  if (given.has('account_id')) query = query.where('account_id', '=', arg('account_id'));
  return query.orderBy('id', 'desc').limit(1).offset(arg('offset'));
});

/** Up to `limit` tasks before an id; `next` is where the next step goes on, null at the end of all tasks. */
export function* adminTasksBefore(
  query: AdminQuery,
  before: string,
  limit: number,
): Procedure<{ tasks: Task[]; next: string | null }> {
  const filters = {
    account_id: query.accountId,
    state: query.state,
    channel_id: query.channelId,
    model: query.model,
    tier: query.tier,
    created_from: query.createdFrom,
    created_to: query.createdTo,
    attention: query.attention,
  };
  const given = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const account = query.accountId ?? '';
  // What calls for an operator has an index of its own: all of it is one step.
  const end =
    query.attention === undefined
      ? yield* first(stepEnd(query.accountId === undefined ? [] : ['account_id']), {
          before,
          account_id: account,
          offset: STEP_ROWS - 1,
        })
      : null;
  // Filters that are not given are not in the statement either: nothing is bound for them.
  const args = { ...filters, before, from: end?.id ?? '', limit } as Args;
  const found = yield* rows(list(given), args);
  return { tasks: found.map(fromTaskRow), next: end?.id ?? null };
}
