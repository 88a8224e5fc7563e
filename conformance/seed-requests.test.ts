/**
 * The founding documents' own requests, unchanged, to the paths they name; one task through every door; keys wherever
 * clients put them; keys with strict answers.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { request } from 'undici';
import { call, eventually, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import { assertColourNear, assertFilm, examineFilm, firstFrameColour, noFfmpeg } from './support/film.ts';
import {
  assertLedgerBalances,
  assertRefused,
  completed,
  finished,
  ledgerOf,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { dataUri, plainPicture } from './support/picture.ts';

/** Seed 000, the example of its text2video page. */
const SEED_000 = {
  model_name: 'kling-v1-6',
  prompt: 'A cat playing with a ball of yarn in a sunny room',
  mode: 'std',
  duration: '5',
  aspect_ratio: '16:9',
};
/** Seed 004, the body of its curl. */
const SEED_004 = { prompt: 'A happy scene of a vacation on the beach.' };

interface SeedExample {
  section: string;
  title: string;
  request: Record<string, unknown>;
  expected: { tier: string; billable_seconds: number };
}
const examples = JSON.parse(
  readFileSync(new URL('../test/fixtures/seed-003-examples.json', import.meta.url), 'utf8'),
) as SeedExample[];

/** Hundredths of a cent per second, from the official price sheet at 0.14 USD a unit. */
const PRICE_TEN_THOUSANDTHS: Record<string, number> = {
  'kling-2.5-720p-mute': 420,
  'kling-2.5-1080p-sound': 1400,
  'kling-3.0-720p-mute': 840,
  'kling-3.0-1080p-mute': 1120,
  'kling-3.0-1080p-sound': 1680,
  'kling-3.0-omni-720p-noref-sound': 1120,
  'kling-3.0-omni-720p-ref-mute': 1260,
  'kling-3.0-omni-720p-ref-sound': 1540,
  'kling-3.0-omni-1080p-ref-sound': 1960,
  'kling-2.5-motion-std-720p': 700,
  'kling-2.5-motion-pro-1080p': 1120,
  'kling-avatar-720p': 560,
  'kling-identify-face': 140,
};
function priceOf({ tier, billable_seconds: seconds }: SeedExample['expected']): number {
  return (PRICE_TEN_THOUSANDTHS[tier]! * seconds) / 10_000;
}

/**
 * What the film must be. A first frame gives the film its ratio; the documents' pictures cannot be reached from here,
 * so for those only the short side is known.
 */
const FILMS: Record<string, { size?: string; shortSide: number; sound: boolean }> = {
  '6.1': { size: '1280x720', shortSide: 720, sound: false },
  '6.2': { size: '1920x1080', shortSide: 1080, sound: false },
  '6.3': { size: '1920x1080', shortSide: 1080, sound: true },
  '6.4': { shortSide: 720, sound: false },
  '6.5': { size: '1080x1920', shortSide: 1080, sound: true },
  '6.6': { size: '720x1280', shortSide: 720, sound: true },
  '6.7': { shortSide: 1080, sound: true },
  // Motion control keeps the sound of the reference film unless told otherwise.
  '6.8': { shortSide: 720, sound: true },
  '6.9': { shortSide: 1080, sound: true },
  '6.10': { shortSide: 720, sound: true },
  '6.11': { shortSide: 720, sound: true },
  '6.12': { size: '1280x720', shortSide: 720, sound: false },
  '6.13': { shortSide: 720, sound: false },
  '6.14': { size: '720x1280', shortSide: 720, sound: true },
};

let gateway: TestGateway;
let demo: { key: string };
before(async () => {
  gateway = await startGateway('full');
  demo = { key: gateway.keys.api_key };
});
after(() => gateway.stop());

const post = (path: string, json: unknown, key = demo.key): Promise<Answer> =>
  call(gateway.url + path, { key, json });
const get = (path: string, key = demo.key): Promise<Answer> => call(gateway.url + path, { key });
async function bytesOf(url: string, key?: string): Promise<Buffer> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const answer = await request(url, { headers });
  assert.equal(answer.statusCode, 200);
  return Buffer.from(await answer.body.arrayBuffer());
}

