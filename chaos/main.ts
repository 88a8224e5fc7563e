/**
 * `npm run chaos`: all proofs, or the ones named (`npm run chaos -- kills lies`). Each prints its figures and a
 * verdict; the exit code is 0 only when nothing is broken.
 */
import { startPostgres } from '../test/helpers/postgres.ts';
import { redisIsMissing, startTestRedis } from '../test/helpers/redis.ts';
import { balance } from './balance.ts';
import { clockJump } from './clock-jump.ts';
import { cluster, clusterLimits } from './cluster.ts';
import { diskFull } from './disk-full.ts';
import { idempotency } from './idempotency.ts';
import { ALL_STEPS, IMMEDIATE_STEPS, immediateKills, kills } from './kills.ts';
import { lies } from './lies.ts';
import { locked } from './locked.ts';
import { malformed } from './malformed.ts';
import { Report, type Verdict } from './report.ts';
import { webhooks } from './webhooks.ts';

const seed = Number(process.env.REELAY_FUZZ_SEED ?? Date.now() % 1_000_000);

const proofs: Record<string, () => Promise<Report>> = {
  kills: () => kills({ inFlight: 1_000, randomKills: 25, steps: ALL_STEPS, speed: 2 }),
  'immediate-kills': () => immediateKills({ callers: 8, randomKills: 10, steps: IMMEDIATE_STEPS }),
  balance: () => balance({ creates: 200, affordable: 50 }),
  idempotency: () => idempotency({ keys: 1_000, repeats: 20 }),
  lies: () => lies({ tasksPerLie: 20, lieMs: 4_000, outageMs: 30_000, speed: 60 }),
  webhooks: () => webhooks({ tasks: 200 }),
  malformed: () => malformed({ requests: 100_000, seed }),
  'disk-full': () => diskFull({ before: 20, during: 300, fullMs: 6_000 }),
  locked: () => locked({ creates: 20, lockedMs: 7_000 }),
  'clock-jump': () => clockJump({ tasks: 10, wrongMs: 4_000 }),
  cluster: () =>
    onPostgres((databaseUrl) => cluster({ databaseUrl, tasks: 10_000, inFlight: 2_000, kills: 8, speed: 4 })),
  'cluster-limits': () =>
    onPostgres((databaseUrl) => clusterLimits({ databaseUrl, redisUrl: null, perMinute: 600 })),
  'cluster-limits-redis': () =>
    onPostgres(async (databaseUrl) => {
      if (redisIsMissing !== false) {
        const report = new Report('7b. A limit counted in Redis');
        report.notRun(redisIsMissing);
        return report;
      }
      const redis = await startTestRedis();
      try {
        return await clusterLimits({ databaseUrl, redisUrl: redis.url, perMinute: 600 });
      } finally {
        await redis.stop();
      }
    }),
};

/** A server of the proof's own, which is gone afterwards. */
async function onPostgres(prove: (databaseUrl: string) => Promise<Report>): Promise<Report> {
  const server = await startPostgres();
  try {
    return await prove(server.url);
  } finally {
    await server.stop();
  }
}

const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(proofs, name));
if (unknown !== undefined) {
  console.error(`There is no proof '${unknown}'; there are: ${Object.keys(proofs).join(', ')}.`);
  process.exit(2);
}

const verdicts = new Map<string, Verdict>();
for (const name of named.length > 0 ? named : Object.keys(proofs)) {
  const startedAt = performance.now();
  const report = await proofs[name]!();
  verdicts.set(name, report.verdict);
  console.log(`${report}  (${Math.round((performance.now() - startedAt) / 1000)} s)\n`);
}
const broken = [...verdicts].filter(([, verdict]) => verdict === 'broken').map(([name]) => name);
const notRun = [...verdicts].filter(([, verdict]) => verdict === 'not run').map(([name]) => name);
console.log(
  `${verdicts.size - broken.length - notRun.length} of ${verdicts.size} proofs hold` +
    (broken.length > 0 ? `; broken: ${broken.join(', ')}` : '') +
    (notRun.length > 0 ? `; not run: ${notRun.join(', ')}` : ''),
);
process.exit(broken.length > 0 ? 1 : 0);
