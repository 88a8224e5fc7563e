import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testDialect } from '../kit/contract.ts';
import { createFakeGateway, strictPrincipal, testPrincipal } from '../kit/fake-gateway.ts';
import { createTestApp } from '../kit/test-app.ts';
import { kling } from './dialect.ts';
import { klingSurfaces } from './surfaces.ts';
import { klingWordsOf } from '../kit/kling-errors.ts';

const doors = klingSurfaces.map(({ feature }) => `/kling/v1/videos/${feature}`);

testDialect('kling', {
  dialect: kling,
  doors,
  request: {
    model_name: 'kling-v1-6',
    prompt: 'a cat with a ball of yarn',
    duration: '5',
    aspect_ratio: '16:9',
  },
  requestAt: (door): Record<string, unknown> => {
    if (door.endsWith('motion-control')) return { video_url: 'https://a.test/dance.mp4' };
    if (door.endsWith('multi-image2video')) return { image_list: [{ image: 'https://a.test/one.png' }] };
    return {};
  },
  list: {
    path: '/kling/v1/videos/text2video',
    idsOf: (body) => (body.data as { task_id: string }[]).map((task) => task.task_id),
  },
  words: {
    queued: 'submitted',
    in_progress: 'processing',
    completed: 'succeed',
    failed: 'failed',
    cancelled: 'failed',
  },
  wordOf: (body) => (body.data as { task_status?: string } | undefined)?.task_status,
  idOf: (body) => (body.data as { task_id?: string } | undefined)?.task_id,
  callback: { wordOf: (body) => body.task_status, idOf: (body) => body.task_id },
  urlOf: (body) => (body.data as { task_result?: { videos: { url: string }[] } }).task_result?.videos[0]?.url,
  assertError(answer, { code, message, param }) {
    const words = klingWordsOf({ code, param });
    assert.equal(answer.statusCode, words.status);
    const { error, ...envelope } = answer.json();
    assert.deepEqual(envelope, { code: words.code, message, request_id: 'request-1' });
    // Only keys that are not strict get it.
    if (error !== undefined) assert.deepEqual([error.message, error.param], [message, param]);
  },
  fixtures: new URL('./fixtures/', import.meta.url),
});

describe('the Kling doors', () => {
  it('assume the official model where none is named', async (t) => {
    const gateway = createFakeGateway();
    const app = createTestApp(kling, gateway, () => testPrincipal);
    t.after(() => app.close());
    const payload = {
      prompt: 'a cat',
      video_url: 'https://a.test/dance.mp4',
      image_list: [{ image: 'https://a.test/one.png' }],
    };
    for (const url of doors) await app.inject({ method: 'POST', url, payload });
    assert.deepEqual(
      gateway.asked.map(({ surface }) => [surface.model, surface.mode, surface.requiresAspectRatio]),
      [
        ['kling-v1', null, false],
        ['kling-v1', null, false],
        ['kling-video-o1', 'pro', true],
        ['kling-v1-6', null, false],
        ['kling-v2-6', null, false],
        ['kling-v2-6', null, false],
      ],
    );
  });

  it('read what only motion control has on its top level, and miss its film by that name', async (t) => {
    const gateway = createFakeGateway();
    const app = createTestApp(kling, gateway, () => testPrincipal);
    t.after(() => app.close());
    const url = '/kling/v1/videos/motion-control';
    const payload = { image_url: 'https://a.test/me.png', video_url: 'https://a.test/dance.mp4' };
    await app.inject({ method: 'POST', url, payload });
    assert.deepEqual(gateway.asked[0]?.image, [{ source: 'image_url', value: payload.image_url }]);
    assert.deepEqual(gateway.asked[0]?.referenceVideo, [{ source: 'video_url', value: payload.video_url }]);
    const missing = await app.inject({ method: 'POST', url, payload: { image_url: payload.image_url } });
    assert.deepEqual([missing.json().code, missing.json().error.param], [1201, 'video_url']);
  });

  it('miss the pictures of several by the name of their list', async (t) => {
    const app = createTestApp(kling, createFakeGateway(), () => testPrincipal);
    t.after(() => app.close());
    const url = '/kling/v1/videos/multi-image2video';
    const missing = await app.inject({ method: 'POST', url, payload: { prompt: 'both dance' } });
    assert.deepEqual([missing.json().code, missing.json().error.param], [1201, 'image_list']);
    const payload = { prompt: 'it dances', image: 'https://a.test/one.png' };
    assert.equal((await app.inject({ method: 'POST', url, payload })).statusCode, 200);
  });

  it('refuse pages outside the official limits with 400/1201', async (t) => {
    const app = createTestApp(kling, createFakeGateway(), () => testPrincipal);
    t.after(() => app.close());
    const wrong = [
      'pageNum=0',
      'pageNum=1001',
      'pageSize=0',
      'pageSize=501',
      'pageNum=x',
      'pageSize=1.5',
      'pageNum=1&pageNum=2',
    ];
    for (const query of wrong) {
      const answer = await app.inject({ url: `${doors[0]}?${query}` });
      assert.equal(answer.statusCode, 400, query);
      assert.equal(answer.json().code, 1201);
      assert.equal(answer.json().error.param, query.split('=')[0]);
    }
    for (const query of ['', '?pageNum=1&pageSize=500', '?pageNum=1000&pageSize=1', '?pageNum=&pageSize=']) {
      const answer = await app.inject({ url: `${doors[0]}${query}` });
      assert.equal(answer.statusCode, 200, query);
      assert.deepEqual(answer.json().data, []);
    }
  });

  it('number pages and list only what was asked for at their path', async (t) => {
    const gateway = createFakeGateway();
    for (let count = 0; count < 5; count++) gateway.seed('completed', { surface: 'kling.text2video' });
    gateway.seed('completed', { surface: 'kling.image2video' });
    const app = createTestApp(kling, gateway, () => testPrincipal);
    t.after(() => app.close());
    const answer = await app.inject({ url: `${doors[0]}?pageNum=2&pageSize=2` });
    const ids = answer.json().data.map((task: { task_id: string }) => task.task_id);
    assert.deepEqual(ids, [gateway.tasks[2]!.id, gateway.tasks[1]!.id]);
  });

  it('leave OpenAI-shaped errors out for strict keys', async (t) => {
    const app = createTestApp(kling, createFakeGateway(), () => strictPrincipal);
    t.after(() => app.close());
    const answer = await app.inject({ url: `${doors[0]}/nobody` });
    assert.deepEqual(Object.keys(answer.json()), ['code', 'message', 'request_id']);
  });

  it('call back with the bare task, its films without watermark links', () => {
    const gateway = createFakeGateway();
    const task = gateway.seed('completed', { externalTaskId: 'order-4711' });
    const links = {
      video: 'https://a.test/v',
      cover: null,
      watermarked: 'https://a.test/w',
      outputs: [],
      expiresAt: 1,
    };
    assert.deepEqual(kling.renderCallback?.({ task, links }), {
      task_id: task.id,
      task_status: 'succeed',
      task_status_msg: '',
      task_info: { external_task_id: 'order-4711' },
      created_at: task.createdAt,
      updated_at: task.updatedAt,
      task_result: { videos: [{ id: task.id, url: 'https://a.test/v', duration: '5.041' }] },
    });
  });
});
