/**
 * The queue of a channel's pool: accounts take turns, each with its highest priority first, then by arrival. The order
 * follows from the rows alone: whose turn it is stands in `lane_turns`, so a restart changes nothing.
 */
import { expressionBuilder, type Expression, type Kysely, type SqlBool } from 'kysely';
import type { LanePace, WaitingPlace } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { Database } from './schema.ts';
import { change, rows, statement, type Procedure } from './statement.ts';
import { fromTaskRow } from './task-row.ts';

interface ChannelArgs {
  channel_id: string;
}

interface PoolArgs extends ChannelArgs {
  pool: string;
}

type Argument<Args> = <Name extends keyof Args & string>(name: Name) => Args[Name];

const tasks = expressionBuilder<Database, 'tasks'>();

/** Tasks that wait for the channel, in whatever pool: the left edge of the index `tasks_waiting`, and its condition. */
function waitForChannel(arg: Argument<ChannelArgs>): Expression<SqlBool>[] {
  return [
    tasks('tasks.channel_id', '=', arg('channel_id')),
    tasks('tasks.attempt_id', 'is', null),
    tasks('tasks.ended_at', 'is', null),
  ];
}

function waitForPool(arg: Argument<PoolArgs>): Expression<SqlBool>[] {
  return [...waitForChannel(arg), tasks('tasks.pool', '=', arg('pool'))];
}

/**
 * The different values of a column among waiting tasks, smallest first and null at the end: one seek each, however many
 * tasks have it.
 */
function differentOf<Column extends 'account_id' | 'pool'>(
  db: Kysely<Database>,
  column: Column,
  isMeant: Expression<SqlBool>[],
) {
  const least = tasks.fn.min<string | null>(`tasks.${column}`).as('found');
  const builder = expressionBuilder<Database & { waiting: { found: string | null } }, 'waiting'>();
  return db.withRecursive('waiting(found)', (cte) =>
    cte
      .selectFrom('tasks')
      .select(least)
      .where(builder.and(isMeant))
      .unionAll(
        cte
          .selectFrom('waiting')
          .select(
            builder
              .selectFrom('tasks')
              .select(least)
              .where(builder.and(isMeant))
              .whereRef(`tasks.${column}`, '>', 'waiting.found')
              .as('found'),
          )
          .where('waiting.found', 'is not', null),
      ),
  );
}

/**
 * Accounts that wait, one seek each however many tasks they have, in the order of their turns: whoever was taken up
 * longest ago comes first.
 */
const accountsInTurn = statement<PoolArgs>()((db, arg) =>
  differentOf(db, 'account_id', waitForPool(arg))
    .selectFrom('waiting')
    .leftJoin('lane_turns as last', (join) =>
      join
        .onRef('last.account_id', '=', 'waiting.found')
        .on('last.channel_id', '=', arg('channel_id'))
        .on('last.pool', '=', arg('pool')),
    )
    .select((eb) => ['waiting.found', eb.fn.coalesce('last.turn', eb.lit(0)).as('turn')])
    .where('waiting.found', 'is not', null)
    .orderBy('turn')
    .orderBy('waiting.found'),
);

/** The pools of a channel in which somebody waits. */
const pools = statement<ChannelArgs>()((db, arg) =>
  differentOf(db, 'pool', waitForChannel(arg))
    .selectFrom('waiting')
    .select('found')
    .where('found', 'is not', null),
);

const tasksOfAccount = statement<PoolArgs & { account_id: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where(tasks.and(waitForPool(arg)))
    .where('account_id', '=', arg('account_id'))
    .orderBy('queue_rank')
    .orderBy('id')
    .limit(arg('limit')),
);

type PageArgs = PoolArgs & { account_id: string; queue_rank: number; id: string; limit: number };

/** Those who wait for a pool, in no order that means anything, but one that goes on where a page ended. */
function waitingAfter(db: Kysely<Database>, arg: Argument<PageArgs>) {
  return db
    .selectFrom('tasks')
    .where(tasks.and(waitForPool(arg)))
    .where((eb) =>
      eb(
        eb.refTuple('account_id', 'queue_rank', 'id'),
        '>',
        eb.tuple(arg('account_id'), arg('queue_rank'), arg('id')),
      ),
    )
    .orderBy('account_id')
    .orderBy('queue_rank')
    .orderBy('id')
    .limit(arg('limit'));
}

const page = statement<PageArgs>()((db, arg) => waitingAfter(db, arg).selectAll());

const placesPage = statement<PageArgs>()((db, arg) =>
  waitingAfter(db, arg).select(['account_id', 'queue_rank', 'id']),
);

