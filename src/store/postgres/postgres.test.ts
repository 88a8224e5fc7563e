import pg from 'pg';
import { borrowTestSchema } from '../../../test/helpers/test-database.ts';
import type { Store } from '../../core/ports.ts';
import { testStore } from '../contract.ts';
import { T0 } from '../contract/harness.ts';
import { createStore } from '../store.ts';
import { openPostgres } from './open.ts';

const lockWaitMs = 400;

async function open(url: string): Promise<Store> {
  return createStore(await openPostgres({ url, now: () => T0, lockWaitMs }));
}

/** A session of another program. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

testStore('postgres', async () => {
  const database = await borrowTestSchema();
  let isTampered = false;
  let store = await open(database.url);
  const opened = [store];
  return {
    store,
    isSingle: false,
    lockWaitMs,
    async reopen() {
      await store.close();
      store = await open(database.url);
      opened.push(store);
      return store;
    },
    async crash() {
      // Nothing of a killed node is left but what it committed: another one finds just that.
      const revived = await open(database.url);
      opened.push(revived);
      return revived;
    },
    async tamper(statement) {
      isTampered = true;
      const client = await connect(database.url);
      try {
        await client.query(statement.replace(/^(drop trigger (\w+)_no_\w+)$/, '$1 on $2'));
      } finally {
        await client.end();
      }
    },
    async lock() {
      const client = await connect(database.url);
      await client.query('begin; lock table tasks in exclusive mode');
      return () => client.end();
    },
    async close() {
      for (const one of opened) await one.close();
      // A schema that may have lost a trigger is for nobody else; it goes with its database.
      if (!isTampered) await database.drop();
    },
  };
});
