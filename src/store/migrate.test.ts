import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sqliteEngine } from './engine.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { createExecutor } from './sqlite/executor.ts';

const schemaOf = (database: DatabaseSync) =>
  database.prepare('select type, name, sql from sqlite_schema order by name').all();

test('migrations are numbered in order, each once', () => {
  const numbers = migrations.map(({ name }) => Number(name.slice(0, 4)));
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((left, right) => left - right),
  );
});

test('what is applied is not applied again, and an older database arrives at the same schema', () => {
  const fresh = new DatabaseSync(':memory:');
  const execute = createExecutor(fresh);
  assert.deepEqual(
    execute(migrate(sqliteEngine, 1, { onUpgrade: () => assert.fail('a new database is no upgrade') })),
    migrations.map(({ name }) => name),
  );
  assert.deepEqual(execute(migrate(sqliteEngine, 2)), []);

  const older = new DatabaseSync(':memory:');
  const later = migrations.splice(1);
  try {
    createExecutor(older)(migrate(sqliteEngine, 1));
  } finally {
    migrations.push(...later);
  }
  const told: string[][] = [];
  const onUpgrade = (missing: string[]): void => void told.push(missing);
  assert.deepEqual(
    createExecutor(older)(migrate(sqliteEngine, 2, { onUpgrade })),
    later.map(({ name }) => name),
  );
  assert.deepEqual(told, [later.map(({ name }) => name)], 'told once, before it begins');
  assert.deepEqual(schemaOf(older), schemaOf(fresh));
});
