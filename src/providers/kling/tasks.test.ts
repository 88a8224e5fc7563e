/** Answers in the platform's own words, read as outputs, data and resources. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Channel, Json, Observation } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { createTestClock } from '../../lib/clock.ts';
import { parseJson } from '../../lib/json.ts';
import { feature } from './features.ts';
import { routeOf } from './routes.ts';
import { poll, readPush } from './tasks.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { video } from './video.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');
const signal = new AbortController().signal;

/** A channel whose upstream always answers this. */
function answering(text: string, asked: string[] = []): Channel {
  return {
    id: 'channel_1',
    provider: 'kling',
    baseUrl: 'https://upstream.example',
    credential: { api_key: 'api-key-kling-1' },
    allowsComplianceSwitches: false,
    http: {
      async request({ method, url }) {
        asked.push(`${method} ${url.slice('https://upstream.example'.length)}`);
        return { status: 200, headers: {}, text };
      },
    },
    clock: createTestClock(1000),
    readMedia: () => assert.fail('no media here'),
    callbackUrl: () => null,
  };
}

function request(operation: string, changes: Partial<FeatureRequest> = {}): FeatureRequest {
  return {
    kind: 'feature',
    family: 'kling',
    operation,
    model: 'kling-features',
    requestedModel: 'kling-features',
    makes: 'image',
    immediate: routeOf(operation)?.immediate !== undefined,
    prompt: '',
    seconds: null,
    count: 1,
    parameters: {},
    media: [],
    resources: [],
    watermark: false,
    retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
    ...changes,
  };
}

async function polled(operation: string, name: string): Promise<Observation> {
  const ref = { path: routeOf(operation)!.path, task_id: '913827032734642185' };
  return poll(ref, answering(fixture(name)), signal);
}
async function answered(changes: FeatureRequest, name: string): Promise<Observation | undefined> {
  return (await feature.submit(changes, 'task_1', answering(fixture(name)), signal)).observation;
}
const output = (role: string, file: string, more: object = {}) => ({
  role,
  url: `https://media.example/${file}`,
  upstreamId: null,
  durationSeconds: null,
  ...more,
});

