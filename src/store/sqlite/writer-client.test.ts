import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { T0, refused } from '../contract/harness.ts';
import { sqliteEngine } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { openForWriting } from './connection.ts';
import { createExecutor } from './executor.ts';
import { createWriter, type WriterEvents } from './writer-client.ts';

/** A database at the newest schema. */
function create(file: string): void {
  const connection = openForWriting(file, 100);
  createExecutor(connection)(migrate(sqliteEngine, T0));
  connection.close();
}

const account = (id: string) => ({
  row: { id, name: id, status: 'active', createdAt: T0 },
  remember: null,
});

const deaf: WriterEvents = { onCommit() {}, onTasksChanged() {} };

test('changes of a writer thread that died are refused, and the next one starts another', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'reelay-writer-'));
  t.after(() => rm(root, { recursive: true }));
  const directory = join(root, 'not-yet');
  const file = join(directory, 'test.sqlite');
  const changed: (string[] | null)[] = [];
  const writer = createWriter(
    { file, busyTimeoutMs: 100, callsPerCommit: 10 },
    { ...deaf, onTasksChanged: (ids) => void changed.push(ids) },
  );
  t.after(() => writer.close());
  // There is no such directory: the thread cannot open its database and ends.
  await refused(writer.write('createAccount', account('acc_1')), 'unavailable');
  // What it had changed before it could tell is not known.
  assert.deepEqual(changed, [null]);

  await mkdir(directory);
  create(file);
  await writer.write('createAccount', account('acc_2'));
  await refused(writer.write('createAccount', account('acc_2')), 'conflict');
  await writer.close();
  await refused(writer.write('createAccount', account('acc_3')), 'unavailable');
});

test('an argument that is no plain data is refused to its caller alone', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-writer-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'test.sqlite');
  create(file);
  const writer = createWriter({ file, busyTimeoutMs: 100, callsPerCommit: 10 }, deaf);
  t.after(() => writer.close());
  const outcomes = [
    writer.write('createAccount', account('acc_1')),
    refused(writer.write('createAccount', { ...account('acc_2'), also: () => 'x' }), 'internal_error'),
    writer.write('createAccount', account('acc_3')),
  ];
  await Promise.all(outcomes);
  await refused(writer.write('createAccount', account('acc_3')), 'conflict');
  await writer.close();
});
