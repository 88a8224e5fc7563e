/**
 * Repeats over the wire: the openai client's own retries when an answer is lost on the way, an `Idempotency-Key` at
 * every door, and both across a power cut.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { OpenAI as OpenAI6 } from 'openai-6';
import { OpenAI } from 'openai-7';
import { request } from 'undici';
import { call, type LooseJson } from '../test/helpers/processes.ts';
import { openAccount, startGateway, type TestGateway } from './support/gateway.ts';

/** Never ends at the sandbox, so that nothing is rendered for it. */
const PROMPT = '[[expire]] only the create is looked at';

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway('tiny');
});
after(() => gateway.stop());

/** Passes requests on and, while `drops` is above zero, cuts the connection instead of passing the answer back. */
async function startLossyProxy(): Promise<{
  url: string;
  drops: number;
  seen: string[];
  close(): Promise<void>;
}> {
  const proxy = { url: '', drops: 0, seen: [] as string[], close: async () => {} };
  const server: Server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    proxy.seen.push(String(incoming.headers['x-stainless-retry-count']));
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const answer = await request(gateway.url + incoming.url, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    const body = await answer.body.text();
    if (proxy.drops > 0) {
      proxy.drops--;
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.statusCode, answer.headers as Record<string, string>).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy.close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return proxy;
}

async function tasksOf(key: string): Promise<string[]> {
  const { body } = await call(`${gateway.url}/v1/videos?limit=100`, { key });
  return body.data.map((video: LooseJson) => video.id);
}

for (const { version, Client } of [
  { version: '6.49.0', Client: OpenAI6 as unknown as typeof OpenAI },
  { version: '7.55.0', Client: OpenAI },
]) {
  test(`openai ${version} whose first answer is lost retries by itself and gets the one task`, async (t) => {
    const { key, wallet } = await openAccount(gateway, '100');
    const proxy = await startLossyProxy();
    t.after(() => proxy.close());
    const openai = new Client({ baseURL: `${proxy.url}/v1`, apiKey: key });
    for (const [index, drops] of [1, 2].entries()) {
      proxy.drops = drops;
      const video = await openai.videos.create({
        model: 'kling-2.5',
        prompt: `${PROMPT} ${index}`,
        seconds: '5',
      } as unknown as OpenAI.VideoCreateParams);
      assert.equal((await tasksOf(key)).length, index + 1);
      assert.equal((await tasksOf(key))[0], video.id);
    }
    assert.deepEqual(proxy.seen, ['0', '1', '0', '1', '2']);
    const { balance } = await wallet();
    assert.equal(balance, '100.00');
  });
}

describe('an Idempotency-Key', () => {
  const doors = [
    { path: '/v1/videos', body: { model: 'kling-2.5', prompt: PROMPT, seconds: '5' } },
    { path: '/v1/video/generations', body: { model: 'kling-v1-6', prompt: PROMPT, duration: 5 } },
    { path: '/kling/v1/videos/text2video', body: { model_name: 'kling-v1-6', prompt: PROMPT } },
    { path: '/kling/v1/images/generations', body: { model_name: 'kling-v2-1', prompt: PROMPT } },
  ];

  test('has one effect at every door, says what is a replay, and refuses another body', async () => {
    const { key } = await openAccount(gateway, '100');
    for (const [index, { path, body }] of doors.entries()) {
      const post = (json: object, idempotencyKey: string) =>
        call(gateway.url + path, { key, json, headers: { 'idempotency-key': idempotencyKey } });
      const first = await post(body, `door-${index}`);
      const second = await post(body, `door-${index}`);
      assert.deepEqual([first.status, second.status], [200, 200], path);
      assert.equal(first.headers['idempotent-replayed'], undefined);
      assert.equal(second.headers['idempotent-replayed'], 'true');
      for (const answer of [first, second]) delete answer.body.request_id;
      assert.deepEqual(second.body, first.body, path);
      const other = await post({ ...body, prompt: 'another' }, `door-${index}`);
      assert.equal(other.status, 409);
      assert.equal(other.body.error.code, 'idempotency_conflict');
      assert.equal(other.headers['x-should-retry'], 'false');
      if (path.startsWith('/kling')) assert.equal(other.body.code, 1200);
      const elsewhere = doors[(index + 1) % doors.length]!;
      const moved = await call(gateway.url + elsewhere.path, {
        key,
        json: elsewhere.body,
        headers: { 'idempotency-key': `door-${index}` },
      });
      assert.equal(moved.status, 409);
    }
  });

  test('is not used up by a dry run, nor by a refusal', async () => {
    const { key } = await openAccount(gateway, '100');
    const { path, body } = doors[0]!;
    const post = (json: object, query = '') =>
      call(gateway.url + path + query, { key, json, headers: { 'idempotency-key': 'k' } });
    assert.equal((await post(body, '?dry_run=true')).body.object, 'estimate');
    assert.equal((await post({ ...body, seconds: '7' })).status, 400);
    const created = await post({ ...body, seconds: '10' });
    assert.equal(created.status, 200);
    assert.equal(created.headers['idempotent-replayed'], undefined);
  });

  test('sent in two forms with other boundaries is the same request', async () => {
    const { key } = await openAccount(gateway, '100');
    const send = (boundary: string) =>
      request(`${gateway.url}/v1/videos`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'idempotency-key': 'form',
          'content-type': `multipart/form-data; boundary=${boundary}`,
        },
        body:
          Object.entries({ model: 'kling-2.5', prompt: PROMPT, seconds: '5' })
            .map(
              ([name, value]) =>
                `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
            )
            .join('') + `--${boundary}--\r\n`,
      });
    const ids = [];
    for (const boundary of ['first-boundary', 'second-boundary']) {
      const answer = await send(boundary);
      assert.equal(answer.statusCode, 200);
      ids.push(((await answer.body.json()) as { id: string }).id);
    }
    assert.equal(ids[0], ids[1]);
  });

  test('used by 50 callers ten times at once with a power cut in between has one effect each', async () => {
    const { key, wallet } = await openAccount(gateway, '100');
    const create = (number: number) =>
      call(`${gateway.url}/v1/videos`, {
        key,
        json: { model: 'kling-2.5', prompt: `${PROMPT} ${number}`, seconds: '5' },
        headers: { 'idempotency-key': `k${number}` },
      });
    const round = () => Array.from({ length: 500 }, (_, index) => create(index % 50));
    const first = Promise.allSettled(round());
    await new Promise((resolve) => setTimeout(resolve, 150));
    await gateway.restart();
    await first;
    for (const { status } of await Promise.all(round())) assert.ok(status === 200 || status === 409);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create(index)));
    const ids = new Set(answers.map(({ body }) => body.id));
    assert.equal(ids.size, 50);
    assert.deepEqual(new Set(await tasksOf(key)), ids);
    const estimate = await call(`${gateway.url}/v1/videos?dry_run=true`, {
      key,
      json: { model: 'kling-2.5', prompt: PROMPT, seconds: '5' },
    });
    assert.equal(Number((await wallet()).held), Number(estimate.body.amount) * 50);
    assert.equal((await gateway.admin('/ledger/verify')).ok, true);
  });
});
