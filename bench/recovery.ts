/**
 * Recovery: the node that polls is killed (SIGKILL), one of three on one PostgreSQL; how long until another polls its
 * tasks. The nodes, and the wires that see their polls, are those of the cluster's chaos proof.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '../chaos/callers.ts';
import { ClusterWorld } from '../chaos/cluster-world.ts';
import { startPostgres } from '../test/helpers/postgres.ts';
import { figureLine, type Report } from './report.ts';
import { spreadOf } from './rounds.ts';

const AIM_MS = 13_000;
const NODES = 3;
/** A poll that has not come by then will not come. */
const PATIENCE_MS = 4 * AIM_MS;

export async function recovery(
  _scratch: string,
  { kills, tasks }: { kills: number; tasks: number },
): Promise<Report> {
  const postgres = await startPostgres();
  try {
    const waits = await measure(postgres.url, kills, tasks);
    const most = Math.max(...waits);
    return {
      title: `Recovery: the polling one of ${NODES} nodes is killed, until its tasks are polled again`,
      lines: [
        figureLine(
          `${kills} kills`,
          spreadOf(waits),
          0,
          `ms; aim ${AIM_MS} ms: ${most <= AIM_MS ? 'met' : 'missed'}`,
        ),
      ],
      ratios: [],
    };
  } finally {
    await postgres.stop();
  }
}

async function measure(databaseUrl: string, kills: number, tasks: number): Promise<number[]> {
  await using world = await ClusterWorld.open(NODES, { databaseUrl, speed: 1 });
  await world.useOnly('kling');
  const account = await world.openAccount('100000');
  // They never end: there is always something to poll.
  for (let number = 0; number < tasks; number++) await create(world, account, number, '[[expire]]');
  const waits: number[] = [];
  while (waits.length < kills) {
    while (world.book.holder() === null) await sleep(50);
    const name = world.book.holder();
    const victim = world.nodes.find((node) => node.name === name);
    // It has been replaced, and the one that came after it has not polled yet.
    if (victim === undefined) {
      await sleep(50);
      continue;
    }
    const polledNext = world.book.nextByOther(victim.name);
    const startedAt = performance.now();
    await world.kill(victim);
    const at = await Promise.race([polledNext, sleep(PATIENCE_MS, Infinity, { ref: false })]);
    waits.push(at - startedAt);
    await world.addNode();
    await world.noticed();
  }
  return waits;
}
