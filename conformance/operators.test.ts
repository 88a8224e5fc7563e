/** What operators do to tasks by hand, over HTTP: once and only once, on record, and the books in order. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OpenAI } from 'openai-7';
import { call, eventually, type LooseJson } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  finished,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';

const by = { note: 'ticket 4711', author: 'li.na' };
let gateway: TestGateway;

before(async () => {
  gateway = await startGateway('tiny');
});
after(() => gateway.stop());

const create = async (account: TestAccount, prompt: string): Promise<string> => {
  const { status, body, text } = await call(`${gateway.url}/v1/videos`, {
    key: account.key,
    json: { model: 'kling-v1-6', prompt },
  });
  assert.equal(status, 200, text);
  return body.id;
};
const act = (id: string, verb: string, json: LooseJson) =>
  call(`${gateway.url}/admin/v1/tasks/${id}/${verb}`, { key: gateway.keys.admin_token, json });
const record = (id: string): Promise<LooseJson> => gateway.admin(`/tasks/${id}`);

test('a failed film is made again under the same id, and the openai client sees it wait again', async () => {
  const account = await openAccount(gateway, '10');
  const id = await create(account, '[[fail]] a cat');
  await finished(gateway, account.key, id);
  const { status, body, text } = await act(id, 'retry', by);
  assert.equal(status, 200, text);
  assert.deepEqual(
    [body.action, body.task_id, body.author, body.note, body.task.retries, body.task.upstream_handle],
    ['retried', id, by.author, by.note, 1, `${id}-r1`],
  );
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: account.key, maxRetries: 0 });
  const video = await openai.videos.retrieve(id);
  assert.ok(['queued', 'in_progress', 'failed'].includes(video.status), video.status);
  // Its prompt says that it fails: it does so again, under another name upstream, and costs nothing.
  await finished(gateway, account.key, id);
  const { attempts, exchanges } = await eventually('the second end', 30_000, async () => {
    const found = await record(id);
    return found.task.ended_at !== null && found.attempts.length === 2 ? found : null;
  });
  assert.deepEqual(
    attempts.map((attempt: LooseJson) => attempt.state),
    ['failed', 'failed'],
  );
  const submits = exchanges.filter((exchange: LooseJson) => exchange.method === 'POST');
  assert.ok(submits[0].request.includes(`"${id}"`) && submits.at(-1).request.includes(`"${id}-r1"`));
  assert.equal((await account.wallet()).available, '10.00');
  await assertLedgerBalances(gateway);
});

test('a charge is given back in parts, never more than it was, and the film stays', async () => {
  const account = await openAccount(gateway, '10');
  const id = await create(account, 'a cat');
  await finished(gateway, account.key, id);
  const { charge } = (await record(id)).task;
  const first = await act(id, 'refund', { ...by, amount: '0.10' });
  assert.deepEqual([first.status, first.body.amount, first.body.task.refunded], [200, '0.10', '0.10']);
  const more = await act(id, 'refund', { ...by, amount: charge });
  assert.deepEqual(
    [more.status, more.body.error.code, more.body.error.param],
    [400, 'invalid_value', 'amount'],
  );
  assert.equal((await act(id, 'refund', by)).body.task.refunded, charge);
  const nothing = await act(id, 'refund', by);
  assert.deepEqual([nothing.status, nothing.body.error.code], [409, 'conflict']);
  assert.equal((await account.wallet()).available, '10.00');
  const content = await call(`${gateway.url}/v1/videos/${id}/content`, { key: account.key });
  assert.equal(content.status, 200);
  const events = await call(`${gateway.url}/v1/billing/events`, { key: account.key });
  assert.deepEqual(
    events.body.data.map(({ type, data }: LooseJson) => [type, data.note]),
    [
      ['consume.settled', null],
      ['consume.refunded', by.note],
      ['consume.refunded', by.note],
    ],
  );
  await assertLedgerBalances(gateway);
});

test('a task that never ends is marked failed: its hold is free, its caller reads a plain failure', async () => {
  const account = await openAccount(gateway, '10');
  const id = await create(account, '[[expire]] a cat');
  const { status, body } = await act(id, 'fail', by);
  assert.deepEqual([status, body.action, body.task.state], [200, 'failed', 'failed']);
  assert.deepEqual(await account.wallet().then(({ available, held }) => [available, held]), [
    '10.00',
    '0.00',
  ]);
  const seen = await call(`${gateway.url}/v1/videos/${id}`, { key: account.key });
  assert.deepEqual([seen.body.status, seen.body.error.code], ['failed', 'task_failed']);
  assert.ok(!seen.text.includes('4711'), 'what operators note is not for callers');
  assert.equal((await act(id, 'fail', by)).status, 409);
  // It may still be made there: a retry looks it up under its old name.
  const again = await act(id, 'retry', by);
  assert.deepEqual([again.status, again.body.task.upstream_handle], [200, id]);
  await act(id, 'fail', by);
  await assertLedgerBalances(gateway);
});

test('every action wants a note and an author, and a task that is there', async () => {
  for (const verb of ['retry', 'refund', 'fail']) {
    for (const field of ['note', 'author']) {
      const { status, body } = await act('task_none', verb, { ...by, [field]: undefined });
      assert.deepEqual([status, body.error.param], [400, field]);
    }
    const { status, body } = await act('task_none', verb, by);
    assert.deepEqual([status, body.error.code], [404, 'task_not_found']);
  }
});

test('the flight recorder tells everything of a task', async () => {
  const account = await openAccount(gateway, '10');
  const id = await create(account, 'a cat');
  await finished(gateway, account.key, id);
  await act(id, 'refund', { ...by, amount: '0.05' });
  const found = await record(id);
  const types = found.events.map(({ type }: LooseJson) => type);
  for (const type of [
    'task.queued',
    'attempt.submitting',
    'attempt.accepted',
    'attempt.made',
    'task.completed',
    'operator.refunded',
  ]) {
    assert.ok(types.includes(type), `${type} is not among ${types.join()}`);
  }
  assert.equal(found.attempts[0].state, 'made');
  const [submit, ...polls] = found.exchanges;
  assert.deepEqual([submit.method, submit.status], ['POST', 200]);
  assert.ok(polls.length >= 1, 'the poll that brought the end');
  assert.ok(!JSON.stringify(found).includes('sandbox-secret-key'), 'credentials are redacted');
  assert.ok(Array.isArray(found.queue_waits) && typeof found.queue_wait_ms === 'number');
  const { pricing } = found;
  assert.equal(
    Number(pricing.hold).toFixed(6),
    (pricing.quantity_max * Number(pricing.unit_price)).toFixed(6),
  );
  assert.equal(
    Number(pricing.charge).toFixed(6),
    (pricing.charged_quantity * Number(pricing.unit_price)).toFixed(6),
  );
  assert.deepEqual(
    [pricing.inputs.operation, pricing.inputs.model, pricing.inputs.seconds, pricing.inputs.sound],
    ['text-to-video', 'kling-v1-6', 5, false],
  );
  const kinds = new Set(found.ledger.map(({ kind }: LooseJson) => kind));
  assert.deepEqual([...kinds], ['hold', 'settle', 'refund']);
  assert.deepEqual(
    found.operator_actions.map(({ action, amount, author, note }: LooseJson) => [
      action,
      amount,
      author,
      note,
    ]),
    [['refunded', '0.05', by.author, by.note]],
  );
  assert.equal(found.usage[0].quantity, pricing.charged_quantity);
});

test('nothing is lost here, and that is told as well', async () => {
  const list = await gateway.admin('/tasks?attention=lost');
  assert.deepEqual(list.data, []);
  const metrics = await call(`${gateway.url}/metrics`, {});
  assert.match(metrics.text, /^reelay_tasks_attention\{reason="lost"\} 0$/m);
});
