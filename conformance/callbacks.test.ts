/** Seed 004's `callback_url`: told on every change of status, in the words of the door that took the request. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { call, eventually, type LooseJson } from '../test/helpers/processes.ts';
import { assertRefused, finished, startGateway, type TestGateway } from './support/gateway.ts';

let gateway: TestGateway;
let receiver: Server;
let receiverUrl: string;
const received: { path: string; body: LooseJson }[] = [];

before(async () => {
  receiver = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      received.push({ path: incoming.url!, body: JSON.parse(Buffer.concat(chunks).toString()) });
      outgoing.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  // A receiver on this machine: nobody else may name a private address.
  gateway = await startGateway('tiny', { REELAY_ALLOW_PRIVATE: '127.0.0.1' });
});
after(async () => {
  await gateway.stop();
  receiver.closeAllConnections();
  receiver.close();
});

const cases: [string, string, string, (body: LooseJson) => string, string[]][] = [
  ['a film', '/v1/videos', 'x', (body) => body.status, ['queued', 'in_progress', 'completed']],
  ['a film', '/v1/video/generations', 'x', (body) => body.data.status, ['QUEUED', 'IN_PROGRESS', 'SUCCESS']],
  [
    'a film',
    '/kling/v1/videos/text2video',
    'x',
    (body) => body.task_status,
    ['submitted', 'processing', 'succeed'],
  ],
  [
    'a failure',
    '/kling/v1/videos/text2video',
    '[[fail]]',
    (body) => body.task_status,
    ['submitted', 'processing', 'failed'],
  ],
];
for (const [index, [what, door, prompt, statusOf, expected]] of cases.entries()) {
  test(`${door}: ${what} is told step by step`, async () => {
    const key = gateway.keys.api_key;
    const path = `/hook/${index}`;
    const { status, body, text } = await call(gateway.url + door, {
      key,
      json: {
        model: 'kling-v1-6',
        prompt,
        external_task_id: `hook-${index}`,
        callback_url: receiverUrl + path,
      },
    });
    assert.equal(status, 200, text);
    await finished(gateway, key, body.id);
    const told = await eventually('the last callback', 30_000, async () => {
      const mine = received.filter((each) => each.path === path).map((each) => each.body);
      return mine.some((each) => statusOf(each) === expected.at(-1)) ? mine : null;
    });
    // The step between may be too short to be seen; what is told keeps its order, and nothing is told twice.
    const words = told.map(statusOf);
    assert.deepEqual(
      words,
      expected.filter((word) => words.includes(word)),
    );
    assert.ok(words.length >= 2);

    const last = told.at(-1);
    const shown = (await call(`${gateway.url}${door}/${body.id}`, { key })).body;
    if (door.startsWith('/kling')) {
      // The platform posts the bare task: no envelope around it.
      assert.equal(last.code, undefined);
      assert.equal(last.task_id, body.id);
      assert.equal(last.task_info.external_task_id, `hook-${index}`);
      assert.deepEqual([last.created_at, last.updated_at], [shown.data.created_at, shown.data.updated_at]);
      assert.equal(last.task_status_msg, shown.data.task_status_msg);
      assert.equal(last.task_result?.videos.length ?? 0, what === 'a film' ? 1 : 0);
    } else {
      assert.equal(last.id, body.id);
      const { status: code } = await call(last.video_url);
      assert.equal(code, 200, 'the link in it plays');
    }
  });
}

test('another private address is refused all the same', async () => {
  for (const callbackUrl of ['http://10.0.0.1/hook', 'http://169.254.169.254/', 'http://[::1]/hook'])
    assertRefused(
      await call(`${gateway.url}/v1/videos`, {
        key: gateway.keys.api_key,
        json: { model: 'kling-v1-6', prompt: 'x', callback_url: callbackUrl },
      }),
      '/v1/videos',
      { status: 400, param: 'callback_url' },
    );
});
