import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli } from './main.ts';
import { createTestContext, refusal, startTestGateway, type TestGateway } from './test-gateway.ts';

const cwd = mkdtempSync(join(tmpdir(), 'reelay-admin-'));
let gateway: TestGateway;

const at = '2026-11-20T10:00:00.000Z';
const accounts = [
  { id: 'acc_1', name: 'demo', status: 'active', created_at: at },
  { id: 'acc_2', name: '电影学院', status: 'active', created_at: at },
];
const wallet = {
  account_id: 'acc_1',
  balance: '10025.00',
  held: '0.28',
  available: '10024.72',
  currency: 'USD',
};
const channel = {
  id: 'ch_1',
  name: 'main',
  provider: 'kling',
  base_url: null,
  priority: 0,
  weight: 1,
  concurrency: null,
  enabled: true,
  sandbox: false,
  running: 2,
  waiting: 1,
};
const entry = {
  id: 'le_1',
  posting_id: 'po_1',
  kind: 'top_up',
  book: 'available',
  amount: '25.00',
  task_id: null,
  note: 'first',
  author: 'li.na',
  created_at: at,
};
const task = {
  id: 'task_1',
  account_id: 'acc_1',
  state: 'completed',
  surface: 'openai.videos',
  requested_model: 'kling-2.5',
  model: 'kling-v2-5-turbo',
  tier: 'kling-2.5-720p-mute',
  channel_id: 'ch_1',
  prompt: '一只猫',
  quote: { amount: '0.21', currency: 'USD' },
  charge: '0.21',
  refunded: '0.00',
  retries: 0,
  upstream_handle: 'task_1',
  attention: null,
  error: null,
  created_at: at,
  ended_at: at,
};

before(async () => {
  gateway = await startTestGateway({
    'GET /admin/v1/accounts': [
      { json: { data: accounts.slice(0, 1), next_cursor: 'c1' } },
      { json: { data: accounts.slice(1), next_cursor: null } },
      { json: { data: accounts, next_cursor: null } },
    ],
    'POST /admin/v1/accounts': { json: accounts[1] },
    'GET /admin/v1/accounts/acc_1/wallet': { json: wallet },
    'GET /admin/v1/accounts/acc_2/wallet': { json: { ...wallet, account_id: 'acc_2' } },
    'POST /admin/v1/accounts/acc_1/top-ups': { json: wallet },
    'GET /admin/v1/accounts/acc_2/keys': { json: { data: [], next_cursor: null } },
    'POST /admin/v1/accounts/acc_1/keys': {
      json: { id: 'key_1', api_key: 'rk-new', access_key: 'ak', secret_key: 'sk' },
    },
    'DELETE /admin/v1/accounts/acc_1/keys/key_1': { json: { id: 'key_1', name: 'laptop' } },
    'GET /admin/v1/accounts/acc_1/ledger': { json: { data: [entry], next_cursor: null } },
    'GET /admin/v1/ledger/verify': [
      { json: { ok: true, entries: 12, sum: '0.00', mismatches: [] } },
      { json: { ok: false, entries: 12, sum: '0.01', mismatches: ['account acc_1: 1 is not 2'] } },
    ],
    'GET /admin/v1/channels': { json: { data: [channel], next_cursor: null } },
    'POST /admin/v1/channels': { json: channel },
    'POST /admin/v1/channels/ch_1/probe': [
      { json: { ok: true, message: 'The credential works.' } },
      { json: { ok: false, message: 'The secret key is wrong.' } },
    ],
    'GET /admin/v1/tasks': { json: { data: [task], next_cursor: null } },
    'GET /admin/v1/tasks/task_1': {
      json: {
        task,
        attempts: [
          {
            number: 1,
            channel_id: 'ch_1',
            state: 'made',
            created_at: at,
            ended_at: at,
            upstream_code: null,
            message: null,
          },
        ],
        events: [{ type: 'task.completed', created_at: at }],
        exchanges: [
          { at, method: 'POST', path: '/v1/videos/text2video', status: 200, duration_ms: 12.4, error: null },
        ],
        queue_wait_ms: 65_000,
        pricing: { price_book: 'usd-1', unit: 'second', unit_price: '0.042', quantity: 5 },
        ledger: [entry],
        operator_actions: [
          { action: 'refunded', author: 'li.na', note: 'half', amount: '0.10', created_at: at },
        ],
        deliveries: [],
      },
    },
    'GET /admin/v1/tasks/task_2': refusal(404, 'task_not_found', 'There is no such task.'),
    'DELETE /v1/videos/task_1': { json: { id: 'task_1', object: 'video.deleted', deleted: true } },
    'GET /v1/videos': [
      { json: { data: [callerTask('task_2')], last_id: 'task_2', has_more: true } },
      { json: { data: [callerTask('task_1')], last_id: 'task_1', has_more: false } },
    ],
    'GET /v1/videos/task_1': { json: callerTask('task_1') },
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

function callerTask(id: string) {
  return {
    id,
    model: 'kling-2.5-720p-mute',
    requested_model: 'kling-2.5',
    status: 'in_progress',
    progress: 40,
    created_at: 1780891541,
    completed_at: null,
    expires_at: null,
    prompt: '一只猫',
    seconds: '5',
    size: '1280x720',
    error: null,
    metadata: {},
  };
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const context = createTestContext({ cwd });
  const code = await runCli(args, context);
  return { code, ...context.output() };
}

test('accounts list reads every page and shows each wallet', async () => {
  const { code, out } = await run('accounts', 'list');
  assert.equal(code, 0);
  assert.match(out, /^acc_1 +demo +active +10024\.72 USD +0\.28/m);
  assert.match(out, /^acc_2 +电影学院 +active/m);
  assert.equal(gateway.received[0]!.headers.authorization, 'Bearer adm');
  assert.match(gateway.received.find((each) => each.path.includes('cursor'))!.path, /cursor=c1/);
});

test('accounts create prints the id for scripts and the next step for people', async () => {
  const { out, err } = await run('accounts', 'create', '电影学院');
  assert.equal(out, 'acc_2\n');
  assert.match(err, /reelay top-up acc_2/);
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/accounts'), [{ name: '电影学院' }]);
});

test('keys create shows all three secrets once', async () => {
  const { code, out, err } = await run('keys', 'create', 'laptop', '--strict');
  assert.equal(code, 0);
  for (const secret of ['rk-new', 'ak', 'sk']) assert.ok(out.includes(secret));
  assert.match(err, /not shown again/);
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/accounts/acc_1/keys'), [
    { name: 'laptop', response_style: 'strict' },
  ]);
});

test('an account may be named by its name, in any case', async () => {
  assert.equal((await run('keys', 'list', '--account', '电影学院')).code, 0);
  const { code, err } = await run('keys', 'list', '--account', 'nobody');
  assert.equal(code, 1);
  assert.match(err, /no account "nobody".*accounts list/);
});

test('keys revoke names what it revoked', async () => {
  assert.equal((await run('keys', 'revoke', 'key_1')).out, 'Revoked key_1 (laptop) of demo.\n');
});

test('top-up sends the amount as text and says what is there now', async () => {
  const { code, out } = await run('top-up', 'Demo', '25.10', '--note', 'first');
  assert.equal(code, 0);
  assert.match(out, /10024\.72 USD to spend/);
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/accounts/acc_1/top-ups'), [
    { amount: '25.10', note: 'first' },
  ]);
});

