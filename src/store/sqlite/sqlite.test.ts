import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Store } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { testStore } from '../contract.ts';
import { ACCOUNT, T0, accept, assertMoney, furnish } from '../contract/harness.ts';
import { openStore } from '../index.ts';
import { createStore } from '../store.ts';
import { DATABASE_FILE, openSqlite } from './open.ts';

const lockWaitMs = 400;

async function open(directory: string): Promise<Store> {
  return createStore(await openSqlite({ directory, now: () => T0, busyTimeoutMs: lockWaitMs }));
}

testStore('sqlite', async () => {
  const root = await mkdtemp(join(tmpdir(), 'reelay-store-'));
  const directory = join(root, 'data');
  let store = await open(directory);
  const opened = [store];
  const file = join(directory, DATABASE_FILE);
  return {
    store,
    isSingle: true,
    lockWaitMs,
    async reopen() {
      await store.close();
      store = await open(directory);
      opened.push(store);
      return store;
    },
    async crash() {
      // The files as a killed process leaves them: database and log, without the shared memory of the living.
      const image = join(root, `crash-${opened.length}`);
      await cp(directory, image, { recursive: true, filter: (path) => !path.endsWith('-shm') });
      const revived = await open(image);
      opened.push(revived);
      return revived;
    },
    async tamper(statement) {
      const raw = new DatabaseSync(file, { timeout: 5_000 });
      try {
        raw.exec(statement);
      } finally {
        raw.close();
      }
    },
    async lock() {
      const raw = new DatabaseSync(file, { timeout: 5_000 });
      raw.exec('begin immediate');
      return async () => raw.close();
    },
    async close() {
      for (const one of opened) await one.close();
      await rm(root, { recursive: true });
    },
  };
});

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-sqlite-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

test('a second gateway on the same directory is refused with advice, and the first goes on', async (t) => {
  const directory = await temporary(t);
  const store = await openStore({ directory, clock: systemClock });
  await assert.rejects(openStore({ directory, clock: systemClock }), (error: Error) => {
    assert.match(error.message, /Another Reelay process/);
    assert.ok(error.message.includes(directory) && error.message.includes('REELAY_DATA'));
    return true;
  });
  await store.ping();
  await store.close();
  await (await openStore({ directory, clock: systemClock })).close();
});

test('a process killed at work leaves its lock open and every answered change in place', async (t) => {
  const directory = await temporary(t);
  const script = join(directory, 'victim.ts');
  const parts = { store: '../index.ts', harness: '../contract/harness.ts', clock: '../../lib/clock.ts' };
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  await writeFile(
    script,
    `import { openStore } from ${url(parts.store)};
     import { accept, furnish } from ${url(parts.harness)};
     import { systemClock } from ${url(parts.clock)};
     const store = await openStore({ directory: ${JSON.stringify(directory)}, clock: systemClock });
     await furnish(store);
     for (let count = 1; ; count++) {
       const task = await accept(store).catch(() => null);
       if (!task) await new Promise((resolve) => setTimeout(resolve, 1e6));
       console.log(task.id);
     }`,
  );
  const victim = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of victim.stdout) {
    text += String(chunk);
    // Ten tasks are all the account can pay: it is killed somewhere among them.
    if (text.split('\n').length > 6) break;
  }
  const exited = once(victim, 'exit');
  victim.kill('SIGKILL');
  await exited;
  const answered = text.split('\n').slice(0, -1);
  const store = await openStore({ directory, clock: systemClock });
  for (const id of answered) assert.equal((await store.getTask(id))?.state, 'queued');
  assert.deepEqual((await store.verifyLedger()).mismatches, []);
  await store.close();
});

test('the database is readable by its owner only, its log too', async (t) => {
  const directory = await temporary(t);
  const store = await openStore({ directory, clock: systemClock });
  await furnish(store);
  for (const ending of ['', '-wal']) {
    assert.equal((await stat(join(directory, DATABASE_FILE + ending))).mode & 0o777, 0o600);
  }
  await store.close();
});

test('a database of a newer version is refused by name, and left alone', async (t) => {
  const directory = await temporary(t);
  await (await openStore({ directory, clock: systemClock })).close();
  const raw = new DatabaseSync(join(directory, DATABASE_FILE));
  raw.exec("insert into migrations values ('9999-future', 1)");
  raw.close();
  await assert.rejects(openStore({ directory, clock: systemClock }), /newer version.*9999-future/);
});

test('a file that is no database is refused with its name and left as it is', async (t) => {
  const directory = await temporary(t);
  const file = join(directory, DATABASE_FILE);
  await writeFile(file, 'this is a shopping list, '.repeat(400));
  await assert.rejects(openStore({ directory, clock: systemClock }), (error: Error) => {
    assert.ok(error.message.includes(file) && error.message.includes('not a database'));
    return true;
  });
  assert.match(await readFile(file, 'utf8'), /^this is a shopping list/);
});

test('one commit per change gives the same results', async (t) => {
  const directory = await temporary(t);
  const store = await openStore({ directory, clock: systemClock, groupCommit: false });
  await furnish(store);
  const outcomes = await Promise.allSettled(Array.from({ length: 15 }, () => accept(store)));
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 10);
  await assertMoney(store, 0n, 1_000n, ACCOUNT);
  await store.close();
});

test('the migrated schema is the one that is checked in', async (t) => {
  const directory = await temporary(t);
  await (await openStore({ directory, clock: systemClock })).close();
  const raw = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  const rows = raw
    .prepare('select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name')
    .all();
  raw.close();
  const schema = rows.map((row) => `${String(row.sql)};\n`).join('\n');
  const file = new URL('../schema.sqlite.sql', import.meta.url);
  if (process.env.REELAY_WRITE_SCHEMA === '1') await writeFile(file, schema);
  assert.equal(
    schema,
    await readFile(file, 'utf8'),
    'run this test with REELAY_WRITE_SCHEMA=1 and read the difference',
  );
});
