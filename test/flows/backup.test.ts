/**
 * A backup made under load and put into another directory: nothing that was in it is lost, nothing is submitted twice,
 * and nothing secret leaves with it.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCli } from '../../src/cli/main.ts';
import { createTestContext } from '../../src/cli/test-gateway.ts';
import { readTar } from '../../src/lib/tar.ts';
import {
  call,
  eventually,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Running,
} from '../helpers/processes.ts';

const PASSPHRASE = 'a passphrase that nobody else knows';

async function cli(env: Record<string, string>, ...args: string[]) {
  const context = createTestContext({ cwd: tmpdir(), env });
  const exitCode = await runCli(args, context);
  return { exitCode, ...context.output() };
}

interface UpstreamTask {
  dedup_handle: string;
  submits: number;
}

describe('a backup made while creates run', { timeout: 120_000 }, () => {
  const sandboxData = temporaryDirectory();
  const data = temporaryDirectory();
  const files = temporaryDirectory();
  let sandbox: Running;
  let gateway: Running;
  const env = (dataDir: string) => ({
    PORT: '0',
    REELAY_DATA: dataDir,
    REELAY_SANDBOX: sandbox.url,
    REELAY_SANDBOX_SPEED: '20',
    REELAY_LOG_LEVEL: 'trace',
  });

  before(async () => {
    sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: sandboxData.path,
      REELAY_SANDBOX_SPEED: '20',
      REELAY_SANDBOX_RENDER: 'tiny',
    });
    gateway = await startProcess('src/main.ts', [], env(data.path));
  });
  after(async () => {
    await gateway.kill();
    await sandbox.stop();
    for (const directory of [sandboxData, data, files]) directory.dispose();
  });

  test('is restored whole: ledger, files, tasks, and what runs is not submitted again', async () => {
    const { api_key: key, admin_token: admin } = firstRunOf(data.path);
    const create = (prompt: string) =>
      call(`${gateway.url}/v1/videos`, { key, json: { model: 'kling-v1-6', prompt, seconds: '5' } });
    const channels = (await call(`${gateway.url}/admin/v1/channels`, { key: admin })).body.data;
    const kling = channels.find((each: { provider: string }) => each.provider === 'kling');
    // Few at once, so that many wait; those that run take ten seconds more.
    await call(`${gateway.url}/admin/v1/channels/${kling.id}`, {
      method: 'PATCH',
      key: admin,
      json: { concurrency: 6 },
    });
    const done = (await create('quickly done')).body.id as string;
    await eventually('the first film', 30_000, async () => {
      const { body } = await call(`${gateway.url}/v1/videos/${done}`, { key });
      return body.status === 'completed';
    });
    for (let number = 0; number < 30; number++) await create(`[[slow:60]] number ${number}`);

    let isOver = false;
    let accepted = 0;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) if ((await create('meanwhile')).status < 300) accepted++;
      }),
    );
    const file = join(files.path, 'backup.tar');
    const passphrase = { REELAY_BACKUP_PASSPHRASE: PASSPHRASE };
    const made = await cli({ ...env(data.path), ...passphrase }, 'backup', file, '--with-secrets');
    assert.equal(made.exitCode, 0, made.err);
    assert.match(made.out, /ledger entries in it, all of it adds up/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(files.path), ['backup.tar'], 'nothing is left beside it');
    isOver = true;
    await load;
    assert.ok(accepted > 0, 'creates were answered meanwhile');

    // What waited in the backup is submitted now, behind its back.
    const waitedFor = async () => {
      const { tasks } = (await call(`${sandbox.url}/_control/tasks`)).body as { tasks: UpstreamTask[] };
      return tasks.length >= 14;
    };
    await eventually('submits after the backup', 30_000, waitedFor);
    await gateway.kill();

    const target = join(files.path, 'restored');
    const restored = await cli({ ...env(target), ...passphrase }, 'restore', file);
    assert.equal(restored.exitCode, 0, restored.err + restored.out);
    assert.match(restored.out, /waiting tasks are looked up at their upstream/);
    assert.match(restored.out, /ledger entries, all of it adds up/);

    gateway = await startProcess('src/main.ts', [], env(target));
    await call(`${gateway.url}/admin/v1/channels/${kling.id}`, {
      method: 'PATCH',
      key: admin,
      json: { concurrency: 100 },
    });
    const film = await call(`${gateway.url}/v1/videos/${done}/content`, { key });
    assert.equal(film.status, 200);
    assert.ok(Number(film.headers['content-length']) > 1_000);
    await eventually('all that was in the backup', 60_000, async () => {
      const open = await Promise.all(
        ['queued', 'in_progress'].map((state) =>
          call(`${gateway.url}/admin/v1/tasks?state=${state}&limit=200`, { key: admin }),
        ),
      );
      assert.deepEqual(
        open.map(({ status, text }) => (status === 200 ? status : text)),
        [200, 200],
      );
      return open.every(({ body }) => body.data.length === 0);
    });
    const failed = (await call(`${gateway.url}/admin/v1/tasks?state=failed&limit=200`, { key: admin })).body;
    assert.deepEqual(failed.data, []);
    const { tasks } = (await call(`${sandbox.url}/_control/tasks`)).body as { tasks: UpstreamTask[] };
    assert.deepEqual(
      tasks.filter(({ submits }) => submits !== 1),
      [],
      'everything was submitted once',
    );
    assert.equal(new Set(tasks.map((task) => task.dedup_handle)).size, tasks.length);
    const verdict = (await call(`${gateway.url}/admin/v1/ledger/verify`, { key: admin })).body;
    assert.deepEqual([verdict.ok, verdict.mismatches], [true, []]);
  });
});

describe('a backup', { timeout: 60_000 }, () => {
  const data = temporaryDirectory();
  const files = temporaryDirectory();
  const SECRET = 'the root key that the operator has given';
  const env = { PORT: '0', REELAY_DATA: data.path, REELAY_SECRET: SECRET, REELAY_LOG_LEVEL: 'trace' };
  const file = join(files.path, 'plain.tar');
  /** Everything that nobody may ever see again. */
  const secrets: string[] = [SECRET];
  let said = '';
  let gateway: Running | null = null;

  before(async () => {
    gateway = await startProcess('src/main.ts', [], env);
    const stdout: string[] = [];
    gateway.child.stdout!.on('data', (chunk: Buffer) => stdout.push(chunk.toString()));
    const first = firstRunOf(data.path);
    const { admin_token: admin, account_id: account } = first;
    secrets.push(admin, first.api_key, first.secret_key);
    const { url } = gateway;
    const post = async (path: string, json: object) =>
      (await call(`${url}${path}`, { key: admin, json })).body;
    const credential = {
      access_key: 'upstream-access-key-1',
      secret_key: 'LEAK-the-secret-key-of-an-upstream',
    };
    const channel = await post('/admin/v1/channels', {
      name: 'real',
      provider: 'kling',
      credential,
      enabled: false,
    });
    assert.ok(channel.id, JSON.stringify(channel));
    secrets.push(credential.secret_key);
    const issued = await post(`/admin/v1/accounts/${account}/keys`, { name: 'second' });
    secrets.push(issued.api_key, issued.secret_key);
    const endpoint = await call(`${url}/v1/webhook_endpoints`, {
      key: first.api_key,
      json: { name: 'mine', url: 'https://receiver.example/hook', event_types: ['task.completed'] },
      headers: { 'idempotency-key': 'endpoint-1' },
    });
    assert.ok(endpoint.body.secret ?? endpoint.body.signing_secret, endpoint.text);
    secrets.push(endpoint.body.secret ?? endpoint.body.signing_secret);
    const answers: string[] = [];
    for (const path of [
      '/admin/v1/accounts',
      `/admin/v1/accounts/${account}/keys`,
      '/admin/v1/channels',
      `/admin/v1/channels/${channel.id}`,
      '/admin/v1/secrets',
      '/admin/v1/tasks',
    ]) {
      answers.push((await call(url + path, { key: admin })).text);
    }
    await post('/admin/v1/channels', {
      name: 'wrong',
      provider: 'kling',
      credential: { secret_key: secrets[4] },
    });
    await call(`${url}/admin/v1/channels/${channel.id}/probe`, { key: admin, method: 'POST' });
    const made = await cli(env, 'backup', file);
    assert.equal(made.exitCode, 0, made.err);
    await gateway.stop();
    said = [...answers, ...stdout, gateway.errors(), made.out, made.err].join('\n');
  });
  after(async () => {
    await gateway?.kill();
    for (const directory of [data, files]) directory.dispose();
  });

  test('holds no secret, and neither do logs and answers', () => {
    const bytes = readFileSync(file);
    assert.ok(secrets.length >= 8 && secrets.every((secret) => secret.length > 16));
    for (const secret of secrets) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').slice(0, -4),
        Buffer.from(secret).toString('hex'),
      ]) {
        assert.equal(bytes.includes(form), false, `${secret} is in the backup`);
        assert.equal(said.includes(form), false, `${secret} was said`);
      }
    }
  });

  test('with secrets opens them for the passphrase alone', async () => {
    const sealed = join(files.path, 'sealed.tar');
    const made = await cli(
      { ...env, REELAY_BACKUP_PASSPHRASE: PASSPHRASE },
      'backup',
      sealed,
      '--with-secrets',
    );
    assert.equal(made.exitCode, 0, made.err);
    const bytes = readFileSync(sealed);
    for (const secret of secrets) assert.equal(bytes.includes(secret), false);
    const target = join(files.path, 'with-secrets');
    const restoreEnv = { REELAY_DATA: target };
    const wrong = await cli(
      { ...restoreEnv, REELAY_BACKUP_PASSPHRASE: 'another passphrase' },
      'restore',
      sealed,
    );
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.err, /passphrase is not the one/);
    const right = await cli({ ...restoreEnv, REELAY_BACKUP_PASSPHRASE: PASSPHRASE }, 'restore', sealed);
    assert.equal(right.exitCode, 0, right.err);
    assert.equal(readFileSync(join(target, 'secret'), 'utf8').trim(), SECRET);
    assert.equal(statSync(join(target, 'secret')).mode & 0o777, 0o600);
    assert.equal(statSync(join(target, 'reelay.sqlite')).mode & 0o777, 0o600);
  });

  test('without its root key is restored, and says what is needed before the first start', async () => {
    const target = join(files.path, 'without');
    const { exitCode, out } = await cli({ REELAY_DATA: target }, 'restore', file);
    assert.equal(exitCode, 1);
    assert.match(out, /4 secrets need root key [0-9a-f]{8}: give it with REELAY_SECRET/);
    await assert.rejects(
      startProcess('src/main.ts', [], { PORT: '0', REELAY_DATA: target }),
      (error: Error) => {
        assert.match(error.message, /root key that is not at hand/);
        assert.doesNotMatch(error.message, /at file:/);
        return true;
      },
    );
    const gateway = await startProcess('src/main.ts', [], {
      PORT: '0',
      REELAY_DATA: target,
      REELAY_SECRET: SECRET,
    });
    await gateway.stop();
  });

  test('whose root key is lost for good starts once the key is given up; API keys go on working', async () => {
    const target = join(files.path, 'lost');
    const { out } = await cli({ REELAY_DATA: target }, 'restore', file);
    const keyId = /root key ([0-9a-f]{8})/.exec(out)![1]!;
    const given = await cli({ REELAY_DATA: target }, 'secrets', 'forget', keyId, '--yes');
    assert.match(given.out, /^4 secrets sealed with [0-9a-f]{8} are given up/);
    const gateway = await startProcess('src/main.ts', [], { PORT: '0', REELAY_DATA: target });
    assert.equal((await call(`${gateway.url}/v1/videos`, { key: secrets[2]! })).status, 200);
    await gateway.stop();
  });

  test('is refused a directory that is not empty, and leaves it as it was', async () => {
    const target = join(files.path, 'used');
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), 'precious');
    const { exitCode, err } = await cli({ REELAY_DATA: target, REELAY_SECRET: SECRET }, 'restore', file);
    assert.equal(exitCode, 1);
    assert.match(err, /is not empty \(mine\)/);
    assert.equal(readFileSync(join(target, 'mine'), 'utf8'), 'precious');
  });

  test('that was cut off or changed is refused, and nothing of it stays', async () => {
    const whole = readFileSync(file);
    const target = join(files.path, 'damaged');
    const damaged = join(files.path, 'damaged.tar');
    const flipped = Buffer.from(whole);
    flipped[Math.floor(whole.length / 2)]! ^= 1;
    for (const [what, bytes] of [
      ['cut in the middle', whole.subarray(0, whole.length / 2)],
      ['cut before the manifest', whole.subarray(0, (await offsetOfManifest(whole)) - 512)],
      ['changed', flipped],
      ['no backup', Buffer.from('hello'.repeat(500))],
      ['empty', Buffer.alloc(0)],
    ] as const) {
      writeFileSync(damaged, bytes);
      const { exitCode, err } = await cli({ REELAY_DATA: target, REELAY_SECRET: SECRET }, 'restore', damaged);
      assert.equal(exitCode, 1, what);
      assert.match(err, /no backup of Reelay, or a damaged one/, what);
      assert.deepEqual(
        readdirSync(target).filter((name) => !name.startsWith('reelay.lock')),
        [],
        what,
      );
    }
  });

  test('whose restore broke off is restored again, and no gateway starts on the half of it', async () => {
    const target = join(files.path, 'half');
    mkdirSync(join(target, '.restoring'), { recursive: true });
    mkdirSync(join(target, 'media'));
    writeFileSync(join(target, 'media', 'half-a-film'), 'x');
    await assert.rejects(
      startProcess('src/main.ts', [], { PORT: '0', REELAY_DATA: target, REELAY_SECRET: SECRET }),
      /broke off half-way: run it again/,
    );
    const { exitCode, err } = await cli({ REELAY_DATA: target, REELAY_SECRET: SECRET }, 'restore', file);
    assert.equal(exitCode, 0, err);
    assert.equal(readdirSync(target).includes('.restoring'), false);
    assert.equal(existsSync(join(target, 'media', 'half-a-film')), false);
  });

  test('that is broken off leaves nothing behind', async () => {
    const folder = join(files.path, 'broken-off');
    mkdirSync(folder);
    const context = createTestContext({ cwd: folder, env });
    const running = runCli(['backup', 'broken.tar'], context);
    context.interrupt();
    assert.equal(await running, 130);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('of a directory without a database, or to one that is not there, is refused in a sentence', async () => {
    const nothing = await cli(
      { REELAY_DATA: join(files.path, 'nothing') },
      'backup',
      join(files.path, 'x.tar'),
    );
    assert.equal(nothing.exitCode, 1);
    assert.match(nothing.err, /There is no database in .*nothing: is REELAY_DATA/);
    const nowhere = await cli(env, 'backup', join(files.path, 'no', 'such', 'folder.tar'));
    assert.equal(nowhere.exitCode, 1);
    assert.match(nowhere.err, /^Error: ENOENT/);
  });

  test('never overwrites a file', async () => {
    const { exitCode, err } = await cli(env, 'backup', file);
    assert.equal(exitCode, 1);
    assert.match(err, /exists already/);
  });
});

async function offsetOfManifest(archive: Buffer): Promise<number> {
  let at = 0;
  for await (const { name, bytes } of readTar(onePiece(archive))) {
    if (name === 'manifest.json') return at;
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  throw new Error('there is no manifest');
}

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
