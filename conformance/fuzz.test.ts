/**
 * Thousands of requests made up from our own OpenAPI document: none may end in a 5xx or an answer out of shape, and
 * afterwards the books must agree with what was answered. REELAY_FUZZ_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pool } from 'undici';
import { call, eventually, type LooseJson } from '../test/helpers/processes.ts';
import { Fuzzer, type MadeUpRequest } from './support/fuzzer.ts';
import {
  assertLedgerBalances,
  assertRefused,
  openAccount,
  startGateway,
  type TestGateway,
} from './support/gateway.ts';
import { readOpenapi, type Operation } from './support/openapi.ts';

const REQUESTS = 3_000;
const CONNECTIONS = 8;
/** However slow the machine: so long and no longer. */
const TIME_MAX_MS = 20_000;
const seed = Number(process.env.REELAY_FUZZ_SEED ?? Date.now() % 1_000_000);

let gateway: TestGateway;
let pool: Pool;
before(async () => {
  gateway = await startGateway('tiny');
  pool = new Pool(gateway.url, { connections: CONNECTIONS });
});
after(async () => {
  await pool.close();
  await gateway.stop();
});

interface Outcome {
  sent: MadeUpRequest;
  status: number;
  body: LooseJson;
}

/** Sends made-up requests until there were enough or time is over; the first answer out of shape ends it. */
async function fuzz(fuzzer: Fuzzer, key: string, requests: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const until = performance.now() + TIME_MAX_MS;
  let left = requests;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left-- > 0 && performance.now() < until) {
        const sent = fuzzer.next();
        const answer = await pool.request({
          method: sent.method as 'GET',
          path: sent.path,
          headers: { authorization: `Bearer ${key}`, ...sent.headers },
          ...(sent.body !== undefined && { body: sent.body }),
        });
        const text = await answer.body.text();
        let body: unknown = {};
        try {
          body = JSON.parse(text);
        } catch {
          // A film, nothing (HEAD), or out of shape: the assertions below tell.
        }
        const { statusCode: status, headers } = answer;
        const shown = { ...sent, body: sent.body?.toString() };
        const about = `seed ${seed}: ${JSON.stringify(shown).slice(0, 2_000)} -> ${status} ${text.slice(0, 500)}`;
        assert.ok(status >= 200 && status < 500, about);
        try {
          if (status >= 400 && sent.method !== 'HEAD')
            assertRefused({ status, headers, body, text }, sent.path);
        } catch (error) {
          throw new Error(about, { cause: error });
        }
        outcomes.push({ sent, status, body });
      }
    }),
  );
  return outcomes;
}

test(`callers' routes: ${REQUESTS} made-up requests (seed ${seed})`, async (context) => {
  const { document, operations } = await readOpenapi(gateway.url);
  const account = await openAccount(gateway, '20');
  const accepted = new Set<string>();
  // However few of the made-up requests are right, the books have something to say.
  for (const externalId of ['mine', 'yours', 'theirs', 'ours', 'whose']) {
    const json = { model: 'kling-v1', prompt: 'exists', external_task_id: externalId };
    accepted.add((await call(`${gateway.url}/v1/videos`, { key: account.key, json })).body.id);
  }
  const ids = [...accepted].slice(0, 1).concat('mine', 'none', 'kling-2.5');
  const callers = operations.filter((operation: Operation) => !operation.isAdmin);
  const outcomes = await fuzz(new Fuzzer(seed, document, callers, ids), account.key, REQUESTS);

  const counts: Record<number, number> = {};
  for (const { sent, status, body } of outcomes) {
    counts[status] = (counts[status] ?? 0) + 1;
    if (sent.method !== 'POST' || status !== 200 || body.object === 'estimate') continue;
    const id = body.id ?? body.data?.task_id ?? body.data?.id;
    if (/^task_/.test(id)) accepted.add(id);
  }
  context.diagnostic(`answers by status: ${JSON.stringify(counts)}; tasks made: ${accepted.size}`);

  // What was answered is what was written: no task more, none less; what an upstream refused while its answer was
  // waited for is written as failed.
  const written = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await gateway.admin(`/tasks?account_id=${account.id}&limit=200${query}`);
    for (const task of page.data) if (task.state !== 'failed' || accepted.has(task.id)) written.add(task.id);
    cursor = page.next_cursor;
  }
  assert.deepEqual([...written].sort(), [...accepted].sort());
  await assertLedgerBalances(gateway);
  const { balance, held, available } = await account.wallet();
  assert.ok(Number(available) >= 0 && Number(held) >= 0 && Number(balance) <= 20);
  await eventually(
    'every hold is settled or released',
    30_000,
    async () => (await account.wallet()).held === '0.00',
  );
  await assertLedgerBalances(gateway);
  assert.equal((await call(`${gateway.url}/readyz`)).status, 200);
});

test('admin routes: 500 made-up requests', async () => {
  const { document, operations } = await readOpenapi(gateway.url);
  const victim = await openAccount(gateway, '1');
  // A made-up channel would be a real upstream to everything that runs after it.
  const admin = operations.filter(
    ({ isAdmin, method, path }) => isAdmin && (method === 'GET' || !path.includes('/channels')),
  );
  const fuzzer = new Fuzzer(seed, document, admin, [victim.id, 'none', 'demo']);
  await fuzz(fuzzer, gateway.keys.admin_token, 500);
  await assertLedgerBalances(gateway);
});
