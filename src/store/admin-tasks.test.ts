import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { adminTasks } from './admin-tasks.ts';
import { sqliteEngine } from './engine.ts';
import { migrate } from './migrate.ts';
import { createExecutor } from './sqlite/executor.ts';
import type { Procedure } from './statement.ts';

const EACH = 21_000;

/** Two accounts with a model each, in turns; account b has the other's model once, as its oldest. */
function fill(database: DatabaseSync): void {
  database.exec(`
    insert into accounts (id, name, status, created_at) values ('a', '', 'active', 1), ('b', '', 'active', 1);
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${2 * EACH})
    insert into tasks (id, account_id, key_id, state, surface, channel_id, model, requested_model, tier, hold_micros,
      created_at, updated_at, deadline_at, request, quote, warnings, metadata)
    select printf('task_%08d', n), iif(n % 2, 'b', 'a'), 'key', 'completed', 's', 'c', iif(n % 2 and n > 1, 'n', 'm'), 'm',
      't', 1, n, n, n, '{}', '{"unitPriceMicros":"1","amountMicros":"1"}', '[]', '{}' from numbers`);
}

function openFilled() {
  const database = new DatabaseSync(':memory:');
  const execute = createExecutor(database);
  execute(migrate(sqliteEngine, 0));
  fill(database);
  let number = 0;
  return {
    async read<Result>(procedure: Procedure<Result>): Promise<Result> {
      number++;
      return execute(procedure);
    },
    /** Since it was asked last. */
    reads(): number {
      const before = number;
      number = 0;
      return before;
    },
  };
}

test('a page whose filters hardly ever meet comes short, and its cursor leads on to the match', async () => {
  const { read, reads } = openFilled();
  const shown: string[] = [];
  let pages = 0;
  let cursor: string | null = null;
  do {
    const page = await adminTasks(read, { accountId: 'b', model: 'm', limit: 5, cursor });
    assert.ok(reads() <= 5, 'one look at the indexes and four steps');
    shown.push(...page.rows.map(({ id }) => id));
    cursor = page.nextCursor;
    pages++;
  } while (cursor !== null);
  assert.deepEqual(shown, ['task_00000001']);
  assert.equal(pages, 3);
});

test('where all filters are met by many, the one whose tasks lie furthest apart leads to full pages', async () => {
  const { read, reads } = openFilled();
  const page = await adminTasks(read, { accountId: 'b', channelId: 'c', limit: 600, cursor: null });
  assert.equal(page.rows.length, 600);
  assert.equal(reads(), 2, 'a single step');
});
