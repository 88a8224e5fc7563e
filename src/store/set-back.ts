/** What was appointed by a clock that has been put back since would come too late by as much: it is brought forward. */
import { change, statement, type Mutation, type Procedure } from './statement.ts';

interface By {
  by_ms: number;
}

const jobs = statement<By>()((db, arg) =>
  db
    .updateTable('jobs')
    .set((eb) => ({ run_at: eb('run_at', '-', arg('by_ms')) }))
    .where('buried_at', 'is', null),
);

/** Where several nodes send, the others' clocks are right: what one of them notices says nothing of the rows. */
const deliveries = statement<By>()((db, arg, { sharesRows }) =>
  db
    .updateTable('webhook_deliveries')
    .set((eb) => ({ next_at: eb('next_at', '-', arg('by_ms')) }))
    .where('settled_at', 'is', null)
    .$if(sharesRows, (query) => query.where((eb) => eb.lit(false))),
);

const submits = statement<By>()((db, arg) =>
  db
    .updateTable('attempts')
    .set((eb) => ({ submit_deadline_at: eb('submit_deadline_at', '-', arg('by_ms')) }))
    .where('ended_at', 'is', null),
);

const rests = statement<By>()((db, arg) =>
  db
    .updateTable('channel_health')
    .set((eb) => ({ retry_at: eb('retry_at', '-', arg('by_ms')) }))
    .where('retry_at', 'is not', null),
);

/** For an engine that one process owns, before it begins to work. */
export function* bringForward(byMs: number): Procedure<void> {
  for (const one of [jobs, deliveries, submits, rests]) yield* change(one, { by_ms: byMs });
}

/** For the process that sends them, which noticed it itself. */
export const bringDeliveriesForward: Mutation<{ byMs: number }, void> = function* (_tx, { byMs }) {
  yield* change(deliveries, { by_ms: byMs });
};
