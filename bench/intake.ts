/**
 * Intake: tasks accepted while the lane is at its cap. Each is authenticated, validated, priced, held and committed
 * before it is answered; nothing is submitted inside the request.
 */
import assert from 'node:assert/strict';
import { startServer, type RunningServer } from './child.ts';
import { probeDisk } from './disk.ts';
import { startLoadedGateway, turnOf, type LoadedGateway } from './gateway.ts';
import { load, type LoadRequest } from './load.ts';
import { figureLine, rateLine, type Report } from './report.ts';
import { ratioOf, spreadOf, takeTurns, type Pace, type Turn } from './rounds.ts';

/** How many call at once, and what part of the constant server's rate is aimed at. */
const CROWDS = [
  { connections: 32, aim: 0.2 },
  { connections: 256, aim: 0.25 },
];
const AIM_OVER_ONE_COMMIT = 2.5;
/** Of the gateway's processor time per accepted task, all its threads. */
const AIM_CPU_MICROS = 120;

export async function intake(scratch: string, pace: Pace): Promise<Report> {
  const disk = probeDisk(scratch);
  await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
  await using constant = await startServer({ script: 'bench/references/constant.ts' });
  const options = { scratch, upstreamUrl: upstream.url, concurrency: 1 };
  await using grouped = await startLoadedGateway(options);
  await using single = await startLoadedGateway({
    ...options,
    script: 'bench/references/one-commit-gateway.ts',
  });
  for (const gateway of [grouped, single]) await fillLane(gateway);

  const measured: { connections: number; aim: number; turns: Map<string, Turn[]> }[] = [];
  for (const { connections, aim } of CROWDS) {
    const turn = (server: RunningServer, create: LoadRequest) => (durationMs: number) =>
      turnOf(server, create, { connections, durationMs });
    const turns = await takeTurns(
      [
        { name: 'constant', turn: turn(constant, { ...grouped.create, url: constant.url }) },
        { name: 'grouped', turn: turn(grouped, grouped.create) },
        { name: 'single', turn: turn(single, single.create) },
      ],
      pace,
    );
    measured.push({ connections, aim, turns });
  }

  for (const gateway of [grouped, single]) {
    assert.equal((await gateway.channel()).running, 1, 'nothing is submitted while the lane is at its cap');
    await gateway.verifyLedger();
  }

  return {
    title: 'Intake: tasks accepted per second, lane at its cap',
    lines: [
      ...measured.flatMap(({ connections, turns }) => [
        `${connections} connections`,
        rateLine('constant server', turns.get('constant')!),
        rateLine('gateway', turns.get('grouped')!),
        rateLine('one commit per request', turns.get('single')!),
        cpuLine(turns.get('grouped')!),
      ]),
      figureLine('write + fdatasync, 4 KiB', disk, 3, 'ms'),
    ],
    ratios: measured.flatMap(({ connections, aim, turns }) => [
      ratioOf({
        of: `gateway ÷ constant server, ${connections}`,
        subject: turns.get('grouped')!,
        reference: turns.get('constant')!,
        aim,
        busy: true,
      }),
      // Its limit is the disk.
      ratioOf({
        of: `÷ one commit per request, ${connections}`,
        subject: turns.get('grouped')!,
        reference: turns.get('single')!,
        aim: AIM_OVER_ONE_COMMIT,
        busy: false,
      }),
    ]),
  };
}

function cpuLine(turns: Turn[]): string {
  const { median } = spreadOf(turns.map((turn) => turn.cpuMicros));
  const verdict = median <= AIM_CPU_MICROS ? 'met' : 'missed';
  return `${'CPU per accepted task'.padEnd(24)}${median.toFixed(0).padStart(8)} µs, aim ${AIM_CPU_MICROS}: ${verdict}`;
}

/** The only place is taken by a first task, which never ends. */
export async function fillLane(gateway: LoadedGateway): Promise<void> {
  while ((await gateway.channel()).running === 0) {
    await load(gateway.create, { connections: 1, durationMs: 50 });
  }
}
