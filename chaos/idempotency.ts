/** Proof 2, keys: every Idempotency-Key repeated many times at once, with a crash in the middle. One effect each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './books.ts';
import { call, type Answer } from '../test/helpers/processes.ts';
import { idOf } from './callers.ts';
import { Report } from './report.ts';
import { World, type Account } from './world.ts';

/** Keys that are under way at once: each brings all its repeats. */
const KEYS_AT_ONCE = 8;

export async function idempotency(options: { keys: number; repeats: number }): Promise<Report> {
  const { keys, repeats } = options;
  const report = new Report(
    `2b. ${keys.toLocaleString('en')} idempotency keys × ${repeats} repeats at once, and a crash in the middle`,
  );
  await using world = await World.open({ speed: 50, behaviour: { duplicates: 'accept' } });
  const account = await world.openAccount('1000000');
  const first = await send(world, account, 'probe');

  const ids = new Map<string, Set<string>>([['probe', new Set([idOf(first)])]]);
  const statuses = new Map<string, number>();
  let next = 0;
  let repeatsCut = 0;
  const worker = async (): Promise<void> => {
    for (let key = next++; key < keys; key = next++) {
      const name = `key-${key}`;
      const seen = new Set<string>();
      ids.set(name, seen);
      const take = (answer: Answer): boolean => {
        const word = answer.status < 300 ? '2xx' : `${answer.status} ${answer.body.error?.code}`;
        statuses.set(word, (statuses.get(word) ?? 0) + 1);
        if (answer.status < 300) seen.add(idOf(answer));
        return answer.status < 300;
      };
      await Promise.all(
        Array.from({ length: repeats }, () => send(world, account, name).then(take, () => void repeatsCut++)),
      );
      // As a caller does who was cut off, or told that the first is still under way.
      for (let isDone = false; !isDone;) {
        isDone = await send(world, account, name).then(take, () => false);
        if (!isDone) await sleep(50);
      }
    }
  };
  const crash = async (): Promise<void> => {
    while (next < keys / 2) await sleep(5);
    await world.gateway.kill();
    await world.startGateway();
  };
  await Promise.all([crash(), ...Array.from({ length: KEYS_AT_ONCE }, worker)]);

  for (const [word, count] of statuses) report.figure(`answers ${word}`, count);
  report.figure('repeats cut off by the crash', repeatsCut);
  report.demand('the crash met requests under way', repeatsCut > 0);
  const unexpected = [...statuses.keys()].filter((word) => word !== '2xx' && !word.startsWith('409 '));
  report.demand(
    'each repeat is answered with the first answer, or 409 while that is under way',
    unexpected.length === 0,
    unexpected,
  );
  const several = [...ids].filter(([, of]) => of.size !== 1);
  report.demand(
    'every repeat of a key names the same task',
    several.length === 0,
    several.slice(0, 5).map(([key, of]) => [key, ...of]),
  );
  const told = [...ids.values()].flatMap((of) => [...of]);
  const tasks = await audit(world, report, { account, told, mustComplete: () => true });
  const prompts = new Set(tasks.map(({ prompt }) => prompt));
  report.demand('one task per key', prompts.size === tasks.length && tasks.length === ids.size, {
    tasks: tasks.length,
    keys: ids.size,
  });
  return report;
}

/** No external task id: only the key tells that it is the same request. */
function send(world: World, account: Account, key: string): Promise<Answer> {
  return call(`${world.url}/v1/videos`, {
    key: account.key,
    json: { model: 'kling-v1-6', prompt: key },
    headers: { 'idempotency-key': key },
  });
}
