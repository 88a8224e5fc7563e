/** An embedded installation with tasks in every state moves to PostgreSQL, and goes on there as if nothing had been. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { runCli } from '../../src/cli/main.ts';
import { createTestContext } from '../../src/cli/test-gateway.ts';
import {
  call,
  eventually,
  firstRunOf,
  ROOT,
  startProcess,
  temporaryDirectory,
  type Running,
} from '../helpers/processes.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/test-database.ts';

async function cli(env: Record<string, string>, ...args: string[]) {
  const context = createTestContext({ cwd: tmpdir(), env });
  const exitCode = await runCli(args, context);
  return { exitCode, ...context.output() };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('an embedded installation', { timeout: 120_000 }, () => {
  const sandboxData = temporaryDirectory();
  const data = temporaryDirectory();
  let database: TestDatabase;
  let sandbox: Running;
  let gateway: Running | null = null;
  const env = () => ({
    PORT: '0',
    REELAY_DATA: data.path,
    REELAY_SANDBOX: sandbox.url,
    REELAY_SANDBOX_SPEED: '20',
  });

  before(async () => {
    database = await createTestDatabase();
    sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: sandboxData.path,
      REELAY_SANDBOX_SPEED: '20',
      REELAY_SANDBOX_RENDER: 'tiny',
    });
  });
  after(async () => {
    await gateway?.kill();
    await sandbox.stop();
    await database.drop();
    for (const directory of [sandboxData, data]) directory.dispose();
  });

  test('moves with its ledger verified on both sides, and its tasks go on without a second submit', async () => {
    gateway = await startProcess('src/main.ts', [], env());
    const { api_key: key, admin_token: admin, account_id: account } = firstRunOf(data.path);
    const create = (prompt: string) =>
      call(`${gateway!.url}/v1/videos`, { key, json: { model: 'kling-v1-6', prompt, seconds: '5' } });
    const channels = (await call(`${gateway.url}/admin/v1/channels`, { key: admin })).body.data;
    const kling = channels.find((each: { provider: string }) => each.provider === 'kling');
    await call(`${gateway.url}/admin/v1/channels/${kling.id}`, {
      method: 'PATCH',
      key: admin,
      json: { concurrency: 4 },
    });
    const done = (await create('done before the move')).body.id as string;
    await eventually('the first film', 30_000, async () => {
      return (await call(`${gateway!.url}/v1/videos/${done}`, { key })).body.status === 'completed';
    });
    for (let number = 0; number < 12; number++) await create(`[[slow:40]] number ${number}`);
    const walletOf = async () =>
      (await call(`${gateway!.url}/admin/v1/accounts/${account}/wallet`, { key: admin })).body;
    const wallet = await walletOf();

    // Under a running gateway nothing is moved.
    const running = await cli(env(), 'migrate', '--from', 'sqlite', '--to', database.url);
    assert.equal(running.exitCode, 1);
    assert.match(running.err, /Another Reelay process is using/);
    await gateway.kill();

    // Killed on the way it has moved nothing.
    const child = spawn(
      process.execPath,
      [join(ROOT, 'src/cli/main.ts'), 'migrate', '--from', 'sqlite', '--to', database.url],
      { cwd: ROOT, env: { ...process.env, ...env() }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const ended = once(child, 'exit');
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('tasks')) child.kill('SIGKILL');
    });
    await ended;
    const killedBeforeItsCommit = existsSync(join(data.path, 'reelay.sqlite'));
    if (killedBeforeItsCommit) assert.deepEqual(await query(database.url, 'select id from tasks'), []);

    const moved = await cli(env(), 'migrate', '--from', 'sqlite', '--to', database.url);
    assert.equal(moved.exitCode, 0, moved.err);
    assert.match(moved.out, /on both sides all of it adds up, account by account/);
    assert.match(moved.out, /set REELAY_SECRET to the content of/);
    assert.equal(existsSync(join(data.path, 'reelay.sqlite.moved')), true);
    const again = await cli(env(), 'migrate', '--from', 'sqlite', '--to', database.url);
    assert.equal(again.exitCode, 1);
    assert.match(again.err, /was moved already/);
    await assert.rejects(
      startProcess('src/main.ts', [], env()),
      /was moved to PostgreSQL: start with DATABASE_URL/,
    );

    gateway = await startProcess('src/main.ts', [], { ...env(), DATABASE_URL: database.url });
    const after = await walletOf();
    assert.equal(after.balance, wallet.balance);
    await call(`${gateway.url}/admin/v1/channels/${kling.id}`, {
      method: 'PATCH',
      key: admin,
      json: { concurrency: 100 },
    });
    assert.equal((await call(`${gateway.url}/v1/videos/${done}/content`, { key })).status, 200);
    await eventually('all that was moved', 60_000, async () => {
      const { body } = await call(`${gateway!.url}/v1/videos?limit=100`, { key });
      return body.data.every(({ status }: { status: string }) => status === 'completed');
    });
    const { tasks } = (await call(`${sandbox.url}/_control/tasks`)).body as {
      tasks: { dedup_handle: string; submits: number }[];
    };
    assert.equal(tasks.length, 13);
    assert.deepEqual(
      tasks.filter(({ submits }) => submits !== 1),
      [],
    );
    const verdict = (await call(`${gateway.url}/admin/v1/ledger/verify`, { key: admin })).body;
    assert.deepEqual([verdict.ok, verdict.mismatches], [true, []]);
  });

  test('is backed up there as well, and comes back as an embedded one with the same books', async () => {
    const files = temporaryDirectory();
    const shared = { ...env(), DATABASE_URL: database.url };
    const file = join(files.path, 'shared.tar');
    const made = await cli(shared, 'backup', file, '--json');
    assert.equal(made.exitCode, 0, made.err);
    const restored = await cli(
      { ...shared, REELAY_DATA: join(files.path, 'back') },
      'restore',
      file,
      '--json',
    );
    const [before, after] = [JSON.parse(made.out), JSON.parse(restored.out)];
    assert.deepEqual(after.ledger, before.ledger);
    assert.equal(after.ledger.ok, true);
    assert.equal(after.media_files, before.media_files);
    assert.ok(after.media_files >= 13);
    assert.equal(after.missing_keys.length, 1, 'the root key stayed where it was');
    files.dispose();
  });

  test('is refused a target that holds something, and stays where it was', async () => {
    const other = temporaryDirectory();
    const own = { PORT: '0', REELAY_DATA: other.path };
    const embedded = await startProcess('src/main.ts', [], own);
    await embedded.stop();
    const refused = await cli(own, 'migrate', '--from', 'sqlite', '--to', database.url);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.err, /target database is not empty \(there are accounts\)/);
    assert.equal(existsSync(join(other.path, 'reelay.sqlite')), true);
    other.dispose();
  });

  test('whose move was broken off between its commit and its end is finished by the next run', async () => {
    const other = temporaryDirectory();
    const empty = await createTestDatabase();
    const own = { PORT: '0', REELAY_DATA: other.path };
    const embedded = await startProcess('src/main.ts', [], own);
    await embedded.stop();
    assert.equal((await cli(own, 'migrate', '--from', 'sqlite', '--to', empty.url)).exitCode, 0);
    renameSync(join(other.path, 'reelay.sqlite.moved'), join(other.path, 'reelay.sqlite'));
    const finished = await cli(own, 'migrate', '--from', 'sqlite', '--to', empty.url);
    assert.equal(finished.exitCode, 0, finished.err);
    assert.match(finished.out, /An earlier run had moved all/);
    assert.equal(existsSync(join(other.path, 'reelay.sqlite.moved')), true);
    await empty.drop();
    other.dispose();
  });
});
