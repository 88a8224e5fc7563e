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
import { ratioOf, takeTurns, type Pace } from './rounds.ts';

const CONNECTIONS = 32;
const AIM = 0.15;
const AIM_OVER_ONE_COMMIT = 2;

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

  const turn = (server: RunningServer, create: LoadRequest) => (durationMs: number) =>
    turnOf(server, create, { connections: CONNECTIONS, durationMs });
  const turns = await takeTurns(
    [
      { name: 'constant', turn: turn(constant, { ...grouped.create, url: constant.url }) },
      { name: 'grouped', turn: turn(grouped, grouped.create) },
      { name: 'single', turn: turn(single, single.create) },
    ],
    pace,
  );

  for (const gateway of [grouped, single]) {
    assert.equal((await gateway.channel()).running, 1, 'nothing is submitted while the lane is at its cap');
    await gateway.verifyLedger();
  }

  const of = (name: string) => turns.get(name)!;
  return {
    title: `Intake: tasks accepted per second, lane at its cap, ${CONNECTIONS} connections`,
    lines: [
      rateLine('constant server', of('constant')),
      rateLine('gateway', of('grouped')),
      rateLine('one commit per request', of('single')),
      figureLine('write + fdatasync, 4 KiB', disk, 3, 'ms'),
    ],
    ratios: [
      ratioOf({
        of: 'gateway ÷ constant server',
        subject: of('grouped'),
        reference: of('constant'),
        aim: AIM,
        busy: true,
      }),
      // Its limit is the disk.
      ratioOf({
        of: 'gateway ÷ one commit per request',
        subject: of('grouped'),
        reference: of('single'),
        aim: AIM_OVER_ONE_COMMIT,
        busy: false,
      }),
    ],
  };
}

/** The only place is taken by a first task, which never ends. */
export async function fillLane(gateway: LoadedGateway): Promise<void> {
  while ((await gateway.channel()).running === 0) {
    await load(gateway.create, { connections: 1, durationMs: 50 });
  }
}