describe('what a task made', () => {
  test('pictures come in the order of their index, marked ones beside them', async () => {
    assert.deepEqual(await polled('text-to-image', 'images-succeed'), {
      status: 'succeeded',
      outputs: [
        output('image', 'a.png'),
        output('watermarked', 'a-mark.png'),
        output('image', 'b.png', { index: 1 }),
        output('watermarked', 'b-mark.png', { index: 1 }),
      ],
      cost: { amount: '8', unit: 'image_unit' },
    });
  });

  test('a series is pictures, too', async () => {
    assert.deepEqual(await polled('omni-image', 'series-succeed'), {
      status: 'succeeded',
      outputs: [output('image', 'a.png'), output('image', 'b.png', { index: 1 })],
      cost: null,
    });
  });

  test('further views are pictures, whichever way they are written', async () => {
    const entry = [1, 2, 3].map((view) => `"url_${view}":"https://media.example/${view}.png"`).join();
    const task = `{"task_id":"1","task_status":"succeed","task_result":{"images":[{"index":0,${entry}}]}}`;
    const ref = { path: '/v1/general/ai-multi-shot', task_id: '1' };
    const done = await poll(ref, answering(`{"code":0,"data":${task}}`), signal);
    assert.ok(done.status === 'succeeded');
    assert.deepEqual(
      done.outputs.map(({ url, index }) => [url, index]),
      [1, 2, 3].map((view) => [`https://media.example/${view}.png`, view === 1 ? undefined : view - 1]),
    );
  });

  test('a film’s sound comes as film, MP3 and WAV', async () => {
    const sound = { upstreamId: '913827032734642187', durationSeconds: 5.1 };
    assert.deepEqual(await polled('video-to-audio', 'video-to-audio-succeed'), {
      status: 'succeeded',
      outputs: [
        output('video', 'film.mp4', { upstreamId: '913827032734642186', durationSeconds: 5.1 }),
        output('audio', 'a.mp3', sound),
        output('audio_wav', 'a.wav', sound),
      ],
      cost: { amount: '0.25', unit: 'unit' },
    });
  });

  test('speech is in the answer to its create', async () => {
    assert.deepEqual(await answered(request('text-to-speech'), 'speech-created'), {
      status: 'succeeded',
      outputs: [output('audio', 'speech.mp3', { upstreamId: '913827032734642186', durationSeconds: 2.35 })],
      cost: { amount: '0.05', unit: 'unit' },
    });
  });

  test('a voice is a resource with a sample; whose account it is stays out', async () => {
    assert.deepEqual(await polled('custom-voice', 'voice-succeed'), {
      status: 'succeeded',
      outputs: [output('audio', 'trial.mp3', { path: 'voices.0.trial_url' })],
      data: { voices: [{ voice_id: 829836802793406999n, voice_name: 'mine', trial_url: null }] },
      resources: [
        {
          kind: 'voice',
          upstreamId: '829836802793406999',
          name: 'mine',
          paths: ['voices.0.voice_id'],
          data: { voice_name: 'mine', trial_url: null },
          expiresAt: null,
        },
      ],
      cost: null,
    });
  });

  test('an element is a resource with its pictures; its id keeps all digits', async () => {
    const done = await polled('custom-element', 'element-succeed');
    assert.ok(done.status === 'succeeded');
    const list = 'elements.0.element_image_list';
    assert.deepEqual(done.outputs, [
      output('image', 'front.png', { path: `${list}.frontal_image` }),
      output('image', 'side.png', { index: 1, path: `${list}.refer_images.0.image_url` }),
    ]);
    const described = {
      element_name: 'cat',
      element_description: 'a grey cat',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: null, refer_images: [{ image_url: null }] },
      element_video_list: { refer_videos: [{ video_url: null }] },
      tag_list: [{ id: 'o_102', name: 'animal', description: 'an animal' }],
      status: 'succeed',
    };
    assert.deepEqual(done.data, { elements: [{ element_id: 829836802793406551n, ...described }] });
    assert.deepEqual(done.resources, [
      {
        kind: 'element',
        upstreamId: '829836802793406551',
        name: 'cat',
        paths: ['elements.0.element_id'],
        data: described,
        expiresAt: null,
      },
    ]);
  });

  test('done without anything to show is not done yet', async () => {
    const text = '{"code":0,"data":{"task_id":"1","task_status":"succeed","task_result":{"images":[]}}}';
    const ref = { path: '/v1/images/generations', task_id: '1' };
    assert.deepEqual(await poll(ref, answering(text), signal), { status: 'processing' });
  });
});

describe('steps that answer at once', () => {
  test('faces: a session of a day, pictures as outputs, times as they are', async () => {
    assert.deepEqual(await answered(request('identify-face'), 'faces'), {
      status: 'succeeded',
      outputs: [output('image', 'face.png', { path: 'face_data.0.face_image' })],
      cost: null,
      data: {
        session_id: '913827032734642185',
        face_data: [{ face_id: '0', face_image: null, start_time: 0, end_time: 5200 }],
      },
      resources: [
        {
          kind: 'session',
          upstreamId: '913827032734642185',
          name: null,
          paths: ['session_id'],
          data: {},
          expiresAt: 1000 + 86_400_000,
        },
      ],
    });
  });

  test('a step in a session names it as the caller does, and makes no second one', async () => {
    const session = {
      path: 'session_id',
      kind: 'session',
      id: '555',
      upstreamId: '913827032734642185',
    } as const;
    const step = request('multi-elements-add-selection', { resources: [session] });
    const done = await answered(step, 'selection');
    assert.ok(done?.status === 'succeeded');
    assert.equal((done.data as { session_id: string }).session_id, '555');
    assert.equal(done.resources, undefined);
    const { res } = done.data as unknown as { res: { rle_mask_list: { rle_mask: Json }[] } };
    assert.deepEqual(res.rle_mask_list[0]!.rle_mask, { size: [1080, 1920], counts: 'aeg1' });
  });

  test('a status other than zero is a refusal', async () => {
    const channel = answering('{"code":0,"data":{"status":4,"session_id":"1"}}');
    const step = request('multi-elements-clear-selection');
    await assert.rejects(feature.submit(step, 'task_1', channel, signal), {
      kind: 'rejected',
      upstreamCode: '4',
    });
  });

  test('they leave nothing that could be polled', async () => {
    const channel = answering(fixture('faces'));
    const { ref } = await feature.submit(request('identify-face'), 'task_1', channel, signal);
    assert.deepEqual(await feature.poll(ref, channel, signal), { status: 'unknown' });
  });

  test('speech that is not in its answer is a doubt', async () => {
    const channel = answering('{"code":0,"data":{"task_id":"1","task_status":"submitted"}}');
    const work = feature.submit(request('text-to-speech'), 'task_1', channel, signal);
    await assert.rejects(work, { kind: 'ambiguous' });
  });
});

