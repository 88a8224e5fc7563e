import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Provider, Store } from '../../core/ports.ts';
import { createAdmin } from '../../flows/admin/index.ts';
import { createTestClock } from '../../lib/clock.ts';
import { createGuardedHttp } from '../../lib/guarded-http.ts';
import { createIds } from '../../lib/ids.ts';
import { deriveKey } from '../../lib/seal.ts';
import { openStore } from '../../store/index.ts';
import { createAnswerCheck } from '../description.fixture.ts';
import { startFixture, testAdminToken, type Fixture } from '../server.fixture.ts';

const clock = createTestClock(1_800_000_000_000);
const provider = {
  id: 'maker',
  parseCredential: (value: unknown) => value,
  probe: async () => ({ ok: false, message: 'The key is unknown there.' }),
} as unknown as Provider;

let directory: string;
let store: Store;
let fixture: Fixture;
/** Every answer of this file is held against the API description. */
let check: Awaited<ReturnType<typeof createAnswerCheck>>;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reelay-admin-http-'));
  store = await openStore({ directory, clock });
  const ids = createIds();
  const admin = createAdmin({
    store,
    providers: new Map([['maker', provider]]),
    keyring: [deriveKey('a root secret of thirty-two characters', 'test')],
    clock,
    newId: (prefix) => ids.newId(prefix, clock.now()),
    priceBook: {
      currency: 'USD',
      version: 'test',
      prices: new Map([
        [
          'tier-a',
          [
            {
              tier: 'tier-a',
              unit: 'second',
              operation: null,
              model: null,
              surcharge: null,
              unitPriceMicros: 28_000n,
              quantityMin: 5,
              source: 'config' as const,
            },
          ],
        ],
      ]),
    },
    channels: { open: (row) => ({ id: row.id }) as never, asItCounts: (row) => row },
    lanes: { running: async () => 0, lookAfter: () => {} },
    route: async (_request, pinned) => pinned ?? 'chan_none',
    owner: 'test',
    settings: { taskDeadlineMs: 86_400_000, retentionMs: 86_400_000 },
    guarded: createGuardedHttp({ allow: ['127.0.0.1'], userAgent: 'test' }),
  });
  fixture = await startFixture({ admin, clock });
  check = await createAnswerCheck(fixture.server);
});

