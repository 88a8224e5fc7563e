/** Sessions that are lost at the worst moment, and databases that cannot be used. */
import assert from 'node:assert/strict';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test, type TestContext } from 'node:test';
import pg from 'pg';
import { createTestDatabase } from '../../../test/helpers/test-database.ts';
import type { JobWriter, Store } from '../../core/ports.ts';
import {
  ACCOUNT,
  CHANNEL,
  T0,
  accept,
  acceptAndSubmit,
  assertMoney,
  furnish,
  newTask,
  refused,
} from '../contract/harness.ts';
import { createStore } from '../store.ts';
import { openPostgres, type PostgresOptions } from './open.ts';

async function open(url: string, options: Partial<PostgresOptions> = {}): Promise<Store> {
  return createStore(await openPostgres({ url, now: () => T0, ...options }));
}

async function database(t: TestContext): Promise<string> {
  const made = await createTestDatabase();
  t.after(() => made.drop());
  return made.url;
}

/** Executes a statement as another program would. */
async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

interface Way {
  url: string;
  /** Cuts the next session that commits: before the server hears of it, or before we hear the answer. */
  cutAtCommit: 'never' | 'unheard' | 'unanswered';
  cuts: number;
  /** Cuts every session there is. */
  cutAll(): void;
  close(): void;
}

