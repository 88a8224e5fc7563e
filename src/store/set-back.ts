/** What was appointed by a clock that has been put back since would come too late by as much: it is brought forward. */
import { change, statement, type Procedure } from './statement.ts';

interface By {
  by_ms: number;
}

const jobs = statement<By>()((db, arg) =>
  db
    .updateTable('jobs')
    .set((eb) => ({ run_at: eb('run_at', '-', arg('by_ms')) }))
    .where('buried_at', 'is', null),
);

const deliveries = statement<By>()((db, arg) =>
  db
    .updateTable('webhook_deliveries')
    .set((eb) => ({ next_at: eb('next_at', '-', arg('by_ms')) }))
    .where('settled_at', 'is', null),
);

const submits = statement<By>()((db, arg) =>
  db
    .updateTable('attempts')
    .set((eb) => ({ submit_deadline_at: eb('submit_deadline_at', '-', arg('by_ms')) }))
    .where('ended_at', 'is', null),
);

/** For an engine that one process owns, before it begins to work. */
export function* bringForward(byMs: number): Procedure<void> {
  for (const one of [jobs, deliveries, submits]) yield* change(one, { by_ms: byMs });
}
