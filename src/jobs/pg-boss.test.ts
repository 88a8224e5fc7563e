import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { enableClockOverride } from 'pg-boss';
import pg from 'pg';
import type { Json } from '../core/ports.ts';
import { createTestDatabase } from '../../test/helpers/test-database.ts';
import { BURIED, JOB_SETTINGS, openBoss } from './boss.ts';
import { testJobs, type JobsHarness } from './contract.ts';
import { createPgBossJobs } from './pg-boss.ts';
import { startTestEngine } from './test-engine.ts';

async function open(): Promise<JobsHarness & { url: string }> {
  const engine = await startTestEngine();
  const { database, time, clock } = engine;
  const boss = await engine.connect(true);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(enableClockOverride());
  const listeners = new Map<string, Set<() => void>>();
  const make = () =>
    createPgBossJobs({
      boss,
      clock,
      onError: () => {},
      onCommit(topic, listener) {
        const known = listeners.get(topic) ?? new Set();
        listeners.set(topic, known.add(listener));
        return () => void known.delete(listener);
      },
    });
  return {
    url: database.url,
    jobs: make(),
    another: make,
    async enqueue(queue: string, data: Json, delayMs = 0) {
      const at = time.now();
      await client.query('begin');
      await boss.writer.insert(
        [{ id: randomUUID(), queue, data, runAt: at + delayMs, at }],
        async (text, values) => await client.query(text, values),
      );
      await client.query('commit');
      for (const listener of listeners.get(`jobs:${queue}`) ?? []) listener();
    },
    async passTime(ms) {
      // Through a long time the engine's clock jumps, as if the process had slept, and looks around afterwards.
      if (ms > 30_000) await time.setTime(time.now() + ms - 5_000);
      await time.tick(Math.min(ms, 5_000));
      await turn();
    },
    async close() {
      await client.end();
      await engine.close();
    },
  };
}

testJobs('pg-boss jobs', open);

test('a job exists exactly when the change does that asked for it', async () => {
  const database = await createTestDatabase();
  const boss = await openBoss({ url: database.url, supervises: false, onError: () => {} });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const execute = async (text: string, values?: unknown[]) => await client.query(text, values);
  const job = (id: string) => ({ id, queue: 'colours', data: 2n ** 60n, runAt: 0, at: 0 });
  const [undone, done] = [randomUUID(), randomUUID()];
  await client.query('begin');
  await boss.writer.insert([job(undone)], execute);
  await client.query('rollback');
  await client.query('begin');
  await boss.writer.insert([job(done)], execute);
  assert.deepEqual(await boss.pgBoss.findJobs('colours'), []);
  await client.query('commit');
  const found = await boss.pgBoss.findJobs('colours');
  assert.deepEqual(
    found.map(({ id, data }) => ({ id, data })),
    [{ id: done, data: { json: '1152921504606846976' } }],
  );
  await client.end();
  await boss.close();
  await database.drop();
});

test('a node that only writes jobs leaves the settings of those who work on them', async () => {
  const database = await createTestDatabase();
  const [worker, writer] = await Promise.all(
    [true, false].map((supervises) => openBoss({ url: database.url, supervises, onError: () => {} })),
  );
  await worker!.prepare('colours', { ...JOB_SETTINGS, retryLimit: 7, expireInSeconds: 33 });
  const db = writer!.pgBoss.getDb();
  const job = { id: randomUUID(), queue: 'colours', data: null, runAt: 0, at: 0 };
  await writer!.writer.insert([job], (text, values) => db.executeSql(text, values));
  const queue = await worker!.pgBoss.getQueue('colours');
  assert.deepEqual([queue?.retryLimit, queue?.expireInSeconds], [7, 33]);
  await writer!.close();
  await worker!.close();
  await database.drop();
});

test('a job that failed as often as it may waits among the buried ones, with its reason', async () => {
  const harness = await open();
  let runs = 0;
  harness.jobs.work('hopeless', { concurrency: 1, leaseMs: 5_000, attemptsMax: 2 }, async () => {
    runs++;
    throw new Error('never');
  });
  await harness.enqueue('hopeless', { which: 1 });
  while (runs < 2) await harness.passTime(500);
  const client = new pg.Client({ connectionString: harness.url });
  await client.connect();
  const buried = async () =>
    (await client.query('select data, source_name, source_output from pgboss.job where name = $1', [BURIED]))
      .rows;
  while ((await buried()).length === 0) await harness.passTime(100);
  const [job] = (await buried()) as {
    data: object;
    source_name: string;
    source_output: { message: string };
  }[];
  assert.deepEqual(job?.data, { json: '{"which":1}' });
  assert.equal(job?.source_name, 'hopeless');
  assert.equal(job?.source_output.message, 'never');
  await client.end();
  await harness.jobs.stop();
  await harness.close();
});
