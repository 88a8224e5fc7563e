/**
 * The official platform's new standard, the model in the path: each create route with each of its models, queries by
 * ids, the list with its filters and cursor, and the same tasks at the other doors.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, eventually, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  assertRefused,
  moneyOf,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { assertVideo } from './support/media.ts';

const PICTURE = 'https://example.com/one.png';
const OTHER = 'https://example.com/other.png';
const FILM = 'https://example.com/film.mp4';
const frame = { type: 'first_frame', url: PICTURE };
const words = { type: 'prompt', text: 'waves' };

let gateway: TestGateway;
let account: TestAccount;
before(async () => {
  gateway = await startGateway('tiny');
  account = await openAccount(gateway, '100');
});
after(() => gateway.stop());

const post = (path: string, json: unknown, key = account.key): Promise<Answer> =>
  call(`${gateway.url}/kling${path}`, { key, json });
const get = (path: string, key = account.key): Promise<Answer> =>
  call(`${gateway.url}/kling${path}`, { key });

async function accepted(path: string, json: unknown, key?: string): Promise<LooseJson> {
  const { status, body, text } = await post(path, json, key);
  assert.equal(status, 200, `${path}: ${text}`);
  assert.equal(body.code, 0);
  return body.data;
}

/** Polls `GET /tasks` until the task is final. */
async function ended(id: string, key?: string): Promise<LooseJson> {
  return eventually(`the end of ${id}`, 60_000, async () => {
    const { status, body, text } = await get(`/tasks?task_ids=${id}`, key);
    assert.equal(status, 200, text);
    assert.equal(body.data.length, 1);
    const [task] = body.data;
    assert.ok(['submitted', 'processing', 'succeeded', 'failed'].includes(task.status), text);
    if (!['succeeded', 'failed'].includes(task.status)) {
      assert.deepEqual([task.outputs, task.billing, task.message], [[], [], '']);
      return null;
    }
    return task;
  });
}

interface Create {
  path: string;
  body: Record<string, unknown>;
  tier: string;
  /** Of the official price sheet. */
  unitsPerSecond: number;
  /** Absent: as long as what is made. */
  seconds?: number;
  sound?: boolean;
}

const creates: Create[] = [
  {
    path: '/text-to-video/kling-3.0-turbo',
    body: { prompt: 'waves', settings: { resolution: '1080p', duration: 3, aspect_ratio: '9:16' } },
    tier: 'kling-3.0-turbo-1080p',
    // There is no mute film of it. The platform's update list of 2026-06-17.
    unitsPerSecond: 1,
    seconds: 3,
    sound: true,
  },
  {
    path: '/text-to-video/kling-3.0',
    body: { prompt: '镜头 1, 2, a beach; 镜头 2, 2, a boat;', settings: { duration: 4, audio: 'native' } },
    tier: 'kling-3.0-720p-sound',
    unitsPerSecond: 0.9,
    seconds: 4,
    sound: true,
  },
  {
    path: '/text-to-video/kling-2.6',
    body: { prompt: 'waves', settings: { resolution: '1080p', audio: 'native', duration: 5 } },
    tier: 'kling-2.5-1080p-sound',
    unitsPerSecond: 1,
    seconds: 5,
    sound: true,
  },
  {
    path: '/text-to-video/kling-2.5-turbo',
    body: { prompt: 'waves', settings: { duration: 10 } },
    tier: 'kling-2.5-720p-mute',
    unitsPerSecond: 0.3,
    seconds: 10,
  },
  {
    path: '/image-to-video/kling-3.0-turbo',
    body: { contents: [words, frame] },
    tier: 'kling-3.0-turbo-720p',
    unitsPerSecond: 0.8,
    seconds: 5,
    sound: true,
  },
  {
    path: '/image-to-video/kling-3.0',
    body: {
      contents: [words, frame, { type: 'last_frame', url: OTHER }],
      settings: { multi_shot: false, duration: 3 },
    },
    tier: 'kling-3.0-720p-mute',
    unitsPerSecond: 0.6,
    seconds: 3,
  },
  {
    path: '/image-to-video/kling-2.6',
    body: {
      contents: [words, frame, { type: 'last_frame', url: OTHER }],
      settings: { resolution: '1080p' },
    },
    tier: 'kling-2.5-1080p-mute',
    unitsPerSecond: 0.5,
    seconds: 5,
  },
  {
    path: '/image-to-video/kling-2.5-turbo',
    body: { contents: [words, frame] },
    tier: 'kling-2.5-720p-mute',
    unitsPerSecond: 0.3,
    seconds: 5,
  },
  {
    path: '/omni-video/kling-3.0-omni',
    body: {
      contents: [
        { type: 'prompt', text: '@Zhang waves at @cat' },
        { type: 'refer_image', url: PICTURE, id: 'cat' },
        { type: 'element', element_id: '829836802793406551', id: 'Zhang' },
      ],
      settings: { resolution: '1080p', aspect_ratio: '1:1', duration: 3, multi_shot: false },
    },
    tier: 'kling-3.0-omni-1080p-ref-mute',
    unitsPerSecond: 1.2,
    seconds: 3,
  },
  {
    path: '/omni-video/kling-o1',
    body: {
      contents: [
        { type: 'prompt', text: 'like @video_1' },
        { type: 'feature_video', url: FILM, id: 'video_1' },
      ],
      settings: { duration: 3, aspect_ratio: '16:9' },
    },
    tier: 'kling-o1-720p',
    unitsPerSecond: 0.9,
    seconds: 3,
  },
  {
    path: '/motion-control/kling-2.6',
    body: {
      contents: [
        { type: 'image', url: PICTURE },
        { type: 'video', url: FILM },
      ],
      settings: { character_orientation: 'image' },
    },
    tier: 'kling-2.5-motion-std-720p',
    unitsPerSecond: 0.5,
  },
  {
    path: '/motion-control/kling-3.0',
    body: {
      contents: [
        { type: 'image', url: PICTURE },
        { type: 'video', url: FILM },
      ],
      settings: { character_orientation: 'video', resolution: '1080p', audio: 'off' },
    },
    tier: 'kling-3.0-motion-pro-1080p',
    unitsPerSecond: 1.2,
  },
];

