/** A wallet seen from outside: never overdrawn, never charged for what was not made. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, type Answer } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  assertRefused,
  completed,
  ledgerOf,
  openAccount,
  startGateway,
  type TestGateway,
} from './support/gateway.ts';

/** 5 s of kling-2.5 at 720P without sound: 5 × 0.042 USD. */
const BODY = { model: 'kling-2.5', prompt: 'a coin turns', seconds: '5' };

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway('tiny');
});
after(() => gateway.stop());

const create = (key: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(`${gateway.url}/v1/videos`, { key, json, headers });

test('forty creates at once against money for five: five tasks, no overdraft', async () => {
  const account = await openAccount(gateway, '1.10');
  const answers = await Promise.all(Array.from({ length: 40 }, () => create(account.key, BODY)));
  const made = answers.filter(({ status }) => status === 200);
  assert.equal(made.length, 5);
  for (const answer of answers.filter(({ status }) => status !== 200))
    assertRefused(answer, '/v1/videos', { status: 429, code: 'insufficient_quota' });
  assert.equal((await account.wallet()).available, '0.05');
  for (const { body } of made) await completed(gateway, account.key, body.id);
  const { balance, held } = await account.wallet();
  assert.deepEqual({ balance, held }, { balance: '0.05', held: '0.00' });
  await assertLedgerBalances(gateway);
});

test('the exact price is enough, a millionth less is not', async () => {
  for (const [credit, status] of [
    ['0.21', 200],
    ['0.209999', 429],
  ] as const) {
    const { key } = await openAccount(gateway, credit);
    assert.equal((await create(key, BODY)).status, status, credit);
  }
});

test('max_cost, in the body or as a header, refuses a dearer request and lets the same price pass', async () => {
  const account = await openAccount(gateway, '10');
  for (const [json, headers] of [
    [{ ...BODY, max_cost: '0.2' }, {}],
    [BODY, { 'reelay-max-cost': '0.209999' }],
  ] as const)
    assertRefused(await create(account.key, json, headers), '/v1/videos', {
      status: 400,
      code: 'max_cost_exceeded',
    });
  assert.equal((await account.wallet()).available, '10.00');
  assert.equal((await create(account.key, { ...BODY, max_cost: '0.21' })).status, 200);
});

test('a task that fails, at once or late, gives everything back', async () => {
  const account = await openAccount(gateway, '10');
  const ids: string[] = [];
  for (const prompt of ['[[fail]]', '[[fail:1301]]', '[[reject:1301]]', '[[reject:1201]]']) {
    const { body, status } = await create(account.key, { ...BODY, prompt });
    if (status === 200) ids.push(body.id);
    else assert.ok(status < 500);
  }
  for (const id of ids)
    for (let state = ''; state !== 'failed';) {
      ({ status: state } = (await call(`${gateway.url}/v1/videos/${id}`, { key: account.key })).body);
      assert.notEqual(state, 'completed');
    }
  const { balance, held } = await account.wallet();
  assert.deepEqual({ balance, held }, { balance: '10.00', held: '0.00' });
  assert.ok(!(await ledgerOf(gateway, account)).some((entry) => entry.kind === 'settle'));
  await assertLedgerBalances(gateway);
});
