/** Growth: intake with very many tasks in the database beside intake into an empty one, on both engines. */
import { startServer } from './child.ts';
import type { FinishedTasks } from './filled.ts';
import { startLoadedGateway, turnOf, type GatewayOptions, type LoadedGateway } from './gateway.ts';
import { fillLane } from './intake.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace, type Ratio } from './rounds.ts';
import type { SharedDatabases } from './to-postgres.ts';

const CONNECTIONS = 32;
const AIM = 0.6;

export interface GrowthOptions extends Pace {
  tasks: number;
  filled: Promise<FinishedTasks>;
  shared: Promise<SharedDatabases>;
}

export async function growth(
  scratch: string,
  { tasks, filled, shared, ...pace }: GrowthOptions,
): Promise<Report> {
  const { directory, caller } = await filled;
  // Its rows are read from the directory: only then a gateway may have it.
  const { full, empty } = await shared;
  await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
  const options = { scratch, upstreamUrl: upstream.url, concurrency: 1 };
  const embedded = await compare('SQLite', pace, options, { ...options, directory, caller });
  const postgres = await compare(
    'PostgreSQL',
    pace,
    { ...options, env: { DATABASE_URL: empty } },
    // The key to what is sealed in its rows lies in the directory.
    { ...options, directory, caller, env: { DATABASE_URL: full } },
  );
  return {
    title: `Growth: intake with ${tasks.toLocaleString('en')} finished tasks present, ${CONNECTIONS} connections`,
    lines: [...embedded.lines, ...postgres.lines],
    ratios: [embedded.ratio, postgres.ratio],
  };
}

async function compare(
  engine: string,
  pace: Pace,
  emptyOptions: GatewayOptions,
  fullOptions: GatewayOptions,
): Promise<{ lines: string[]; ratio: Ratio }> {
  await using empty = await startLoadedGateway(emptyOptions);
  await using full = await startLoadedGateway(fullOptions);
  for (const gateway of [empty, full]) await fillLane(gateway);
  const turn = (gateway: LoadedGateway) => (durationMs: number) =>
    turnOf(gateway, gateway.create, { connections: CONNECTIONS, durationMs });
  const turns = await takeTurns(
    [
      { name: 'empty', turn: turn(empty) },
      { name: 'full', turn: turn(full) },
    ],
    pace,
  );
  const reference = turns.get('empty')!;
  const subject = turns.get('full')!;
  return {
    lines: [rateLine(`${engine}, empty at first`, reference), rateLine(`${engine}, full`, subject)],
    // Both write to the same disk, which limits them as much as the processor does.
    ratio: ratioOf({ of: `full ÷ empty, ${engine}`, subject, reference, aim: AIM, busy: false }),
  };
}
