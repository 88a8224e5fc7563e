import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Channel, Json } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { video } from './video.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as {
    data: Json;
  } & Json;

/** A channel whose upstream answers by path and query. */
function upstream(answer: (target: string, method: string) => { status?: number; body: unknown }) {
  const asked: string[] = [];
  const channel: Channel = {
    id: 'channel_1',
    provider: 'kling',
    baseUrl: 'https://upstream.example',
    credential: { api_key: 'api-key-kling-1' },
    allowsComplianceSwitches: false,
    http: {
      async request({ url, method }) {
        const target = url.slice('https://upstream.example'.length);
        asked.push(`${method} ${target}`);
        const { status = 200, body } = answer(target, method);
        return { status, headers: {}, text: typeof body === 'string' ? body : JSON.stringify(body) };
      },
    },
    clock: createTestClock(0),
    readMedia: () => assert.fail('no media here'),
    callbackUrl: () => null,
  };
  return { channel, asked };
}

const signal = new AbortController().signal;
const path = '/v1/videos/text2video';
const refOf = (id: string) => ({ path, task_id: id });
const task = (id: string, status: string, more: object = {}) => ({
  task_id: id,
  task_status: status,
  ...more,
});
const ok = (data: unknown) => ({ body: { code: 0, message: 'SUCCEED', data } });
const notFound = { status: 404, body: { code: 1203, message: 'task does not exist' } };

