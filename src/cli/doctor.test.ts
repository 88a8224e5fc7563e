import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from './main.ts';
import { createTestContext, refusal, startTestGateway } from './test-gateway.ts';

const root = mkdtempSync(join(tmpdir(), 'reelay-doctor-'));
after(() => rmSync(root, { recursive: true }));

const realChannel = {
  id: 'ch_1',
  name: 'main',
  provider: 'kling',
  enabled: true,
  sandbox: false,
  base_url: null,
};
const sandboxChannel = { ...realChannel, id: 'ch_0', name: 'sandbox', sandbox: true };
const healthy = {
  'GET /healthz': { json: { status: 'ok' } },
  'GET /readyz': { json: { status: 'ready' } },
  'GET /admin/v1/channels': { json: { data: [sandboxChannel], next_cursor: null } },
  'GET /admin/v1/tasks': { json: { data: [], next_cursor: null } },
  'POST /admin/v1/channels/ch_0/probe': { json: { ok: true, message: 'The credential works.' } },
};

/** A folder with the data of a first start. */
function dataFolder(baseUrl: string): string {
  const cwd = mkdtempSync(join(root, 'work-'));
  mkdirSync(join(cwd, 'data'), { mode: 0o700 });
  writeFileSync(
    join(cwd, 'data', 'first-run.json'),
    JSON.stringify({ base_url: baseUrl, admin_token: 'adm', account_id: 'acc_1', api_key: 'rk' }),
    { mode: 0o600 },
  );
  return cwd;
}

async function examine(cwd: string, env: Record<string, string> = {}, args: string[] = []) {
  const context = createTestContext({ cwd, env });
  const code = await runCli(['doctor', ...args], context);
  return { code, ...context.output() };
}

/** An address at which nothing listens (any more). */
async function freeUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test('everything in order: ticks only, exit code 0', async (t) => {
  const gateway = await startTestGateway(healthy);
  t.after(() => gateway.close());
  const { code, out } = await examine(dataFolder(gateway.url));
  assert.equal(code, 0, out);
  assert.doesNotMatch(out, /✗/);
  for (const topic of [
    'Node.js',
    'Configuration',
    'Data directory',
    'Secrets',
    'Gateway',
    'Clocks',
    'Readiness',
    'Admin token',
    'Lost tasks',
    'Channel sandbox',
  ]) {
    assert.match(out, new RegExp(`^✓ ${topic}`, 'm'));
  }
});

test('without a running gateway it still looks at this machine', async () => {
  const { code, out } = await examine(dataFolder(await freeUrl()));
  assert.equal(code, 0, out);
  assert.match(out, /^! Gateway +not running.*\n +→ Start it with npm start/m);
});

test('a gateway that was named but does not answer is wrong', async () => {
  const { code, out } = await examine(dataFolder('http://127.0.0.1:8787'), { REELAY_URL: await freeUrl() });
  assert.equal(code, 1);
  assert.match(out, /^✗ Gateway/m);
});

test('a bad setting is named with its way out', async () => {
  const { code, out } = await examine(dataFolder(await freeUrl()), { REELAY_SECRET: 'short' });
  assert.equal(code, 1);
  assert.match(out, /^✗ Configuration +REELAY_SECRET must have at least 32 characters/m);
});

test(
  'secrets that others can read are named with the command that mends it',
  { skip: process.platform === 'win32' },
  async () => {
    const cwd = dataFolder(await freeUrl());
    chmodSync(join(cwd, 'data', 'first-run.json'), 0o644);
    const { code, out } = await examine(cwd);
    assert.equal(code, 1);
    assert.match(out, /^✗ Secrets.*\n +→ chmod 600 .*first-run\.json/m);
    chmodSync(join(cwd, 'data'), 0o755);
    assert.match((await examine(cwd)).out, /→ chmod 700/);
  },
);

test('a data directory that is a file is refused', async () => {
  const cwd = mkdtempSync(join(root, 'work-'));
  writeFileSync(join(cwd, 'data'), '');
  const { code, out } = await examine(cwd, { REELAY_URL: await freeUrl() });
  assert.equal(code, 1);
  assert.match(out, /^✗ Data directory .* is a file/m);
});

test('a credential that does not work and a loopback address are told apart', async (t) => {
  const gateway = await startTestGateway({
    ...healthy,
    'GET /admin/v1/channels': { json: { data: [sandboxChannel, realChannel], next_cursor: null } },
    'POST /admin/v1/channels/ch_1/probe': { json: { ok: false, message: 'The secret key is wrong.' } },
  });
  t.after(() => gateway.close());
  const cwd = dataFolder(gateway.url);
  const { code, out } = await examine(cwd);
  assert.equal(code, 1);
  assert.match(out, /^✗ Channel main +The secret key is wrong\./m);
  assert.match(out, /^! Public URL .*callbacks of upstreams cannot arrive/m);
  const public_ = await examine(cwd, { REELAY_PUBLIC_URL: 'https://reelay.example.com' });
  assert.match(public_.out, /^✓ Public URL +https:\/\/reelay\.example\.com/m);
});

test('a wrong admin token, a store that does not answer and a wrong clock are seen', async (t) => {
  const gateway = await startTestGateway({
    ...healthy,
    'GET /healthz': { headers: { date: 'Fri, 20 Nov 2020 10:00:00 GMT' }, json: { status: 'ok' } },
    'GET /readyz': { status: 503, json: { status: 'not_ready', checks: { store: 'failed' } } },
    'GET /admin/v1/channels': refusal(401, 'invalid_api_key', 'This is not the admin token.'),
  });
  t.after(() => gateway.close());
  const { code, out } = await examine(dataFolder(gateway.url));
  assert.equal(code, 1);
  assert.match(out, /^! Clocks .* behind ours/m);
  assert.match(out, /^✗ Readiness .*"store":"failed"/m);
  assert.match(out, /^✗ Admin token +This is not the admin token\./m);
});

test('--json gives the findings to scripts', async () => {
  const { out } = await examine(dataFolder(await freeUrl()), {}, ['--json']);
  const findings = JSON.parse(out) as { verdict: string; topic: string }[];
  assert.deepEqual(
    findings.map(({ topic, verdict }) => [topic, verdict]).filter(([topic]) => topic === 'Gateway'),
    [['Gateway', 'attention']],
  );
});

test('lost tasks are counted, with what to do about them', async (t) => {
  const gateway = await startTestGateway({
    ...healthy,
    'GET /admin/v1/tasks': { json: { data: [{ id: 'task_1' }, { id: 'task_2' }], next_cursor: null } },
  });
  t.after(() => gateway.close());
  const { code, out } = await examine(dataFolder(gateway.url));
  assert.equal(code, 0, out);
  assert.match(out, /^! Lost tasks +2 may exist upstream.*\n +→ .*reelay tasks retry/m);
});
