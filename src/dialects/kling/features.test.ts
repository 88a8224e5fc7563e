import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createFakeGateway, testPrincipal } from '../kit/fake-gateway.ts';
import { featureTask } from '../kit/fake-task.ts';
import { createTestApp } from '../kit/test-app.ts';
import { kling } from './dialect.ts';
import { klingFeatures, surfaceOf } from './features.ts';

type Body = Record<string, unknown>;

function start(t: TestContext) {
  const gateway = createFakeGateway();
  const app = createTestApp(kling, gateway, () => testPrincipal);
  t.after(() => app.close());
  const post = (path: string, payload: Body, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/kling/v1${path}`, payload, headers });
  return { gateway, app, post };
}

function exampleOf(feature: (typeof klingFeatures)[number]): Body {
  return (feature.body.meta() as { example: Body }).example;
}

describe('the features of the legacy standard', () => {
  it('have an operation and a surface of their own each', () => {
    for (const names of [klingFeatures.map(({ operation }) => operation), klingFeatures.map(surfaceOf)]) {
      assert.equal(new Set(names).size, klingFeatures.length);
    }
    assert.equal(surfaceOf(klingFeatures[0]!), 'kling.video-extend');
  });

  it('pass the body on as it came, without what belongs to the envelope', async (t) => {
    const { gateway, post } = start(t);
    for (const feature of klingFeatures) {
      const fields = exampleOf(feature);
      const envelope = { external_task_id: 'mine', callback_url: 'https://a.test/hook', max_cost: '2' };
      const answer = await post(feature.path, {
        ...fields,
        ...envelope,
        model_name: ' kling-v2 ',
        model: 'other',
      });
      assert.equal(answer.statusCode, 200, answer.body);
      const { model_name: _model, ...own } = fields;
      assert.deepEqual(gateway.askedFeatures.at(-1), {
        surface: surfaceOf(feature),
        operation: feature.operation,
        model: 'kling-v2',
        fields: own,
        externalTaskId: 'mine',
        callbackUrl: 'https://a.test/hook',
        maxCost: '2',
      });
      gateway.tasks.length = 0;
    }
  });

  it('take `model` where no `model_name` is given, and nothing for nothing', async (t) => {
    const { gateway, post } = start(t);
    await post('/images/generations', { model: 'kling-v2', model_name: '', prompt: 'a chair' });
    assert.equal(gateway.askedFeatures[0]?.model, 'kling-v2');
    await post('/images/generations', { prompt: 'a chair', callback_url: '', external_task_id: null });
    const { model, callbackUrl, externalTaskId, maxCost } = gateway.askedFeatures[1]!;
    assert.deepEqual([model, callbackUrl, externalTaskId, maxCost], [null, undefined, undefined, undefined]);
  });

  it('heed the lower of two caps', async (t) => {
    const { gateway, post } = start(t);
    const caps: [unknown, string | null, unknown][] = [
      ['2', '1.5', '1.5'],
      [1, '1.5', 1],
      [undefined, '3', '3'],
      ['2', null, '2'],
      ['2', 'much', 'much'],
      ['much', '2', 'much'],
    ];
    for (const [body, header, expected] of caps) {
      const headers: Record<string, string> = header === null ? {} : { 'reelay-max-cost': header };
      await post('/audio/text-to-audio', { prompt: 'rain', max_cost: body }, headers);
      assert.equal(gateway.askedFeatures.at(-1)?.maxCost, expected);
    }
  });

  it('are found at every spelling of their path, which lists the same tasks', async (t) => {
    const { app, post, gateway } = start(t);
    for (const feature of klingFeatures) {
      for (const path of feature.alsoAt ?? []) {
        const answer = await post(path, exampleOf(feature));
        assert.equal(answer.statusCode, 200, answer.body);
        assert.equal(gateway.askedFeatures.at(-1)?.operation, feature.operation);
      }
    }
    const answer = await app.inject({ url: '/kling/v1/general/advanced-custom-elements' });
    assert.equal(answer.json().data.length, 1);
  });

  it('read structures that a form brings as text, and keep long ids exact', async (t) => {
    const { gateway, app } = start(t);
    const url = '/kling/v1/images/omni-image';
    const payload =
      '{"prompt":"a chair","image_list":"[{\\"image\\":\\"https://a.test/a.png\\"}]","element_list":[{"element_id":829836802793406551}]}';
    await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } });
    const { fields } = gateway.askedFeatures[0]!;
    assert.deepEqual(fields['image_list'], [{ image: 'https://a.test/a.png' }]);
    assert.deepEqual(fields['element_list'], [{ element_id: 829836802793406551n }]);
  });

  it('never fail on values of the wrong type', async (t) => {
    const { post } = start(t);
    const oddities: unknown[] = [null, true, -1, '', 'x', [], [null], {}, { a: { b: [1] } }];
    for (const feature of klingFeatures) {
      const example = exampleOf(feature);
      for (const field of [...Object.keys(example), 'model_name', 'external_task_id', 'callback_url']) {
        for (const value of oddities) {
          const answer = await post(feature.path, { ...example, [field]: value });
          assert.ok(
            answer.statusCode < 500,
            `${feature.path} ${field} ${JSON.stringify(value)}: ${answer.body}`,
          );
        }
      }
    }
  });

  it('show their warnings, and price a dry run', async (t) => {
    const { gateway, post } = start(t);
    gateway.warnings = [{ code: 'n_ignored', field: 'n', message: 'n is ignored.' }];
    const answer = await post('/images/generations?dry_run=true', { prompt: 'a chair' });
    assert.equal(answer.headers['x-reelay-warnings'], 'n_ignored');
    assert.deepEqual(answer.json().warnings, gateway.warnings);
    assert.deepEqual(gateway.tasks, []);
    const created = await post('/images/generations', { prompt: 'a chair' });
    assert.equal(created.headers['x-reelay-warnings'], 'n_ignored');
    assert.deepEqual(created.json().metadata.warnings, gateway.warnings);
  });

  it('call back with element ids as numbers', () => {
    const data = { elements: [{ element_id: '829836802793406551', element_name: 'Chair' }] };
    const task = createFakeGateway().seed('completed', {
      ...featureTask('custom-element', 'element'),
      result: { outputs: [], width: null, height: null, durationSeconds: null, hasSound: null, data },
    });
    const body = kling.renderCallback?.({ task, links: null }) as { task_result: unknown };
    assert.deepEqual(body.task_result, {
      elements: [{ element_id: 829836802793406551n, element_name: 'Chair' }],
    });
  });

  it('tell which of the elements that were made are deleted', async (t) => {
    const { gateway, app } = start(t);
    const data = {
      elements: [
        { element_id: '1', status: 'succeed' },
        { element_id: '2', status: 'succeed' },
      ],
    };
    const task = gateway.seed('completed', {
      ...featureTask('custom-element', 'element'),
      surface: 'kling.advanced-custom-elements',
      result: { outputs: [], width: null, height: null, durationSeconds: null, hasSound: null, data },
    });
    gateway.resources.push({
      id: '2',
      accountId: 'acct_1',
      kind: 'element',
      channelId: 'c',
      upstreamId: '9',
      name: null,
      data: {},
      taskId: task.id,
      createdAt: 0,
      expiresAt: null,
      deletedAt: null,
    });
    const path = '/kling/v1/general/advanced-custom-elements';
    const one = (await app.inject({ url: `${path}/${task.id}` })).json().data;
    const [listed] = (await app.inject({ url: path })).json().data;
    for (const found of [one, listed]) {
      const { elements } = found.task_result;
      assert.deepEqual(
        elements.map((element: { status: string }) => element.status),
        ['deleted', 'succeed'],
      );
    }
  });
});