describe('films at the official platform', () => {
  test('a create answers a ref that remembers its path', async () => {
    const { channel, asked } = upstream(() => ({ body: fixture('created') }));
    const { ref } = await video.submit(videoRequest(), 'task_0Vx1', channel, signal);
    assert.deepEqual(ref, { path, task_id: '913827032734642185' });
    assert.deepEqual(asked, [`POST ${path}`]);
  });

  test('success without an id is a doubt, never a second try', async () => {
    const { channel } = upstream(() => ok({}));
    await assert.rejects(video.submit(videoRequest(), 'task_1', channel, signal), { kind: 'ambiguous' });
  });

  test('over the pack’s limit is busy', async () => {
    const { channel } = upstream(() => ({ status: 429, body: fixture('error-busy') }));
    await assert.rejects(video.submit(videoRequest(), 'task_1', channel, signal), {
      kind: 'busy',
      retryAfterMs: 1000,
    });
  });

  test('a finished task names its films and its cost', async () => {
    const { channel, asked } = upstream(() => ({ body: fixture('query-succeed') }));
    assert.deepEqual(await video.poll(refOf('913827032734642185'), channel, signal), {
      status: 'succeeded',
      outputs: [
        {
          role: 'video',
          url: 'https://media.example/film.mp4?auth=abc',
          upstreamId: '913827032734642186',
          durationSeconds: 5.041,
        },
        {
          role: 'watermarked',
          url: 'https://media.example/film-watermark.mp4?auth=abc',
          upstreamId: '913827032734642186',
          durationSeconds: 5.041,
        },
      ],
      cost: { amount: '3.5', unit: 'unit' },
    });
    assert.deepEqual(asked, [`GET ${path}/913827032734642185`]);
  });

  test('a task the content filter stopped says so', async () => {
    const { channel } = upstream(() => ({ body: fixture('query-failed') }));
    assert.deepEqual(await video.poll(refOf('1'), channel, signal), {
      status: 'failed',
      code: 'content_policy',
      message: 'Failure to pass the risk control system',
      upstreamCode: null,
    });
  });

  test('unusual answers are read leniently', async () => {
    const poll = async (data: unknown) => {
      const { channel } = upstream(() => ok(data));
      return video.poll(refOf('1'), channel, signal);
    };
    const film = { task_result: { videos: [{ url: 'https://media.example/a.mp4' }] } };
    assert.equal((await poll(task('1', 'succeeded', film))).status, 'succeeded');
    assert.equal((await poll(task('1', 'succeed'))).status, 'processing', 'its film will follow');
    assert.equal((await poll(task('1', 'queueing'))).status, 'processing');
    assert.equal((await poll(task('1', 'failed'))).status, 'failed');
    await assert.rejects(poll({}), { kind: 'ambiguous' });
  });

  test('a query that breaks is an error, not a verdict', async () => {
    const { channel } = upstream(() => ({ status: 502, body: 'bad gateway' }));
    await assert.rejects(video.poll(refOf('1'), channel, signal), { kind: 'ambiguous' });
    await assert.rejects(video.lookup!(videoRequest(), 'task_1', channel, signal), { kind: 'ambiguous' });
  });

  test('a look-up asks for our own id under the request’s path', async () => {
    const { channel, asked } = upstream((target) =>
      target.endsWith('/task_1') ? ok(task('77', 'processing')) : notFound,
    );
    const request = videoRequest({ model: 'kling-video-o1' });
    assert.deepEqual(await video.lookup!(request, 'task_1', channel, signal), {
      ref: { path: '/v1/videos/omni-video', task_id: '77' },
    });
    assert.equal(await video.lookup!(request, 'task_2', channel, signal), null);
    assert.deepEqual(asked, ['GET /v1/videos/omni-video/task_1', 'GET /v1/videos/omni-video/task_2']);
  });

  describe('many polls', () => {
    test('of one path are one page, and the rest are asked for singly', async () => {
      const { channel, asked } = upstream((target) => {
        if (target.includes('?')) return ok([task('3', 'processing'), task('2', 'submitted')]);
        return target.endsWith('/1') ? ok(task('1', 'failed')) : notFound;
      });
      const refs = ['1', '2', '3', '4'].map(refOf);
      const observations = await video.pollMany!(refs, channel, signal);
      assert.deepEqual(
        observations.map((one) => one?.status),
        ['failed', 'submitted', 'processing', 'unknown'],
      );
      assert.deepEqual(asked, [`GET ${path}?pageNum=1&pageSize=500`, `GET ${path}/1`, `GET ${path}/4`]);
    });

    test('of two tasks are two queries', async () => {
      const { channel, asked } = upstream(() => ok(task('1', 'processing')));
      await video.pollMany!([refOf('1'), refOf('2')], channel, signal);
      assert.equal(asked.length, 2);
    });

    test('leave out what could not be asked, and tell the rest', async () => {
      const { channel } = upstream((target) =>
        target.endsWith('/1') ? { status: 500, body: 'oops' } : ok(task('2', 'processing')),
      );
      assert.deepEqual(await video.pollMany!([refOf('1'), refOf('2')], channel, signal), [
        null,
        { status: 'processing' },
      ]);
    });

    test('fail as a whole when the page fails: that is no news of anyone', async () => {
      const { channel } = upstream(() => ({ status: 503, body: { code: 5001, message: 'maintenance' } }));
      const refs = ['1', '2', '3'].map(refOf);
      await assert.rejects(video.pollMany!(refs, channel, signal), { kind: 'unavailable' });
    });
  });

  test('a push is read for our id alone', () => {
    assert.deepEqual(video.callback!(fixture('callback')), { clientRef: 'task_0Vx1' });
    for (const body of [
      null,
      7,
      [],
      {},
      { task_id: '1' },
      { task_id: '1', task_info: { external_task_id: 7.5 } },
    ]) {
      const read = video.callback!(body as Json);
      assert.ok(read === null || typeof read.clientRef === 'string');
    }
    assert.equal(video.callback!({ task_id: '1' }), null);
  });

  test('a ref of another provider is a fault of ours', async () => {
    const { channel } = upstream(() => notFound);
    for (const ref of [null, 'x', { path: '/admin', task_id: '1' }, { path, task_id: 1 }]) {
      await assert.rejects(video.poll(ref, channel, signal), TypeError);
    }
  });
});
