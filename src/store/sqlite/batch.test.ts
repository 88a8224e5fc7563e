import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Limits } from '../../core/limits.ts';
import { ACCOUNT, T0, newTask } from '../contract/harness.ts';
import { sqliteEngine } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { toTaskRow } from '../task-row.ts';
import { createBatchRunner, type BatchRunner, type Call } from './batch.ts';
import { openForWriting } from './connection.ts';
import { createExecutor } from './executor.ts';

interface Bench {
  runner: BatchRunner;
  /** The connection in use, and how many there were. */
  connections: DatabaseSync[];
  count(table: string): number;
}

async function bench(t: TestContext): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-batch-'));
  const file = join(directory, 'test.sqlite');
  const connections: DatabaseSync[] = [];
  const first = openForWriting(file, 0);
  createExecutor(first)(migrate(sqliteEngine, T0));
  first.close();
  const runner = createBatchRunner(() => {
    const connection = openForWriting(file, 0);
    connections.push(connection);
    return connection;
  });
  t.after(async () => {
    runner.close();
    await rm(directory, { recursive: true });
  });
  const account = { row: { id: ACCOUNT, name: 'x', status: 'active', createdAt: T0 }, remember: null };
  const credit = { accountId: ACCOUNT, kind: 'top_up', amountMicros: 10n ** 9n, note: null, at: T0 };
  const { answers } = runner.run([
    [1, 'createAccount', account],
    [2, 'post', credit],
  ]);
  assert.deepEqual(codes(answers), [undefined, undefined]);
  return {
    runner,
    connections,
    count(table) {
      const reader = new DatabaseSync(file, { readOnly: true });
      try {
        return Number(reader.prepare(`select count(*) as number from ${table}`).get()?.number);
      } finally {
        reader.close();
      }
    },
  };
}

function acceptances(count: number, promptLength = 10): Call[] {
  return Array.from({ length: count }, (_, index) => {
    const task = newTask();
    task.request.prompt = 'x'.repeat(promptLength);
    return [index, 'acceptTask', { task: toTaskRow(task, null), attempt: null }];
  });
}

const codes = (answers: ReturnType<BatchRunner['run']>['answers']) =>
  answers.map((answer) => answer[2]?.code);

test('a full disk refuses the whole batch, writes nothing of it, and the next one works', async (t) => {
  const { runner, connections, count } = await bench(t);
  const [connection] = connections;
  const pages = Number(connection!.prepare('pragma page_count').get()?.page_count);
  connection!.exec(`pragma max_page_count = ${pages + 8}`);

  const { answers, topics } = runner.run(acceptances(20, 10_000));
  assert.deepEqual(new Set(codes(answers)), new Set(['unavailable']));
  assert.match(answers[0]?.[2]?.cause ?? '', /disk full/);
  assert.deepEqual(topics, []);
  for (const table of ['tasks', 'events', 'jobs']) assert.equal(count(table), 0);
  assert.equal(count('ledger_entries'), 2);

  connection!.exec('pragma max_page_count = 1073741823');
  assert.deepEqual(new Set(codes(runner.run(acceptances(20, 10_000)).answers)), new Set([undefined]));
  assert.equal(count('tasks'), 20);
  assert.equal(connections.length, 1);
});

test('a connection that broke is replaced by the next batch', async (t) => {
  const { runner, connections, count } = await bench(t);
  connections[0]!.close();
  assert.deepEqual(codes(runner.run(acceptances(2)).answers), ['unavailable', 'unavailable']);
  assert.deepEqual(codes(runner.run(acceptances(2)).answers), [undefined, undefined]);
  assert.equal(connections.length, 2);
  assert.equal(count('tasks'), 2);
});

test("a fault in one change is that caller's alone and shows no inner words", async (t) => {
  const { runner, count } = await bench(t);
  const [good, bad, alsoGood] = acceptances(3);
  const broken: Call = [bad![0], 'acceptTask', { task: { id: 'task_broken' }, attempt: null }];
  const { answers } = runner.run([good!, broken, alsoGood!]);
  assert.deepEqual(codes(answers), [undefined, 'internal_error', undefined]);
  assert.equal(answers[1]?.[2]?.message, 'The change failed.');
  assert.match(answers[1]?.[2]?.cause ?? '', /account_id/);
  assert.equal(count('tasks'), 2);
});

test('topics of a batch are told once, those of refused changes not at all', async (t) => {
  const { runner } = await bench(t);
  const calls = acceptances(3);
  const twice: Call = [9, 'acceptTask', calls[0]![2]];
  assert.deepEqual(runner.run([...calls, twice]).topics, ['lane:chn_one']);
  assert.deepEqual(runner.run([twice]).topics, []);
});

test('limits that are set, taken away or refused count for the very next change', async (t) => {
  const { runner } = await bench(t);
  const limit = (limits: Limits | null): Call => [
    90,
    'updateAccount',
    { id: ACCOUNT, patch: { limits }, at: T0 },
  ];
  const over = 'concurrency_limit_exceeded';
  const [one, two, three, four, five] = acceptances(5);
  assert.deepEqual(codes(runner.run([one!, limit({ concurrentTasks: 2 }), two!, three!]).answers), [
    undefined,
    undefined,
    undefined,
    over,
  ]);
  assert.deepEqual(codes(runner.run([four!]).answers), [over]);
  // Undone together with the change that asked for it.
  const broken: Call = [91, 'updateAccount', { id: ACCOUNT, patch: { limits: null, name: null }, at: T0 }];
  assert.deepEqual(codes(runner.run([broken, four!]).answers), ['internal_error', over]);
  assert.deepEqual(codes(runner.run([limit(null), four!, five!]).answers), [undefined, undefined, undefined]);
});

test('what another program wrote into the file counts for the next batch', async (t) => {
  const { runner, connections } = await bench(t);
  const [one, two] = acceptances(2);
  assert.deepEqual(codes(runner.run([one!]).answers), [undefined]);
  const other = new DatabaseSync(connections[0]!.location()!);
  other.exec(`insert into limit_counters values ('${ACCOUNT}', 0, null, null, 0, 0, 0, 0, 0)`);
  other.close();
  assert.deepEqual(codes(runner.run([two!]).answers), ['concurrency_limit_exceeded']);
});