/** Money as hundred-thousandths. */
const price = (units: number): number => Math.round(units * 14_000);
const money = (text: string): number => Math.round(Number(text) * 100_000);

describe('every route and model', { concurrency: true }, () => {
  for (const { path, body, tier, unitsPerSecond, seconds, sound } of creates) {
    test(`POST ${path}: a film, its bill, its neighbours`, async () => {
      const dry = await post(`${path}?dry_run=true`, body);
      assert.equal(dry.status, 200, dry.text);
      assert.equal(dry.body.model, tier);
      if (seconds !== undefined) assert.equal(money(dry.body.amount), price(seconds * unitsPerSecond));
      assert.equal(dry.body.canonical.sound, sound === true);
      assert.deepEqual(dry.body.warnings, []);

      const own = `mine ${path}`;
      const created = await accepted(path, { ...body, options: { external_task_id: own } });
      const { id } = created;
      assert.deepEqual(Object.keys(created).sort(), [
        'create_time',
        'external_id',
        'id',
        'status',
        'update_time',
      ]);
      assert.deepEqual([created.status, created.external_id], ['submitted', own]);
      assert.ok(Math.abs(created.create_time - Date.now()) < 30_000, 'milliseconds');

      const task = await ended(id);
      assert.equal(task.status, 'succeeded', task.message);
      assert.deepEqual([task.id, task.external_id, task.create_time], [id, own, created.create_time]);
      assert.equal(task.outputs.length, 1);
      const [output] = task.outputs;
      assert.equal(output.type, 'video');
      assert.match(output.duration, /^\d+(\.\d+)?$/);
      const film = await assertVideo(output.url);
      assert.equal(film.videoCodec, 'h264');

      const billed = seconds ?? Math.round(film.durationSeconds);
      const [bill, ...more] = task.billing;
      assert.deepEqual(more, []);
      assert.deepEqual([bill.charge_type, bill.cash_type, bill.currency], ['cash', 'balance', 'USD']);
      assert.equal(money(bill.amount), price(billed * unitsPerSecond));
      const spent = await moneyOf(gateway, account, id);
      assert.deepEqual(spent, { held: money(dry.body.amount), charged: money(bill.amount) });

      const named = await get(`/tasks?external_task_ids=${encodeURIComponent(own)}`);
      assert.deepEqual(
        named.body.data.map((one: LooseJson) => one.id),
        [id],
      );
      const openai = (await call(`${gateway.url}/v1/videos/${id}`, { key: account.key })).body;
      assert.deepEqual([openai.status, openai.model], ['completed', tier]);
      for (const feature of ['text2video', 'omni-video', 'motion-control']) {
        const legacy = (await get(`/v1/videos/${feature}/${id}`)).body;
        assert.deepEqual([legacy.data.task_id, legacy.data.task_status], [id, 'succeed']);
        assert.equal(legacy.data.task_info.external_task_id, own);
      }
    });
  }
});

