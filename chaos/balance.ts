/** Proof 2, money: many creates at once on a balance for fewer. */
import { audit, micros } from './books.ts';
import { create, idOf, PRICE } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

export async function balance(options: { creates: number; affordable: number }): Promise<Report> {
  const { creates, affordable } = options;
  const report = new Report(`2a. ${creates} creates at once on a balance for ${affordable}`);
  await using world = await World.open({ speed: 50, behaviour: { duplicates: 'accept' } });
  const credit = micros(PRICE) * BigInt(affordable);
  const account = await world.openAccount(
    `${credit / 1_000_000n}.${String(credit % 1_000_000n).padStart(6, '0')}`,
  );
  const answers = await Promise.all(
    Array.from({ length: creates }, (_, number) => create(world, account, number, `film ${number}`)),
  );
  const accepted = answers.filter(({ status }) => status < 300);
  const refusals = Map.groupBy(
    answers.filter(({ status }) => status >= 300),
    ({ status, body }) => `${status} ${body.error?.code}`,
  );
  for (const [words, of] of refusals) report.figure(`refused with ${words}`, of.length);
  report.figure('accepted', accepted.length);
  report.demand(`exactly ${affordable} are accepted`, accepted.length === affordable);
  report.demand('the others are told that the money is short', refusals.size === 1, [...refusals.keys()]);
  await audit(world, report, { account, told: accepted.map(idOf), mustComplete: () => true });
  const wallet = await world.admin(`/accounts/${account.id}/wallet`);
  report.demand('all of it is spent, and no more', micros(wallet.balance) === 0n, wallet);
  return report;
}