after(async () => {
  await fixture.server.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) {
  const answer = await fixture.server.inject({
    method,
    url: `/admin/v1${path}`,
    headers: { authorization: `Bearer ${testAdminToken}` },
    ...(payload === undefined ? {} : { payload }),
  });
  if (answer.statusCode !== 405) check(method, `/admin/v1${path}`, answer.statusCode, answer.json());
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

async function newAccount(): Promise<string> {
  return (await ask('POST', '/accounts', { name: 'studio' })).body.id;
}

describe('/admin/v1/accounts', () => {
  test('makes, shows, changes and pages accounts', async () => {
    const made = await ask('POST', '/accounts', { name: '  studio  ' });
    assert.equal(made.status, 200);
    assert.deepEqual(made.body, {
      id: made.body.id,
      name: 'studio',
      status: 'active',
      limits: null,
      created_at: '2027-01-15T08:00:00.000Z',
    });
    assert.deepEqual((await ask('GET', `/accounts/${made.body.id}`)).body, made.body);
    const changed = await ask('PATCH', `/accounts/${made.body.id}`, { status: 'disabled' });
    assert.equal(changed.body.status, 'disabled');
    await newAccount();
    const seen = new Set<string>();
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await ask('GET', `/accounts?limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      assert.equal(page.body.data.length, 1);
      seen.add(page.body.data[0].id);
      cursor = page.body.next_cursor;
    }
    assert.ok(seen.size >= 2);
  });

  test('refuses by the name of the field', async () => {
    const refusal = async (payload: object) => (await ask('POST', '/accounts', payload)).body.error;
    assert.equal((await refusal({})).code, 'missing_required_parameter');
    assert.equal((await refusal({ name: '' })).param, 'name');
    assert.equal((await refusal({ name: 'x'.repeat(101) })).code, 'invalid_value');
    const unknown = await refusal({ name: 'x', colour: 'red' });
    assert.equal(unknown.code, 'unsupported_parameter');
    assert.equal(unknown.param, 'colour');
    assert.equal((await ask('GET', '/accounts/acct_none')).status, 404);
    assert.equal((await ask('GET', '/accounts?limit=0')).body.error.param, 'limit');
    assert.equal((await ask('DELETE', `/accounts/${await newAccount()}`)).status, 405);
  });
});

describe('/admin/v1/accounts/{id}/keys', () => {
  test('shows secrets once, then only hints', async () => {
    const account = await newAccount();
    const issued = await ask('POST', `/accounts/${account}/keys`, { name: 'ci', response_style: 'strict' });
    assert.deepEqual(Object.keys(issued.body).sort(), ['access_key', 'api_key', 'id', 'secret_key']);
    assert.equal(issued.headers['cache-control'], 'no-store');
    const list = await ask('GET', `/accounts/${account}/keys`);
    assert.equal(list.body.next_cursor, null);
    assert.equal(list.body.data[0].response_style, 'strict');
    assert.equal(list.body.data[0].revoked_at, null);
    assert.ok(!JSON.stringify(list.body).includes(issued.body.secret_key));
    const revoked = await ask('DELETE', `/accounts/${account}/keys/${issued.body.id}`);
    assert.equal(revoked.body.revoked_at, '2027-01-15T08:00:00.000Z');
    const { log } = fixture;
    assert.ok(!JSON.stringify(log).includes(issued.body.api_key));
  });
});

describe('money', () => {
  test('is decimal text, to the micro-unit', async () => {
    const account = await newAccount();
    const wallet = await ask('POST', `/accounts/${account}/top-ups`, { amount: '12.500001', note: 'first' });
    assert.deepEqual(wallet.body, {
      account_id: account,
      balance: '12.500001',
      held: '0.00',
      available: '12.500001',
      currency: 'USD',
    });
    assert.equal(
      (await ask('POST', `/accounts/${account}/top-ups`, { amount: 1 })).body.balance,
      '13.500001',
    );
    assert.deepEqual((await ask('GET', `/accounts/${account}/wallet`)).body.balance, '13.500001');
    const ledger = await ask('GET', `/accounts/${account}/ledger`);
    assert.ok(ledger.body.data.some((entry: { note: string }) => entry.note === 'first'));
    const verdict = (await ask('GET', '/ledger/verify')).body;
    assert.equal(verdict.ok, true);
    assert.equal(verdict.sum, '0.00');
    assert.deepEqual(verdict.mismatches, []);
    assert.ok(verdict.entries >= 4);
  });

  test('is never rounded, never negative and never from nowhere', async () => {
    const account = await newAccount();
    for (const amount of ['0', '-1', '0.0000001', '1e3', 'abc', '', 1e21, '9'.repeat(13)]) {
      const answer = await ask('POST', `/accounts/${account}/top-ups`, { amount });
      assert.equal(answer.status, 400, String(amount));
      assert.equal(answer.body.error.param, 'amount');
    }
    assert.equal((await ask('POST', `/accounts/${account}/top-ups`, {})).status, 400);
    assert.equal((await ask('GET', `/accounts/${account}/wallet`)).body.balance, '0.00');
  });

  test('has its prices', async () => {
    assert.deepEqual((await ask('GET', '/prices')).body.data, [
      {
        tier: 'tier-a',
        unit: 'second',
        operation: null,
        model: null,
        surcharge: null,
        unit_price: '0.028',
        currency: 'USD',
        quantity_min: 5,
        source: 'config',
      },
    ]);
  });
});

describe('/admin/v1/channels', () => {
  const channel = { name: 'main', provider: 'maker', credential: { api_key: 'very-secret' } };

  test('takes a credential and never gives it back', async () => {
    const made = await ask('POST', '/channels', { ...channel, base_url: 'https://api.example.com/' });
    assert.equal(made.status, 200);
    assert.deepEqual(made.body, {
      id: made.body.id,
      name: 'main',
      provider: 'maker',
      base_url: 'https://api.example.com',
      priority: 0,
      weight: 1,
      concurrency: null,
      requests_per_second: null,
      enabled: true,
      allows_compliance_switches: false,
      sandbox: false,
      running: 0,
      waiting: 0,
      health: { state: 'closed', since: '2027-01-15T08:00:00.000Z', reason: null, retry_at: null },
      created_at: '2027-01-15T08:00:00.000Z',
      updated_at: '2027-01-15T08:00:00.000Z',
    });
    const path = `/channels/${made.body.id}`;
    const changed = await ask('PATCH', path, {
      concurrency: 5,
      base_url: null,
      credential: { api_key: 'next' },
    });
    assert.equal(changed.body.concurrency, 5);
    assert.equal(changed.body.base_url, null);
    for (const allows of [true, false]) {
      await ask('PATCH', path, { allows_compliance_switches: allows });
      assert.equal((await ask('GET', path)).body.allows_compliance_switches, allows);
    }
    assert.deepEqual((await ask('POST', `${path}/probe`)).body, {
      ok: false,
      message: 'The key is unknown there.',
    });
    assert.ok(!JSON.stringify((await ask('GET', '/channels')).body).includes('secret'));
    assert.deepEqual((await ask('DELETE', path)).body, { id: made.body.id, deleted: true });
    assert.ok(!JSON.stringify((await ask('GET', '/channels')).body).includes(made.body.id));
  });

  test('refuses by the name of the field', async () => {
    const param = async (change: object) =>
      (await ask('POST', '/channels', { ...channel, ...change })).body.error.param;
    assert.equal(await param({ provider: 'nobody' }), 'provider');
    assert.equal(await param({ credential: 'text' }), 'credential');
    assert.equal(await param({ base_url: 'gopher://x' }), 'base_url');
    assert.equal(await param({ weight: 0 }), 'weight');
    assert.equal(await param({ concurrency: 1.5 }), 'concurrency');
    assert.equal(await param({ requests_per_second: 0 }), 'requests_per_second');
    assert.equal(await param({ sandbox: true }), 'sandbox');
    assert.equal((await ask('PATCH', '/channels/chan_none', {})).status, 404);
  });
});

describe('/admin/v1/tasks', () => {
  test('filters, and knows what it cannot filter by', async () => {
    const query =
      'account_id=a&state=failed&channel_id=c&model=m&tier=t&created_from=2026-01-01&created_to=1800000000000';
    assert.deepEqual((await ask('GET', `/tasks?${query}`)).body, { data: [], next_cursor: null });
    assert.equal((await ask('GET', '/tasks?state=lost')).body.error.param, 'state');
    assert.equal((await ask('GET', '/tasks?created_from=yesterday')).body.error.param, 'created_from');
    assert.equal((await ask('GET', '/tasks/task_none')).body.error.code, 'task_not_found');
  });
});
