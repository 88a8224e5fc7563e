import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Counters, OwnedLimits } from '../../../core/ports.ts';
import { startFixture, testApiKey } from '../../server.fixture.ts';

const ofKey = (requestsPerMinute: number): OwnedLimits => ({ owner: 'key', ownerId: 'k', requestsPerMinute });
const ofAccount = (requestsPerMinute: number): OwnedLimits => ({
  owner: 'account',
  ownerId: 'a',
  requestsPerMinute,
});

async function start(limits: OwnedLimits[] | undefined, trustProxy: string[] = []) {
  const counts = new Map<string, number>();
  const counters: Counters = {
    async count(name) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return { count: counts.get(name)!, resetMs: 12_300 };
    },
  };
  const seen: string[] = [];
  const { server } = await startFixture({
    counters,
    trustProxy,
    authenticate: (_credential, { ip }) => {
      seen.push(ip);
      return {
        accountId: 'a',
        keyId: 'k',
        responseStyle: 'superset',
        ...(limits && { limits }),
      };
    },
  });
  const ask = (headers: Record<string, string> = {}) =>
    server.inject({
      url: '/echo/things/1',
      headers: { authorization: `Bearer ${testApiKey}`, ...headers },
    });
  return { ask, counts, seen, close: () => server.close() };
}

test('who is not limited is neither counted nor told', async (t) => {
  for (const limits of [undefined, [{ owner: 'key' as const, ownerId: 'k', models: [] }]]) {
    const { ask, counts, close } = await start(limits);
    t.after(close);
    const { headers } = await ask();
    assert.equal(headers['x-ratelimit-limit-requests'], undefined);
    assert.equal(counts.size, 0);
  }
});

test('every answer says how the narrowest limit stands; over it the time to wait is told', async (t) => {
  const { ask, close } = await start([ofKey(2), ofAccount(10)]);
  t.after(close);
  const standing = ({ headers }: Awaited<ReturnType<typeof ask>>) =>
    ['limit', 'remaining', 'reset'].map((word) => headers[`x-ratelimit-${word}-requests`]);
  assert.deepEqual(standing(await ask()), ['2', '1', '13s']);
  assert.deepEqual(standing(await ask()), ['2', '0', '13s']);
  const refused = await ask();
  assert.equal(refused.json().echo, 'rate_limit_exceeded');
  assert.match(refused.json().message, /key may send 2 requests per minute: wait 13 s/);
  assert.deepEqual(standing(refused), ['2', '0', '13s']);
  assert.deepEqual([refused.headers['retry-after'], refused.headers['retry-after-ms']], ['13', '12300']);
});

test("an account's limit holds for all its keys together", async (t) => {
  const { ask, close } = await start([ofKey(10), ofAccount(1)]);
  t.after(close);
  assert.equal((await ask()).statusCode, 200);
  assert.match((await ask()).json().message, /This account may send 1 /);
});

test("a proxy's word on where a caller is counts only when the operator named the proxy", async (t) => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };
  const alone = await start(undefined);
  t.after(alone.close);
  await alone.ask(forwarded);
  const behind = await start(undefined, ['127.0.0.0/8']);
  t.after(behind.close);
  await behind.ask(forwarded);
  assert.deepEqual([...alone.seen, ...behind.seen], ['127.0.0.1', '203.0.113.9']);
});