const takeTurn = statement<PoolArgs & { account_id: string }>()((db, arg) =>
  db
    .insertInto('lane_turns')
    .values((eb) => ({
      channel_id: arg('channel_id'),
      pool: arg('pool'),
      account_id: arg('account_id'),
      turn: eb
        .selectFrom('lane_turns as last')
        .select((inner) =>
          inner(inner.fn.coalesce(inner.fn.max('last.turn'), inner.lit(0)), '+', 1).as('turn'),
        )
        .where('last.channel_id', '=', arg('channel_id'))
        .where('last.pool', '=', arg('pool')),
    }))
    .onConflict((conflict) =>
      conflict
        .columns(['channel_id', 'pool', 'account_id'])
        .doUpdateSet((eb) => ({ turn: eb.ref('excluded.turn') })),
    ),
);

const pacesOf = statement<ChannelArgs>()((db, arg) =>
  db.selectFrom('lane_paces').selectAll().where('channel_id', '=', arg('channel_id')),
);

const writePace = statement<PoolArgs & { task_ms: number; at: number }>()((db, arg) =>
  db
    .insertInto('lane_paces')
    .values({
      channel_id: arg('channel_id'),
      pool: arg('pool'),
      task_ms: arg('task_ms'),
      updated_at: arg('at'),
    })
    .onConflict((conflict) =>
      conflict.columns(['channel_id', 'pool']).doUpdateSet((eb) => ({
        task_ms: eb.ref('excluded.task_ms'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    ),
);

/** Ids of accounts with waiting tasks; the one whose turn is next comes first. */
export function* accountsWaiting(channelId: string, pool: string): Procedure<string[]> {
  const found = yield* rows(accountsInTurn, { channel_id: channelId, pool });
  return found.map((row) => row.found as string);
}

/** The next `limit` tasks of a pool: in every round one of each account, its turn decides who comes first. */
export function* waitingTasks(channelId: string, pool: string, limit: number): Procedure<Task[]> {
  const accounts = (yield* accountsWaiting(channelId, pool)).slice(0, limit);
  if (accounts.length === 0) return [];
  const queues = accounts.map(() => [] as Task[]);
  let earlier = 0;
  for (let share = Math.ceil(limit / accounts.length); ; share = Math.min(limit, share * 2)) {
    let isMore = false;
    for (const [index, accountId] of accounts.entries()) {
      // Who had fewer than were asked for has no more.
      if (queues[index]!.length < earlier) continue;
      const args = { channel_id: channelId, pool, account_id: accountId, limit: share };
      queues[index] = (yield* rows(tasksOfAccount, args)).map(fromTaskRow);
      if (queues[index].length === share) isMore = true;
    }
    const found = inRounds(queues, limit);
    if (found.length === limit || !isMore || share === limit) return found;
    earlier = share;
  }
}

function inRounds(queues: Task[][], limit: number): Task[] {
  const taken: Task[] = [];
  for (let round = 0; taken.length < limit; round++) {
    const before = taken.length;
    for (const queue of queues) {
      const task = queue[round];
      if (task !== undefined && taken.length < limit) taken.push(task);
    }
    if (taken.length === before) return taken;
  }
  return taken;
}

/** Waiting tasks of a pool after another one, to walk through all of them. */
export function* waitingPage(
  channelId: string,
  pool: string,
  after: Task | null,
  limit: number,
): Procedure<Task[]> {
  const found = yield* rows(page, {
    channel_id: channelId,
    pool,
    account_id: after?.accountId ?? '',
    queue_rank: after === null ? 0 : 0 - after.priority,
    id: after?.id ?? '',
    limit,
  });
  return found.map(fromTaskRow);
}

/** {@link waitingPage} without what the tasks are about: enough to tell their places. */
export function* waitingPlaces(
  channelId: string,
  pool: string,
  after: WaitingPlace | null,
  limit: number,
): Procedure<WaitingPlace[]> {
  const found = yield* rows(placesPage, {
    channel_id: channelId,
    pool,
    account_id: after?.accountId ?? '',
    queue_rank: after?.rank ?? 0,
    id: after?.taskId ?? '',
    limit,
  });
  return found.map((row) => ({ accountId: row.account_id, rank: row.queue_rank, taskId: row.id }));
}

export function* waitingPools(channelId: string): Procedure<string[]> {
  return (yield* rows(pools, { channel_id: channelId })).map((row) => row.found as string);
}

/** An account's task was taken up: all others come before its next one. */
export function* countTurn(channelId: string, pool: string, accountId: string): Procedure<void> {
  yield* change(takeTurn, { channel_id: channelId, pool, account_id: accountId });
}

export function* lanePaces(channelId: string): Procedure<LanePace[]> {
  const found = yield* rows(pacesOf, { channel_id: channelId });
  return found.map((row) => ({ channelId, pool: row.pool, taskMs: row.task_ms }));
}

export function* notePace(pace: LanePace & { at: number }): Procedure<void> {
  yield* change(writePace, {
    channel_id: pace.channelId,
    pool: pace.pool,
    task_ms: Math.round(pace.taskMs),
    at: pace.at,
  });
}
