/**
 * Proof 6, clock: the gateway's clock is wrong by an hour for a while, ahead or behind, and is then put right. Its
 * upstream has the right time all along, and refuses signatures made at the wrong one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './books.ts';
import { create, idOf } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

const SPEED = 10;

export interface JumpOptions {
  tasks: number;
  /** How long the clock is wrong. */
  wrongMs: number;
}

/** Right, then an hour ahead, then right again: the jump that is undone goes backwards. */
export async function clockJump({ tasks, wrongMs }: JumpOptions): Promise<Report> {
  const report = new Report('6c. The clock jumps by an hour, and back');
  await using world = await World.open({
    speed: SPEED,
    behaviour: { duplicates: 'accept' },
    script: 'chaos/jumping-gateway.ts',
  });
  await world.useOnly('kling');
  const account = await world.openAccount('100000');
  const told: string[] = [];
  const refusals: string[] = [];
  let number = 0;
  const send = async (): Promise<void> => {
    for (let left = tasks; left > 0; left--) {
      const slowness = Math.round((left / tasks) * ((2 * wrongMs) / 1000) * SPEED);
      const answer = await create(world, account, number++, `[[slow:${slowness}]] film`);
      if (answer.status < 300) told.push(idOf(answer));
      else refusals.push(answer.text);
    }
  };
  for (const [forth, back] of [
    ['SIGUSR2', 'SIGHUP'],
    ['SIGHUP', 'SIGUSR2'],
  ] as const) {
    await send();
    world.gateway.child.kill(forth);
    await send();
    await sleep(wrongMs);
    world.gateway.child.kill(back);
    await send();
    report.figure(forth === 'SIGUSR2' ? 'an hour ahead for' : 'an hour behind for', `${wrongMs} ms`);
  }
  report.demand('creates are taken in whatever the clock says', refusals.length === 0, refusals);
  const startedAt = performance.now();
  await audit(world, report, { account, told, mustComplete: () => true });
  report.figure('until all had ended', `${Math.round(performance.now() - startedAt)} ms`);
  return report;
}
