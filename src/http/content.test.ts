import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { signUrl } from '../lib/signed-url.ts';
import { film, linkKey, startFixture, type Fixture } from './server.fixture.ts';

let fixture: Fixture;
before(async () => {
  fixture = await startFixture();
});
after(() => fixture.server.close());

const nowSeconds = (): number => fixture.clock.now() / 1000;
const link = (path: string): string => signUrl(linkKey, path, nowSeconds() + 60);

describe('signed links to content', () => {
  const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    fixture.server.inject({ method, url, headers });

  test('open without a key, to be played in place', async () => {
    const answer = await get(link('/content/task_1/video.mp4'));
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.rawPayload, film);
    assert.equal(answer.headers['content-type'], 'video/mp4');
    assert.match(String(answer.headers['content-disposition']), /^inline/);
    assert.equal(answer.headers['cache-control'], 'private');
    assert.equal(answer.headers['accept-ranges'], 'bytes');
  });

  test('answer ranges, and say the length when a range lies outside', async () => {
    const part = await get(link('/content/task_1/video.mp4'), { range: 'bytes=10-14' });
    assert.equal(part.statusCode, 206);
    assert.equal(part.body, '01234');
    assert.equal(part.headers['content-range'], 'bytes 10-14/100');
    const outside = await get(link('/content/task_1/video.mp4'), { range: 'bytes=100-' });
    assert.equal(outside.statusCode, 416);
    assert.equal(outside.headers['content-range'], 'bytes */100');
    assert.equal(outside.json().error.code, 'range_not_satisfiable');
  });

  test('answer HEAD and "not modified" without bytes', async () => {
    const head = await get(link('/content/task_1/video.mp4'), {}, 'HEAD');
    assert.equal(head.statusCode, 200);
    assert.equal(head.body, '');
    assert.equal(head.headers['content-length'], '100');
    const same = await get(link('/content/task_1/video.mp4'), { 'if-none-match': '"film"' });
    assert.equal(same.statusCode, 304);
  });

  test('are refused when anything about them was changed', async () => {
    const good = link('/content/task_1/video.mp4');
    const last = good.at(-1) === 'A' ? 'B' : 'A';
    for (const url of [
      '/content/task_1/video.mp4',
      good.slice(0, -1),
      good.slice(0, -1) + last,
      good.replace('task_1', 'task_2'),
      good.replace('task_1', 'task%5F1'),
      good.replace('expires=', 'expires=1'),
      `${good}&x=1`,
      good.replace('?', '?x=1&'),
    ]) {
      const answer = await get(url);
      assert.equal(answer.statusCode, 403, url);
      assert.equal(answer.json().error.code, 'invalid_link');
    }
  });

  test('end with their time', async () => {
    const url = signUrl(linkKey, '/content/task_1/video.mp4', nowSeconds());
    assert.match((await get(url)).json().error.message, /expired/);
  });

  test('to what is not there are 404', async () => {
    assert.equal((await get(link('/content/task_2/video.mp4'))).statusCode, 404);
    assert.equal((await get(link('/content/task_1/constructor'))).statusCode, 404);
  });
});

describe('pushes of upstreams', () => {
  const post = (url: string, payload: string = '{"task_id":"1"}') =>
    fixture.server.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload });

  test('are passed on with what they hold', async () => {
    const answer = await post(link('/callbacks/kling/chan_1/task_1'));
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(fixture.pushes.at(-1), {
      channelId: 'chan_1',
      taskId: 'task_1',
      body: { task_id: '1' },
    });
  });

  test('get their 200 even when we are in trouble', async () => {
    assert.equal((await post(link('/callbacks/kling/chan_1/task_broken'))).statusCode, 200);
    assert.match(JSON.stringify(fixture.log.at(-2)), /store is away/);
  });

  test('that are unsigned or about nothing of ours are refused', async () => {
    const before = fixture.pushes.length;
    assert.equal((await post('/callbacks/kling/chan_1/task_1')).statusCode, 403);
    assert.equal((await post(`${link('/callbacks/kling/chan_1/task_1')}x`)).statusCode, 403);
    assert.equal((await post(link('/callbacks/kling/chan_1/task_unknown'))).statusCode, 404);
    assert.equal((await post(link('/callbacks/kling/chan_1/task_1'), '{')).statusCode, 400);
    assert.equal(fixture.pushes.length, before);
  });
});
