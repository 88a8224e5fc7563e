/**
 * `node bench/migrate.ts [tasks]`: a database of an older version with so many tasks is brought to this one while
 * somebody writes to it. On PostgreSQL no write may wait for more than a second; the embedded database has one process,
 * which migrates before it serves: there it is the start that takes longer, and by how much is printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { postgresEngine, sqliteEngine } from '../src/store/engine.ts';
import { migrate } from '../src/store/migrate.ts';
import { migrations } from '../src/store/migrations/index.ts';
import { openConnection } from '../src/store/postgres/connection.ts';
import { drive } from '../src/store/postgres/executor.ts';
import { openPostgres } from '../src/store/postgres/open.ts';
import { createExecutor } from '../src/store/sqlite/executor.ts';
import { DATABASE_FILE, openSqlite } from '../src/store/sqlite/open.ts';
import { startPostgres } from '../test/helpers/postgres.ts';

const WAIT_MAX_MS = 1_000;
/** The version that the copy was written by: the first that was released. */
const OLD_MIGRATIONS = 4;
const COLUMNS =
  'id, account_id, key_id, state, surface, channel_id, model, requested_model, tier, hold_micros, created_at, ended_at, ' +
  'updated_at, deadline_at, request, quote, warnings, metadata';
/** About what a request weighs. */
const REQUEST = JSON.stringify({ prompt: 'a cat '.repeat(100) });

const tasks = Number(process.argv[2] ?? 1_000_000);
const at = Date.now();

/** One task in a hundred waits, the others are over. */
function valuesOf(engine: 'sqlite' | 'postgres'): string {
  const id = engine === 'sqlite' ? "printf('task_%010d', n)" : "'task_' || lpad(n::text, 10, '0')";
  const ended = 'case when n % 100 = 0 then null else n end';
  return (
    `${id}, 'acct_1', 'key', case when n % 100 = 0 then 'queued' else 'failed' end, 'openai.videos', 'chan_1', 'm', 'm', ` +
    `'tier', 1, n, ${ended}, n, n + 86400000, '${REQUEST}', '{}', '[]', '{}'`
  );
}

async function withOldMigrations(work: () => Promise<void>): Promise<void> {
  const later = migrations.splice(OLD_MIGRATIONS);
  try {
    await work();
  } finally {
    migrations.push(...later);
  }
}

async function onPostgres(): Promise<boolean> {
  const server = await startPostgres({ durable: true });
  try {
    const connection = await openConnection({ url: server.url, purpose: 'migrates' });
    await withOldMigrations(async () => {
      await connection.execute({ text: 'begin' });
      await drive(connection, migrate(postgresEngine, at));
      await connection.execute({ text: 'commit' });
    });
    await connection.execute({
      text: "insert into accounts (id, name, status, created_at) values ('acct_1', '', 'active', 1)",
    });
    await connection.execute({
      text: `insert into tasks (${COLUMNS}) select ${valuesOf('postgres')} from generate_series(1, ${tasks}) n`,
    });
    await connection.execute({ text: 'vacuum analyze tasks' });
    await connection.close();

    const waits: number[] = [];
    let isOver = false;
    const writer = async (number: number): Promise<void> => {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      for (let turn = 0; !isOver; turn++) {
        const from = performance.now();
        const id = String(1 + ((turn * 7_919 + number) % tasks)).padStart(10, '0');
        await client.query("update tasks set updated_at = updated_at + 1 where id = 'task_' || $1", [id]);
        await client.query(
          `insert into tasks (${COLUMNS}) select 'task_new_' || $1, account_id, key_id, state, surface, channel_id, model,
             requested_model, tier, hold_micros, created_at, ended_at, updated_at, deadline_at, request, quote, warnings,
             metadata from tasks where id = 'task_' || $2`,
          [`${number}_${turn}`, id],
        );
        waits.push(performance.now() - from);
      }
      await client.end();
    };
    const writers = [1, 2, 3, 4].map(writer);
    const from = performance.now();
    const store = await openPostgres({ url: server.url, now: () => at });
    const seconds = (performance.now() - from) / 1_000;
    isOver = true;
    await Promise.all(writers);
    await store.close();
    waits.sort((a, b) => a - b);
    const longest = waits.at(-1)!;
    console.log(
      `PostgreSQL, ${tasks} tasks: migrated in ${seconds.toFixed(1)} s; ${waits.length} writes of 4 writers meanwhile, ` +
        `median ${waits[waits.length >> 1]!.toFixed(1)} ms, 99 % within ${waits[Math.floor(waits.length * 0.99)]!.toFixed(1)} ms, ` +
        `longest ${longest.toFixed(0)} ms (at most ${WAIT_MAX_MS})`,
    );
    return longest <= WAIT_MAX_MS;
  } finally {
    await server.stop();
  }
}

async function onSqlite(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-migrate-'));
  try {
    const database = new DatabaseSync(join(directory, DATABASE_FILE));
    database.exec('pragma journal_mode = wal; begin');
    await withOldMigrations(async () => void createExecutor(database)(migrate(sqliteEngine, at)));
    database.exec("insert into accounts (id, name, status, created_at) values ('acct_1', '', 'active', 1)");
    database.exec(
      `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${tasks})
       insert into tasks (${COLUMNS}) select ${valuesOf('sqlite')} from numbers`,
    );
    database.exec('commit');
    database.close();
    const from = performance.now();
    const store = await openSqlite({ directory, now: () => at });
    console.log(
      `SQLite, ${tasks} tasks: the start took ${((performance.now() - from) / 1_000).toFixed(1)} s longer, once`,
    );
    await store.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await onSqlite();
process.exitCode = (await onPostgres()) ? 0 : 1;
