import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../../../test/helpers/test-database.ts';
import { postgresEngine } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { migrations } from '../migrations/index.ts';
import { openConnection, type Connection } from './connection.ts';
import { drive } from './executor.ts';
import { migrateOnline } from './migrate-online.ts';

const T0 = 1_800_000_000_000;

/** A database as the first four migrations left it, with tasks. */
async function olderDatabase(url: string): Promise<Connection> {
  const connection = await openConnection({ url, purpose: 'migrates' });
  const later = migrations.splice(4);
  try {
    await connection.execute({ text: 'begin' });
    await drive(connection, migrate(postgresEngine, T0));
    await connection.execute({ text: 'commit' });
  } finally {
    migrations.push(...later);
  }
  await connection.execute({
    text: "insert into accounts (id, name, status, created_at) values ('acct_1', 'one', 'active', 1)",
  });
  await connection.execute({
    text: `insert into tasks (id, account_id, key_id, state, surface, channel_id, model, requested_model, tier, hold_micros,
             created_at, updated_at, deadline_at, request, quote, warnings, metadata)
           select 'task_' || n, 'acct_1', 'key', 'queued', 's', 'chan', 'm', 'm', 't', 1, n, n, n, '{}', '{}', '[]', '{}'
           from generate_series(1, 1000) n`,
  });
  return connection;
}

async function schemaOf(connection: Connection): Promise<unknown[]> {
  const indexes = await connection.execute({
    text: `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition, i.indisvalid as valid
           from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'public' order by 1`,
  });
  const columns = await connection.execute({
    text: `select table_name, column_name, udt_name, is_nullable, column_default from information_schema.columns
           where table_schema = 'public' order by 1, 2`,
  });
  return [indexes.rows, columns.rows];
}

async function freshSchema(): Promise<unknown[]> {
  const database = await createTestDatabase();
  const connection = await openConnection({ url: database.url, purpose: 'migrates' });
  await migrateOnline(connection, T0);
  const schema = await schemaOf(connection);
  await connection.close();
  await database.drop();
  return schema;
}

test('an older database arrives at the schema of a new one, its indexes made concurrently', async () => {
  const database = await createTestDatabase();
  const connection = await olderDatabase(database.url);
  await migrateOnline(connection, T0);
  assert.deepEqual(await schemaOf(connection), await freshSchema());
  await migrateOnline(connection, T0);
  await connection.close();
  await database.drop();
});

test('a migration that was killed at any index goes on with it', async () => {
  const fresh = await freshSchema();
  for (const killedAt of [1, 4]) {
    const database = await createTestDatabase();
    const connection = await olderDatabase(database.url);
    let built = 0;
    const dying: Connection = {
      ...connection,
      async execute(query) {
        const answer = await connection.execute(query);
        if (/ index concurrently "/.test(query.text) && ++built === killedAt) throw new Error('killed');
        return answer;
      },
    };
    await assert.rejects(migrateOnline(dying, T0), /killed/);
    await migrateOnline(connection, T0);
    assert.deepEqual(await schemaOf(connection), fresh);
    await connection.close();
    await database.drop();
  }
});

test('a lock that somebody holds is given way to, and had when it is free', async () => {
  const database = await createTestDatabase();
  const connection = await olderDatabase(database.url);
  const other = await openConnection({ url: database.url, purpose: 'verifies' });
  await other.execute({ text: 'begin' });
  await other.execute({ text: "update tasks set updated_at = 5 where id = 'task_1'" });
  const migrated = migrateOnline(connection, T0);
  // Writers are not kept waiting by one that waits itself.
  const writer = await openConnection({ url: database.url, purpose: 'writes', lockWaitMs: 5_000 });
  for (let number = 2; number < 10; number++) {
    await writer.execute({ text: `update tasks set updated_at = 6 where id = 'task_${number}'` });
  }
  await other.execute({ text: 'commit' });
  await migrated;
  assert.deepEqual(await schemaOf(connection), await freshSchema());
  for (const each of [connection, other, writer]) await each.close();
  await database.drop();
});
