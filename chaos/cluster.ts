/**
 * Issue 5's proof: several nodes on one PostgreSQL behind a dumb round-robin; nodes are killed (SIGKILL) and added while
 * tasks are made. And limits that several nodes count together.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { ClusterNode } from '../test/helpers/cluster.ts';
import { audit } from './books.ts';
import { create, Crowd } from './callers.ts';
import { ClusterWorld } from './cluster-world.ts';
import { demandClearRefusals } from './refusals.ts';
import { Report } from './report.ts';

/** A node must be missed, its lane taken over, and its tasks polled, within this time. */
const RECOVERY_MS_MAX = 13_000;
const NODES = 3;

export interface ClusterProofOptions {
  databaseUrl: string;
  tasks: number;
  inFlight: number;
  /** Nodes killed; every other time it is the one that polls. */
  kills: number;
  speed: number;
}

export async function cluster(options: ClusterProofOptions): Promise<Report> {
  const { databaseUrl, inFlight, kills, speed } = options;
  const report = new Report(
    `7. ${NODES} nodes on one PostgreSQL, ${options.tasks.toLocaleString('en')} tasks, nodes killed (SIGKILL) and added`,
  );
  await using world = await ClusterWorld.open(NODES, { databaseUrl, speed });
  await world.useOnly('kling');
  const account = await world.openAccount('1000000');
  const crowd = new Crowd({
    world,
    connections: 32,
    send: (number) => create(world, account, number, promptOf(number)),
  });
  crowd.keep(inFlight);
  await until(() => crowd.open >= inFlight || crowd.told.size >= options.tasks);

  const recoveries: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await until(() => crowd.open > 0 && world.book.holder() !== null);
    const isHolder = kill % 2 === 0;
    const victim = isHolder ? holderOf(world) : other(world, world.book.holder(), kill);
    const pollsNext = world.book.nextByOther(victim.name);
    const startedAt = performance.now();
    await world.kill(victim);
    if (isHolder) {
      const at = await Promise.race([pollsNext, sleep(4 * RECOVERY_MS_MAX, Infinity, { ref: false })]);
      recoveries.push(Math.round(at - startedAt));
    }
    await world.addNode();
    // Once more than are killed: the cluster grows, too.
    if (kill === Math.floor(kills / 2)) await world.addNode();
    await sleep(Math.random() * 3_000);
  }
  await until(() => crowd.told.size >= options.tasks);
  await crowd.leave();
  await world.noticed();

  const { book, balancer } = world;
  report.figure('nodes killed, and added', `${kills}, ${kills + (kills > 0 ? 1 : 0)}`);
  report.figure(
    'requests by node, polls of the callers included',
    [...balancer.served.values()].map((count) => count.toLocaleString('en')).join(', '),
  );
  report.figure('creates cut off without an answer', crowd.unanswered);
  report.figure('tasks in flight, at most kept', inFlight);
  report.figure('creates told to come again (503)', crowd.refused.get(503) ?? 0);
  demandClearRefusals(
    report,
    crowd.refusals.map((answer, number) => ({ number, answer })),
  );
  const sorted = recoveries.toSorted((a, b) => a - b);
  report.figure(
    'kill of the polling node until its tasks are polled again, median (most)',
    `${sorted[sorted.length >> 1]} ms (${sorted.at(-1)} ms)`,
  );
  report.demand(
    `its tasks are polled again within ${RECOVERY_MS_MAX / 1000} s`,
    sorted.length > 0 && sorted.at(-1)! <= RECOVERY_MS_MAX,
    sorted,
  );
  const tasks = await audit(world, report, {
    account,
    told: crowd.told,
    mustComplete: (task) => !task.prompt.startsWith('[[fail]]'),
  });
  report.demand(
    'a create that was refused has left nothing behind',
    tasks.length <= crowd.told.size + crowd.unanswered,
    { tasks: tasks.length, told: crowd.told.size, unanswered: crowd.unanswered },
  );
  report.figure('polls', book.polls);
  report.demand('0 polled by two nodes at once', book.overlaps.length === 0, book.overlaps.slice(0, 5));
  report.demand(
    'a lane that has moved does not move back while its holder lives',
    book.returns.length === 0,
    book.returns.slice(0, 5),
  );
  return report;
}

export interface LimitsProofOptions {
  databaseUrl: string;
  /** Counted there instead of in PostgreSQL. */
  redisUrl: string | null;
  perMinute: number;
}

/** Many more requests than are allowed, as fast as they go, at every node. */
export async function clusterLimits(options: LimitsProofOptions): Promise<Report> {
  const { databaseUrl, redisUrl, perMinute } = options;
  const report = new Report(
    `7b. A limit of ${perMinute} requests a minute, counted in ${redisUrl === null ? 'PostgreSQL' : 'Redis'}`,
  );
  await using world = await ClusterWorld.open(NODES, {
    databaseUrl,
    speed: 1,
    ...(redisUrl !== null && { env: { REDIS_URL: redisUrl } }),
  });
  const { key } = await world.openAccount('1', { requests_per_minute: perMinute });
  const statuses = new Map<number, number>();
  let left = perMinute * 4;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body } = await request(`${world.url}/v1/models`, {
        headers: { authorization: `Bearer ${key}` },
      });
      await body.dump();
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 24 }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  const passed = statuses.get(200) ?? 0;
  report.figure('requests', perMinute * 4);
  report.figure('in so many seconds', seconds.toFixed(1));
  for (const [status, count] of statuses) report.figure(`answers ${status}`, count);
  report.demand('they were sent within the minute', seconds < 55, seconds);
  report.demand(
    'nothing but 200 and 429',
    [...statuses.keys()].every((status) => status === 200 || status === 429),
  );
  report.demand(
    'as many passed as may, and at most 5 % more',
    passed >= perMinute && passed <= perMinute * 1.05,
    passed,
  );
  return report;
}

function holderOf(world: ClusterWorld): ClusterNode {
  const name = world.book.holder();
  return world.nodes.find((node) => node.name === name) ?? world.nodes[0]!;
}

function other(world: ClusterWorld, holder: string | null, kill: number): ClusterNode {
  const others = world.nodes.filter(({ name }) => name !== holder);
  return others[kill % others.length]!;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(50);
}

/** Most are made, some fail, and they take their time differently. */
function promptOf(number: number): string {
  if (number % 10 === 9) return `[[fail]] film ${number}`;
  return number % 3 === 0 ? `[[slow:${number % 30}]] film ${number}` : `film ${number}`;
}
