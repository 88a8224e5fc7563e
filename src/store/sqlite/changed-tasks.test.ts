import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { watchTasks } from './changed-tasks.ts';

function watched(t: TestContext) {
  const connection = new DatabaseSync(':memory:');
  t.after(() => connection.close());
  connection.exec(`
    create table tasks (id text primary key, state text) strict;
    create table events (task_id text) strict;
    insert into tasks values ('task_1', 'queued'), ('task_2', 'queued'), ('task_3', 'queued');
  `);
  return { connection, taken: watchTasks(connection) };
}

test('every task whose row was changed is told once, whatever statement did it', (t) => {
  const { connection, taken } = watched(t);
  assert.deepEqual(taken(), []);
  connection.exec("update tasks set state = 'in_progress' where id = 'task_1'");
  connection.exec("update tasks set state = 'completed' where id <> 'task_3'");
  assert.deepEqual(taken(), ['task_1', 'task_2']);
  connection.exec("delete from tasks where id = 'task_3'");
  assert.deepEqual(taken(), ['task_3']);
  connection.exec("insert into tasks values ('task_1', 'x') on conflict (id) do update set state = 'failed'");
  assert.deepEqual(taken(), ['task_1']);
});

test('what else happens is not told, and what was undone may be', (t) => {
  const { connection, taken } = watched(t);
  connection.exec("insert into tasks values ('task_4', 'queued')");
  connection.exec("insert into events values ('task_1')");
  connection.exec("update tasks set state = 'failed' where id = 'task_9'");
  assert.deepEqual(taken(), []);
  connection.exec("begin; update tasks set state = 'failed' where id = 'task_1'; rollback");
  assert.deepEqual(taken(), ['task_1']);
});