describe('queries', () => {
  test('several ids at once, in that order; those of others and unknown ones are left out', async () => {
    const { key } = await openAccount(gateway, '10');
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const { id } = await accepted(
        '/text-to-video/kling-2.6',
        { prompt: '[[expire]]', options: { external_task_id: name } },
        key,
      );
      ids.push(id);
    }
    const idsAt = async (query: string, as = key): Promise<string[]> => {
      const { status, body, text } = await get(`/tasks?${query}`, as);
      assert.equal(status, 200, text);
      return body.data.map((task: LooseJson) => task.id);
    };
    const [a, b, c] = ids as [string, string, string];
    assert.deepEqual(await idsAt(`task_ids=${c},${a}`), [c, a]);
    assert.deepEqual(await idsAt(`task_ids=${b},none`), [b]);
    assert.deepEqual(await idsAt('external_task_ids=b,a'), [b, a]);
    assertRefused(await get(`/tasks?task_ids=${ids.join()}`), '/kling', { status: 404, number: 1203 });
    assertRefused(await get('/tasks', key), '/kling', { status: 400, number: 1201 });
    const both = await get(`/tasks?task_ids=${a}&external_task_ids=a`, key);
    assertRefused(both, '/kling', { status: 400, number: 1201 });
    assertRefused(await call(`${gateway.url}/kling/tasks?task_ids=${a}`), '/kling', {
      status: 401,
      number: 1001,
    });
  });

  test('the list: newest first, by cursor, filtered by status, product and time', async () => {
    const own = await openAccount(gateway, '10');
    const { key } = own;
    const since = Date.now();
    const film = await accepted('/text-to-video/kling-2.6', { prompt: 'x' }, key);
    const failing = await accepted('/text-to-video/kling-2.6', { prompt: '[[fail]]' }, key);
    const endless = await accepted('/text-to-video/kling-2.6', { prompt: '[[expire]]' }, key);
    const picture = await accepted('/v1/images/generations', { prompt: 'x' }, key);
    const tryOn = await accepted(
      '/v1/images/kolors-virtual-try-on',
      { human_image: PICTURE, cloth_image: OTHER },
      key,
    );
    for (const id of [film.id, failing.id, picture.task_id, tryOn.task_id]) await ended(id, key);
    const newestFirst = [tryOn.task_id, picture.task_id, endless.id, failing.id, film.id];

    const page = async (json: unknown): Promise<LooseJson> => {
      const { status, body, text } = await post('/tasks', json, key);
      assert.equal(status, 200, text);
      assert.equal(body.data.count, body.data.result.length);
      return { ...body.data, ids: body.data.result.map((task: LooseJson) => task.id) };
    };
    const all = await page({});
    assert.deepEqual([all.ids, all.has_more, all.next_cursor], [newestFirst, false, '']);
    const walked: string[] = [];
    for (let cursor: string | undefined; ;) {
      const { ids, has_more: hasMore, next_cursor: next } = await page({ limit: 2, cursor });
      walked.push(...ids);
      assert.ok(ids.length <= 2);
      if (!hasMore) break;
      cursor = next;
    }
    assert.deepEqual(walked, newestFirst);
    const filtered = async (key: string, ...values: string[]): Promise<string[]> =>
      (await page({ filters: [{ key, values }] })).ids;
    assert.deepEqual(await filtered('status', 'failed'), [failing.id]);
    assert.deepEqual(await filtered('status', 'failed', 'succeeded'), [
      tryOn.task_id,
      picture.task_id,
      failing.id,
      film.id,
    ]);
    assert.deepEqual(await filtered('product_type', 'image'), [picture.task_id]);
    assert.deepEqual(await filtered('product_type', 'try_on'), [tryOn.task_id]);
    assert.deepEqual(await filtered('product_type', 'video'), [endless.id, failing.id, film.id]);
    const both = [
      { key: 'status', values: ['succeeded'] },
      { key: 'product_type', values: ['video'] },
    ];
    assert.deepEqual((await page({ filters: both })).ids, [film.id]);
    assert.deepEqual((await page({ end_time: since - 60_000 })).ids, []);
    assert.deepEqual((await page({ start_time: String(since - 60_000) })).ids, newestFirst);

    for (const [json, param] of [
      [{ limit: 0 }, 'limit'],
      [{ limit: 501 }, 'limit'],
      [{ start_time: 'yesterday' }, 'start_time'],
      [{ filters: [{ key: 'colour', values: ['red'] }] }, 'filters[0].key'],
      [{ filters: [{ key: 'status', values: ['done'] }] }, 'filters[0].values[0]'],
      [{ filters: 'status' }, 'filters'],
    ] as const)
      assertRefused(await post('/tasks', json, key), '/kling', { status: 400, number: 1201, param });
  });

  test('a failure says why and costs nothing; the task of any door is told in these words', async () => {
    const own = await openAccount(gateway, '10');
    const { id } = await accepted('/text-to-video/kling-3.0', { prompt: '[[fail:1301]] x' }, own.key);
    const failed = await ended(id, own.key);
    assert.equal(failed.status, 'failed');
    assert.match(failed.message, /\S/);
    assert.deepEqual([failed.outputs, failed.billing], [[], []]);
    assert.equal((await own.wallet()).available, '10.00');

    const answer = await call(`${gateway.url}/v1/videos`, {
      key: own.key,
      json: { model: 'kling-2.5', prompt: 'from another door' },
    });
    const film = await ended(answer.body.id, own.key);
    assert.deepEqual([film.status, film.outputs[0].type], ['succeeded', 'video']);

    const voice = await accepted(
      '/v1/general/custom-voices',
      { voice_name: 'me', voice_url: 'https://example.com/me.mp3' },
      own.key,
    );
    const made = await ended(voice.task_id, own.key);
    const told = made.outputs.find((output: LooseJson) => output.type === 'voice');
    assert.deepEqual([told.name, told.status], ['me', 'succeeded']);
    const sound = await accepted('/v1/audio/text-to-audio', { prompt: 'rain', duration: 3 }, own.key);
    const [heard] = (await ended(sound.task_id, own.key)).outputs;
    assert.deepEqual([heard.type, heard.mp3_duration], ['audio', '3']);
    assert.match(heard.wav_url, /^http/);
  });
});

