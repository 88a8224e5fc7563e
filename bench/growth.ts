/** Growth: intake with very many tasks in the database beside intake into an empty one. */
import { startServer } from './child.ts';
import { fillFinished, type Filled } from './filled.ts';
import { startLoadedGateway, turnOf, type LoadedGateway } from './gateway.ts';
import { fillLane } from './intake.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace } from './rounds.ts';

const CONNECTIONS = 32;
const AIM = 0.6;

export async function growth(
  scratch: string,
  { tasks, filled, ...pace }: Pace & { tasks: number; filled?: Promise<Filled> },
): Promise<Report> {
  const { directory, caller } = await (filled ?? fillFinished(scratch, tasks));
  await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
  const options = { scratch, upstreamUrl: upstream.url, concurrency: 1 };
  await using empty = await startLoadedGateway(options);
  await using full = await startLoadedGateway({ ...options, directory, caller });
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
    title: `Growth: intake with ${tasks.toLocaleString('en')} finished tasks present, ${CONNECTIONS} connections`,
    lines: [rateLine('empty at first', reference), rateLine('full', subject)],
    // Both write to the same disk, which limits them as much as the processor does.
    ratios: [ratioOf({ of: 'full ÷ empty', subject, reference, aim: AIM, busy: false })],
  };
}
