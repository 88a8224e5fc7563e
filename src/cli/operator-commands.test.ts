import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli } from './main.ts';
import { createTestContext, refusal, startTestGateway, type TestGateway } from './test-gateway.ts';

const cwd = mkdtempSync(join(tmpdir(), 'reelay-operator-'));
let gateway: TestGateway;

const at = '2026-11-20T10:00:00.000Z';
const account = { id: 'acc_1', name: 'demo', status: 'active', limits: null, created_at: at };
const task = {
  id: 'task_1',
  account_id: 'acc_1',
  state: 'queued',
  surface: 'openai.videos',
  requested_model: 'kling-2.5',
  model: 'kling-v2-5-turbo',
  tier: 'kling-2.5-720p-mute',
  channel_id: 'ch_1',
  prompt: 'a cat',
  quote: { amount: '0.21', currency: 'USD' },
  charge: null,
  refunded: '0.00',
  retries: 1,
  upstream_handle: 'task_1-r1',
  attention: 'lost',
  error: null,
  created_at: at,
  ended_at: null,
};
const done = (action: string, changes: object = {}) => ({
  id: 'evt_1',
  action,
  author: 'li.na',
  note: 'ticket 4711',
  amount: '0.10',
  posting_id: 'pst_1',
  task: { ...task, ...changes },
});
const key = {
  id: 'key_1',
  account_id: 'acc_1',
  name: 'laptop',
  hint: 'rl-…',
  access_key: 'ak',
  response_style: 'superset',
  limits: { spend_per_day: '5', models: ['kling-2.5'] },
  created_at: at,
  revoked_at: null,
};
const endpoint = {
  id: 'whe_1',
  name: 'mine',
  url: 'https://example.com/hook',
  event_types: ['task.completed'],
  enabled: false,
  disabled_reason: 'failing',
  disabled_at: at,
  failing_since: at,
  old_secret_until: null,
};
const delivery = {
  id: 'dlv_1',
  event_type: 'task.completed',
  endpoint_id: 'whe_1',
  callback_url: null,
  task_id: 'task_1',
  state: 'dead',
  attempts: 12,
  last_error: 'the receiver answered 503',
  created_at: at,
};
const hooks = '/admin/v1/accounts/acc_1/webhook-endpoints';

