import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { GatewayError } from '../core/errors.ts';
import type { Admin } from '../core/ports.ts';
import { newApiKey } from '../lib/api-key.ts';
import { startFixture, testApiKey, testAdminToken, type Fixture } from './server.fixture.ts';

const bearer = { authorization: `Bearer ${testApiKey}` };
const json = { ...bearer, 'content-type': 'application/json' };

let fixture: Fixture;
before(async () => {
  fixture = await startFixture();
});
after(() => fixture.server.close());

describe('request ids', () => {
  test('are on every answer, errors and bad URLs included', async () => {
    for (const url of ['/healthz', '/nowhere', '/echo/%zz', '/echo/fails']) {
      const answer = await fixture.server.inject({ url, headers: bearer });
      assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/, url);
    }
  });

  test("are the caller's own where those are plain words", async () => {
    const ask = async (id: string) =>
      (await fixture.server.inject({ url: '/healthz', headers: { 'x-request-id': id } })).headers[
        'x-request-id'
      ];
    assert.equal(await ask('my-request-0001'), 'my-request-0001');
    assert.notEqual(await ask('short'), 'short');
    assert.notEqual(await ask('two words and more'), 'two words and more');
  });
});

describe('callers', () => {
  const ask = (headers: Record<string, string>, url = '/echo/things/1') =>
    fixture.server.inject({ url, headers });

  test('may put their key wherever their library puts it', async () => {
    for (const headers of [
      bearer,
      { authorization: `bearer ${testApiKey}` },
      { 'x-api-key': testApiKey },
      { 'x-goog-api-key': testApiKey },
    ] as Record<string, string>[]) {
      assert.equal((await ask(headers)).statusCode, 200);
    }
    assert.equal((await ask({}, `/echo/things/1?key=${testApiKey}`)).statusCode, 200);
  });

  test('without a key are told how to send one', async () => {
    assert.equal((await ask({})).json().echo, 'missing_api_key');
    assert.match((await ask({ authorization: 'Basic abc' })).json().message, /Bearer <api key>/);
    assert.equal((await ask({}, '/echo/things/1?key=a&key=b')).json().echo, 'missing_api_key');
  });

  test('with a wrong key are refused', async () => {
    assert.equal((await ask({ 'x-api-key': 'wrong' })).json().echo, 'invalid_api_key');
  });

  test('never find their key or a signature in the log', async () => {
    await ask({}, `/echo/things/1?key=${testApiKey}&page=2`);
    await ask({}, `/echo/things/1?%6bey=${testApiKey}`);
    await ask(bearer, '/content/task_1/video.mp4?expires=1&signature=topsecret');
    const text = JSON.stringify(fixture.log);
    assert.ok(!text.includes(testApiKey) && !text.includes('topsecret'));
    assert.ok(text.includes('page=2'));
  });

  test('from a browser on another site are let in; others are spared the headers', async () => {
    const preflight = await fixture.server.inject({
      method: 'OPTIONS',
      url: '/echo/things',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-stainless-lang',
      },
    });
    assert.equal(preflight.statusCode, 204);
    assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,x-stainless-lang');
    const fromBrowser = await ask({ ...bearer, origin: 'https://app.example.com' });
    assert.equal(fromBrowser.headers['access-control-allow-origin'], '*');
    assert.equal((await ask(bearer)).headers['access-control-allow-origin'], undefined);
  });
});

describe('refusals', () => {
  test('are in the words of the door, where its path ends in something broken, too', async () => {
    const codeAt = async (url: string): Promise<unknown> =>
      (await fixture.server.inject({ method: 'GET', url, headers: bearer })).json();
    for (const url of ['/echo%zz', '/echo/deep%', '/echo%2Fthings', '/echo/none']) {
      assert.ok('echo' in ((await codeAt(url)) as object), url);
    }
    assert.ok('error' in ((await codeAt('/echoes')) as object), 'another path that begins alike');
  });
});