describe('seeds 000 and 004', () => {
  for (const path of ['/kling/v1/videos/text2video', '/v1/video/generations', '/v1/videos']) {
    test(`seed 000's example becomes a film at ${path}`, async () => {
      const created = await post(path, SEED_000);
      assert.equal(created.status, 200, created.text);
      const { body } = created;
      // The object that seed 000 documents.
      assert.match(body.id, /^task_[0-9A-Za-z]{32}$/);
      assert.equal(body.task_id, body.id);
      assert.equal(body.object, 'video');
      assert.equal(body.model, 'kling-1.6-720p');
      assert.equal(body.status, 'queued');
      assert.equal(body.progress, 0);
      assert.ok(Number.isInteger(body.created_at));

      const video = await completed(gateway, demo.key, body.id);
      assert.equal(video.size, '1280x720');
      assert.equal(video.metadata.url, video.video_url);
      await assertFilm(await bytesOf(video.metadata.url), {
        width: 1280,
        height: 720,
        seconds: 5,
        sound: false,
      });
    });
  }

  test("seed 004's curl, without a model, is kling-v1 and answers Kling's envelope", async () => {
    const { status, body, text } = await post('/kling/v1/videos/text2video', SEED_004);
    assert.equal(status, 200, text);
    assert.equal(body.code, 0);
    assert.equal(typeof body.message, 'string');
    assert.equal(typeof body.request_id, 'string');
    assert.equal(body.data.task_id, body.id);
    assert.equal(body.data.task_status, 'submitted');
    assert.ok(Math.abs(body.data.created_at - Date.now()) < 30_000, 'milliseconds');
    assert.ok(Number.isInteger(body.data.updated_at));
    assert.equal(body.requested_model, 'kling-v1');
    assert.equal(body.model, 'kling-1.0-720p');
    const video = await completed(gateway, demo.key, body.id);
    assert.equal(video.seconds, '5');
  });

  test('seed 000: duration, mode and size count at image2video and on the masters as documented', async () => {
    const quote = async (path: string, json: unknown): Promise<LooseJson> => {
      const answer = await post(`${path}?dry_run=true`, json);
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    };
    const image = 'https://example.com/first.png';
    for (const [model, tier] of [
      ['kling-v1', 'kling-1.0-720p'],
      ['kling-v1-6', 'kling-1.6-720p'],
      ['kling-v2-master', 'kling-2.0-720p'],
      ['kling-v2-1-master', 'kling-2.1-720p'],
      ['kling-v2-5-turbo', 'kling-2.5-720p-mute'],
      ['kling-v2-6', 'kling-2.5-720p-mute'],
      ['kling-video-o1', 'kling-o1-720p'],
    ] as const) {
      for (const [path, extra] of [
        ['/kling/v1/videos/text2video', {}],
        ['/kling/v1/videos/image2video', { image }],
        ['/v1/video/generations', {}],
      ] as const) {
        const found = await quote(path, { model_name: model, prompt: 'x', duration: '5', ...extra });
        assert.deepEqual([found.model, found.quantity], [tier, 5], `${model} at ${path}`);
      }
    }
    const upright = await quote('/kling/v1/videos/text2video', {
      ...SEED_000,
      aspect_ratio: undefined,
      size: '1080x1920',
    });
    assert.equal(upright.canonical.aspect_ratio, '9:16');
    const pro = await quote('/kling/v1/videos/text2video', { ...SEED_000, mode: 'pro', duration: 10 });
    assert.deepEqual([pro.model, pro.quantity], ['kling-1.6-1080p', 10]);
  });
});

describe('seed 003, dry', () => {
  test('all fourteen examples are here', () => {
    assert.equal(examples.length, 14);
  });
  for (const { section, title, request: json, expected } of examples) {
    test(`${section} ${title} resolves to ${expected.tier}, ${expected.billable_seconds} s`, async () => {
      const { status, body, text } = await post('/v1/videos?dry_run=true', json);
      assert.equal(status, 200, text);
      assert.equal(body.object, 'estimate');
      assert.equal(body.model, expected.tier);
      assert.equal(body.requested_model, json.model);
      assert.equal(body.unit, 'second');
      assert.equal(body.quantity, expected.billable_seconds);
      assert.ok(Math.abs(Number(body.amount) - priceOf(expected)) < 1e-9, `${body.amount}`);
      const codes = body.warnings.map((warning: LooseJson) => warning.code);
      assert.ok(!codes.includes('no_channel'), codes.join());
    });
  }
});

