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

after(async () => (await own)?.stop());

/** An empty database of one's own, so that no test sees another's rows. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.REELAY_TEST_DATABASE_URL || (await (own ??= startPostgres())).url;
  const name = `reelay_test_${randomBytes(8).toString('hex')}`;
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => query(server, `drop database if exists ${name} with (force)`) };
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
