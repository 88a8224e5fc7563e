/**
 * Rows behind the Jobs port on the embedded engine. A claim moves `run_at` to the end of the lease: a worker that
 * dies says nothing, and its job is due again by itself.
 */
import type { JobRow, Json } from '../core/ports.ts';
import { parseJson, writeJson } from '../lib/json.ts';
import type { JobsTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure, type Tx } from './statement.ts';

const insert = statement<Pick<JobsTable, 'id' | 'queue' | 'data' | 'run_at' | 'created_at'>>()((db, arg) =>
  db.insertInto('jobs').values({
    id: arg('id'),
    queue: arg('queue'),
    data: arg('data'),
    attempts: 0,
    leased: 0,
    run_at: arg('run_at'),
    error: null,
    buried_at: null,
    created_at: arg('created_at'),
  }),
);

const claim = statement<{ queue: string; at: number; lease_until: number; limit: number }>()((db, arg) =>
  db
    .updateTable('jobs')
    .set((eb) => ({ run_at: arg('lease_until'), leased: 1, attempts: eb('attempts', '+', 1) }))
    .where((eb) =>
      eb(
        'id',
        'in',
        eb
          .selectFrom('jobs')
          .select('id')
          .where('queue', '=', arg('queue'))
          .where('run_at', '<=', arg('at'))
          .where('buried_at', 'is', null)
          .orderBy('run_at')
          .limit(arg('limit')),
      ),
    )
    .returning(['id', 'queue', 'data', 'attempts']),
);

const remove = statement<{ id: string }>()((db, arg) => db.deleteFrom('jobs').where('id', '=', arg('id')));

const postpone = statement<{ id: string; run_at: number; error: string }>()((db, arg) =>
  db
    .updateTable('jobs')
    .set({ run_at: arg('run_at'), leased: 0, error: arg('error') })
    .where('id', '=', arg('id'))
    .where('buried_at', 'is', null)
    .returning('queue'),
);

const bury = statement<{ id: string; error: string }>()((db, arg) =>
  db
    .updateTable('jobs')
    // The end of its last lease: close enough to when it was given up, and no clock is needed here.
    .set((eb) => ({ buried_at: eb.ref('run_at'), leased: 0, error: arg('error') }))
    .where('id', '=', arg('id'))
    .where('buried_at', 'is', null),
);

const advance = statement<{ queue: string; by_ms: number }>()((db, arg) =>
  db
    .updateTable('jobs')
    .set((eb) => ({ run_at: eb('run_at', '-', arg('by_ms')) }))
    .where('queue', '=', arg('queue'))
    .where('buried_at', 'is', null),
);

const openNumbers = statement()((db) =>
  db
    .selectFrom('jobs')
    .select(['queue', 'leased', (eb) => eb.fn.countAll<number>().as('number')])
    .where('buried_at', 'is', null)
    .groupBy(['queue', 'leased']),
);

const buriedNumbers = statement()((db) =>
  db
    .selectFrom('jobs')
    .select(['queue', (eb) => eb.fn.countAll<number>().as('number')])
    .where('buried_at', 'is not', null)
    .groupBy('queue'),
);

const endLeases = statement<{ at: number }>()((db, arg) =>
  db
    .updateTable('jobs')
    .set({ run_at: arg('at'), leased: 0 })
    .where('leased', '=', 1)
    .where('buried_at', 'is', null),
);

const next = statement<{ queue: string }>()((db, arg) =>
  db
    .selectFrom('jobs')
    .select('run_at')
    .where('queue', '=', arg('queue'))
    .where('buried_at', 'is', null)
    .orderBy('run_at')
    .limit(1),
);

/** Due at `runAt`, made `at` (both Unix ms). */
export interface NewJob {
  queue: string;
  data: Json;
  runAt: number;
  at: number;
}

/** Adds a job in the transaction of the change that needs it. */
export function* enqueue(tx: Tx, job: NewJob): Procedure<string> {
  if (tx.enqueue) return tx.enqueue(job);
  const id = tx.newId('job_', job.at);
  yield* change(insert, {
    id,
    queue: job.queue,
    data: writeJson(job.data),
    run_at: job.runAt,
    created_at: job.at,
  });
  tx.notify(`jobs:${job.queue}`);
  return id;
}

export const enqueueJob: Mutation<NewJob, string> = enqueue;

export const claimJobs: Mutation<{ queue: string; limit: number; leaseUntil: number; at: number }, JobRow[]> =
  function* (_tx, { queue, limit, leaseUntil, at }) {
    const claimed = yield* rows(claim, { queue, at, lease_until: leaseUntil, limit });
    return claimed.map((row) => ({ ...row, data: parseJson(row.data) }));
  };

export const completeJob: Mutation<{ id: string }, void> = function* (_tx, { id }) {
  yield* change(remove, { id });
};

export const failJob: Mutation<{ id: string; runAt: number | null; error: string }, void> = function* (
  tx,
  { id, runAt, error },
) {
  if (runAt === null) {
    yield* change(bury, { id, error });
    return;
  }
  const row = yield* first(postpone, { id, run_at: runAt, error });
  if (row) tx.notify(`jobs:${row.queue}`);
};

/** Times were set by a clock that has been put back since. */
export const bringJobsForward: Mutation<{ queue: string; byMs: number }, void> = function* (
  _tx,
  { queue, byMs },
) {
  yield* change(advance, { queue, by_ms: byMs });
};

/** How many wait, are worked on and were given up, by queue. */
export function* jobCounts(): Procedure<{ queue: string; state: string; count: number }[]> {
  const open = yield* rows(openNumbers, {});
  const buried = yield* rows(buriedNumbers, {});
  return [
    ...open.map((row) => ({
      queue: row.queue,
      state: row.leased === 1 ? 'active' : 'waiting',
      count: row.number,
    })),
    ...buried.map((row) => ({ queue: row.queue, state: 'buried', count: row.number })),
  ];
}

/** For an engine that one process owns: when it opens, whoever held a lease is dead. */
export function* releaseLeases(at: number): Procedure<void> {
  yield* change(endLeases, { at });
}

export function* nextRunAt(queue: string): Procedure<number | null> {
  return (yield* first(next, { queue }))?.run_at ?? null;
}