describe('seed 003, for real', { concurrency: true }, () => {
  let account: TestAccount;
  before(async () => {
    account = await openAccount(gateway, '100');
  });

  for (const { section, title, request: json, expected } of examples) {
    test(`${section} ${title} becomes a film and costs its tier`, async () => {
      const created = await post('/v1/videos', json, account.key);
      assert.equal(created.status, 200, created.text);
      assert.deepEqual([created.body.model, created.body.status], [expected.tier, 'queued']);
      const video = await completed(gateway, account.key, created.body.id, 200_000);
      assert.equal(video.seconds, json.seconds ?? '5');
      const bytes = await bytesOf(`${gateway.url}/v1/videos/${video.id}/content`, account.key);
      const { width, height, durationSeconds, audioCodec } = await examineFilm(bytes);
      const film = FILMS[section]!;
      assert.equal(video.size, `${width}x${height}`, 'size is the true size of the file');
      if (film.size !== undefined) assert.equal(video.size, film.size);
      assert.equal(Math.min(width, height), film.shortSide);
      // Asked for, not billed: a lip-sync of four seconds is charged as five.
      assert.ok(Math.abs(durationSeconds - Number(video.seconds)) < 0.2, `${durationSeconds} s`);
      assert.equal(audioCodec, film.sound ? 'aac' : null);

      const entries = (await ledgerOf(gateway, account)).filter((entry) => entry.task_id === video.id);
      const sumOf = (kind: string, book: string): number =>
        entries
          .filter((entry) => entry.kind === kind && entry.book === book)
          .reduce((sum, entry) => sum + Number(entry.amount), 0);
      const price = priceOf(expected);
      assert.ok(Math.abs(sumOf('hold', 'held') - price) < 1e-9, 'the hold is the price');
      assert.ok(Math.abs(sumOf('settle', 'revenue') - price) < 1e-9, 'the charge is the price');
    });
  }

  test('afterwards the wallet is short of exactly the fourteen prices', { timeout: 210_000 }, async () => {
    const total = examples.reduce((sum, { expected }) => sum + priceOf(expected), 0);
    await eventually('the last charge', 200_000, async () => {
      const { data } = (await get('/v1/videos?limit=100', account.key)).body;
      return (
        data.length === examples.length && data.every((video: LooseJson) => video.status === 'completed')
      );
    });
    const { balance, held } = await account.wallet();
    assert.equal(held, '0.00');
    assert.ok(Math.abs(Number(balance) - (100 - total)) < 1e-9, `${balance}, not ${100 - total}`);
    await assertLedgerBalances(gateway);
  });
});

describe('seed 003 without a channel that is able', () => {
  const beyondKling = new Set(['6.8', '6.9', '6.10', '6.11']);
  let others: { id: string }[];
  const enable = async (enabled: boolean): Promise<void> => {
    for (const { id } of others) await gateway.admin(`/channels/${id}`, { enabled }, 'PATCH');
  };
  before(async () => {
    const { data } = await gateway.admin('/channels');
    others = data.filter((channel: LooseJson) => channel.provider !== 'kling');
    assert.ok(others.length > 0 && others.length < data.length);
    await enable(false);
  });
  after(() => enable(true));

  for (const { section, title, request: json, expected } of examples) {
    if (!beyondKling.has(section)) continue;
    test(`${section} ${title} says what is missing and holds nothing`, async () => {
      const own = await openAccount(gateway, '100');
      const dry = await post('/v1/videos?dry_run=true', json, own.key);
      assert.equal(dry.status, 200, dry.text);
      assert.equal(dry.body.model, expected.tier, 'a tier never depends on which channels there are');
      assert.ok(dry.body.warnings.some(({ code }: LooseJson) => code === 'no_channel'));
      const error = assertRefused(await post('/v1/videos', json, own.key), '/v1/videos', {
        status: 400,
        code: 'no_channel',
      });
      // What Kling's own wire wants besides: the person to be moved, the sound to be spoken, the film to speak in.
      assert.match(
        error.message,
        section === '6.8' || section === '6.9' ? /image|picture/ : /sound|audio|session|video/,
      );
      const { available, held } = await own.wallet();
      assert.deepEqual({ available, held }, { available: '100.00', held: '0.00' });
      assert.equal((await ledgerOf(gateway, own)).filter((entry) => entry.kind === 'hold').length, 0);
      assert.deepEqual((await get('/v1/videos', own.key)).body.data, []);
    });
  }
});