describe('the new standard', () => {
  const turbo = videoRequest({ model: 'kling-3.0-turbo' });

  test('a create answers a ref that says which standard', async () => {
    const asked: string[] = [];
    const channel = answering(fixture('new-created'), asked);
    assert.deepEqual((await video.submit(turbo, 'task_0Vx1', channel, signal)).ref, {
      standard: 'new',
      task_id: '913827032734642185',
    });
    assert.deepEqual(asked, ['POST /text-to-video/kling-3.0-turbo']);
  });

  test('a finished task names its films and what was paid', async () => {
    const asked: string[] = [];
    const film = { upstreamId: '913827032734642186', durationSeconds: 5.041 };
    const ref = { standard: 'new', task_id: '913827032734642185' };
    assert.deepEqual(await poll(ref, answering(fixture('new-succeeded'), asked), signal), {
      status: 'succeeded',
      outputs: [output('video', 'film.mp4', film), output('watermarked', 'film-mark.mp4', film)],
      cost: { amount: '3.15', unit: 'CNY' },
    });
    assert.deepEqual(asked, ['GET /tasks?task_ids=913827032734642185']);
  });

  test('an id that the answer leaves out is unknown', async () => {
    const ref = { standard: 'new', task_id: '1' };
    const empty = answering('{"code":0,"data":[]}');
    assert.deepEqual(await poll(ref, empty, signal), { status: 'unknown' });
    await assert.rejects(poll(ref, answering('{"code":0,"data":{}}'), signal), { kind: 'ambiguous' });
  });

  test('a look-up asks by our own id', async () => {
    const asked: string[] = [];
    const found = await video.lookup!(turbo, 'task_0Vx1', answering(fixture('new-succeeded'), asked), signal);
    assert.deepEqual(found, { ref: { standard: 'new', task_id: '913827032734642185' } });
    assert.deepEqual(asked, ['GET /tasks?external_task_ids=task_0Vx1']);
  });

  test('a push is the bare task', () => {
    const { data } = parseJson(fixture('new-succeeded')) as { data: Json[] };
    assert.deepEqual(readPush(data[0]!), { clientRef: 'task_0Vx1' });
    assert.equal(readPush({ id: '1', status: 'submitted' }), null);
  });
});

describe('routes that document queries by task id only', () => {
  test('are looked up in the newest page as well', async () => {
    const asked: string[] = [];
    const channel = answering('', asked);
    channel.http.request = async ({ method, url }) => {
      const path = url.slice('https://upstream.example'.length);
      asked.push(`${method} ${path}`);
      if (!path.includes('?')) {
        return { status: 404, headers: {}, text: '{"code":1203,"message":"task does not exist"}' };
      }
      const task = '{"task_id":"8","task_status":"processing","task_info":{"external_task_id":"task_1"}}';
      return { status: 200, headers: {}, text: `{"code":0,"data":[${task}]}` };
    };
    const extend = request('video-extend');
    const path = '/v1/videos/video-extend';
    assert.deepEqual(await feature.lookup!(extend, 'task_1', channel, signal), {
      ref: { path, task_id: '8' },
    });
    assert.equal(await feature.lookup!(extend, 'task_2', channel, signal), null);
    assert.deepEqual(asked.slice(0, 2), [`GET ${path}/task_1`, `GET ${path}?pageNum=1&pageSize=500`]);
  });
});
