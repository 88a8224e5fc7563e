/**
 * Whatever is sent: a 4xx in the dialect's own shape, never a 5xx, and nothing half-written. The account under test has
 * money, so only the refusal itself keeps the wallet as it is.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { request } from 'undici';
import { call, type Answer } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  assertRefused,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';

const DOORS = [
  '/v1/videos',
  '/v1/video/generations',
  '/kling/v1/videos/text2video',
  '/kling/v1/videos/image2video',
  '/kling/v1/videos/omni-video',
];
const GOOD = {
  model: 'kling-v1-6',
  prompt: 'a good request',
  duration: '5',
  image: 'https://example.com/a.png',
};

let gateway: TestGateway;
let account: TestAccount;
before(async () => {
  gateway = await startGateway('tiny');
  account = await openAccount(gateway, '100');
});
after(async () => {
  await assertLedgerBalances(gateway);
  await gateway.stop();
});
afterEach(async () => {
  const { available, held } = await account.wallet();
  assert.deepEqual({ available, held }, { available: '100.00', held: '0.00' }, 'nothing was held or charged');
  const { data } = await gateway.admin(`/tasks?account_id=${account.id}`);
  assert.deepEqual(data, [], 'no task was written');
});

/** One request with exactly these bytes. */
async function send(
  path: string,
  options: { method?: string; type?: string; body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await request(gateway.url + path, {
    method: (options.method ?? 'POST') as 'POST',
    headers: {
      authorization: `Bearer ${account.key}`,
      ...(options.type !== undefined && { 'content-type': options.type }),
      ...options.headers,
    },
    ...(options.body !== undefined && { body: options.body }),
  });
  const text = await answer.body.text();
  let body: unknown = {};
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: the assertions on its shape will say so.
  }
  return { status: answer.statusCode, headers: answer.headers, body, text };
}
const sendJson = (path: string, json: unknown): Promise<Answer> =>
  send(path, { type: 'application/json', body: JSON.stringify(json) });

