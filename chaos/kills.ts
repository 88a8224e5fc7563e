/** Proof 1: many tasks in flight, the gateway killed again and again, and nothing lost, doubled or stuck. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultStep } from '../src/flows/context.ts';
import { audit } from './books.ts';
import { Crowd } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

/** Every step on the way of a task from its create to its end. */
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
];
/** A random kill comes at most so long after the start. */
const LIFE_MS_MAX = 1_500;
/** With so many tasks in flight every step is passed within moments. */
const STEP_TIMEOUT_MS = 60_000;

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
  await using world = await World.open({ speed, behaviour: { duplicates: 'accept' } });
  const account = await world.openAccount('1000000');
  const crowd = new Crowd({ world, account, promptOf, connections: 16 });
  crowd.keep(inFlight);
  while (crowd.open < inFlight) await sleep(50);

  const inFlightAtKill: number[] = [];
  for (let kill = 0; kill < randomKills; kill++) {
    await sleep(Math.random() * LIFE_MS_MAX);
    inFlightAtKill.push(crowd.open);
    await world.gateway.kill();
    await world.startGateway();
  }
  report.figure('kills at random moments', randomKills);

  const died: FaultStep[] = [];
  for (const step of steps) {
    await world.gateway.kill();
    const isReady = await world.startGateway(step);
    // It may have passed the step before it was ready to be called.
    const how = isReady
      ? await Promise.race([world.gateway.ended, sleep(STEP_TIMEOUT_MS, null, { ref: false })])
      : 'SIGKILL';
    if (how === 'SIGKILL') died.push(step);
    inFlightAtKill.push(crowd.open);
    await world.gateway.kill();
    await world.startGateway();
  }
  report.figure('kills at named steps', `${died.length} of ${steps.length}`);
  report.demand('the gateway died at every named step', died.length === steps.length, died);
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
  return report;
}

/** Most are made, some fail, and they take their time differently. */
function promptOf(number: number): string {
  if (number % 10 === 9) return `[[fail]] film ${number}`;
  return number % 3 === 0 ? `[[slow:${number % 30}]] film ${number}` : `film ${number}`;
}