/** A way to the server that can be cut. */
async function way(t: TestContext, to: string): Promise<Way> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    let isCut = false;
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    near.on('data', (bytes: Buffer) => {
      if (self.cutAtCommit !== 'never' && bytes.includes('commit\0')) {
        self.cuts++;
        isCut = self.cutAtCommit === 'unanswered';
        self.cutAtCommit = 'never';
        if (!isCut) return cut();
      }
      far.write(bytes);
    });
    // The answer to the commit comes this far: it is committed, and nobody is told.
    far.on('data', (bytes: Buffer) => (isCut ? cut() : void near.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(to);
  url.port = String((server.address() as AddressInfo).port);
  const self: Way = {
    url: url.href,
    cutAtCommit: 'never',
    cuts: 0,
    cutAll: () => sockets.forEach((socket) => socket.destroy()),
    close: () => void server.close(),
  };
  t.after(() => {
    self.cutAll();
    self.close();
  });
  return self;
}

describe('a session that is lost', () => {
  test('before its commit is heard undoes the batch, which is run again on another one', async (t) => {
    const path = await way(t, await database(t));
    const store = await open(path.url);
    t.after(() => store.close());
    await furnish(store);
    path.cutAtCommit = 'unheard';
    await Promise.all(Array.from({ length: 5 }, () => accept(store)));
    assert.equal(path.cuts, 1);
    await assertMoney(store, 500n, 500n);
  });

  test('between commit and answer is asked for: what was committed is answered as committed', async (t) => {
    const path = await way(t, await database(t));
    const store = await open(path.url);
    t.after(() => store.close());
    await furnish(store);
    for (let time = 1; time <= 3; time++) {
      path.cutAtCommit = 'unanswered';
      const { task } = await acceptAndSubmit(store);
      assert.equal(path.cuts, time);
      assert.equal((await store.getTask(task.id))?.state, 'queued');
    }
    path.cutAtCommit = 'unanswered';
    await refused(accept(store, newTask({ holdMicros: 9_999n })), 'insufficient_quota');
    path.cutAtCommit = 'never';
    await assertMoney(store, 700n, 300n);
  });

  test('while it idles is replaced, for changes, for reads and for listening', async (t) => {
    const url = await database(t);
    const path = await way(t, url);
    const store = await open(path.url);
    const other = await open(url);
    t.after(() => Promise.all([store.close(), other.close()]));
    await furnish(store);
    // After the interruption every topic is told once, for nobody knows what was missed.
    const caughtUp = new Promise<void>((resolve) => void store.onCommit('anything', () => resolve()));
    path.cutAll();
    await accept(store);
    assert.equal((await store.getWallet(ACCOUNT)).heldMicros, 100n);
    await caughtUp;
    const heard = new Promise<void>((resolve) => void store.onCommit(`lane:${CHANNEL}`, () => resolve()));
    await accept(other);
    await heard;
  });

  test('for good refuses changes and reads as unavailable', async (t) => {
    const path = await way(t, await database(t));
    const store = await open(path.url);
    t.after(() => store.close());
    await furnish(store);
    path.close();
    path.cutAll();
    await refused(accept(store), 'unavailable');
    await refused(store.getWallet(ACCOUNT), 'unavailable');
    await refused(store.ping(), 'unavailable');
    await refused(store.verifyLedger(), 'unavailable');
  });

  test('prepared before the tables were changed is replaced', async (t) => {
    const url = await database(t);
    const store = await open(url);
    t.after(() => store.close());
    await furnish(store);
    await store.updateAccount(ACCOUNT, { name: 'before' }, T0);
    assert.equal((await store.getAccount(ACCOUNT))?.name, 'before');
    await query(url, 'alter table accounts add column later text');
    assert.equal((await store.getAccount(ACCOUNT))?.name, 'before');
    await store.updateAccount(ACCOUNT, { name: 'after' }, T0);
    assert.equal((await store.getAccount(ACCOUNT))?.name, 'after');
  });
});

describe('jobs of another engine', () => {
  test('are written in the transaction of their change, or not at all', async (t) => {
    const url = await database(t);
    await query(url, 'create table engine_jobs (id uuid primary key, queue text, data json, run_at bigint)');
    let fails = false;
    const jobWriter: JobWriter = {
      async insert(jobs, executeSql) {
        for (const { id, queue, data, runAt } of jobs) {
          const values = [id, queue, JSON.stringify(data), runAt];
          await executeSql('insert into engine_jobs values ($1, $2, $3, $4)', values);
        }
        if (fails) await executeSql('select 1 / 0');
      },
    };
    const store = await open(url, { jobWriter });
    t.after(() => store.close());
    await furnish(store);
    const written = () => query(url, 'select queue, data, run_at::text from engine_jobs');
    const { task, attemptId } = await acceptAndSubmit(store);
    await store.acceptAttempt({ attemptId, ref: 1, at: T0, exchanges: [] });
    const made = { attemptId, at: T0 + 9, outputs: [], cost: null, exchanges: [] };
    fails = true;
    await assert.rejects(store.madeAttempt(made));
    assert.deepEqual(await written(), []);
    assert.equal((await store.getAttempt(attemptId))?.attempt.state, 'accepted');
    fails = false;
    assert.equal(await store.madeAttempt(made), true);
    assert.deepEqual(await written(), [
      { queue: 'persist-output', data: { taskId: task.id, attemptId }, run_at: String(T0 + 9) },
    ]);
    assert.equal(await store.jobs.nextRunAt('persist-output'), null);
  });
});

describe('a database', () => {
  test('of a newer version is refused by name, and left alone', async (t) => {
    const url = await database(t);
    await (await open(url)).close();
    await query(url, "insert into migrations values ('9999-future', 1)");
    await assert.rejects(open(url), /newer version.*9999-future/);
  });

  test('that cannot be reached, or is encoded otherwise, is refused with a sentence', async (t) => {
    const url = new URL(await database(t));
    const name = url.pathname.slice(1);
    await query(url.href, `create database ${name}_ascii encoding 'SQL_ASCII' template template0`);
    const ascii = new URL(url);
    ascii.pathname += '_ascii';
    t.after(() => query(new URL('/postgres', url).href, `drop database ${name}_ascii with (force)`));
    await assert.rejects(open(ascii.href), /encoded in SQL_ASCII: create it with ENCODING 'UTF8'/);
    const missing = new URL(url);
    missing.pathname = '/nowhere';
    await assert.rejects(open(missing.href), /DATABASE_URL cannot be used: .*"nowhere" does not exist/);
    missing.port = '1';
    await assert.rejects(open(missing.href), /DATABASE_URL cannot be used: .*ECONNREFUSED/);
  });

  test('has the schema that is checked in', async (t) => {
    const url = await database(t);
    await (await open(url)).close();
    const file = new URL('../schema.postgres.sql', import.meta.url);
    const schema = await dump(url);
    if (process.env.REELAY_WRITE_SCHEMA === '1') await writeFile(file, schema);
    assert.equal(
      schema,
      await readFile(file, 'utf8'),
      'run this test with REELAY_WRITE_SCHEMA=1 and read the difference',
    );
  });
});

/** Tables with their columns, constraints and triggers, then indexes and functions, each in order of name. */
async function dump(url: string): Promise<string> {
  const tables = await query(
    url,
    `select c.relname as name, string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
         case when a.attcollation <> t.typcollation then format(' collate %I', l.collname) else '' end,
         case when a.attnotnull then ' not null' else '' end,
         coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')), E',\\n' order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       join pg_type t on t.oid = a.atttypid left join pg_collation l on l.oid = a.attcollation
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by c.relname order by c.relname`,
  );
  const rest = await query(
    url,
    `select text from (
       select 1 as part, conrelid::regclass::text || conname as name,
         format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as text
         from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
       union all select 2, tablename || indexname, indexdef from pg_indexes where schemaname = 'public'
         and indexname not in (select conname from pg_constraint)
       union all select 3, proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
       union all select 4, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
     ) as parts order by part, name`,
  );
  return [
    ...tables.map(({ name, columns }) => `create table ${String(name)} (\n${String(columns)}\n);\n`),
    ...rest.map(({ text }) => `${String(text).trim()};\n`),
  ].join('\n');
}