describe('one task through every door', () => {
  const DOORS = [
    '/v1/videos',
    '/v1/video/generations',
    '/kling/v1/videos/text2video',
    '/kling/v1/videos/image2video',
  ];

  for (const door of DOORS.slice(0, 3)) {
    test(`made at ${door}, seen at all of them, by its id and by the caller's own`, async () => {
      const { key } = await openAccount(gateway, '1');
      const own = `mine-${door.length}`;
      const created = await post(door, { ...SEED_000, external_task_id: own }, key);
      assert.equal(created.status, 200, created.text);
      const { id } = created.body;
      const video = await completed(gateway, key, id);
      for (const path of DOORS) {
        for (const name of [id, own]) {
          const { status, body, text } = await get(`${path}/${name}`, key);
          assert.equal(status, 200, `${path}/${name}: ${text}`);
          for (const field of [
            'id',
            'task_id',
            'object',
            'model',
            'status',
            'progress',
            'seconds',
            'size',
            'created_at',
            'completed_at',
            'requested_model',
            'prompt',
            'error',
          ])
            assert.deepEqual(body[field], video[field], `${field} at ${path}`);
          assert.match(body.metadata.url, /\/content\//);
          if (path.startsWith('/kling')) {
            assert.deepEqual([body.code, body.data.task_id, body.data.task_status], [0, id, 'succeed']);
            assert.equal(body.data.task_info.external_task_id, own);
            assert.equal(body.data.task_result.videos.length, 1);
            assert.match(body.data.task_result.videos[0].url, /\/content\//);
          } else if (path === '/v1/video/generations') {
            assert.deepEqual([body.code, body.message, body.format], ['success', '', 'mp4']);
            assert.deepEqual(
              [body.data.task_id, body.data.status, body.data.progress],
              [id, 'SUCCESS', '100%'],
            );
            assert.equal(body.url, body.metadata.url);
          }
        }
      }
      const stranger = (await openAccount(gateway, '0')).key;
      for (const path of DOORS) {
        const answer = await get(`${path}/${id}`, stranger);
        assertRefused(answer, path, { status: 404, number: 1203 });
      }
    });
  }

  test("lists: every task on /v1/videos, a path's own tasks by numbered pages on Kling's", async () => {
    const { key } = await openAccount(gateway, '10');
    const make = async (path: string, extra = {}): Promise<string> => {
      const answer = await post(path, { ...SEED_000, prompt: '[[expire]] listed', ...extra }, key);
      assert.equal(answer.status, 200, answer.text);
      return answer.body.id;
    };
    const text: string[] = [];
    for (let index = 0; index < 3; index++) text.push(await make('/kling/v1/videos/text2video'));
    const image = await make('/kling/v1/videos/image2video', {
      aspect_ratio: undefined,
      image: 'https://example.com/first.png',
    });
    const generic = await make('/v1/video/generations');
    const page = async (path: string): Promise<string[]> => {
      const { status, body, text } = await get(path, key);
      assert.equal(status, 200, text);
      assert.equal(body.code, 0);
      return body.data.map((task: LooseJson) => task.task_id);
    };
    const newestFirst = text.toReversed();
    assert.deepEqual(await page('/kling/v1/videos/text2video?pageNum=1&pageSize=2'), newestFirst.slice(0, 2));
    assert.deepEqual(await page('/kling/v1/videos/text2video?pageNum=2&pageSize=2'), newestFirst.slice(2));
    assert.deepEqual(await page('/kling/v1/videos/text2video?pageNum=3&pageSize=2'), []);
    assert.deepEqual(await page('/kling/v1/videos/image2video'), [image]);
    const all = (await get('/v1/videos', key)).body;
    assert.deepEqual(
      all.data.map((task: LooseJson) => task.id),
      [generic, image, ...newestFirst],
    );
    assert.deepEqual(
      [all.object, all.first_id, all.last_id, all.has_more],
      ['list', generic, text[0], false],
    );
    for (const query of ['pageNum=0', 'pageSize=501', 'pageNum=x'])
      assertRefused(await get(`/kling/v1/videos/text2video?${query}`, key), '/kling', {
        status: 400,
        number: 1201,
        param: query.split('=')[0]!,
      });
  });

  test('a deleted task is hidden at every door, its link is dead, its charge stays', async () => {
    const account = await openAccount(gateway, '1');
    const { id } = (await post('/v1/videos', { ...SEED_000, prompt: 'soon deleted' }, account.key)).body;
    const video = await completed(gateway, account.key, id);
    const { balance } = await account.wallet();
    const deleted = await call(`${gateway.url}/v1/videos/${id}`, { key: account.key, method: 'DELETE' });
    assert.deepEqual(deleted.body, { id, object: 'video.deleted', deleted: true });
    for (const path of DOORS) assertRefused(await get(`${path}/${id}`, account.key), path, { status: 404 });
    assert.equal((await call(video.video_url)).status, 404);
    assert.equal((await account.wallet()).balance, balance);
    assert.ok(
      (await ledgerOf(gateway, account)).some((entry) => entry.task_id === id && entry.kind === 'settle'),
    );
  });

  test('a failed task is free, and says so in the words of every door', async () => {
    const account = await openAccount(gateway, '1');
    const { id } = (await post('/v1/videos', { ...SEED_000, prompt: '[[fail:1301]] no' }, account.key)).body;
    const video = await finished(gateway, account.key, id);
    assert.deepEqual([video.status, video.progress, video.error.code], ['failed', 100, 'content_policy']);
    assert.match(video.error.message, /\S/);
    const kling = (await get(`/kling/v1/videos/text2video/${id}`, account.key)).body;
    assert.deepEqual(
      [kling.code, kling.data.task_status, kling.data.task_status_msg],
      [0, 'failed', video.error.message],
    );
    const generic = (await get(`/v1/video/generations/${id}`, account.key)).body;
    assert.deepEqual([generic.data.status, generic.data.fail_reason], ['FAILURE', video.error.message]);
    const { available, held } = await account.wallet();
    assert.deepEqual({ available, held }, { available: '1.00', held: '0.00' });
  });
});

describe('where a key may stand', () => {
  const PATHS = ['/v1/videos', '/v1/models', '/kling/v1/videos/text2video', '/v1/video/generations/none'];
  const places: [string, (key: string) => { query?: string; headers?: Record<string, string> }][] = [
    ['Authorization: Bearer', (key) => ({ headers: { authorization: `Bearer ${key}` } })],
    ['x-api-key', (key) => ({ headers: { 'x-api-key': key } })],
    ['x-goog-api-key', (key) => ({ headers: { 'x-goog-api-key': key } })],
    ['?key=', (key) => ({ query: `?key=${key}` })],
  ];
  for (const [place, put] of places) {
    test(`${place} opens every route, and only with a true key`, async () => {
      for (const path of PATHS) {
        const known = path.endsWith('/none') ? 404 : 200;
        const right = put(demo.key);
        const answer = await call(`${gateway.url}${path}${right.query ?? ''}`, {
          headers: right.headers ?? {},
        });
        assert.equal(answer.status, known, `${path}: ${answer.text}`);
        const wrong = put(`${demo.key.slice(0, -1)}!`);
        assertRefused(
          await call(`${gateway.url}${path}${wrong.query ?? ''}`, { headers: wrong.headers ?? {} }),
          path,
          { status: 401, code: 'invalid_api_key', number: 1002 },
        );
        assertRefused(await call(gateway.url + path), path, {
          status: 401,
          code: 'missing_api_key',
          number: 1001,
        });
      }
    });
  }

  test('a JWT signed with a pair of ours opens every route; its faults have their own numbers', async () => {
    const { access_key: accessKey, secret_key: secretKey } = gateway.keys;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const token = (claims: { iss?: string; exp?: number; nbf?: number }, secret = secretKey, alg = 'HS256') =>
      new SignJWT({ iss: accessKey, exp: nowSeconds + 1800, nbf: nowSeconds - 5, ...claims })
        .setProtectedHeader({ alg, typ: 'JWT' })
        .sign(new TextEncoder().encode(secret));
    for (const path of PATHS)
      assert.equal((await get(path, await token({}))).status, path.endsWith('/none') ? 404 : 200);
    const path = '/kling/v1/videos/text2video';
    for (const [jwt, number] of [
      [await token({ exp: nowSeconds - 1 }), 1004],
      [await token({ nbf: nowSeconds + 60 }), 1003],
      [await token({ iss: 'ak-nobody' }), 1002],
      [await token({}, 'another secret altogether, long enough'), 1002],
      [await token({}, secretKey, 'HS512'), 1002],
    ] as const)
      assertRefused(await get(path, jwt), path, { status: 401, number });
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: accessKey, exp: nowSeconds + 60 })).toString('base64url')}.`;
    assertRefused(await get(path, unsigned), path, { status: 401, number: 1002 });
  });

  test('the admin token opens no caller route, and a key no admin route', async () => {
    assertRefused(await get('/v1/videos', gateway.keys.admin_token), '/v1/videos', { status: 401 });
    // Known, but without the right.
    assert.equal((await get('/admin/v1/accounts')).status, 403);
    assert.equal((await get('/admin/v1/accounts', 'nobody')).status, 401);
  });
});

describe('keys with strict answers', () => {
  let strict: TestAccount;
  before(async () => {
    strict = await openAccount(gateway, '1', 'strict');
  });

  test("under /kling: exactly Kling's envelope on create, query, list and refusal", async () => {
    const created = await post('/kling/v1/videos/text2video', SEED_000, strict.key);
    assert.deepEqual(Object.keys(created.body).sort(), ['code', 'data', 'message', 'request_id']);
    assert.deepEqual(Object.keys(created.body.data).sort(), [
      'created_at',
      'task_id',
      'task_info',
      'task_status',
      'updated_at',
    ]);
    const id = created.body.data.task_id;
    await completed(gateway, strict.key, id);
    for (const path of [`/${id}`, '']) {
      const { body } = await get(`/kling/v1/videos/text2video${path}`, strict.key);
      assert.deepEqual(Object.keys(body).sort(), ['code', 'data', 'message', 'request_id']);
    }
    const refused = await post('/kling/v1/videos/text2video', { ...SEED_000, duration: '7' }, strict.key);
    assert.equal(refused.status, 400);
    assert.deepEqual(Object.keys(refused.body).sort(), ['code', 'message', 'request_id']);
    assert.equal(refused.body.code, 1201);
    assert.match(refused.body.message, /duration/);
  });

  test('on /v1/videos: links only, as the document says; other keys may send the picture itself', async () => {
    const body = {
      model: 'kling-2.5',
      prompt: 'x',
      image: dataUri(await plainPicture({ red: 9, green: 9, blue: 9 }, { width: 320, height: 320 })),
    };
    assertRefused(await post('/v1/videos?dry_run=true', body, strict.key), '/v1/videos', {
      status: 400,
      param: 'image',
    });
    assert.equal((await post('/v1/videos?dry_run=true', body)).status, 200);
  });
});

test('an inline picture is the first frame, and its ratio is the film’s', { skip: noFfmpeg }, async () => {
  const blue = { red: 30, green: 60, blue: 200 };
  const image = dataUri(await plainPicture(blue, { width: 360, height: 640 }));
  for (const [path, json] of [
    ['/v1/video/generations', { model: 'kling-v1-6', prompt: 'waves', image }],
    // The official platform's own form: bare base64.
    [
      '/kling/v1/videos/image2video',
      { model_name: 'kling-v1-6', prompt: 'waves', image: image.split(',')[1] },
    ],
  ] as const) {
    const created = await post(path, json);
    assert.equal(created.status, 200, created.text);
    const video = await completed(gateway, demo.key, created.body.id);
    const bytes = await bytesOf(video.video_url);
    await assertFilm(bytes, { width: 720, height: 1280, seconds: 5, sound: false });
    assertColourNear(await firstFrameColour(bytes), blue);
  }
});
