/** Proof 6, database locked: another program (this one) holds the write lock longer than the gateway waits for it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../test/helpers/processes.ts';
import { audit } from './books.ts';
import { create, idOf } from './callers.ts';
import { demandClearRefusals, type Named } from './refusals.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

export async function locked(options: { creates: number; lockedMs: number }): Promise<Report> {
  const report = new Report('6b. Another program has locked the database');
  const speed = 10;
  await using world = await World.open({ speed, behaviour: { duplicates: 'accept' } });
  const account = await world.openAccount('100000');
  const answers: Named[] = [];
  const send = async (number: number, prompt: string): Promise<void> => {
    answers.push({ number, answer: await create(world, account, number, prompt) });
  };
  const { creates, lockedMs } = options;
  const numbers = Array.from({ length: creates }, (_, number) => number);
  await Promise.all(
    numbers.map((number) => send(number, `[[slow:${Math.round((lockedMs / 2000) * speed)}]] before`)),
  );

  // The gateway may be writing at this very moment: its turn is waited for.
  const lock = new DatabaseSync(join(world.dataDirectory, 'reelay.sqlite'), { timeout: 30_000 });
  lock.exec('begin immediate');
  const during = Promise.all(numbers.map((number) => send(creates + number, 'during')));
  await sleep(lockedMs / 2);
  const known = idOf(answers[0]!.answer);
  const read = await call(`${world.url}/v1/videos/${known}`, { key: account.key });
  await sleep(lockedMs / 2);
  lock.exec('rollback');
  lock.close();
  const freedAt = performance.now();
  await during;
  await send(2 * creates, 'after');

  const accepted = answers.filter(({ answer }) => answer.status < 300);
  const refused = answers.filter(({ answer }) => answer.status >= 300);
  report.figure('locked for', `${lockedMs} ms`);
  report.figure('creates', answers.length);
  report.figure('of them refused', refused.length);
  report.demand('the lock is felt', refused.length > 0);
  demandClearRefusals(report, refused);
  report.demand('reading goes on', read.status === 200, read.text);
  report.demand(
    'creates are taken again by themselves',
    accepted.at(-1) === answers.at(-1),
    answers.at(-1)?.answer.text,
  );
  report.figure('until one is', `${Math.round(performance.now() - freedAt)} ms`);
  const tasks = await audit(world, report, {
    account,
    told: accepted.map(({ answer }) => idOf(answer)),
    mustComplete: () => true,
  });
  report.demand('a create that was refused has left nothing behind', tasks.length === accepted.length, {
    tasks: tasks.length,
    accepted: accepted.length,
  });
  return report;
}
