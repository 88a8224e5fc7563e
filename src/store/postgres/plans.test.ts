/** What a page of a list looks at does not depend on how many rows there are, whatever the planner guesses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../../../test/helpers/test-database.ts';
import { adminTasksBefore, chooseWalk } from '../admin-tasks.ts';
import type { Command, Procedure } from '../statement.ts';
import { listTasks } from '../task-reads.ts';
import { openConnection, type Connection } from './connection.ts';
import { prepare, queryOf, execute } from './executor.ts';
import { openPostgres } from './open.ts';

const TASKS = 40_000;
/** For a page of a hundred: a thousand ids, asked for in another index, and the rows. */
const ROWS_MAX = 3_000;
/** What is counted is counted in one index, no further than its limit. */
const COUNTED_MAX = 10_000;

/** Two accounts in turns: one shows everything, one hid all but its ten oldest; its model is nobody else's. */
async function fill(url: string): Promise<void> {
  await (await openPostgres({ url, now: () => 0 })).close();
  const connection = await openConnection({ url, purpose: 'migrates' });
  await connection.execute({
    text: `insert into accounts (id, name, status, created_at) values ('open', '', 'active', 1), ('tidy', '', 'active', 1)`,
  });
  await connection.execute({
    text: `insert into tasks (id, account_id, key_id, state, surface, channel_id, model, requested_model, tier, hold_micros,
             created_at, updated_at, deadline_at, request, quote, warnings, metadata, hidden_at)
           select 'task_' || lpad(n::text, 8, '0'), case when n % 2 = 0 then 'open' else 'tidy' end, 'key', 'completed', 's',
             'chan', case when n % 2 = 0 then 'm' else 'n' end, 'm', 't', 1, n, n, n, '{}',
             '{"unitPriceMicros":"1","amountMicros":"1"}', '[]', '{}', case when n % 2 = 1 and n > 20 then 1 end
           from generate_series(1, ${TASKS}) n`,
  });
  await connection.execute({ text: 'vacuum analyze tasks' });
  await connection.close();
}

interface PlanNode {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Read from a table or its index. */
function rowsTouched(node: PlanNode): number {
  const read = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  return (
    (/^(Index|Bitmap|Seq)/.test(node['Node Type']) ? read : 0) +
    (node.Plans ?? []).reduce((sum, plan) => sum + rowsTouched(plan), 0)
  );
}

async function planOf(connection: Connection, command: Command): Promise<PlanNode> {
  const { name, sql } = prepare(command.statement);
  const values = (queryOf(command).values ?? []).map((value) =>
    typeof value === 'string' ? `'${value}'` : String(value),
  );
  await connection.execute({ text: `prepare plan_of_${name} as ${sql}` });
  const { rows } = await connection.execute({
    text: `explain (analyze, format json) execute plan_of_${name}(${values.join()})`,
  });
  await connection.execute({ text: `deallocate plan_of_${name}` });
  return (rows[0]!['QUERY PLAN'] as { Plan: PlanNode }[])[0]!.Plan;
}

function* firstStep(query: Parameters<typeof chooseWalk>[0]): Procedure<unknown> {
  const walk = yield* chooseWalk(query);
  return yield* adminTasksBefore(walk, walk.before, { stepRows: 1_000, limit: 101 });
}

const page = { cursor: null, limit: 100 };
const lists: Record<string, () => Procedure<unknown>> = {
  'newest first': () => listTasks({ accountId: 'open', order: 'desc', limit: 101 }),
  'nearly all hidden': () => listTasks({ accountId: 'tidy', order: 'desc', limit: 5 }),
  'of a surface': () => listTasks({ accountId: 'open', surface: 's', order: 'asc', limit: 101 }),
  'a search': () => firstStep({ ...page, accountId: 'open', states: ['completed'], onlyShown: true }),
  'of an operator': () => firstStep({ ...page, accountId: 'open', tier: 't' }),
  'without a match': () => firstStep({ ...page, accountId: 'open', model: 'n' }),
};

test('a page looks at few rows among many', async (context) => {
  const database = await createTestDatabase();
  await fill(database.url);
  const connection = await openConnection({ url: database.url, purpose: 'reads' });
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await connection.execute({ text: `set plan_cache_mode = ${mode}` });
    for (const [name, list] of Object.entries(lists)) {
      await context.test(`${name}, ${mode}`, async () => {
        const procedure = list();
        let step = procedure.next();
        while (!step.done) {
          const plan = await planOf(connection, step.value);
          const counts = /count\(\*\)/.test(prepare(step.value.statement).sql);
          assert.ok(rowsTouched(plan) <= (counts ? COUNTED_MAX : ROWS_MAX), JSON.stringify(plan, null, 1));
          step = procedure.next(await execute(connection, step.value));
        }
      });
    }
  }
  await connection.close();
  await database.drop();
});
