/** The new standard at the simulator: routes, rules, queries. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parseJson } from '../../lib/json.ts';
import { startTestSimulator } from './test-simulator.ts';
import type { TestSimulator, Wire } from './test-simulator.ts';

const url = 'https://example.com/a.png';
const first = { type: 'first_frame', url };
const last = { type: 'last_frame', url };
const words = { type: 'prompt', text: 'a cat' };
const feature = { type: 'feature_video', url: 'https://example.com/a.mp4' };
const base = { type: 'base_video', url: 'https://example.com/a.mp4' };
const person = { type: 'image', url };
const moves = { type: 'video', url: 'https://example.com/a.mp4' };
const square = { aspect_ratio: '1:1' };
const calm = { multi_shot: false };
const facing = { character_orientation: 'video' };

describe('the new standard', () => {
  let it: TestSimulator;
  beforeEach(() => (it = startTestSimulator()));
  afterEach(() => it.close());

  const refusals: [field: string, path: string, body: object][] = [
    ['prompt', '/text-to-video/kling-2.6', {}],
    ['prompt', '/text-to-video/kling-2.6', { prompt: 'x'.repeat(2501) }],
    ['settings', '/text-to-video/kling-2.6', { prompt: 'x', settings: [] }],
    ['settings.resolution', '/text-to-video/kling-2.6', { prompt: 'x', settings: { resolution: '4k' } }],
    ['settings.duration', '/text-to-video/kling-2.6', { prompt: 'x', settings: { duration: 7 } }],
    ['settings.duration', '/text-to-video/kling-3.0', { prompt: 'x', settings: { duration: '5' } }],
    ['settings.aspect_ratio', '/text-to-video/kling-3.0', { prompt: 'x', settings: { aspect_ratio: '4:3' } }],
    ['settings.audio', '/text-to-video/kling-2.6', { prompt: 'x', settings: { audio: 'native' } }],
    ['settings.audio', '/text-to-video/kling-3.0', { prompt: 'x', settings: { audio: 'original' } }],
    ['settings.audio', '/text-to-video/kling-3.0-turbo', { prompt: 'x', settings: { audio: 'native' } }],
    ['settings.multi_shot', '/text-to-video/kling-3.0-turbo', { prompt: 'x', settings: calm }],
    ['settings.multi_shot', '/text-to-video/kling-2.6', { prompt: 'x', settings: calm }],
    ['contents', '/image-to-video/kling-2.6', {}],
    ['contents', '/image-to-video/kling-2.6', { contents: [words] }],
    ['contents', '/image-to-video/kling-2.6', { contents: [first, last] }],
    ['contents', '/image-to-video/kling-3.0-turbo', { contents: [first, last] }],
    ['contents', '/image-to-video/kling-3.0', { contents: [last] }],
    ['contents[1].type', '/image-to-video/kling-3.0', { contents: [first, first] }],
    ['contents[0].type', '/image-to-video/kling-3.0', { contents: [feature] }],
    ['contents[0].id', '/image-to-video/kling-3.0', { contents: [{ ...first, id: 'a' }] }],
    ['contents', '/image-to-video/kling-2.6', { contents: [first, { type: 'element', element_id: '1' }] }],
    [
      'contents[1].element_id',
      '/image-to-video/kling-3.0',
      { contents: [first, { type: 'element', element_id: 1 }] },
    ],
    ['contents', '/omni-video/kling-o1', { contents: [first] }],
    ['settings.aspect_ratio', '/omni-video/kling-o1', { contents: [words] }],
    [
      'settings.audio',
      '/omni-video/kling-3.0-omni',
      { contents: [words, feature], settings: { audio: 'native' } },
    ],
    [
      'settings.multi_shot',
      '/omni-video/kling-3.0-omni',
      { contents: [words, base], settings: { multi_shot: true } },
    ],
    ['contents', '/omni-video/kling-3.0-omni', { contents: [words, base, first] }],
    [
      'contents',
      '/omni-video/kling-3.0-omni',
      { contents: [words, ...Array(8).fill({ type: 'refer_image', url })], settings: square },
    ],
    [
      'contents[2].id',
      '/omni-video/kling-3.0-omni',
      { contents: [words, { ...first, id: 'a' }, { ...last, id: 'a' }] },
    ],
    ['contents', '/motion-control/kling-2.6', { contents: [person], settings: facing }],
    ['settings.character_orientation', '/motion-control/kling-2.6', { contents: [person, moves] }],
    [
      'settings.resolution',
      '/motion-control/kling-3.0',
      { contents: [person, moves], settings: { ...facing, resolution: '4k' } },
    ],
    [
      'settings.audio',
      '/motion-control/kling-3.0',
      { contents: [person, moves], settings: { ...facing, audio: 'native' } },
    ],
    ['model', '/motion-control/kling-3.0-turbo', {}],
    ['model', '/text-to-video/kling-o1', {}],
    ['callback_url', '/text-to-video/kling-2.6', { prompt: 'x', options: { callback_url: 'x' } }],
  ];
  for (const [field, path, body] of refusals) {
    test(`${field} at ${path} ${JSON.stringify(body).slice(0, 80)} is refused`, () => {
      const answer = it.ask('POST', path, body);
      assert.deepEqual([answer.status, answer.code], [400, 1201], answer.message);
      assert.ok(answer.message.startsWith(field), answer.message);
    });
  }

  test('models and routes that do not exist are 1203 and 1202', () => {
    assert.equal(it.ask('POST', '/text-to-video/kling-9', { prompt: 'x' }).code, 1203);
    assert.equal(it.ask('POST', '/text-to-video/toString', { prompt: 'x' }).code, 1203);
    assert.equal(it.ask('POST', '/text-to-picture/kling-2.6', {}).code, 1202);
    assert.equal(it.ask('GET', '/text-to-video/kling-2.6').code, 1202);
  });

  const accepted: [path: string, body: object, units: string][] = [
    ['/text-to-video/kling-2.5-turbo', { prompt: 'x' }, '1.5'],
    ['/text-to-video/kling-2.6', { prompt: 'x', settings: { resolution: '1080p', audio: 'native' } }, '5'],
    ['/text-to-video/kling-3.0', { prompt: 'x', settings: { duration: 3, multi_shot: false } }, '1.8'],
    ['/text-to-video/kling-3.0-turbo', { prompt: 'x', settings: { duration: 10 } }, '8'],
    ['/image-to-video/kling-3.0', { contents: [words, first, last], settings: { resolution: '4k' } }, '15'],
    ['/omni-video/kling-3.0-omni', { contents: [words, feature], settings: square }, '4.5'],
    ['/omni-video/kling-o1', { contents: [words], settings: square }, '3'],
    ['/motion-control/kling-3.0', { contents: [person, moves], settings: facing }, '4.5'],
  ];
  for (const [path, body, units] of accepted) {
    test(`${path} makes a film for ${units} units`, async () => {
      const created = it.ask('POST', path, { ...body, options: { external_task_id: 'mine' } });
      assert.equal(created.code, 0, created.message);
      assert.deepEqual(Object.keys(created.data), [
        'id',
        'status',
        'create_time',
        'update_time',
        'external_id',
      ]);
      await it.clock.advance(60_000);
      const [task] = it.ask('GET', `/tasks?task_ids=${created.data.id}`).data;
      assert.equal(task!.status, 'succeeded');
      assert.deepEqual(task!.billing, [{ charge_type: 'unit', amount: units, package_type: 'video' }]);
      assert.equal(task!.outputs[0]!.type, 'video');
      assert.deepEqual(it.ask('GET', '/tasks?external_task_ids=mine').data, [task]);
    });
  }

  test('several shots are the default of 3.0, unlike in the legacy standard', () => {
    const prompt = '镜头 1, 2, a door; 镜头 2, 2, a room;';
    const path = '/text-to-video/kling-3.0';
    // Two and two are no five: read as shots unless told otherwise.
    assert.match(it.ask('POST', path, { prompt }).message, /^prompt: the shots add up to 4 s/);
    assert.equal(it.ask('POST', path, { prompt, settings: calm }).code, 0);
    assert.equal(it.ask('POST', path, { prompt, settings: { duration: 4 } }).code, 0);
    assert.match(it.ask('POST', path, { prompt: '镜头 2, 5, x;' }).message, /^prompt: shot 2 must be shot 1/);
    assert.equal(it.accepted.at(-1)?.film?.prompt, 'a door\na room');
  });

  test('a query takes one kind of id, and leaves out what it does not know', () => {
    const { data } = it.ask('POST', '/text-to-video/kling-2.6', { prompt: 'x' });
    assert.equal(it.ask('GET', `/tasks?task_ids=${data.id},404`).data.length, 1);
    assert.deepEqual(it.ask('GET', '/tasks?task_ids=404').data, []);
    assert.equal(it.ask('GET', '/tasks').code, 1201);
    assert.equal(it.ask('GET', '/tasks?task_ids=1&external_task_ids=2').code, 1201);
  });

  test('a list has pages and filters, over both standards', async () => {
    it.ask('POST', '/v1/images/generations', { prompt: 'x' });
    await it.clock.advance(60_000);
    for (let count = 0; count < 4; count++) it.ask('POST', '/text-to-video/kling-2.6', { prompt: 'x' });
    const search = (body: object) => it.ask('POST', '/tasks', body).data;
    assert.equal(search({}).count, 5);
    const page = search({ limit: 3 });
    assert.deepEqual([page.count, page.has_more], [3, true]);
    // The times of the first page hold for all.
    const rest = search({ limit: 3, cursor: page.next_cursor, start_time: it.clock.now() + 1 });
    assert.deepEqual([rest.count, rest.has_more], [2, false]);
    const images = search({ filters: [{ key: 'product_type', values: ['image'] }] });
    assert.equal(images.result[0]!.outputs[0]!.type, 'image');
    assert.equal(search({ filters: [{ key: 'status', values: ['submitted'] }] }).count, 4);
    assert.equal(search({ end_time: String(it.clock.now() - 1) }).count, 1);
    assert.equal(search({ start_time: it.clock.now() }).count, 4);
    for (const bad of [
      { limit: 501 },
      { cursor: 'x' },
      { start_time: 'now' },
      { filters: [{ key: 'model', values: [] }] },
      { filters: [{ key: 'status', values: ['succeed'] }] },
    ]) {
      assert.equal(it.ask('POST', '/tasks', bad).code, 1201, JSON.stringify(bad));
    }
  });

  test('names are unique over both standards', () => {
    assert.equal(it.ask('POST', '/v1/videos/text2video', { prompt: 'x', external_task_id: 'mine' }).code, 0);
    const again = { prompt: 'x', options: { external_task_id: 'mine' } };
    assert.match(
      it.ask('POST', '/text-to-video/kling-2.6', again).message,
      /^external_task_id.*already exists/,
    );
  });

  test('a callback is the bare task in its own words', () => {
    const options = { watermark_info: { enabled: true }, external_task_id: 'mine' };
    it.ask('POST', '/text-to-video/kling-2.6', { prompt: 'x', options });
    const text = it.simulator.callbackBody(it.accepted[0]!, 'succeeded', it.host);
    const task = parseJson(text) as unknown as Wire;
    assert.equal(task.external_id, 'mine');
    assert.deepEqual(Object.keys(task.outputs[0]!), ['type', 'id', 'url', 'duration']);
  });
});