before(async () => {
  gateway = await startTestGateway({
    'GET /admin/v1/accounts': { json: { data: [account], next_cursor: null } },
    'PATCH /admin/v1/accounts/acc_1': { json: { ...account, limits: { concurrent_tasks: 3 } } },
    'GET /admin/v1/accounts/acc_1/keys': { json: { data: [key], next_cursor: null } },
    'POST /admin/v1/accounts/acc_1/keys': {
      json: { id: 'key_1', api_key: 'rk-new', access_key: 'ak', secret_key: 'sk' },
    },
    'PATCH /admin/v1/accounts/acc_1/keys/key_1': { json: { ...key, limits: { models: ['kling-2.5'] } } },
    'GET /admin/v1/tasks': { json: { data: [task], next_cursor: null } },
    'POST /admin/v1/tasks/task_1/retry': { json: done('retried') },
    'POST /admin/v1/tasks/task_1/refund': {
      json: done('refunded', { state: 'completed', charge: '0.21', refunded: '0.10', attention: null }),
    },
    'POST /admin/v1/tasks/task_1/fail': { json: done('failed', { state: 'failed', attention: null }) },
    'POST /admin/v1/tasks/task_2/retry': refusal(409, 'conflict', 'It is completed.'),
    'GET /admin/v1/channels': {
      json: { data: [{ id: 'ch_1', name: 'main', enabled: true }], next_cursor: null },
    },
    'PATCH /admin/v1/channels/ch_1': {
      json: {
        id: 'ch_1',
        name: 'main',
        enabled: true,
        priority: 2,
        weight: 1,
        concurrency: null,
        allows_compliance_switches: true,
      },
    },
    [`GET ${hooks}`]: { json: { data: [endpoint], next_cursor: null } },
    [`POST ${hooks}`]: { json: { ...endpoint, signing_secret: 'whsec_new' } },
    [`POST ${hooks}/whe_1/rotate-secret`]: {
      json: { ...endpoint, signing_secret: 'whsec_next', old_secret_until: at },
    },
    [`PATCH ${hooks}/whe_1`]: {
      json: { ...endpoint, enabled: true, disabled_reason: null, disabled_at: null, failing_since: null },
    },
    [`POST ${hooks}/whe_1/test`]: [{ json: { status: 200 } }, { json: { status: 503 } }],
    [`DELETE ${hooks}/whe_1`]: { json: { id: 'whe_1', deleted: true } },
    [`GET ${hooks}/whe_1/deliveries`]: { json: { data: [delivery], next_cursor: null } },
    [`POST ${hooks}/whe_1/redeliver`]: { json: { count: 7 } },
    'POST /admin/v1/accounts/acc_1/deliveries/dlv_1/redeliver': { json: { ...delivery, state: 'pending' } },
  });
  mkdirSync(join(cwd, 'data'));
  writeFileSync(
    join(cwd, 'data', 'first-run.json'),
    JSON.stringify({ base_url: gateway.url, admin_token: 'adm', account_id: 'acc_1', api_key: 'rk-demo' }),
  );
});
after(async () => {
  await gateway.close();
  rmSync(cwd, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const context = createTestContext({ cwd, env: { USER: 'li.na' } });
  const code = await runCli(args, context);
  return { code, ...context.output() };
}

test('tasks retry says what is held again and where the task waits', async () => {
  const { code, out } = await run('tasks', 'retry', 'task_1', '--note', 'ticket 4711');
  assert.equal(code, 0);
  assert.match(out, /^✓ task_1 retried: 0\.10 USD held again\.$/m);
  assert.match(out, /^ +state +queued on ch_1$/m);
  assert.match(out, /^ +entry +pst_1 by li\.na: ticket 4711$/m);
  await run('tasks', 'retry', 'task_1', '--note', 'n', '--author', 'x', '--accept-possible-duplicate');
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/tasks/task_1/retry'), [
    { note: 'ticket 4711', author: 'li.na' },
    { note: 'n', author: 'x', accept_possible_duplicate: true },
  ]);
});

test('tasks refund gives back a part or all, and says how much it is by now', async () => {
  const { out } = await run('tasks', 'refund', 'task_1', '0.10', '--note', 'half');
  assert.match(out, /0\.10 USD given back; 0\.10 of 0\.21 USD given back in all\./);
  await run('tasks', 'refund', 'task_1', '--note', 'all');
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/tasks/task_1/refund'), [
    { note: 'half', author: 'li.na', amount: '0.10' },
    { note: 'all', author: 'li.na' },
  ]);
  const wrong = await run('tasks', 'refund', 'task_1', 'ten', '--note', 'x');
  assert.deepEqual([wrong.code, /decimal/.test(wrong.err)], [2, true]);
});

test('tasks fail releases, and every action wants a note', async () => {
  assert.match((await run('tasks', 'fail', 'task_1', '--note', 'stuck')).out, /failed: 0\.10 USD released/);
  const { code, err } = await run('tasks', 'fail', 'task_1');
  assert.deepEqual([code, /--note/.test(err)], [2, true]);
});

test('a refusal is the gateway’s own sentence', async () => {
  const { code, err } = await run('tasks', 'retry', 'task_2', '--note', 'x');
  assert.deepEqual([code, err], [1, 'Error: It is completed.\n']);
});

test('tasks list --attention asks for what calls for an operator', async () => {
  const { out } = await run('tasks', 'list', '--attention');
  assert.match(gateway.received.at(-1)!.path, /attention=lost/);
  assert.match(out, /^task_1 +acc_1 +queued \(lost\)/m);
});

