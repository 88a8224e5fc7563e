import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { sqliteEngine } from './engine.ts';
import { migrate } from './migrate.ts';
import { SEALED_COLUMNS } from './sealed.ts';
import { createExecutor } from './sqlite/executor.ts';

test('every column of sealed texts in the schema is one that a new root key reaches', () => {
  const database = new DatabaseSync(':memory:');
  createExecutor(database)(migrate(sqliteEngine, 1));
  const found = database
    .prepare(
      `select t.name || '.' || c.name as place from sqlite_schema t, pragma_table_info(t.name) c
       where t.type = 'table' and c.name like '%sealed%' order by place`,
    )
    .all()
    .map((row) => row.place);
  const known = Object.values(SEALED_COLUMNS).map(({ table, column }) => `${table}.${column}`);
  assert.deepEqual(found, known.sort());
});
