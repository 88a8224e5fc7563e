import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../../test/helpers/test-database.ts';
import { testCounters } from './contract.ts';
import { openPostgresCounters } from './postgres.ts';

const quiet = { onOutage: (error: unknown) => assert.fail(String(error)), onRecovery: () => {} };

testCounters('PostgreSQL', 3, async (windowSeconds, nodes) => {
  const database = await createTestDatabase();
  // All at once, as when a whole deployment starts: one makes the table, the others find it.
  const opened = await Promise.all(
    Array.from({ length: nodes }, () => openPostgresCounters(database.url, windowSeconds, quiet)),
  );
  return {
    nodes: opened,
    async dispose() {
      await Promise.all(opened.map((each) => each.close()));
      await database.drop();
    },
  };
});

test('a database that is not there keeps nobody from being served', async () => {
  const said: string[] = [];
  const counters = await openPostgresCounters('postgres://nobody@127.0.0.1:1/none', 60, {
    onOutage: (error) => said.push((error as Error).message),
    onRecovery: () => {},
  });
  assert.equal((await counters.count('caller')).count, 1);
  assert.equal((await counters.count('caller')).count, 2);
  assert.equal(counters.countedAlone, 3);
  assert.match(said.join(), /^connect ECONNREFUSED/);
  await counters.close();
});
