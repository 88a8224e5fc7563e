/**
 * Proof 6, disk full: the system refuses to let the gateway's files grow (RLIMIT_FSIZE, changed from outside while it
 * runs), then gives way again.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../test/helpers/processes.ts';
import { audit } from './books.ts';
import { create, idOf } from './callers.ts';
import { demandClearRefusals, type Named } from './refusals.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

/** What the largest file may still grow by. */
const ROOM_BYTES = 256 * 1024;

export async function diskFull(options: { before: number; during: number; fullMs: number }): Promise<Report> {
  const report = new Report('6a. The disk is full, and then it is not');
  if (!hasPrlimit()) {
    report.notRun('it needs `prlimit` (util-linux)');
    return report;
  }
  const speed = 10;
  await using world = await World.open({ speed, behaviour: { duplicates: 'accept' } });
  const account = await world.openAccount('100000');
  const answers: Named[] = [];
  let number = 0;
  const send = async (count: number, prompt: string): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const mine = number++;
        answers.push({ number: mine, answer: await create(world, account, mine, prompt) });
      }),
    );
  };

  // They end while nothing can be written.
  await send(options.before, `[[slow:${Math.round((options.fullMs / 2000) * speed)}]] before`);
  limit(world, String(largestFileBytes(world.dataDirectory) + ROOM_BYTES));
  const until = performance.now() + options.fullMs;
  for (let left = options.during; left > 0; left -= 10) await send(Math.min(10, left), 'during');
  const refused = answers.filter(({ answer }) => answer.status >= 300);
  report.figure('creates before and while it is full', answers.length);
  report.figure('of them refused', refused.length);
  report.demand('a full disk is felt', refused.length > 0);
  demandClearRefusals(report, refused);
  const known = idOf(answers[0]!.answer);
  const read = await call(`${world.url}/v1/videos/${known}`, { key: account.key });
  report.demand('reading goes on', read.status === 200, read.text);
  await sleep(Math.max(0, until - performance.now()));

  limit(world, 'unlimited');
  const freedAt = performance.now();
  for (;;) {
    const mine = number++;
    const answer = await create(world, account, mine, 'after');
    answers.push({ number: mine, answer });
    if (answer.status < 300 || performance.now() - freedAt > 30_000) break;
    await sleep(100);
  }
  const accepted = answers.filter(({ answer }) => answer.status < 300);
  report.demand('the same process takes creates again by itself', accepted.at(-1) === answers.at(-1));
  report.figure('until it does', `${Math.round(performance.now() - freedAt)} ms`);
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

function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The soft limit only, so that it can be lifted again without privileges. */
function limit(world: World, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(world.gateway.child.pid), `--fsize=${bytes}:unlimited`]);
}

function largestFileBytes(directory: string): number {
  const sizes = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(directory, entry.name)).size);
  return Math.max(...sizes);
}
