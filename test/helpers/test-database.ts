/**
 * A database for every test that wants one: on the server named by REELAY_TEST_DATABASE_URL (`npm test` starts one for
 * all files), else on one that this process starts and ends.
 */
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import pg from 'pg';
import { startPostgres, type TestServer } from './postgres.ts';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

let own: Promise<TestServer> | null = null;
let shared: Promise<TestDatabase> | null = null;
let schemas = 0;
const spare: TestDatabase[] = [];
/** With a server of our own goes all that is on it. */
let isGone = false;

after(async () => {
  await (await shared)?.drop();
  isGone = own !== null;
  await (await own)?.stop();
});

/** An empty schema in a database that the tests of this file share: made in a moment, where a database takes half a second. */
export async function createTestSchema(): Promise<TestDatabase> {
  const { url } = await (shared ??= createTestDatabase());
  const name = `test_${++schemas}`;
  await query(url, `create schema ${name}`);
  const own = new URL(url);
  own.searchParams.set('options', `-c search_path=${name}`);
  return { url: own.href, drop: () => query(url, `drop schema ${name} cascade`) };
}

/**
 * A schema like {@link createTestSchema}'s for whoever leaves its tables as they are: `drop` empties them for the next
 * one, who then has nothing to migrate.
 */
export async function borrowTestSchema(): Promise<TestDatabase> {
  const schema = spare.pop() ?? (await createTestSchema());
  return {
    url: schema.url,
    async drop() {
      await query(schema.url, EMPTY);
      spare.push(schema);
    },
  };
}

/** Without triggers: the ledger's let nobody delete. */
const EMPTY = `
  set session_replication_role = replica;
  do $$
  declare one text;
  begin
    for one in select tablename from pg_tables where schemaname = current_schema and tablename <> 'migrations' loop
      execute format('delete from %I', one);
    end loop;
  end $$`;

/** An empty database of one's own, so that no test sees another's rows. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.REELAY_TEST_DATABASE_URL || (await (own ??= startPostgres())).url;
  const name = `reelay_test_${randomBytes(8).toString('hex')}`;
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      if (!isGone) await query(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
