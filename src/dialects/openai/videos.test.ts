import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Principal } from '../../core/ports.ts';
import { createFakeGateway, strictPrincipal, testPrincipal } from '../kit/fake-gateway.ts';
import { createTestApp } from '../kit/test-app.ts';
import { openai } from './dialect.ts';

function start(t: TestContext, principal: Principal = testPrincipal) {
  const gateway = createFakeGateway();
  const app = createTestApp(openai, gateway, () => principal);
  t.after(() => app.close());
  return { gateway, app };
}

describe('/v1/videos', () => {
  it('says when to ask again, until the task is final', async (t) => {
    const { gateway, app } = start(t);
    const created = await app.inject({ method: 'POST', url: '/v1/videos', payload: { model: 'kling-2.5' } });
    assert.match(String(created.headers['openai-poll-after-ms']), /^[1-5]\d{3}$/);
    const running = await app.inject({ url: `/v1/videos/${gateway.seed('in_progress').id}` });
    assert.match(String(running.headers['openai-poll-after-ms']), /^[1-5]\d{3}$/);
    const done = await app.inject({ url: `/v1/videos/${gateway.seed('completed').id}` });
    assert.equal(done.headers['openai-poll-after-ms'], undefined);
  });

  it('lets only strict keys have inline pictures refused', async (t) => {
    for (const principal of [testPrincipal, strictPrincipal]) {
      const { gateway, app } = start(t, principal);
      await app.inject({ method: 'POST', url: '/v1/videos', payload: { model: 'kling-2.5' } });
      assert.equal(gateway.asked[0]?.surface.refusesInlineMedia, principal.responseStyle === 'strict');
    }
  });

  it('needs a model', async (t) => {
    const { app } = start(t);
    const answer = await app.inject({ method: 'POST', url: '/v1/videos', payload: { prompt: 'a cat' } });
    assert.deepEqual([answer.statusCode, answer.json().error.param], [400, 'model']);
  });

  it('pages through all tasks of the account, whichever door they came through', async (t) => {
    const { gateway, app } = start(t);
    const ids = ['kling.text2video', 'openai.videos', 'video-generations.videos'].map(
      (surface) => gateway.seed('completed', { surface }).id,
    );
    const page = async (query: string) => (await app.inject({ url: `/v1/videos?${query}` })).json();
    const first = await page('limit=2&order=asc');
    assert.deepEqual([first.first_id, first.last_id, first.has_more], [ids[0], ids[1], true]);
    const second = await page(`limit=2&order=asc&after=${first.last_id}`);
    assert.deepEqual([second.first_id, second.last_id, second.has_more], [ids[2], ids[2], false]);
    const none = await page('limit=0');
    assert.deepEqual(none, { object: 'list', data: [], first_id: null, last_id: null, has_more: false });
  });

  it('refuses page sizes and orders there are not', async (t) => {
    const { app } = start(t);
    for (const query of ['limit=101', 'limit=-1', 'limit=ten', 'order=up', 'after=a&after=b']) {
      const answer = await app.inject({ url: `/v1/videos?${query}` });
      assert.equal(answer.statusCode, 400, query);
      assert.equal(answer.json().error.param, query.split('=')[0]);
    }
  });
});

describe('/v1/models', () => {
  it('lists models in the OpenAI shape, and knows no others', async (t) => {
    const { app } = start(t);
    const card = { id: 'kling-2.5', object: 'model', created: 1767225600, owned_by: 'kling' };
    const list = (await app.inject({ url: '/v1/models' })).json();
    assert.deepEqual([list.object, list.data[0]], ['list', card]);
    const unknown = await app.inject({ url: '/v1/models/sora-2' });
    assert.deepEqual([unknown.statusCode, unknown.json().error.code], [404, 'model_not_found']);
  });
});