describe('refusals', () => {
  const cases: [string, string, unknown, string, number?][] = [
    ['a model of another route', '/text-to-video/kling-3.0-omni', { prompt: 'x' }, 'model', 1203],
    ['a legacy name', '/text-to-video/kling-v2-6', { prompt: 'x' }, 'model', 1203],
    ['no words', '/text-to-video/kling-2.6', {}, 'prompt'],
    ['no first frame', '/image-to-video/kling-2.6', { contents: [words] }, 'contents'],
    [
      'a last frame alone',
      '/image-to-video/kling-3.0',
      { contents: [words, { type: 'last_frame', url: OTHER }] },
      'contents',
    ],
    [
      'a last frame on turbo',
      '/image-to-video/kling-3.0-turbo',
      { contents: [frame, { type: 'last_frame', url: OTHER }] },
      'contents[1].url',
    ],
    [
      'a wrong length',
      '/text-to-video/kling-2.6',
      { prompt: 'x', settings: { duration: 7 } },
      'settings.duration',
    ],
    [
      'too long',
      '/text-to-video/kling-3.0',
      { prompt: 'x', settings: { duration: 16 } },
      'settings.duration',
    ],
    [
      'a wrong ratio',
      '/text-to-video/kling-3.0',
      { prompt: 'x', settings: { aspect_ratio: '4:3' } },
      'settings.aspect_ratio',
    ],
    [
      'a wrong grade',
      '/text-to-video/kling-2.6',
      { prompt: 'x', settings: { resolution: '4k' } },
      'settings.resolution',
    ],
    [
      'sound where there is none',
      '/text-to-video/kling-2.5-turbo',
      { prompt: 'x', settings: { audio: 'native' } },
      'settings.audio',
    ],
    [
      'a word that is none',
      '/text-to-video/kling-2.6',
      { prompt: 'x', settings: { audio: 'loud' } },
      'settings.audio',
    ],
    [
      'an unknown content',
      '/image-to-video/kling-2.6',
      { contents: [frame, { type: 'mask', url: OTHER }] },
      'contents[1].type',
    ],
    [
      'a content without its link',
      '/image-to-video/kling-2.6',
      { contents: [{ type: 'first_frame' }] },
      'contents[0].url',
    ],
    ['no ratio to go by', '/omni-video/kling-o1', { contents: [words] }, 'settings.aspect_ratio'],
    [
      'one name for two things',
      '/omni-video/kling-o1',
      {
        contents: [
          words,
          { type: 'refer_image', url: PICTURE, id: 'a' },
          { type: 'refer_image', url: OTHER, id: 'a' },
        ],
        settings: { aspect_ratio: '1:1' },
      },
      'contents[2].id',
    ],
    ['no film', '/motion-control/kling-2.6', { contents: [{ type: 'image', url: PICTURE }] }, 'contents'],
    ['no person', '/motion-control/kling-2.6', { contents: [{ type: 'video', url: FILM }] }, 'contents'],
    [
      'the wrong orientation',
      '/motion-control/kling-2.6',
      {
        contents: [
          { type: 'image', url: PICTURE },
          { type: 'video', url: FILM },
        ],
        settings: { character_orientation: 'left' },
      },
      'settings.character_orientation',
    ],
    [
      'an element that is none',
      '/image-to-video/kling-3.0',
      { contents: [frame, { type: 'element', element_id: 'x' }] },
      'contents[1].element_id',
    ],
    ['settings of another kind', '/text-to-video/kling-2.6', { prompt: 'x', settings: 'fast' }, 'settings'],
  ];
  for (const [what, path, body, param, number = 1201] of cases) {
    test(`${path}: ${what} is refused by the name it has here`, async () => {
      for (const dry of ['', '?dry_run=true'])
        assertRefused(await post(path + dry, body), '/kling', { number, param });
    });
  }

  test('several shots are the default of 3.0 alone, and cannot be left to turbo', async () => {
    const shots = async (path: string, settings = {}): Promise<unknown> => {
      const { status, body, text } = await post(`${path}?dry_run=true`, { prompt: 'x', settings });
      assert.equal(status, 200, text);
      return body.canonical.multi_shot?.type ?? null;
    };
    assert.equal(await shots('/text-to-video/kling-3.0'), 'intelligence');
    assert.equal(await shots('/text-to-video/kling-3.0', { multi_shot: false }), null);
    assert.equal(await shots('/text-to-video/kling-2.6'), null);
    const turbo = { prompt: 'x', settings: { multi_shot: true } };
    assertRefused(await post('/text-to-video/kling-3.0-turbo', turbo), '/kling', {
      status: 400,
      param: 'settings.multi_shot',
    });
  });

  test("an element of somebody else's is not there", async () => {
    const stranger = await openAccount(gateway, '10');
    const { task_id: id } = await accepted('/v1/general/advanced-custom-elements', {
      element_name: 'mine',
      element_description: 'mine',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: PICTURE, refer_images: [{ image_url: OTHER }] },
    });
    const task = await ended(id);
    const element = task.outputs.find((output: LooseJson) => output.type === 'element');
    assert.match(element.id, /^\d{18,19}$/);
    const body = {
      contents: [words, frame, { type: 'element', element_id: element.id, id: 'mine' }],
      settings: { multi_shot: false },
    };
    const { id: film } = await accepted('/image-to-video/kling-3.0', body);
    assert.equal((await ended(film)).status, 'succeeded');
    assertRefused(await post('/image-to-video/kling-3.0', body, stranger.key), '/kling', {
      status: 404,
      number: 1203,
    });
  });
});

test('all money is accounted for', () => assertLedgerBalances(gateway));