describe('JSON bodies', () => {
  const post = (payload: string, headers: Record<string, string> = json) =>
    fixture.server.inject({ method: 'POST', url: '/echo/things', headers, payload });

  test('keep integers above 2^53', async () => {
    assert.match((await post('{"id":875938472394872341234}')).body, /"id":875938472394872341234/);
  });

  test('may come without a content type, as text/plain, with a byte order mark, or not at all', async () => {
    assert.equal((await post('{"name":"a"}', bearer)).json().body.name, 'a');
    assert.equal(
      (await post('{"name":"a"}', { ...bearer, 'content-type': 'text/plain' })).json().body.name,
      'a',
    );
    assert.equal((await post('\ufeff{"name":"a"}')).json().body.name, 'a');
    assert.deepEqual((await post('')).json().body, {});
    assert.deepEqual((await post('', bearer)).json().body, {});
    const bare = await fixture.server.inject({ method: 'POST', url: '/echo/things', headers: bearer });
    assert.deepEqual(bare.json().body, {});
  });

  test('as curl sends them without a header are refused with the header to add', async () => {
    const answer = await post('{"a":1}', { ...bearer, 'content-type': 'application/x-www-form-urlencoded' });
    assert.equal(answer.json().echo, 'unsupported_media_type');
    assert.match(answer.json().message, /-H 'Content-Type: application\/json'/);
  });

  test('that are no JSON are refused with the place', async () => {
    const answer = await post('{"name": "a",}');
    assert.equal(answer.json().echo, 'invalid_json');
    assert.match(answer.json().message, /line 1, column 14/);
  });

  test('nested deeper than 32 levels are refused', async () => {
    assert.equal((await post(`{"a":${'['.repeat(32)}${']'.repeat(32)}}`)).json().echo, 'invalid_json');
    assert.equal((await post(`${'['.repeat(1e6)}`)).json().echo, 'invalid_json');
  });

  test('cannot reach a prototype', async () => {
    const answer = await post('{"__proto__":{"polluted":1},"name":"a","constructor":{"prototype":{"x":1}}}');
    assert.equal(answer.statusCode, 200);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  test('larger than 32 MiB are refused', async () => {
    const answer = await post(JSON.stringify({ name: 'x'.repeat(33 * 1024 * 1024) }));
    assert.equal(answer.json().echo, 'payload_too_large');
  });

  test('that break the schema are refused by the name of the field', async () => {
    const refusal = async (payload: object) => (await post(JSON.stringify(payload))).json();
    const wrongType = await refusal({ name: 5 });
    assert.equal(wrongType.echo, 'invalid_value');
    assert.equal(wrongType.param, 'name');
    const missing = await refusal({ nested: { list: [{ text: 'a' }, {}] } });
    assert.equal(missing.echo, 'missing_required_parameter');
    assert.equal(missing.param, 'nested.list[1].text');
    assert.match((await refusal({ count: 11 })).message, /'count' is not valid: .*10/);
    assert.equal((await post('[1]')).json().echo, 'invalid_request');
    assert.equal((await post('null')).json().echo, 'invalid_request');
  });

  test('that are packed are not unpacked, and the refusal says so', async () => {
    const payload = gzipSync(JSON.stringify({ a: 1 }));
    const headers = { ...json, 'content-encoding': 'gzip' };
    const answer = await fixture.server.inject({ method: 'POST', url: '/echo/things', headers, payload });
    assert.equal(answer.json().echo, 'unsupported_media_type');
  });
});

describe('forms', () => {
  const boundary = 'XBOUNDARYX';
  const field = (name: string, value: string, extra = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n${value}\r\n`;
  const post = (payload: string, headers: Record<string, string> = {}) =>
    fixture.server.inject({
      method: 'POST',
      url: '/echo/things',
      headers: { ...bearer, 'content-type': `multipart/form-data; boundary=${boundary}`, ...headers },
      payload,
    });

  test('become the object that was meant, in the order of their parts', async () => {
    const answer = await post(
      field('name', '5') +
        field('metadata[list][][type]', 'a') +
        field('metadata[list][][url]', 'u') +
        field('metadata[list][][type]', 'b') +
        field('images[]', 'x') +
        field('content', '{"text":1}') +
        `--${boundary}--\r\n`,
    );
    assert.deepEqual(answer.json().body, {
      name: '5',
      metadata: { list: [{ type: 'a', url: 'u' }, { type: 'b' }] },
      images: ['x'],
      content: { text: 1 },
    });
  });

  test('carry files', async () => {
    const answer = await post(
      `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n` +
        `Content-Type: image/png\r\n\r\nPNG\r\n--${boundary}--\r\n`,
    );
    const { image } = answer.json().body;
    assert.equal(image.filename, 'a.png');
    assert.equal(image.contentType, 'image/png');
    assert.deepEqual(image.bytes.data, [...Buffer.from('PNG')]);
  });

  test('that are malformed are refused, not half read', async () => {
    for (const payload of [field('name', 'a'), `--${boundary}`, 'rubbish', `--${boundary}\r\n\r\n`]) {
      const answer = await post(payload);
      assert.equal(answer.json().echo, 'invalid_request', payload);
    }
    const noBoundary = await post(field('name', 'a'), { 'content-type': 'multipart/form-data' });
    assert.equal(noBoundary.json().echo, 'invalid_request');
  });

  test('with forbidden or contradicting names are refused', async () => {
    const end = `--${boundary}--\r\n`;
    for (const name of ['__proto__', 'a[__proto__][b]', 'constructor', 'a[', 'toString']) {
      assert.equal((await post(field(name, 'x') + end)).json().echo, 'invalid_request', name);
    }
    assert.equal((await post(field('a', 'x') + field('a[b]', 'y') + end)).json().echo, 'invalid_request');
  });

  test('with more than 200 fields or 32 MiB in sum are refused', async () => {
    const end = `--${boundary}--\r\n`;
    const many = Array.from({ length: 201 }, (_, index) => field(`f${index}`, 'x')).join('') + end;
    assert.equal((await post(many)).json().echo, 'payload_too_large');
    const half = 'x'.repeat(17 * 1024 * 1024);
    const large = field('a', half) + field('b', half) + end;
    assert.equal((await post(large)).json().echo, 'payload_too_large');
  });

  test('whose parts are declared as JSON are held to the same depth', async () => {
    const part = (text: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n` +
      `Content-Type: application/json\r\n\r\n${text}\r\n--${boundary}--\r\n`;
    assert.deepEqual((await post(part('{"a":1}'))).json().body, { metadata: { a: 1 } });
    assert.equal((await post(part('{"a"'))).json().echo, 'invalid_json');
    assert.equal(
      (await post(part(`${'['.repeat(20_000)}${']'.repeat(20_000)}`))).json().echo,
      'invalid_json',
    );
    const before = process.memoryUsage().rss;
    assert.equal((await post(part(`[${'{},'.repeat(8 * 2 ** 20)}1]`))).json().echo, 'invalid_json');
    // Built as values it would be half a gigabyte.
    assert.ok(process.memoryUsage().rss - before < 250 * 2 ** 20);
  });
});

describe('errors', () => {
  test('are worded by whoever owns the path, and in OpenAI’s shape where nobody does', async () => {
    assert.equal((await fixture.server.inject({ url: '/echo/deep/none' })).json().echo, 'not_found');
    assert.equal((await fixture.server.inject({ url: '/echoes' })).json().error.code, 'not_found');
    assert.equal((await fixture.server.inject({ url: '/admin/v1/none' })).json().error.code, 'not_found');
  });

  test('are found under doubled slashes too, as a base URL with a slash at its end makes them', async () => {
    assert.equal((await fixture.server.inject({ url: '//echo//things/1', headers: bearer })).statusCode, 200);
    assert.equal((await fixture.server.inject({ url: '//echo/none' })).json().echo, 'not_found');
  });

  test('of ours say nothing but that, and are logged with their cause', async () => {
    const answer = await fixture.server.inject({ url: '/echo/fails', headers: bearer });
    assert.equal(answer.statusCode, 500);
    assert.ok(!answer.body.includes('secret cause'));
    const line = fixture.log.findLast((entry) => entry.msg === 'internal error');
    assert.equal(line?.requestId, answer.json().id);
    assert.match(JSON.stringify(line?.err), /secret cause/);
  });

  test('of a wrong method name the right ones', async () => {
    const answer = await fixture.server.inject({ method: 'DELETE', url: '/echo/things', headers: bearer });
    assert.equal(answer.json().echo, 'method_not_allowed');
    assert.equal(answer.headers.allow, 'POST');
    const read = await fixture.server.inject({ method: 'PUT', url: '/echo/things/1' });
    assert.equal(read.headers.allow, 'GET, HEAD');
  });

  test('say when to try again', async () => {
    const answer = await fixture.server.inject({ url: '/echo/refuses', headers: bearer });
    assert.equal(answer.headers['retry-after-ms'], '1500');
    assert.equal(answer.headers['retry-after'], '2');
  });

  test('of a store that is away are 503, not 500', async () => {
    const admin = {
      prices: () => {
        throw new GatewayError('unavailable', 'The store cannot be reached.');
      },
    } as unknown as Admin;
    const away = await startFixture({ admin });
    const answer = await away.server.inject({
      url: '/admin/v1/prices',
      headers: { authorization: `Bearer ${testAdminToken}` },
    });
    assert.equal(answer.statusCode, 503);
    assert.equal(answer.json().error.code, 'unavailable');
    await away.server.close();
  });
});

describe('the admin API', () => {
  test('takes its own token only, and tells callers so', async () => {
    const ask = (headers: Record<string, string>) =>
      fixture.server.inject({ url: '/admin/v1/prices', headers });
    assert.equal((await ask({})).statusCode, 401);
    assert.equal((await ask({ authorization: 'Bearer nonsense' })).statusCode, 401);
    assert.equal((await ask({ 'x-api-key': testAdminToken })).statusCode, 401);
    const asCaller = await ask({ authorization: `Bearer ${newApiKey()}` });
    assert.equal(asCaller.statusCode, 403);
    assert.match(asCaller.json().error.message, /admin token/);
  });
});

describe('health', () => {
  test('is said at three addresses', async () => {
    assert.deepEqual((await fixture.server.inject('/healthz')).json(), { status: 'ok' });
    assert.deepEqual((await fixture.server.inject('/readyz')).json(), {
      status: 'ready',
      checks: { store: 'ok' },
    });
    const metrics = await fixture.server.inject('/metrics');
    assert.match(metrics.body, /reelay_tasks\{state="queued"\} 2/);
    assert.match(metrics.body, /reelay_tasks\{state="in_progress"\} 0/, 'states without a task are told too');
    assert.match(metrics.body, /reelay_tasks_attention\{reason="lost"\} 1/);
    assert.match(
      metrics.body,
      /reelay_http_request_duration_seconds_count\{method="POST",route="\/echo\/things",status="200"\} \d+/,
    );
    assert.ok(!metrics.body.includes('/echo/things/1'));
  });

  test('is 503 while something we need is away', async () => {
    const broken = await startFixture({
      readiness: {
        store: async () => {
          throw new Error('disk is gone');
        },
      },
    });
    const answer = await broken.server.inject('/readyz');
    assert.equal(answer.statusCode, 503);
    assert.deepEqual(answer.json(), { status: 'not_ready', checks: { store: 'failed' } });
    await broken.server.close();
  });

  test('is 503 from the moment the process is told to end, while requests are still served', async () => {
    let isDraining = false;
    const ending = await startFixture({ isDraining: () => isDraining });
    assert.equal((await ending.server.inject('/readyz')).statusCode, 200);
    isDraining = true;
    const answer = await ending.server.inject('/readyz');
    assert.equal(answer.statusCode, 503);
    assert.deepEqual(answer.json(), { status: 'draining' });
    assert.equal((await ending.server.inject('/healthz')).statusCode, 200);
    await ending.server.close();
  });
});
