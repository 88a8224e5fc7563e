/** The short form of `npm run chaos`: every proof, with fewer tasks, kills and requests. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { balance } from '../chaos/balance.ts';
import { cluster, clusterLimits } from '../chaos/cluster.ts';
import { clockJump } from '../chaos/clock-jump.ts';
import { diskFull } from '../chaos/disk-full.ts';
import { idempotency } from '../chaos/idempotency.ts';
import { immediateKills, kills } from '../chaos/kills.ts';
import { lies } from '../chaos/lies.ts';
import { locked } from '../chaos/locked.ts';
import { malformed } from '../chaos/malformed.ts';
import type { Report } from '../chaos/report.ts';
import { webhooks } from '../chaos/webhooks.ts';
import { createTestDatabase } from './helpers/test-database.ts';

const seed = Number(process.env.REELAY_FUZZ_SEED ?? Date.now() % 1_000_000);

const PROOFS: Record<string, () => Promise<Report>> = {
  'a lying upstream': () =>
    lies({ tasksPerLie: 3, lieMs: 200, outageMs: 2_000, speed: 60, cutsStalled: true }),
  'killed with tasks in flight': () =>
    kills({
      inFlight: 50,
      randomKills: 2,
      steps: ['submit:after-accept', 'attempt:after-upstream', 'persist:before-finish', 'deliver:after-post'],
      speed: 10,
    }),
  'killed while features are answered at once': () =>
    immediateKills({ callers: 4, randomKills: 1, steps: ['attempt:after-upstream'] }),
  'many creates on a small balance': () => balance({ creates: 200, affordable: 50 }),
  'repeated idempotency keys': () => idempotency({ keys: 30, repeats: 20 }),
  'failing webhook receivers': () => webhooks({ tasks: 6 }),
  'malformed requests': () => malformed({ requests: 1_000, seed }),
  'a full disk': () => diskFull({ before: 10, during: 150, fullMs: 2_000 }),
  'a locked database': () => locked({ creates: 10, lockedMs: 6_000 }),
  'nodes killed, and added': () =>
    onDatabase((databaseUrl) => cluster({ databaseUrl, tasks: 150, inFlight: 60, kills: 2, speed: 10 })),
  'a limit that nodes share': () =>
    onDatabase((databaseUrl) => clusterLimits({ databaseUrl, redisUrl: null, perMinute: 100 })),
  'a jumping clock': () => clockJump({ tasks: 4, wrongMs: 1_500 }),
};

async function onDatabase(prove: (databaseUrl: string) => Promise<Report>): Promise<Report> {
  const database = await createTestDatabase();
  try {
    return await prove(database.url);
  } finally {
    await database.drop();
  }
}

// Most of the time they wait for something to be over.
describe('chaos, in short', { concurrency: 4 }, () => {
  for (const [name, prove] of Object.entries(PROOFS)) {
    test(name, async (context) => {
      const report = await prove();
      if (report.verdict === 'not run') context.skip(String(report).split('=> ').at(-1));
      assert.notEqual(report.verdict, 'broken', String(report));
    });
  }
});
