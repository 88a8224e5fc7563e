import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { TestClock } from '../../lib/clock.ts';
import { parseJson } from '../../lib/json.ts';
import type { SimulatedTask } from '../kit/simulator.ts';
import { signJwt } from './auth.ts';
import { pngOf } from '../kit/picture-sample.ts';
import { startTestSimulator } from './test-simulator.ts';
import type { TestSimulator, Wire } from './test-simulator.ts';

const pair = { access_key: 'sandbox-access-key', secret_key: 'sandbox-secret-key-0123456789abcdef' };
const apiKey = 'Bearer api-key-kling-sandbox';
const startMs = Date.UTC(2026, 10, 20);
const text = '/v1/videos/text2video';
const image = '/v1/videos/image2video';
const multi = '/v1/videos/multi-image2video';
const omni = '/v1/videos/omni-video';
const picture = 'https://example.com/a.png';

describe('the simulator of the official platform', () => {
  let it: TestSimulator;
  let ask: TestSimulator['ask'];
  let clock: TestClock;
  let accepted: SimulatedTask[];

  beforeEach(() => {
    it = startTestSimulator();
    ({ ask, clock, accepted } = it);
  });
  afterEach(() => it.close());

  const create = (path: string, body: unknown) => ask('POST', path, body);
  const film = { model_name: 'kling-v1', prompt: 'a cat' };

  describe('credentials', () => {
    const nowSeconds = startMs / 1000;
    const cases: [string, string, number][] = [
      ['a valid JWT passes', `Bearer ${signJwt(pair, nowSeconds)}`, 0],
      ['the API key passes', apiKey, 0],
      ['none is 1001', '', 1001],
      ['two spaces are 1002', `Bearer  ${signJwt(pair, nowSeconds)}`, 1002],
      ['an unknown key is 1002', 'Bearer api-key-kling-other', 1002],
      ['a wrong signature is 1002', `Bearer ${signJwt({ ...pair, secret_key: 'wrong' }, nowSeconds)}`, 1002],
      [
        'an unknown issuer is 1002',
        `Bearer ${signJwt({ ...pair, access_key: 'toString' }, nowSeconds)}`,
        1002,
      ],
      ['a token from the future is 1003', `Bearer ${signJwt(pair, nowSeconds + 6)}`, 1003],
      ['an expired token is 1004', `Bearer ${signJwt(pair, nowSeconds - 1800)}`, 1004],
      ['a token without a signature is 1002', `Bearer ${unsigned()}`, 1002],
    ];
    for (const [name, authorization, code] of cases) {
      test(name, () => {
        const answer = ask('GET', text, undefined, authorization);
        assert.equal(answer.code, code, answer.message);
        assert.equal(answer.status, code === 0 ? 200 : 401);
      });
    }

    function unsigned(): string {
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
      const signed = `${encode({ alg: 'none' })}.${encode({ iss: pair.access_key, exp: nowSeconds + 100 })}`;
      return `${signed}.${createHmac('sha256', pair.secret_key).update(signed).digest('base64url')}`;
    }
  });

  describe('a task', () => {
    test('goes through its states at the documented pace', async () => {
      const created = create(text, { ...film, external_task_id: 'mine' });
      assert.equal(created.message, 'SUCCEED');
      assert.deepEqual(Object.keys(created.data), [
        'task_id',
        'task_status',
        'task_info',
        'created_at',
        'updated_at',
      ]);
      assert.match(created.data.task_id, /^\d{18}$/);
      assert.deepEqual(created.data.task_info, { external_task_id: 'mine' });
      const status = () => ask('GET', `${text}/${created.data.task_id}`).data.task_status;
      assert.equal(status(), 'submitted');
      await clock.advance(1000);
      assert.equal(status(), 'processing');
      await clock.advance(19_999);
      assert.equal(status(), 'processing');
      await clock.advance(1);
      const { data } = ask('GET', `${text}/mine`);
      assert.equal(data.task_status, 'succeed');
      assert.equal(data.final_unit_deduction, '1');
      assert.equal(data.updated_at, startMs + 21_000);
      const [video] = data.task_result.videos;
      assert.equal(video!.duration, '5.04');
      assert.match(video!.url, /^http:\/\/127\.0\.0\.1:8788\/_files\/\d+\.mp4\?token=/);
      assert.ok(!('watermark_url' in video!));
    });

    test('has a watermarked film when asked for one', async () => {
      const { data } = create(text, { ...film, watermark_info: { enabled: true } });
      await clock.advance(30_000);
      const task = ask('GET', `${text}/${data.task_id}`).data;
      assert.deepEqual(task.watermark_info, { enabled: true });
      assert.match(task.task_result.videos[0]!.watermark_url, /-watermarked\.mp4/);
    });

    test('is only known under the path that made it, and for thirty days', async () => {
      const { data } = create(text, film);
      assert.equal(ask('GET', `${image}/${data.task_id}`).code, 1203);
      assert.equal(ask('GET', `${text}/${data.task_id}`).code, 0);
      await clock.advance(30 * 86_400_000);
      assert.deepEqual(ask('GET', `${text}/${data.task_id}`).status, 404);
      assert.deepEqual(ask('GET', text).data, []);
    });

    test('is listed newest first, in pages', () => {
      const ids = Array.from({ length: 5 }, () => create(text, film).data.task_id).reverse();
      create(image, { image: picture });
      const page = (query: string) => ask('GET', `${text}?${query}`).data.map((task) => task.task_id);
      assert.deepEqual(page(''), ids);
      assert.deepEqual(page('pageNum=2&pageSize=2'), ids.slice(2, 4));
      assert.deepEqual(page('pageNum=9&pageSize=500'), []);
      for (const query of ['pageSize=501', 'pageSize=0', 'pageNum=1001', 'pageNum=x']) {
        assert.equal(ask('GET', `${text}?${query}`).code, 1201, query);
      }
    });

    test('takes a slot until it ends', async () => {
      it.behave({ slots: 1 });
      assert.equal(create(text, film).code, 0);
      const refused = create(text, film);
      assert.deepEqual([refused.status, refused.code], [429, 1303]);
      assert.equal(refused.message, 'parallel task over resource pack limit');
      await clock.advance(21_000);
      assert.equal(create(text, film).code, 0);
    });

    test('has a name of its own only once', () => {
      assert.equal(create(text, { ...film, external_task_id: 'mine' }).code, 0);
      const refused = create(image, { image: picture, external_task_id: 'mine' });
      assert.deepEqual([refused.status, refused.code], [400, 1201]);
      assert.match(refused.message, /external_task_id.*already exists/);
    });

    test('can be told to accept a name twice, and counts', () => {
      it.behave({ duplicates: 'accept' });
      create(text, { ...film, external_task_id: 'mine' });
      create(text, { ...film, external_task_id: 'mine' });
      assert.deepEqual(it.submits(), [2, 2]);
    });
  });

  describe('prompt switches', () => {
    const ending = async (prompt: string) => {
      const { data } = create(text, { ...film, prompt });
      await clock.advance(25_000);
      return ask('GET', `${text}/${data.task_id}`).data;
    };

    test('[[fail]] fails, and costs nothing', async () => {
      const task = await ending('a cat [[fail]]');
      assert.equal(task.task_status, 'failed');
      assert.equal(task.final_unit_deduction, '0');
      assert.ok(task.task_status_msg.length > 0);
    });

    test('[[fail:1301]] fails in the words of the content filter', async () => {
      const task = await ending('[[fail:1301]]');
      assert.equal(task.task_status_msg, 'Failure to pass the risk control system');
    });

    test('[[slow:60]] adds a minute', async () => {
      const task = await ending('[[slow:60]]');
      assert.equal(task.task_status, 'processing');
      await clock.advance(60_000);
      assert.equal(ask('GET', `${text}/${task.task_id}`).data.task_status, 'succeed');
    });

    test('[[expire]] never ends', async () => {
      const task = await ending('[[expire]]');
      await clock.advance(20 * 86_400_000);
      assert.equal(ask('GET', `${text}/${task.task_id}`).data.task_status, 'processing');
    });

    test('[[reject:…]] answers with any code of the table', () => {
      for (const [code, status] of [
        [1303, 429],
        [1101, 429],
        [5001, 503],
        [5002, 504],
        [1301, 400],
      ]) {
        const refused = create(text, { ...film, prompt: `[[reject:${code}]]` });
        assert.deepEqual([refused.code, refused.status], [code, status]);
      }
      assert.equal(create(text, { ...film, prompt: '[[reject:9]]' }).code, 1201);
      assert.equal(accepted.length, 0);
    });

    test('[[unreachable]] names the reference', async () => {
      const { data } = create(image, { image: picture, prompt: '[[unreachable]]' });
      await clock.advance(30_000);
      assert.match(
        ask('GET', `${image}/${data.task_id}`).data.task_status_msg,
        /https:\/\/example\.com\/a\.png/,
      );
    });
  });

  describe('pictures', () => {
    const withImage = (value: unknown) => create(image, { model_name: 'kling-v1', image: value });
    test('raw base64 and URLs pass', () => {
      assert.equal(withImage(picture).code, 0);
      assert.equal(withImage(pngOf(400, 300).toString('base64')).code, 0);
      assert.deepEqual(accepted[1]?.film?.firstFrame, { kind: 'picture', pictureId: 'kept' });
    });
    const refused: [string, unknown, RegExp][] = [
      ['a data: prefix', `data:image/png;base64,${pngOf(400, 300).toString('base64')}`, /data: prefix/],
      ['too small a side', pngOf(299, 400).toString('base64'), /299x400/],
      ['too long a side', pngOf(300, 751).toString('base64'), /aspect ratio/],
      ['another format', Buffer.from('GIF89a and more').toString('base64'), /jpg, jpeg or png/],
      ['no base64', 'ftp://example.com/a.png', /neither a URL nor base64/],
      ['a number', 7, /URL or base64/],
      ['nothing', undefined, /must not both be empty/],
    ];
    for (const [name, value, words] of refused) {
      test(`${name} is refused`, () => {
        const answer = withImage(value);
        assert.equal(answer.code, 1201);
        assert.match(answer.message, words);
        assert.match(answer.message, /^image: /);
      });
    }
  });

  describe('the capability matrix', () => {
    const passes: [string, string, object][] = [
      ['v1 with a camera', text, { ...film, camera_control: { type: 'down_back' } }],
      [
        'v1 with a simple camera',
        text,
        { ...film, camera_control: { type: 'simple', config: { zoom: 5, pan: 0 } } },
      ],
      ['v1 with an end frame', image, { image: picture, image_tail: picture }],
      ['v1 with masks', image, { image: picture, static_mask: picture }],
      ['v1-6 pro with an end frame of 10 s', image, i2v('kling-v1-6', { mode: 'pro', duration: '10' })],
      ['a master with any mode', text, { ...film, model_name: 'kling-v2-1-master', mode: '4k' }],
      ['v2-6 pro with sound', text, { ...film, model_name: 'kling-v2-6', mode: 'pro', sound: 'on' }],
      ['v3 in 4k for 15 s', text, { ...film, model_name: 'kling-v3', mode: '4k', duration: '15' }],
      [
        'v3 with elements',
        image,
        { model_name: 'kling-v3', image: picture, element_list: [{ element_id: 1 }] },
      ],
      ['v3 with shots', text, { model_name: 'kling-v3', multi_shot: 'true', ...shots('2', '3') }],
      ['several pictures', multi, { image_list: [{ image: picture }], prompt: 'x' }],
      [
        'omni with references',
        omni,
        { prompt: 'x', image_list: [{ image_url: picture }], aspect_ratio: '1:1', duration: '7' },
      ],
      [
        'omni with a first frame',
        omni,
        { prompt: 'x', image_list: [{ image_url: picture, type: 'first_frame' }] },
      ],
      ['omni with a base video', omni, { prompt: 'x', video_list: [{ video_url: picture }] }],
      ['a prompt of 2500 characters', text, { ...film, prompt: '猫'.repeat(2500) }],
      ['an unknown field', text, { ...film, whatever: { deep: [1] } }],
    ];
    for (const [name, path, body] of passes) {
      test(`${name} passes`, () => {
        const answer = create(path, body);
        assert.equal(answer.code, 0, answer.message);
      });
    }

    const refusals: [field: string, path: string, body: object][] = [
      ['model_name', text, { ...film, model_name: 'kling-v1-5' }],
      ['model_name', text, { ...film, model_name: 'kling-v3-omni' }],
      ['model_name', multi, { model_name: 'kling-v2-6', prompt: 'x', image_list: [{ image: picture }] }],
      ['model_name', text, { ...film, model_name: 7 }],
      ['prompt', text, { model_name: 'kling-v1' }],
      ['prompt', text, { ...film, prompt: 'x'.repeat(2501) }],
      ['prompt', text, { ...film, prompt: ['x'] }],
      ['negative_prompt', text, { ...film, negative_prompt: 'x'.repeat(2501) }],
      ['mode', text, { ...film, mode: '4k' }],
      ['mode', text, { ...film, mode: 'PRO' }],
      ['duration', text, { ...film, duration: '7' }],
      ['duration', text, { ...film, duration: 5 }],
      ['duration', text, { ...film, model_name: 'kling-v3', duration: '16' }],
      ['duration', omni, { prompt: 'x', aspect_ratio: '1:1', duration: '7' }],
      [
        'duration',
        omni,
        { model_name: 'kling-v3-omni', prompt: 'x', duration: '12', video_list: [{ video_url: picture }] },
      ],
      ['sound', text, { ...film, sound: 'on' }],
      ['sound', text, { ...film, model_name: 'kling-v2-6', sound: 'on' }],
      [
        'sound',
        omni,
        { model_name: 'kling-v3-omni', prompt: 'x', sound: 'on', video_list: [{ video_url: picture }] },
      ],
      ['cfg_scale', text, { ...film, cfg_scale: 2 }],
      ['cfg_scale', text, { ...film, model_name: 'kling-v2-6', cfg_scale: 0.5 }],
      ['aspect_ratio', text, { ...film, aspect_ratio: '4:3' }],
      ['aspect_ratio', omni, { prompt: 'x' }],
      ['image_tail', image, i2v('kling-v1-6', { mode: 'std' })],
      ['image_tail', image, i2v('kling-v2-6', { mode: 'pro', sound: 'on' })],
      ['image_tail', image, { image: picture, image_tail: picture, static_mask: picture }],
      ['static_mask', image, { model_name: 'kling-v1-6', image: picture, static_mask: picture }],
      ['dynamic_masks', image, { image: picture, duration: '10', dynamic_masks: [mask()] }],
      ['dynamic_masks', image, { image: picture, dynamic_masks: [{ mask: picture, trajectories: [] }] }],
      ['camera_control', text, { ...film, mode: 'pro', camera_control: { type: 'down_back' } }],
      ['camera_control', text, { ...film, camera_control: { type: 'simple', config: { zoom: 1, pan: 1 } } }],
      ['camera_control', text, { ...film, camera_control: { type: 'sideways' } }],
      ['element_list', image, { image: picture, element_list: [{ element_id: 1 }] }],
      [
        'element_list',
        image,
        { model_name: 'kling-v3', image: picture, element_list: [{ element_id: '1' }] },
      ],
      ['voice_list', text, { ...film, model_name: 'kling-v3', voice_list: [{ voice_id: '1' }] }],
      ['multi_shot', text, { ...film, multi_shot: true, shot_type: 'intelligence' }],
      ['shot_type', text, { ...film, model_name: 'kling-v3', multi_shot: true }],
      ['multi_prompt', text, { model_name: 'kling-v3', multi_shot: true, ...shots('2', '2') }],
      ['image_list', multi, { prompt: 'x' }],
      ['image_list', omni, { prompt: 'x', image_list: [{ image_url: picture, type: 'end_frame' }] }],
      [
        'image_list',
        omni,
        { prompt: 'x', aspect_ratio: '1:1', image_list: Array(8).fill({ image_url: picture }) },
      ],
      ['video_list', omni, { prompt: 'x', video_list: [{}] }],
      ['watermark_info', text, { ...film, watermark_info: true }],
      ['callback_url', text, { ...film, callback_url: 'not a url' }],
      ['external_task_id', text, { ...film, external_task_id: {} }],
    ];
    for (const [field, path, body] of refusals) {
      test(`${field} in ${JSON.stringify(body).slice(0, 90)} is refused`, () => {
        const answer = create(path, body);
        assert.deepEqual([answer.status, answer.code], [400, 1201], answer.message);
        assert.ok(answer.message.startsWith(field), answer.message);
        assert.equal(accepted.length, 0);
      });
    }

    test('a model that does not exist is 1203', () => {
      for (const name of ['kling-v9', 'toString', '__proto__']) {
        const answer = create(text, { ...film, model_name: name });
        assert.deepEqual([answer.status, answer.code], [404, 1203]);
      }
    });
  });

  describe('units', () => {
    const units = async (path: string, body: object) => {
      const { data } = create(path, body);
      await clock.advance(60_000);
      return ask('GET', `${path}/${data.task_id}`).data.final_unit_deduction;
    };
    test('follow the price sheet', async () => {
      assert.equal(await units(text, film), '1');
      assert.equal(await units(text, { ...film, mode: 'pro', duration: '10' }), '7');
      assert.equal(await units(text, { ...film, model_name: 'kling-v2-6', mode: 'pro', sound: 'on' }), '5');
      assert.equal(await units(text, { ...film, model_name: 'kling-v3', duration: '3' }), '1.8');
      assert.equal(await units(omni, { prompt: 'x', video_list: [{ video_url: picture }] }), '6');
    });

    test('are taken off the pack that /account/costs shows', async () => {
      create(text, film);
      await clock.advance(60_000);
      const costs = () => ask('GET', '/account/costs?start_time=1&end_time=2');
      const { data } = costs();
      assert.equal(data.code, 0);
      assert.equal(data.resource_pack_subscribe_infos[0]!.remaining_quantity, 9999);
      assert.equal(costs().code, 1302);
      await clock.advance(1000);
      assert.equal(ask('GET', '/account/costs').code, 1201);
    });
  });

  describe('frame sizes', () => {
    const shortSide = (path: string, body: object) => {
      create(path, body);
      return [accepted.at(-1)?.film?.shortSide, accepted.at(-1)?.film?.aspectRatio];
    };
    test('follow model, mode and ratio', () => {
      assert.deepEqual(shortSide(text, { ...film, mode: 'pro', aspect_ratio: '9:16' }), [720, '9:16']);
      assert.deepEqual(shortSide(text, { ...film, model_name: 'kling-v1-6', mode: 'pro' }), [1080, '16:9']);
      assert.deepEqual(shortSide(text, { ...film, model_name: 'kling-v2-1-master' }), [1080, '16:9']);
      assert.deepEqual(shortSide(image, { image: picture }), [720, null]);
      assert.deepEqual(shortSide(text, { ...film, model_name: 'kling-v3', mode: '4k' }), [2160, '16:9']);
    });
  });

  describe('bad requests', () => {
    test('are answered, never thrown', () => {
      const bodies = ['', '{', '[]', 'null', '7', '"text"', '{"a":'.repeat(100), '\u0000'];
      for (const body of bodies) {
        for (const path of [text, image, multi, omni]) {
          const answer = create(path, body);
          assert.equal(answer.status, 400, `${path} ${body.slice(0, 20)}`);
        }
      }
    });

    test('wrong paths and methods are 1202', () => {
      assert.equal(ask('DELETE', text).code, 1202);
      assert.equal(ask('POST', `${text}/1`, {}).code, 1202);
      assert.equal(ask('GET', '/v1/videos/nothing').code, 1202);
      assert.equal(ask('GET', '/v1/videos/text2videos').code, 1202);
    });

    test('strange ids are 1203', () => {
      for (const id of ['1', '%', '%00', 'a%2Fb', "'; DROP TABLE tasks"]) {
        assert.equal(ask('GET', `${text}/${id}`).code, 1203, id);
      }
    });
  });

  test('a callback is the bare task, without watermark links', async () => {
    const { data } = create(text, { ...film, external_task_id: 'mine', watermark_info: { enabled: true } });
    const body = parseJson(it.simulator.callbackBody(accepted[0]!, 'succeeded', it.host)) as unknown as Wire;
    assert.equal(body.task_id, data.task_id);
    assert.equal(body.task_status, 'succeed');
    assert.deepEqual(body.task_info, { external_task_id: 'mine' });
    assert.deepEqual(Object.keys(body.task_result.videos[0]!), ['id', 'url', 'duration']);
  });
});

function i2v(model: string, more: object): object {
  return { model_name: model, image: picture, image_tail: picture, ...more };
}

function mask(): object {
  return {
    mask: picture,
    trajectories: [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ],
  };
}

function shots(first: string, second: string): object {
  return {
    shot_type: 'customize',
    multi_prompt: [
      { index: 1, prompt: 'one', duration: first },
      { index: 2, prompt: 'two', duration: second },
    ],
  };
}