for (const door of DOORS) {
  describe(`POST ${door}`, () => {
    test('what is not JSON, or not an object', async () => {
      for (const body of [
        '{',
        '{"model":',
        '{"a":1,}',
        "{'a':1}",
        'hello',
        '{"a":1}{}',
        '\u0000',
        '{"a":\u0001}',
        'NaN',
        '{"a":01}',
      ])
        assertRefused(await send(door, { type: 'application/json', body }), door, {
          status: 400,
          code: 'invalid_json',
          number: 1200,
        });
      for (const body of ['[]', '"text"', '5', 'null', 'true', '[{"model":"kling-v1"}]'])
        assertRefused(await send(door, { type: 'application/json', body }), door, { status: 400 });
    });

    test('nothing at all', async () => {
      for (const options of [{}, { type: 'application/json' }, { type: 'application/json', body: '{}' }])
        assertRefused(await send(door, options), door, { status: 400 });
    });

    test('too deep', async () => {
      const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
      for (const body of [deep(33), deep(100_000), '['.repeat(1_000_000), deep(10_000).slice(0, 30_000)])
        assertRefused(await send(door, { type: 'application/json', body }), door, {
          status: 400,
          code: 'invalid_json',
        });
    });

    test('too large', async () => {
      const body = JSON.stringify({ ...GOOD, prompt: 'x'.repeat(32 * 1024 * 1024) });
      assertRefused(await send(door, { type: 'application/json', body }), door, {
        status: 413,
        code: 'payload_too_large',
      });
      assertRefused(await sendJson(door, { ...GOOD, prompt: 'x'.repeat(100_000) }), door, {
        status: 400,
        param: 'prompt',
      });
    });

    test('a type that is not supported, or a compression', async () => {
      for (const type of [
        'application/xml',
        'text/html',
        'image/png',
        'nonsense',
        'application/x-www-form-urlencoded',
      ])
        assertRefused(await send(door, { type, body: '<a/>' }), door, { status: 415 });
      const answer = await send(door, {
        type: 'application/json',
        body: Buffer.from('1f8b0800', 'hex'),
        headers: { 'content-encoding': 'gzip' },
      });
      assertRefused(answer, door);
    });

    const wrong: [string, Record<string, unknown>][] = [
      ['model', { model: {} }],
      ['model', { model: ['kling-v1'] }],
      ['model', { model: 'x'.repeat(5000) }],
      ['model', { model: 'constructor' }],
      ['prompt', { prompt: {} }],
      ['prompt', { prompt: ['a'] }],
      ['prompt', { prompt: true }],
      ['prompt', { prompt: 'x'.repeat(2501) }],
      ['negative_prompt', { negative_prompt: {} }],
      ['negative_prompt', { negative_prompt: 'x'.repeat(2501) }],
      ...[
        [],
        {},
        true,
        -5,
        0,
        5.5,
        7,
        'five',
        '-5',
        '1e9',
        '5s',
        1e300,
        9_007_199_254_740_993n,
        Number.MAX_SAFE_INTEGER,
      ].map((duration): [string, Record<string, unknown>] => [
        'duration',
        { duration: typeof duration === 'bigint' ? Number(duration) : duration },
      ]),
      ['seconds', { seconds: {} }],
      ['seconds', { seconds: '∞' }],
      ['size', { size: {} }],
      ['size', { size: 'huge' }],
      ['size', { size: '0x0' }],
      ['size', { size: '-1x5' }],
      ['size', { size: '999999999999x1' }],
      ['mode', { mode: 'ultra' }],
      ['mode', { mode: 5 }],
      ['cfg_scale', { cfg_scale: 'much' }],
      ['cfg_scale', { cfg_scale: 2 }],
      ['cfg_scale', { cfg_scale: {} }],
      ['image', { image: 5 }],
      ['image', { image: {} }],
      ['image', { image: 'not a picture!' }],
      ['image', { image: 'data:image/png;base64,AAAA' }],
      ['image', { image: 'data:text/html,<script>' }],
      ['image', { image: `https://example.com/${'x'.repeat(20_000)}` }],
      ...[
        'file:///etc/passwd',
        'ftp://example.com/a.png',
        'javascript:alert(1)',
        'http://127.0.0.1/a.png',
        'http://127.1/a.png',
        'http://2130706433/a.png',
        'http://0x7f.0.0.1/a.png',
        'http://0/a.png',
        'http://[::1]/a.png',
        'http://[::ffff:127.0.0.1]/a.png',
        'http://[fd00::1]/a.png',
        'http://10.0.0.1/a.png',
        'http://169.254.169.254/latest/meta-data',
        'http://localhost/a.png',
        'http://user:secret@example.com/a.png',
        'http://',
        'https://exa mple.com/a.png',
      ].map((image): [string, Record<string, unknown>] => ['image', { image }]),
      ['callback_url', { callback_url: 'http://127.0.0.1:1/hook' }],
      ['callback_url', { callback_url: 'nowhere' }],
      ['callback_url', { callback_url: {} }],
      ['external_task_id', { external_task_id: {} }],
      ['external_task_id', { external_task_id: 'x'.repeat(5000) }],
      ['images', { image: undefined, images: {} }],
      ['images', { image: undefined, images: [5] }],
      ['images', { image: undefined, images: [['https://example.com/a.png']] }],
      ['metadata', { metadata: 'not json' }],
      ['metadata', { metadata: [] }],
      ['metadata', { metadata: 5 }],
      ['metadata', { metadata: { output_config: 'big' } }],
      ['metadata', { metadata: { output_config: { resolution: {} } } }],
      ['metadata', { metadata: { output_config: { resolution: '8K' } } }],
      ['metadata', { metadata: { output_config: { media_name: 'x'.repeat(65) } } }],
      ['metadata', { metadata: { output_config: { class_id: 'one' } } }],
      ['metadata', { metadata: { output_config: { expire_time: 'tomorrow' } } }],
      ['metadata', { metadata: { output_config: { expire_time: '2001-01-01T00:00:00Z' } } }],
      ['metadata', { metadata: { output_config: { storage_mode: 'Forever' } } }],
      ['metadata', { metadata: { scene_type: 'opera' } }],
      ['metadata', { metadata: { scene_type: {} } }],
      ['metadata', { metadata: { ext_info: '{"AdditionalParameters":' } }],
      ['metadata', { metadata: { file_infos: {} } }],
      ['metadata', { metadata: { file_infos: [{}] } }],
      ['metadata', { metadata: { file_infos: [null] } }],
      ['metadata', { metadata: { file_infos: [{ type: 'Url', category: 'Image' }] } }],
      [
        'metadata',
        { metadata: { file_infos: Array(8).fill({ type: 'Url', category: 'Image', url: GOOD.image }) } },
      ],
      ['metadata', { metadata: { audio: 'perhaps' } }],
      ['content', { content: 'text' }],
      ['content', { content: [5] }],
      ['content', { content: [{ type: 'smell' }] }],
      ['camera_control', { camera_control: 'left' }],
      ['camera_control', { camera_control: { type: 'simple', config: { zoom: 1000 } } }],
      ['max_cost', { max_cost: 'little' }],
      ['max_cost', { max_cost: '-1' }],
      ['max_cost', { max_cost: '0.000001' }],
    ];
    test(`values of a wrong type or outside their range, ${wrong.length} of them, each named`, async () => {
      const faults: string[] = [];
      for (const [field, change] of wrong) {
        const answer = await sendJson(door, { ...GOOD, ...change });
        const what = `${JSON.stringify(change).slice(0, 90)}: ${answer.status} ${answer.text.slice(0, 250)}`;
        try {
          const error = assertRefused(answer, door);
          assert.ok([400, 404].includes(answer.status));
          assert.ok(error.param?.startsWith(field), `names ${error.param}`);
        } catch (error) {
          faults.push(`${what} (${(error as Error).message.split('\n')[0]!.slice(0, 60)})`);
        }
      }
      assert.deepEqual(faults, []);
    });

    test('keys that would reach a prototype', async () => {
      for (const key of ['__proto__', 'constructor', 'prototype']) {
        const body = `{"model":"kling-v1-6","duration":"x","${key}":{"duration":"5","toString":1},"metadata":{"${key}":{"a":1}}}`;
        assertRefused(await send(door, { type: 'application/json', body }), door, { status: 400 });
      }
    });

    test('a broken form', async () => {
      const type = 'multipart/form-data; boundary=b';
      const part = (name: string, value: string): string =>
        `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
      const good = part('model', 'kling-v1-6') + part('prompt', 'x');
      for (const [options, status] of [
        [{ type: 'multipart/form-data', body: `${good}--b--\r\n` }, 400],
        [{ type, body: good }, 400],
        [{ type, body: good.slice(0, 60) }, 400],
        [{ type, body: 'no form at all' }, 400],
        [{ type, body: `--b--\r\n` }, 400],
        [{ type, body: `--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n` }, 400],
        [{ type, body: `--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx\r\n--b--\r\n` }, 400],
        [{ type, body: `${part('', 'x')}--b--\r\n` }, 400],
        [{ type: 'multipart/form-data; boundary=other', body: `${good}--b--\r\n` }, 400],
        [{ type, body: `${good}${part('__proto__[polluted]', '1')}--b--\r\n` }, 400],
        [{ type, body: `${good}${part('metadata[constructor][prototype]', '1')}--b--\r\n` }, 400],
        [{ type, body: `${good}${part(`metadata${'[a]'.repeat(50)}`, '1')}--b--\r\n` }, 400],
        [{ type, body: `${good}${part('metadata[a', '1')}${part('duration', 'x')}--b--\r\n` }, 400],
        [
          {
            type,
            body: `${good}${Array.from({ length: 250 }, (_, index) => part(`f${index}`, '1')).join('')}--b--\r\n`,
          },
          413,
        ],
        [{ type, body: `${good}${part('negative_prompt', 'x'.repeat(33 * 1024 * 1024))}--b--\r\n` }, 413],
        [{ type, body: `${good}${part('duration', 'five')}--b--\r\n` }, 400],
        [{ type, body: `${good}${part('metadata', '{"a":')}--b--\r\n` }, 400],
      ] as const) {
        const answer = await send(door, options);
        const about = `${options.type} ${options.body.slice(-80)}`;
        assert.equal(answer.status, status, `${about}: ${answer.text}`);
        assertRefused(answer, door);
      }
    });

    test('switches with other words than true and false', async () => {
      assertRefused(await sendJson(`${door}?dry_run=perhaps`, GOOD), door, { status: 400, param: 'dry_run' });
    });

    test('wrong methods name the right ones', async () => {
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const answer = await send(door, { method, type: 'application/json', body: '{}' });
        assertRefused(
          answer,
          door,
          door.startsWith('/kling') ? { status: 404, number: 1202 } : { status: 405 },
        );
        assert.match(String(answer.headers.allow), /POST/, 'Allow is sent');
      }
    });
  });
}

describe('queries', () => {
  test('ids that nobody has', async () => {
    for (const door of DOORS) {
      for (const id of [
        'none',
        '%00',
        '%0a',
        '..%2f..%2fetc%2fpasswd',
        '%27%20OR%201=1',
        encodeURIComponent('日本'),
        'a'.repeat(300),
        '-1',
        '9'.repeat(40),
      ]) {
        assertRefused(await send(`${door}/${id}`, { method: 'GET' }), door, { status: 404, number: 1203 });
      }
      for (const id of ['%', '%zz', '%ff', '%c0%af', 'a'.repeat(3000)])
        assertRefused(await send(`${door}/${id}`, { method: 'GET' }), door);
    }
    for (const method of ['GET', 'DELETE'])
      assertRefused(await send('/v1/videos/none', { method }), '/v1/videos', {
        status: 404,
        code: 'video_not_found',
      });
    assertRefused(await send('/v1/models/none', { method: 'GET' }), '/v1/models', { status: 404 });
    assertRefused(await send('/v1/videos/none/content', { method: 'GET' }), '/v1/videos', { status: 404 });
  });

  test('limits and orders outside their range', async () => {
    for (const query of [
      'limit=-1',
      'limit=101',
      'limit=abc',
      'limit=1.5',
      'limit=1e1',
      'order=up',
      'limit=5&limit=6',
    ])
      assertRefused(await send(`/v1/videos?${query}`, { method: 'GET' }), '/v1/videos', {
        status: 400,
        param: query.split('=')[0]!,
      });
    for (const query of [
      'pageNum=0',
      'pageNum=1001',
      'pageNum=-1',
      'pageSize=0',
      'pageSize=501',
      'pageSize=x',
    ])
      assertRefused(await send(`/kling/v1/videos/text2video?${query}`, { method: 'GET' }), '/kling', {
        status: 400,
        number: 1201,
        param: query.split('=')[0]!,
      });
  });

  test('routes that are not there', async () => {
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/chat',
      '/v1/videos/a/b/c',
      '/kling',
      '/kling/v1/videos/dance',
      '/v1/video/generations/a/b',
      '/VIDEOS',
    ])
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await send(path, { method });
        assert.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
        assertRefused(answer, path);
      }
  });

  test('parts of the admin interface, with and without its token', async () => {
    const token = gateway.keys.admin_token;
    for (const [path, json] of [
      ['/accounts', { name: '' }],
      ['/accounts', { name: 5 }],
      ['/accounts', []],
      [`/accounts/${account.id}/top-ups`, { amount: '-5', note: 'x' }],
      [`/accounts/${account.id}/top-ups`, { amount: '1.0000001', note: 'x' }],
      [`/accounts/${account.id}/top-ups`, { amount: 'much', note: 'x' }],
      [`/accounts/${account.id}/top-ups`, { amount: '9'.repeat(50), note: 'x' }],
      [`/accounts/${account.id}/top-ups`, { amount: '0', note: 'x' }],
      ['/accounts/none/top-ups', { amount: '5', note: 'x' }],
      ['/accounts/none/keys', { name: 'x' }],
      ['/channels', { name: 'x', provider: 'nobody', credential: {} }],
      ['/channels', { name: 'x', provider: 'kling', credential: 'secret' }],
      ['/channels', { name: 'x', provider: 'kling', credential: {}, base_url: 'not a url' }],
    ] as const) {
      const answer = await call(`${gateway.url}/admin/v1${path}`, { key: token, json });
      assertRefused(answer, '/admin');
      assert.ok([400, 404].includes(answer.status), `${path} ${JSON.stringify(json)}: ${answer.text}`);
      assertRefused(await call(`${gateway.url}/admin/v1${path}`, { json }), '/admin', { status: 401 });
    }
    for (const path of ['/accounts?limit=0', '/accounts/none', '/tasks/none', '/tasks?state=dancing'])
      assertRefused(await call(`${gateway.url}/admin/v1${path}`, { key: token }), '/admin');
  });
});

describe('below HTTP', () => {
  /** Writes these bytes to the port and answers everything that comes back until the far side closes. */
  async function raw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
      socket.end(bytes);
    });
    return Buffer.concat(chunks).toString();
  }

  test('what is not HTTP gets a 4xx in our words and a closed connection', async () => {
    for (const [bytes, status] of [
      ['hello\r\n\r\n', 400],
      ['GET / HTTP/9.9\r\n\r\n', 400],
      ['POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n', 400],
      ['POST /v1/videos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
      [`GET /v1/videos HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ] as const) {
      const answer = await raw(bytes);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      const seen = `${bytes.slice(0, 60)}: ${answer.slice(0, 300)}`;
      assert.match(head, /^HTTP\/1\.1 4\d\d /, seen);
      // A chunk that is none is found while the route (401: no key) already answers.
      if (!bytes.includes('zz')) {
        assert.ok(head.startsWith(`HTTP/1.1 ${status} `), seen);
        assert.equal(typeof JSON.parse(body).error.message, 'string', seen);
      }
    }
  });

  test('a body that ends before its announced length leaves nothing behind', async () => {
    const body = JSON.stringify(GOOD);
    await raw(
      `POST /v1/videos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${account.key}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length + 10}\r\n\r\n${body}`,
    );
    assert.equal((await call(`${gateway.url}/healthz`)).status, 200);
  });
});
