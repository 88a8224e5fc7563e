import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { testDialect } from '../kit/contract.ts';
import { createFakeGateway, testPrincipal } from '../kit/fake-gateway.ts';
import { klingWordsOf } from '../kit/kling-errors.ts';
import { createTestApp } from '../kit/test-app.ts';
import { klingNewStandard } from './dialect.ts';
import { doors } from './doors.ts';

type Body = Record<string, unknown>;
type NewTask = { id: string; status: string; outputs?: { url: string }[]; metadata?: { warnings: unknown } };

/** A create answers one task, a query a list of them. */
function taskOf(body: Body): NewTask | undefined {
  const { data } = body as { data?: NewTask | NewTask[] };
  return Array.isArray(data) ? data[0] : data;
}

testDialect('kling-new-standard', {
  dialect: klingNewStandard,
  doors: doors.map(({ feature, models }) => `/kling/${feature}/${models[0]}`),
  request: {
    prompt: 'a cat with a ball of yarn',
    settings: { duration: 5, resolution: '720p', aspect_ratio: '16:9' },
  },
  requestAt: (door) => ({ contents: doors.find(({ feature }) => door.includes(feature))?.example.contents }),
  queryPath: (_door, id) => `/kling/tasks?${id.startsWith('task_') ? 'task_ids' : 'external_task_ids'}=${id}`,
  warningsOf: (body) => taskOf(body)?.metadata?.warnings,
  words: {
    queued: 'submitted',
    in_progress: 'processing',
    completed: 'succeeded',
    failed: 'failed',
    cancelled: 'failed',
  },
  wordOf: (body) => taskOf(body)?.status,
  idOf: (body) => taskOf(body)?.id,
  callback: { wordOf: (body) => body.status, idOf: (body) => body.id },
  urlOf: (body) => taskOf(body)?.outputs?.[0]?.url,
  assertError(answer, { code, message, param }) {
    const words = klingWordsOf({ code, param });
    assert.equal(answer.statusCode, words.status);
    const { error, ...envelope } = answer.json();
    assert.deepEqual(envelope, { code: words.code, message, request_id: 'request-1' });
    if (error !== undefined) assert.deepEqual([error.message, error.param], [message, param]);
  },
  fixtures: new URL('./fixtures/', import.meta.url),
});

function start(t: TestContext) {
  const gateway = createFakeGateway();
  const app = createTestApp(klingNewStandard, gateway, () => testPrincipal);
  t.after(() => app.close());
  return { gateway, app };
}

describe('GET /kling/tasks', () => {
  it('answers the known ones of several, in the order they were asked for', async (t) => {
    const { gateway, app } = start(t);
    const [one, two] = [gateway.seed('completed'), gateway.seed('queued')];
    const answer = await app.inject({ url: `/kling/tasks?task_ids=${two.id},nobody,,${one.id},${two.id}` });
    assert.deepEqual(
      answer.json().data.map((task: NewTask) => task.id),
      [two.id, one.id],
    );
  });

  it('wants exactly one kind of id, and not too many of them', async (t) => {
    const { app } = start(t);
    const many = Array.from({ length: 101 }, (_, index) => `t${index}`).join(',');
    for (const query of [
      '',
      '?task_ids=a&external_task_ids=b',
      `?task_ids=${many}`,
      '?task_ids=a&task_ids=b',
    ]) {
      const answer = await app.inject({ url: `/kling/tasks${query}` });
      assert.equal(answer.statusCode, 400, query);
      assert.equal(answer.json().code, 1201);
    }
  });
});

describe('POST /kling/tasks', () => {
  const now = Date.now();
  const day = 86_400_000;

  it('walks the tasks of the last 30 days, page by page', async (t) => {
    const { gateway, app } = start(t);
    gateway.seed('completed', { createdAt: now - 31 * day });
    const ids: string[] = [];
    for (let count = 5; count > 0; count--)
      ids.unshift(gateway.seed('queued', { createdAt: now - count }).id);
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const { data } = (
        await app.inject({ method: 'POST', url: '/kling/tasks', payload: { limit: 2, cursor } })
      ).json();
      assert.equal(data.count, data.result.length);
      seen.push(...data.result.map((task: NewTask) => task.id));
      cursor = data.next_cursor;
      assert.equal(data.has_more, cursor !== '');
      if (!data.has_more) break;
    }
    assert.deepEqual(seen, ids);
  });

  it('filters by period, status and product', async (t) => {
    const { gateway, app } = start(t);
    const old = gateway.seed('completed', { createdAt: now - 40 * day });
    const failed = gateway.seed('failed', { createdAt: now - 2 });
    const done = gateway.seed('completed', { createdAt: now - 1 });
    const find = async (payload: Body) => {
      const answer = await app.inject({ method: 'POST', url: '/kling/tasks', payload });
      assert.equal(answer.statusCode, 200, answer.body);
      return answer.json().data.result.map((task: NewTask) => task.id);
    };
    assert.deepEqual(await find({}), [done.id, failed.id]);
    assert.deepEqual(await find({ filters: [{ key: 'status', values: ['failed'] }] }), [failed.id]);
    assert.deepEqual(await find({ filters: [{ key: 'product_type', values: ['image'] }] }), []);
    assert.deepEqual(await find({ filters: [{ key: 'product_type', values: ['video', 'try_on'] }] }), [
      done.id,
      failed.id,
    ]);
    assert.deepEqual(await find({ start_time: String(now - 41 * day), end_time: now - 39 * day }), [old.id]);
  });

  it('refuses what it cannot read, by name', async (t) => {
    const { app } = start(t);
    const wrong: [Body, string][] = [
      [{ limit: 0 }, 'limit'],
      [{ limit: '501' }, 'limit'],
      [{ start_time: 'yesterday' }, 'start_time'],
      [{ end_time: -1 }, 'end_time'],
      [{ filters: [7] }, 'filters[0]'],
      [{ filters: [{ key: 'model', values: [] }] }, 'filters[0].key'],
      [{ filters: [{ key: 'status', values: ['done'] }] }, 'filters[0].values[0]'],
    ];
    for (const [payload, param] of wrong) {
      const answer = await app.inject({ method: 'POST', url: '/kling/tasks', payload });
      assert.equal(answer.statusCode, 400, answer.body);
      if (param === 'filters[0]') continue;
      assert.equal(answer.json().error.param, param);
    }
  });
});