test('limits are shown, laid over what was set, and taken away by "none"', async () => {
  assert.match((await run('keys', 'limits', 'key_1')).out, /^ +spend per day +5$/m);
  const { out } = await run('keys', 'limits', 'key_1', '--spend-per-day', 'none', '--ip', '10.0.0.0/8');
  assert.match(out, /laptop \(key_1\) is held to:\n +models +kling-2\.5/);
  assert.deepEqual(gateway.bodiesOf('PATCH /admin/v1/accounts/acc_1/keys/key_1'), [
    { limits: { models: ['kling-2.5'], ip_addresses: ['10.0.0.0/8'] } },
  ]);
  assert.match((await run('accounts', 'limits', 'demo')).out, /is not limited/);
  assert.match((await run('accounts', 'limits', 'demo', '--concurrent-tasks', '3')).out, /tasks +3/);
  await run('keys', 'create', 'trial', '--model', 'kling-2.5', '--expires', '2027-01-31');
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/accounts/acc_1/keys').at(-1), {
    name: 'trial',
    response_style: 'superset',
    limits: { models: ['kling-2.5'], expires_at: '2027-01-31T00:00:00.000Z' },
  });
  assert.equal((await run('keys', 'limits', 'key_1', '--requests-per-minute', 'many')).code, 2);
});

test('channels set changes what is named', async () => {
  const { out } = await run('channels', 'set', 'main', '--compliance-switches', 'yes', '--priority', '2');
  assert.match(out, /^compliance switches +allowed$/m);
  assert.deepEqual(gateway.bodiesOf('PATCH /admin/v1/channels/ch_1'), [
    { priority: 2, allows_compliance_switches: true },
  ]);
  assert.equal((await run('channels', 'set', 'main')).code, 2);
  assert.equal((await run('channels', 'set', 'main', '--enabled', 'maybe')).code, 2);
});

test('webhooks are listed with why they are off, created, rotated, paused, tested and deleted', async () => {
  assert.match((await run('webhooks', 'list')).out, /^whe_1 +mine +failing since 2026-11-20 10:00:00/m);
  const made = await run('webhooks', 'create', 'https://example.com/hook', '--event', 'wallet.low');
  assert.match(made.out, /^signing secret +whsec_new$/m);
  assert.match(made.err, /not shown again/);
  assert.deepEqual(gateway.bodiesOf(`POST ${hooks}`), [
    { name: 'example.com', url: 'https://example.com/hook', event_types: ['wallet.low'] },
  ]);
  assert.match(
    (await run('webhooks', 'rotate', 'whe_1', '--overlap')).out,
    /old secret +signs as well until/,
  );
  assert.equal((await run('webhooks', 'resume', 'whe_1')).out, 'mine (whe_1) is enabled.\n');
  assert.deepEqual((await run('webhooks', 'test', 'whe_1')).code, 0);
  assert.deepEqual(await run('webhooks', 'test', 'whe_1'), { code: 1, out: '✗ it answered 503.\n', err: '' });
  assert.equal((await run('webhooks', 'delete', 'whe_1')).out, 'Deleted whe_1.\n');
});

test('webhooks deliveries tells what went wrong, and redeliver takes one or all', async () => {
  const { out } = await run('webhooks', 'deliveries', 'whe_1', '--state', 'dead');
  assert.match(out, /^dlv_1 +task\.completed +task_1 +dead +12 .*answered 503$/m);
  assert.match(gateway.received.at(-1)!.path, /state=dead/);
  assert.match((await run('webhooks', 'redeliver', 'dlv_1')).out, /dlv_1 \(task\.completed\) is on its way/);
  const all = await run('webhooks', 'redeliver', 'whe_1', '--since', '2026-11-20');
  assert.equal(all.out, '7 deliveries are on the way again.\n');
  assert.deepEqual(gateway.bodiesOf(`POST ${hooks}/whe_1/redeliver`), [
    { state: 'dead', since: '2026-11-20T00:00:00.000Z' },
  ]);
});
