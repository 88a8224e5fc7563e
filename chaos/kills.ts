/**
 * Proof 1: many tasks in flight, the gateway killed again and again, and nothing lost, doubled or stuck; nor is anybody
 * left untold. Then the same with features that are answered within their request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultStep } from '../src/flows/context.ts';
import { audit } from './books.ts';
import { CallbackReceiver } from './callback-receiver.ts';
import { create, Crowd, findFaces, idOf } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

/** Every step on the way of a task from its create to its end, and to whoever is told of it. */
export const ALL_STEPS: FaultStep[] = [
  'submit:before-accept',
  'submit:after-accept',
  'attempt:before-upstream',
  'attempt:after-upstream',
  'attempt:after-record',
  'advance:after-start',
  'advance:before-made',
  'advance:after-made',
  'persist:before-download',
  'persist:after-download',
  'persist:before-finish',
  'persist:after-finish',
  'deliver:before-post',
  'deliver:after-post',
];
/** The steps of a feature that is answered within its request. */
export const IMMEDIATE_STEPS: FaultStep[] = [
  'submit:before-accept',
  'submit:after-accept',
  'attempt:before-upstream',
  'attempt:after-upstream',
  'persist:before-download',
  'persist:after-download',
  'persist:before-finish',
  'persist:after-finish',
  'attempt:after-record',
];
/** Every so manieth caller wants to be called back. */
const CALLBACK_EVERY = 3;
/** A random kill comes at most so long after the start. */
const LIFE_MS_MAX = 1_500;
/** With so many tasks in flight every step is passed within moments. */
const STEP_TIMEOUT_MS = 60_000;
/** Retries of what was not told come later and later. */
const PATIENCE_MS = 120_000;

export interface KillOptions {
  inFlight: number;
  randomKills: number;
  steps: FaultStep[];
  speed: number;
}

export async function kills({ inFlight, randomKills, steps, speed }: KillOptions): Promise<Report> {
  const report = new Report(
    `1. ${inFlight.toLocaleString('en')} tasks in flight, the gateway killed (SIGKILL)`,
  );
  // A second submit with a known handle is accepted: the upstream hides no mistake of ours.
  await using world = await World.open({
    speed,
    behaviour: { duplicates: 'accept' },
    env: { REELAY_ALLOW_PRIVATE: '127.0.0.1' },
  });
  await using receiver = new CallbackReceiver();
  await receiver.listen();
  const account = await world.openAccount('1000000');
  const calledBack = new Set<string>();
  const crowd = new Crowd({
    world,
    connections: 16,
    async send(number) {
      if (number % CALLBACK_EVERY !== 0) return create(world, account, number, promptOf(number));
      // Only Kling's door has callbacks, and a number's door follows from the number.
      const answer = await create(world, account, number * 3 + 1, promptOf(number), {
        external_task_id: `chaos-called-back-${number}`,
        callback_url: receiver.url,
      });
      if (answer.status < 300) calledBack.add(idOf(answer));
      return answer;
    },
  });
  crowd.keep(inFlight);
  while (crowd.open < inFlight) await sleep(50);

  const inFlightAtKill: number[] = [];
  const beforeKill = (): void => void inFlightAtKill.push(crowd.open);
  await killAtRandom(world, report, randomKills, beforeKill);
  await killAtSteps(world, report, steps, beforeKill);
  await crowd.leave();

  const sorted = inFlightAtKill.toSorted((a, b) => a - b);
  report.figure(
    'tasks in flight at a kill, median (least–most)',
    `${sorted[sorted.length >> 1]} (${sorted[0]}–${sorted.at(-1)})`,
  );
  report.figure('creates cut off without an answer', crowd.unanswered);
  report.demand('no create was refused', crowd.refused.size === 0, [...crowd.refused]);
  await audit(world, report, {
    account,
    told: crowd.told,
    mustComplete: (task) => !task.prompt.startsWith('[[fail]]'),
  });
  const until = performance.now() + PATIENCE_MS;
  while ([...calledBack].some((id) => !receiver.ended().has(id)) && performance.now() < until)
    await sleep(250);
  receiver.audit(report, calledBack);
  return report;
}

export interface ImmediateKillOptions {
  /** Callers that ask without pause. */
  callers: number;
  randomKills: number;
  steps: FaultStep[];
}

/** What is answered within its request: whoever was cut off is not charged, whoever was answered is, once. */
export async function immediateKills(options: ImmediateKillOptions): Promise<Report> {
  const { callers, randomKills, steps } = options;
  const report = new Report(
    `1b. ${callers} callers of features answered at once, the gateway killed (SIGKILL)`,
  );
  await using world = await World.open({ speed: 50, behaviour: { duplicates: 'accept' } });
  await world.useOnly('kling');
  const account = await world.openAccount('1000000');
  const crowd = new Crowd({
    world,
    connections: callers,
    send: (number) => findFaces(world, account, number),
  });
  // Each is over when it is answered: there are never too many.
  crowd.keep(Infinity);
  await killAtRandom(world, report, randomKills, () => {});
  await killAtSteps(world, report, steps, () => {});
  await sleep(LIFE_MS_MAX);
  await crowd.leave();
  report.figure('requests answered', crowd.told.size);
  report.figure('requests cut off without an answer', crowd.unanswered);
  report.demand('requests were answered, and cut off', crowd.told.size > 0 && crowd.unanswered > 0);
  const tasks = await audit(world, report, {
    account,
    told: crowd.told,
    // Whoever was answered has what was made; whoever was cut off may ask again, and pays nothing.
    mustComplete: ({ id }) => crowd.told.has(id),
    isAnsweredAtOnce: true,
    // A job takes up what a request has left behind after a minute.
    patienceMs: 90_000,
  });
  const lost = tasks.filter(({ state }) => state === 'failed').length;
  report.figure('of those cut off, given up without a charge', lost);
  return report;
}

async function killAtRandom(
  world: World,
  report: Report,
  kills: number,
  beforeKill: () => void,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await sleep(Math.random() * LIFE_MS_MAX);
    beforeKill();
    await world.gateway.kill();
    await world.startGateway();
  }
  report.figure('kills at random moments', kills);
}

async function killAtSteps(
  world: World,
  report: Report,
  steps: FaultStep[],
  beforeKill: () => void,
): Promise<void> {
  const died: FaultStep[] = [];
  for (const step of steps) {
    await world.gateway.kill();
    const isReady = await world.startGateway(step);
    // It may have passed the step before it was ready to be called.
    const how = isReady
      ? await Promise.race([world.gateway.ended, sleep(STEP_TIMEOUT_MS, null, { ref: false })])
      : 'SIGKILL';
    if (how === 'SIGKILL') died.push(step);
    beforeKill();
    await world.gateway.kill();
    await world.startGateway();
  }
  report.figure('kills at named steps', `${died.length} of ${steps.length}`);
  report.demand('the gateway died at every named step', died.length === steps.length, died);
}

/** Most are made, some fail, and they take their time differently. */
function promptOf(number: number): string {
  if (number % 10 === 9) return `[[fail]] film ${number}`;
  return number % 3 === 0 ? `[[slow:${number % 30}]] film ${number}` : `film ${number}`;
}
