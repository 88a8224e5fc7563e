import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Store } from '../core/ports.ts';
import { ACCOUNT, T0, accept, furnish } from './contract/harness.ts';
import { DATABASE_FILE, openSqlite } from './sqlite/open.ts';
import { createStore } from './store.ts';

async function open(t: TestContext): Promise<{ store: Store; spoil(): void }> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-recent-'));
  const store = createStore(await openSqlite({ directory, now: () => T0 }));
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  await furnish(store);
  return {
    store,
    // Unseen by the store: what it still knows afterwards it had in memory.
    spoil() {
      const raw = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5_000 });
      raw.exec("update tasks set model = 'spoilt'");
      raw.close();
    },
  };
}

test('a task that is asked for again is not read again until it changes', async (t) => {
  const { store, spoil } = await open(t);
  const task = await accept(store);
  const first = await store.findTask(ACCOUNT, task.id);
  spoil();
  assert.equal(await store.findTask(ACCOUNT, task.id), first);
  await store.hideTask({ taskId: task.id, at: T0 + 1 });
  // It has not ended, so that nothing was hidden: nothing changed.
  assert.equal(await store.findTask(ACCOUNT, task.id), first);
  assert.equal(await store.cancelTask({ taskId: task.id, at: T0 + 2 }), true);
  const cancelled = await store.findTask(ACCOUNT, task.id);
  assert.equal(cancelled?.state, 'cancelled');
  assert.equal(cancelled.model, 'spoilt');
  await store.hideTask({ taskId: task.id, at: T0 + 3 });
  assert.equal(await store.findTask(ACCOUNT, task.id), null);
});

test('what one account has asked for is not there for another', async (t) => {
  const { store } = await open(t);
  const task = await accept(store);
  assert.notEqual(await store.findTask(ACCOUNT, task.id), null);
  assert.equal(await store.findTask('acc_other', task.id), null);
});

test('nobody can change a task for those who ask after him', async (t) => {
  const { store } = await open(t);
  const task = await accept(store);
  const found = await store.findTask(ACCOUNT, task.id);
  assert.throws(() => Object.assign(found!, { state: 'completed' }), TypeError);
});
