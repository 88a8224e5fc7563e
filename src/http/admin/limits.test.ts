/** Limits as operators set them, and money that moves once per key, over the real store. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createAdmin, type AdminContext } from '../../flows/admin/index.ts';
import { createTestClock } from '../../lib/clock.ts';
import { createIds } from '../../lib/ids.ts';
import { deriveKey } from '../../lib/seal.ts';
import { openStore } from '../../store/index.ts';
import { createAnswerCheck } from '../description.fixture.ts';
import { startFixture, testAdminToken, type Fixture } from '../server.fixture.ts';

const clock = createTestClock(1_800_000_000_000);
const ids = createIds();
const directory = mkdtempSync(join(tmpdir(), 'reelay-admin-limits-'));

let fixture: Fixture;
let check: Awaited<ReturnType<typeof createAnswerCheck>>;
let close: () => Promise<void>;

before(async () => {
  const store = await openStore({ directory, clock });
  const context = {
    store,
    providers: new Map(),
    keyring: [deriveKey('a root secret of thirty-two characters', 'test')],
    clock,
    newId: (prefix: `${string}_`) => ids.newId(prefix, clock.now()),
  } as unknown as AdminContext;
  fixture = await startFixture({ admin: createAdmin(context), clock });
  check = await createAnswerCheck(fixture.server);
  close = async () => {
    await fixture.server.close();
    await store.close();
  };
});

after(async () => {
  await close();
  rmSync(directory, { recursive: true, force: true });
});

type Method = 'GET' | 'POST' | 'PATCH';

async function ask(method: Method, path: string, payload?: object, headers: Record<string, string> = {}) {
  const url = `/admin/v1${path}`;
  const answer = await fixture.server.inject({
    method,
    url,
    headers: { authorization: `Bearer ${testAdminToken}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  check(method, url, answer.statusCode, answer.json());
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

async function newAccount(): Promise<string> {
  return (await ask('POST', '/accounts', { name: 'studio' })).body.id;
}

const limits = {
  requests_per_minute: 60,
  concurrent_tasks: 5,
  spend_per_day: '12.50',
  spend_per_month: '100.00',
  models: ['kling-v1-6'],
  ip_addresses: ['203.0.113.0/24', '::1'],
  expires_at: '2027-02-01T00:00:00.000Z',
};

describe('limits', () => {
  test('of a key are given with it, shown, replaced as a whole, and taken away', async () => {
    const keys = `/accounts/${await newAccount()}/keys`;
    const { id } = (await ask('POST', keys, { name: 'ci', limits })).body;
    const shown = async () => (await ask('GET', keys)).body.data[0].limits;
    assert.deepEqual(await shown(), limits);
    await ask('PATCH', `${keys}/${id}`, { name: 'renamed' });
    assert.deepEqual(await shown(), limits);
    const changed = await ask('PATCH', `${keys}/${id}`, { limits: { concurrent_tasks: 1, models: null } });
    assert.deepEqual([changed.body.name, changed.body.limits], ['renamed', { concurrent_tasks: 1 }]);
    for (const none of [null, {}]) {
      await ask('PATCH', `${keys}/${id}`, { limits: { concurrent_tasks: 1 } });
      assert.equal((await ask('PATCH', `${keys}/${id}`, { limits: none })).body.limits, null);
    }
    assert.equal((await ask('PATCH', `${keys}/key_none`, { name: 'x' })).status, 404);
  });

  test('of an account are set beside its name and status', async () => {
    const account = `/accounts/${await newAccount()}`;
    assert.equal((await ask('GET', account)).body.limits, null);
    const changed = await ask('PATCH', account, { limits: { spend_per_day: 3 } });
    assert.deepEqual(changed.body.limits, { spend_per_day: '3.00' });
    assert.deepEqual((await ask('PATCH', account, { name: 'other' })).body.limits, { spend_per_day: '3.00' });
  });

  test('that make no sense are refused by name', async () => {
    const account = `/accounts/${await newAccount()}`;
    for (const [wrong, param] of [
      [{ requests_per_minute: 0 }, 'limits.requests_per_minute'],
      [{ concurrent_tasks: 1.5 }, 'limits.concurrent_tasks'],
      [{ spend_per_day: '-1' }, 'limits.spend_per_day'],
      [{ spend_per_month: 'much' }, 'limits.spend_per_month'],
      [{ ip_addresses: ['localhost'] }, 'limits.ip_addresses'],
      [{ expires_at: 'tomorrow' }, 'limits.expires_at'],
      [{ colour: 'red' }, 'limits.colour'],
    ] as const) {
      const { status, body } = await ask('PATCH', account, { limits: wrong });
      assert.deepEqual([status, body.error.param], [400, param], JSON.stringify(wrong));
    }
  });
});

describe('a top-up with an Idempotency-Key', () => {
  const topUp = (account: string, amount: string, key: string) =>
    ask('POST', `/accounts/${account}/top-ups`, { amount }, { 'idempotency-key': key });

  test('moves money once and answers every repeat as the first time', async () => {
    const account = await newAccount();
    const first = await topUp(account, '5', 'a');
    await ask('POST', `/accounts/${account}/top-ups`, { amount: '1' });
    const second = await topUp(account, '5', 'a');
    assert.deepEqual(second.body, first.body);
    assert.deepEqual(
      [first.headers['idempotent-replayed'], second.headers['idempotent-replayed']],
      [undefined, 'true'],
    );
    assert.equal((await ask('GET', `/accounts/${account}/wallet`)).body.balance, '6.00');
  });

  test('is refused for another amount or another account', async () => {
    const account = await newAccount();
    await topUp(account, '5', 'b');
    for (const other of [await topUp(account, '6', 'b'), await topUp(await newAccount(), '5', 'b')]) {
      assert.deepEqual([other.status, other.body.error.code], [409, 'idempotency_conflict']);
    }
  });

  test('may be corrected after a refusal', async () => {
    const account = await newAccount();
    assert.equal((await topUp(account, '0', 'c')).status, 400);
    assert.equal((await topUp(account, '5', 'c')).status, 200);
  });

  test('sent twenty times at once moves money once', async () => {
    const account = await newAccount();
    const answers = await Promise.all(Array.from({ length: 20 }, () => topUp(account, '5', 'd')));
    for (const { status } of answers) assert.ok(status === 200 || status === 409);
    assert.equal((await ask('GET', `/accounts/${account}/wallet`)).body.balance, '5.00');
  });
});
