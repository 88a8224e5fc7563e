/**
 * The queue of a channel's pool: accounts take turns, each with its highest priority first, then by arrival. The order
 * follows from the rows alone: whose turn it is stands in `lane_turns`, so a restart changes nothing.
 */
import type { LanePace, WaitingPlace } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { change, rows, statement, type Procedure } from './statement.ts';
import { fromTaskRow } from './task-row.ts';

interface PoolArgs {
  channel_id: string;
  pool: string;
}

/**
 * Accounts that wait, one seek each however many tasks they have, in the order of their turns: whoever was taken up
 * longest ago comes first.
 */
const accountsInTurn = statement<PoolArgs>()((db, arg) =>
  db
    .withRecursive('waiting(account_id)', (cte) =>
      cte
        .selectFrom('tasks')
        .select((eb) => eb.fn.min<string | null>('account_id').as('account_id'))
        .where('channel_id', '=', arg('channel_id'))
        .where('pool', '=', arg('pool'))
        .where('attempt_id', 'is', null)
        .where('ended_at', 'is', null)
        .unionAll(
          cte
            .selectFrom('waiting')
            .select((eb) =>
              eb
                .selectFrom('tasks as next')
                .select((inner) => inner.fn.min<string | null>('next.account_id').as('account_id'))
                .where('next.channel_id', '=', arg('channel_id'))
                .where('next.pool', '=', arg('pool'))
                .where('next.attempt_id', 'is', null)
                .where('next.ended_at', 'is', null)
                .whereRef('next.account_id', '>', 'waiting.account_id')
                .as('account_id'),
            )
            .where('waiting.account_id', 'is not', null),
        ),
    )
    .selectFrom('waiting')
    .leftJoin('lane_turns as last', (join) =>
      join
        .onRef('last.account_id', '=', 'waiting.account_id')
        .on('last.channel_id', '=', arg('channel_id'))
        .on('last.pool', '=', arg('pool')),
    )
    .select((eb) => ['waiting.account_id', eb.fn.coalesce('last.turn', eb.lit(0)).as('turn')])
    .where('waiting.account_id', 'is not', null)
    .orderBy('turn')
    .orderBy('waiting.account_id'),
);

const tasksOfAccount = statement<PoolArgs & { account_id: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('channel_id', '=', arg('channel_id'))
    .where('pool', '=', arg('pool'))
    .where('account_id', '=', arg('account_id'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null)
    .orderBy('queue_rank')
    .orderBy('id')
    .limit(arg('limit')),
);

/** In no order that means anything, but one that goes on where a page ended. */
const page = statement<PoolArgs & { account_id: string; queue_rank: number; id: string; limit: number }>()(
  (db, arg) =>
    db
      .selectFrom('tasks')
      .selectAll()
      .where('channel_id', '=', arg('channel_id'))
      .where('pool', '=', arg('pool'))
      .where('attempt_id', 'is', null)
      .where('ended_at', 'is', null)
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
      .limit(arg('limit')),
);

const placesPage = statement<
  PoolArgs & { account_id: string; queue_rank: number; id: string; limit: number }
>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select(['account_id', 'queue_rank', 'id'])
    .where('channel_id', '=', arg('channel_id'))
    .where('pool', '=', arg('pool'))
    .where('attempt_id', 'is', null)
    .where('ended_at', 'is', null)
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
    .limit(arg('limit')),
);

/** The pools of a channel in which somebody waits, one seek each. */
const pools = statement<{ channel_id: string }>()((db, arg) =>
  db
    .withRecursive('waiting(pool)', (cte) =>
      cte
        .selectFrom('tasks')
        .select((eb) => eb.fn.min<string | null>('pool').as('pool'))
        .where('channel_id', '=', arg('channel_id'))
        .where('attempt_id', 'is', null)
        .where('ended_at', 'is', null)
        .unionAll(
          cte
            .selectFrom('waiting')
            .select((eb) =>
              eb
                .selectFrom('tasks as next')
                .select((inner) => inner.fn.min<string | null>('next.pool').as('pool'))
                .where('next.channel_id', '=', arg('channel_id'))
                .where('next.attempt_id', 'is', null)
                .where('next.ended_at', 'is', null)
                .whereRef('next.pool', '>', 'waiting.pool')
                .as('pool'),
            )
            .where('waiting.pool', 'is not', null),
        ),
    )
    .selectFrom('waiting')
    .select('pool')
    .where('pool', 'is not', null),
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

const pacesOf = statement<{ channel_id: string }>()((db, arg) =>
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
  return found.map((row) => row.account_id as string);
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
  return (yield* rows(pools, { channel_id: channelId })).map((row) => row.pool as string);
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
