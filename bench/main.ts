/**
 * `npm run bench`: all scenarios, or the ones named (`npm run bench -- intake`). References and gateway are measured
 * side by side in the same run. The exit code says whether it ran, not how fast it was.
 */
import { availableParallelism, cpus } from 'node:os';
import { startPostgres, type TestServer } from '../test/helpers/postgres.ts';
import { content } from './content.ts';
import { crowd } from './crowd.ts';
import { fillFinished, type FinishedTasks } from './filled.ts';
import { growth } from './growth.ts';
import { intakePg } from './intake-pg.ts';
import { intake } from './intake.ts';
import { lists } from './lists.ts';
import { query } from './query.ts';
import { recovery } from './recovery.ts';
import { print, type Report } from './report.ts';
import { BUSY_MIN, NOISE_MAX, percent } from './rounds.ts';
import { makeScratch } from './scratch.ts';
import { start } from './start.ts';
import { submit } from './submit.ts';
import { shareRows, type SharedDatabases } from './to-postgres.ts';

const MANY = 1_000_000;
/** Made once for all that need it. */
let manyFinished: Promise<FinishedTasks> | null = null;
const finished = (scratch: string): Promise<FinishedTasks> => (manyFinished ??= fillFinished(scratch, MANY));
let manyShared: Promise<SharedDatabases> | null = null;
let server: TestServer | null = null;
const shared = (scratch: string): Promise<SharedDatabases> => (manyShared ??= share(scratch));

async function share(scratch: string): Promise<SharedDatabases> {
  const { directory } = await finished(scratch);
  server = await startPostgres({ durable: true });
  return shareRows(server.url, directory);
}

const scenarios: Record<string, (scratch: string) => Promise<Report>> = {
  intake: (scratch) => intake(scratch, { rounds: 7, turnMs: 4_000, warmUpMs: 4_000 }),
  'intake-pg': (scratch) => intakePg(scratch, { rounds: 7, turnMs: 4_000, warmUpMs: 6_000 }),
  submit: (scratch) => submit(scratch, { rounds: 5, turnMs: 4_000, warmUpMs: 6_000 }),
  lists: (scratch) => lists({ tasks: MANY, times: 8, filled: finished(scratch), shared: shared(scratch) }),
  growth: (scratch) =>
    growth(scratch, {
      rounds: 5,
      turnMs: 4_000,
      warmUpMs: 6_000,
      tasks: MANY,
      filled: finished(scratch),
      shared: shared(scratch),
    }),
  crowd: (scratch) => crowd(scratch, { tasks: 100_000, settleMs: 45_000, measureMs: 60_000 }),
  content: (scratch) => content(scratch, { rounds: 5, turnMs: 4_000, warmUpMs: 2_000, bytes: 50_000_000 }),
  query: (scratch) => query(scratch, { rounds: 5, turnMs: 3_000, warmUpMs: 3_000 }),
  start: (scratch) => start(scratch, { rounds: 5, idleMs: 4_000 }),
  recovery: (scratch) => recovery(scratch, { kills: 6, tasks: 50 }),
};

const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(scenarios, name));
if (unknown !== undefined) {
  console.error(`There is no scenario '${unknown}'; there are: ${Object.keys(scenarios).join(', ')}.`);
  process.exit(2);
}

console.log(
  `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}`,
);
console.log(
  'Medians of rounds taken in turns, with lowest and highest in brackets. A ratio is taken round by round.',
);
console.log(
  `No verdict is given when the reference swings by more than ${percent(NOISE_MAX)} (highest minus lowest over the ` +
    'median of its rounds, the one furthest from the median left out), or when a reference that its processor alone ' +
    `should limit had less than ${BUSY_MIN} of a core.`,
);
const scratch = makeScratch();
try {
  for (const name of named.length > 0 ? named : Object.keys(scenarios)) {
    print(await scenarios[name]!(scratch));
  }
} finally {
  await (server as TestServer | null)?.stop();
}