test('ledger list shows entries, --json gives them as they are', async () => {
  assert.match(
    (await run('ledger', 'list')).out,
    /2026-11-20 10:00:00 +top_up +available +25\.00 +– +li\.na +first/,
  );
  assert.deepEqual(JSON.parse((await run('ledger', 'list', '--json')).out), [entry]);
});

test('ledger verify ends with 1 and names what does not add up', async () => {
  const fine = await run('ledger', 'verify');
  assert.deepEqual([fine.code, fine.out], [0, '✓ 12 entries, sum 0.00: all of it adds up.\n']);
  const off = await run('ledger', 'verify');
  assert.equal(off.code, 1);
  assert.match(off.out, /✗ 12 entries, sum 0\.01:\n {2}account acc_1: 1 is not 2/);
});

test('channels add reads the credential from a file, tries it, never prints it', async () => {
  writeFileSync(join(cwd, 'kling.json'), '{"access_key":"AK","secret_key":"from-file"}');
  const { code, out, err } = await run(
    'channels',
    'add',
    'kling',
    '--credential-file',
    'kling.json',
    '--credential',
    'secret_key=S=1',
  );
  assert.equal(code, 0);
  assert.match(out, /Added main \(ch_1\)\.\n✓ main: The credential works\./);
  assert.doesNotMatch(out + err, /AK|S=1/);
  assert.deepEqual(gateway.bodiesOf('POST /admin/v1/channels'), [
    { name: 'kling', provider: 'kling', credential: { access_key: 'AK', secret_key: 'S=1' }, base_url: null },
  ]);
});

test('a credential file that is no JSON is refused without quoting it', async () => {
  writeFileSync(join(cwd, 'bad.json'), 'sk-secret');
  const { code, err } = await run('channels', 'add', 'kling', '--credential-file', 'bad.json');
  assert.equal(code, 1);
  assert.match(err, /must hold one JSON object/);
  assert.doesNotMatch(err, /sk-secret/);
});

test('channels probe ends with 1 when a credential does not work', async () => {
  const { code, out } = await run('channels', 'probe', 'main');
  assert.deepEqual([code, out], [1, '✗ main: The secret key is wrong.\n']);
});

test('channels list shows load and where they go', async () => {
  assert.match(
    (await run('channels', 'list')).out,
    /^ch_1 +main +kling +enabled +default host +0 +2\/∞ +1$/m,
  );
});

test('tasks list follows the pages of the callers’ list', async () => {
  const { out } = await run('tasks', 'list');
  assert.match(out, /^task_2 +in_progress +40 +kling-2\.5-720p-mute +5 +\S+ \S+ +一只猫$/m);
  assert.match(out, /^task_1 /m);
  assert.equal(gateway.received.at(-1)!.headers.authorization, 'Bearer rk-demo');
  assert.match(gateway.received.at(-1)!.path, /after=task_2/);
});

test('tasks get shows the task; --admin its record', async () => {
  assert.match((await run('tasks', 'get', 'task_1')).out, /^state +in progress, 40 %$/m);
  const { out } = await run('tasks', 'get', 'task_1', '--admin');
  assert.match(out, /charge 0\.21/);
  assert.match(out, /POST \/v1\/videos\/text2video +200 +12/);
  assert.match(out, /task\.completed/);
  assert.match(out, /^waited +1:05$/m);
  assert.match(out, /^price +5 × 0\.042 per second, book usd-1$/m);
  assert.match(out, /refunded +0\.10 +li\.na +half/);
  assert.match((await run('tasks', 'list', '--admin')).out, /^task_1 +acc_1 +completed/m);
});

test('an unknown task is an error with the gateway’s sentence', async () => {
  const { code, err } = await run('tasks', 'get', 'task_2', '--admin');
  assert.deepEqual([code, err], [1, 'Error: There is no such task.\n']);
});

test('tasks delete says what is gone', async () => {
  assert.equal((await run('tasks', 'delete', 'task_1')).out, 'Deleted task_1.\n');
});
