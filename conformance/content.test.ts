/** The bytes of a finished task: with a key at `/v1/videos/{id}/content`, without one by the signed link. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { request } from 'undici';
import { call, type LooseJson } from '../test/helpers/processes.ts';
import { assertFilm } from './support/film.ts';
import { assertRefused, completed, openAccount, startGateway, type TestGateway } from './support/gateway.ts';

interface Served {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
}

let gateway: TestGateway;
let key: string;
let video: LooseJson;
let whole: Served;

async function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Served> {
  const answer = await request(url, { method: method as 'GET', headers });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    bytes: Buffer.from(await answer.body.arrayBuffer()),
  };
}
const json = ({ bytes }: Served): LooseJson => JSON.parse(bytes.toString());
const content = (headers: Record<string, string> = {}, query = '', method = 'GET'): Promise<Served> =>
  ask(
    `${gateway.url}/v1/videos/${video.id}/content${query}`,
    { authorization: `Bearer ${key}`, ...headers },
    method,
  );

before(async () => {
  gateway = await startGateway('full');
  key = gateway.keys.api_key;
  const created = await call(`${gateway.url}/v1/videos`, {
    key,
    json: { model: 'kling-3.0', prompt: 'a lighthouse', seconds: '3' },
  });
  assert.equal(created.status, 200, created.text);
  video = await completed(gateway, key, created.body.id);
  whole = await content();
});
after(() => gateway.stop());

test('the whole file: its length, its name, its mark, and no shared cache', async () => {
  assert.equal(whole.status, 200);
  const { headers } = whole;
  assert.equal(headers['content-type'], 'video/mp4');
  assert.equal(Number(headers['content-length']), whole.bytes.length);
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.equal(headers['content-disposition'], `attachment; filename="${video.id}.mp4"`);
  assert.match(String(headers['cache-control']), /\bprivate\b/);
  assert.doesNotMatch(String(headers['cache-control']), /public/);
  assert.match(String(headers.etag), /^"[^"]+"$/);
  assert.ok(Math.abs(Date.parse(String(headers['last-modified'])) - Date.now()) < 300_000);
  await assertFilm(whole.bytes, { width: 1280, height: 720, seconds: 3, sound: false });
});

test('whatever a client says it accepts, it gets the bytes', async () => {
  for (const accept of ['application/binary', 'application/json', 'text/html'])
    assert.equal((await content({ accept })).status, 200);
});

describe('ranges', () => {
  const cases: [string, (length: number) => [number, number]][] = [
    ['bytes=0-0', () => [0, 1]],
    ['bytes=0-99', () => [0, 100]],
    ['bytes=100-', (length) => [100, length]],
    ['bytes=-50', (length) => [length - 50, length]],
    ['bytes=10-99999999999', (length) => [10, length]],
    ['bytes=-99999999999', (length) => [0, length]],
  ];
  for (const [range, bounds] of cases) {
    test(`${range} answers exactly these bytes`, async () => {
      const [from, to] = bounds(whole.bytes.length);
      const part = await content({ range });
      assert.equal(part.status, 206);
      assert.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/${whole.bytes.length}`);
      assert.equal(Number(part.headers['content-length']), to - from);
      assert.equal(part.headers.etag, whole.headers.etag);
      assert.ok(part.bytes.equals(whole.bytes.subarray(from, to)));
    });
  }

  test('parts put together are the whole', async () => {
    const parts: Buffer[] = [];
    const step = Math.ceil(whole.bytes.length / 7);
    for (let from = 0; from < whole.bytes.length; from += step)
      parts.push((await content({ range: `bytes=${from}-${from + step - 1}` })).bytes);
    assert.ok(Buffer.concat(parts).equals(whole.bytes));
  });

  test('a range outside the file is 416 and tells the length', async () => {
    for (const range of [`bytes=${whole.bytes.length}-`, 'bytes=99999999999-', 'bytes=-0']) {
      const answer = await content({ range });
      assert.equal(answer.status, 416, range);
      assert.equal(answer.headers['content-range'], `bytes */${whole.bytes.length}`);
      assert.equal(json(answer).error.code, 'range_not_satisfiable');
    }
  });

  test('what is no range of bytes is ignored', async () => {
    for (const range of ['bytes=5-2', 'bytes=a-b', 'pages=1-2', 'bytes', 'bytes=', 'bytes=--5'])
      assert.equal((await content({ range })).status, 200, range);
  });

  test('If-Range: the same file continues, another one starts anew', async () => {
    const etag = String(whole.headers.etag);
    const modified = String(whole.headers['last-modified']);
    const range = 'bytes=5-9';
    assert.equal((await content({ range, 'if-range': etag })).status, 206);
    assert.equal((await content({ range, 'if-range': '"other"' })).status, 200);
    assert.equal((await content({ range, 'if-range': `W/${etag}` })).status, 200);
    assert.equal((await content({ range, 'if-range': modified })).status, 206);
    assert.equal((await content({ range, 'if-range': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 200);
  });
});

test('If-None-Match and If-Modified-Since: a copy that is still good is not sent again', async () => {
  const etag = String(whole.headers.etag);
  for (const mark of [etag, `W/${etag}`, '*', `"other", ${etag}`]) {
    const answer = await content({ 'if-none-match': mark });
    assert.deepEqual([answer.status, answer.bytes.length], [304, 0], mark);
    assert.equal(answer.headers.etag, etag);
  }
  assert.equal((await content({ 'if-none-match': '"other"' })).status, 200);
  const modified = String(whole.headers['last-modified']);
  assert.equal((await content({ 'if-modified-since': modified })).status, 304);
  assert.equal((await content({ 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 200);
});

test('HEAD tells what GET would send, without sending it', async () => {
  const head = await content({}, '', 'HEAD');
  assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  for (const name of [
    'content-type',
    'content-length',
    'etag',
    'last-modified',
    'accept-ranges',
    'content-disposition',
  ])
    assert.equal(head.headers[name], whole.headers[name], name);
});

describe('variants', () => {
  test('video is the default', async () => {
    assert.ok((await content({}, '?variant=video')).bytes.equals(whole.bytes));
  });

  test('the thumbnail is a picture of the film’s ratio', async () => {
    const answer = await content({}, '?variant=thumbnail');
    assert.equal(answer.status, 200);
    const { format, width, height } = await sharp(answer.bytes).metadata();
    assert.equal(answer.headers['content-type'], `image/${format}`);
    assert.ok(Math.abs(width! / height! - 16 / 9) < 0.02, `${width}x${height}`);
    assert.match(String(answer.headers['content-disposition']), /\.jpe?g"$/);
    assert.notEqual(answer.headers.etag, whole.headers.etag);
  });

  test('a spritesheet is a picture, or a 404 that says why there is none', async () => {
    const answer = await content({}, '?variant=spritesheet');
    if (answer.status === 200) {
      assert.match(String(answer.headers['content-type']), /^image\//);
    } else {
      assert.equal(answer.status, 404);
      assert.equal(json(answer).error.code, 'variant_not_available');
      assert.match(json(answer).error.message, /spritesheet/);
    }
  });

  test('another word is refused with the words there are', async () => {
    const answer = await content({}, '?variant=poster');
    const { error } = json(answer);
    assert.deepEqual([answer.status, error.param], [400, 'variant']);
    for (const word of ['video', 'thumbnail', 'spritesheet']) assert.ok(error.message.includes(word));
  });
});

test('without a key, with a wrong one, with another account’s, for an unknown task: refused', async () => {
  const path = `/v1/videos/${video.id}/content`;
  const stranger = (await openAccount(gateway, '0')).key;
  assertRefused(await call(gateway.url + path), path, { status: 401 });
  assertRefused(await call(gateway.url + path, { key: 'wrong' }), path, { status: 401 });
  assertRefused(await call(gateway.url + path, { key: stranger }), path, { status: 404 });
  assertRefused(await call(`${gateway.url}/v1/videos/none/content`, { key }), path, { status: 404 });
});

describe('the signed link', () => {
  test('serves the same bytes without a key, with ranges, to be shown and not saved', async () => {
    const answer = await ask(video.video_url);
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(whole.bytes));
    assert.match(String(answer.headers['content-disposition']), /^inline/);
    assert.match(String(answer.headers['cache-control']), /\bprivate\b/);
    const part = await ask(video.video_url, { range: 'bytes=3-5' });
    assert.deepEqual([part.status, part.bytes.length], [206, 3]);
    assert.equal((await ask(video.video_url, {}, 'HEAD')).status, 200);
    assert.equal((await ask(video.video_url, { range: 'bytes=99999999999-' })).status, 416);
    assert.equal((await ask(video.video_url, { 'if-none-match': String(whole.headers.etag) })).status, 304);
  });

  test('holds for a day, and its signature comes last', () => {
    const { searchParams } = new URL(video.video_url);
    const holdsSeconds = Number(searchParams.get('expires')) - Date.now() / 1000;
    assert.ok(holdsSeconds > 86_000 && holdsSeconds <= 86_410, `${holdsSeconds} s`);
    assert.equal([...searchParams.keys()].at(-1), 'signature');
  });

  test('any change of any one character is refused', async () => {
    const { origin } = new URL(video.video_url);
    const path = video.video_url.slice(origin.length);
    let tried = 0;
    for (let at = 1; at < path.length; at++) {
      const other = path[at] === 'A' ? 'B' : 'A';
      const changed = path.slice(0, at) + other + path.slice(at + 1);
      const { status } = await ask(origin + changed);
      // Outside `/content/` it is another route: then it is unknown or wants a key.
      assert.ok(
        changed.startsWith('/content/') && changed.split('/').length === 4
          ? status === 403
          : [401, 403, 404].includes(status),
        `${changed}: ${status}`,
      );
      tried++;
    }
    assert.ok(tried > 100);
  });

  test('so is anything added, dropped, repeated or put in another order', async () => {
    const url: string = video.video_url;
    const { origin, pathname, searchParams } = new URL(url);
    const [expires, signature] = [searchParams.get('expires')!, searchParams.get('signature')!];
    const later = String(Number(expires) + 86_400);
    for (const changed of [
      `${url}&download=1`,
      `${url}&`,
      `${url}=`,
      `${url}%20`,
      url.replace('?', '?x=1&'),
      url.replace(expires, later),
      `${url}&expires=${later}`,
      `${origin}${pathname}?signature=${signature}&expires=${expires}`,
      `${origin}${pathname}?expires=${expires}`,
      `${origin}${pathname}?signature=${signature}`,
      `${origin}${pathname}`,
      url.replace('/video.mp4', '/cover.jpg'),
      url.replace('/video.mp4', '/%76ideo.mp4'),
      url.replace('/content/', '/content//'),
      url.slice(0, -1),
      url.replace(signature, signature.toUpperCase()),
    ]) {
      const { status } = await ask(changed);
      assert.ok(status === 403 || (status === 404 && changed.includes('content//')), `${changed}: ${status}`);
    }
  });

  test('a wrong link says so in our words, and never what the right one would be', async () => {
    const answer = await ask(video.video_url.slice(0, -2));
    assert.equal(answer.status, 403);
    assert.equal(json(answer).error.code, 'invalid_link');
    assert.doesNotMatch(answer.bytes.toString(), /signature=/);
  });

  test('an expired link is 403 and says that it has expired', async () => {
    // The film itself is due for deletion soon, and no link outlives it.
    const expiresAt = new Date(Date.now() + 6_000).toISOString();
    const created = await call(`${gateway.url}/v1/videos`, {
      key,
      json: {
        model: 'kling-3.0',
        prompt: 'a lighthouse',
        seconds: '3',
        metadata: { output_config: { expire_time: expiresAt } },
      },
    });
    assert.equal(created.status, 200, created.text);
    const shortLived = await completed(gateway, key, created.body.id);
    assert.equal(
      shortLived.expires_at,
      Math.floor(Date.parse(expiresAt) / 1000),
      'expires_at is the asked time',
    );
    assert.equal((await ask(shortLived.video_url)).status, 200);
    await delay(Math.max(0, Date.parse(expiresAt) - Date.now() + 1_100));
    const answer = await ask(shortLived.video_url);
    assert.equal(answer.status, 403, answer.bytes.toString().slice(0, 200));
    assert.match(json(answer).error.message, /expired/);
  });
});
