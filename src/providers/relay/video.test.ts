import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Channel, Json } from '../../core/ports.ts';
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { parseJson } from '../../lib/json.ts';
import { neverAborts, openBenchChannel } from '../kit/contract.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { createUpstreamPools } from '../kit/upstream-http.ts';
import { rootOf } from './call.ts';
import { relay } from './provider.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openRelayBench } from './test-bench.ts';
import type { WireObject } from './wire.ts';

const video = relay.video!;
const url = (name: string): Media => ({ kind: 'url', url: `https://files.example/${name}`, source: name });
const stored: Media = {
  kind: 'stored',
  key: 'k',
  contentType: 'image/png',
  bytes: 3,
  width: 1,
  height: 1,
  source: 'image',
};

/** Sends a request to a far side that answers everything with one task, and tells what arrived. */
async function sent(
  changes: Partial<VideoRequest>,
  dialect: 'kling' | 'openai' = 'kling',
  callbackUrl: string | null = null,
): Promise<{ url: string; authorization: string; body: WireObject }> {
  const seen: { url: string; authorization: string; body: WireObject }[] = [];
  const channel: Channel = {
    id: 'channel_recorder',
    provider: 'relay',
    baseUrl: 'https://far.example/v1',
    credential: { api_key: 'sk-0123456789', dialect },
    allowsComplianceSwitches: false,
    http: {
      async request({ url: address, headers, body }) {
        seen.push({
          url: address,
          authorization: headers['authorization']!,
          body: parseJson(body!) as WireObject,
        });
        return { status: 200, headers: {}, text: '{"id":"far-1","status":"queued"}' };
      },
    },
    clock: { now: () => 0 } as Channel['clock'],
    readMedia: async () => ({ bytes: Buffer.from('abc'), contentType: 'image/png' }),
    callbackUrl: () => callbackUrl,
  };
  const { ref } = await video.submit(videoRequest(changes), 'task_ours', channel, neverAborts);
  const { pathname } = new URL(seen[0]!.url);
  assert.deepEqual(ref, { door: pathname, task_id: 'far-1' });
  return seen[0]!;
}

const motion = { level: 'pro', orientation: 'video', keepOriginalSound: true } as const;
const dance = { media: url('dance.mp4'), role: 'feature', keepOriginalSound: true } as const;

describe('Kling’s doors', () => {
  const doors: [string, string, Partial<VideoRequest>][] = [
    ['text', '/kling/v1/videos/text2video', {}],
    ['a picture', '/kling/v1/videos/image2video', { operation: 'image-to-video', firstFrame: url('a.png') }],
    ['several pictures', '/kling/v1/videos/multi-image2video', { references: [url('a.png'), url('b.png')] }],
    ['omni models', '/kling/v1/videos/omni-video', { model: 'kling-v3-omni', references: [url('a.png')] }],
    [
      'motion as long as its film',
      '/kling/v1/videos/motion-control',
      {
        operation: 'motion-control',
        firstFrame: url('a.png'),
        referenceVideo: dance,
        motion,
        billsOutputLength: true,
      },
    ],
    [
      'an avatar as long as its sound',
      '/kling/v1/videos/avatar/image2video',
      { operation: 'avatar', firstFrame: url('a.png'), audio: url('a.mp3'), billsOutputLength: true },
    ],
    // What only the other door takes.
    [
      'motion of asked seconds',
      '/v1/videos',
      { operation: 'motion-control', firstFrame: url('a.png'), referenceVideo: dance, motion },
    ],
    [
      'motion without a picture',
      '/v1/videos',
      { operation: 'motion-control', referenceVideo: dance, motion, billsOutputLength: true },
    ],
    [
      'an avatar that speaks its prompt',
      '/v1/videos',
      { operation: 'avatar', firstFrame: url('a.png'), billsOutputLength: true },
    ],
    ['lip-sync', '/v1/videos', { operation: 'lip-sync', firstFrame: url('a.png') }],
    [
      'an edit of asked seconds',
      '/v1/videos',
      { model: 'kling-video-o1', referenceVideo: { ...dance, role: 'base' } },
    ],
  ];
  for (const [what, path, changes] of doors) {
    test(`${what} goes to ${path}`, async () => {
      assert.equal(new URL((await sent(changes)).url).pathname, path);
      assert.equal(new URL((await sent(changes, 'openai')).url).pathname, '/v1/videos');
    });
  }

  test('take the platform’s own body, our handle and the key', async () => {
    const { body, authorization } = await sent({ negativePrompt: 'rain', cfgScale: 0.5, watermark: true });
    assert.equal(authorization, 'Bearer sk-0123456789');
    assert.deepEqual(body, {
      model_name: 'kling-v1-6',
      prompt: 'a cat playing with yarn',
      mode: 'std',
      watermark_info: { enabled: true },
      negative_prompt: 'rain',
      cfg_scale: 0.5,
      duration: '5',
      aspect_ratio: '16:9',
      external_task_id: 'task_ours',
    });
  });

  test('are told the asked grade where it is not what has to be made', async () => {
    const { body } = await sent({ model: 'kling-v2-6', quality: 'pro', resolution: '720P', sound: true });
    assert.deepEqual([body['mode'], body['sound'], body['metadata']], ['pro', 'on', { resolution: '720P' }]);
    const master = await sent({ model: 'kling-v2-master', quality: null, resolution: '1080P' });
    assert.ok(!('mode' in master.body));
    assert.deepEqual(master.body['metadata'], { resolution: '1080P' });
  });

  test('take pictures of ours as bare base64, element ids as whole numbers', async () => {
    const { body } = await sent({
      model: 'kling-v3-omni',
      firstFrame: stored,
      elementIds: ['829836802793406551'],
    });
    assert.deepEqual(body['image_list'], [{ image_url: 'YWJj', type: 'first_frame' }]);
    assert.deepEqual(body['element_list'], [{ element_id: 829836802793406551n }]);
  });

  test('never take what decides the price, nor our handle, from extensions', async () => {
    const extensions = { mode: 'pro', duration: '10', external_task_id: 'theirs', metadata: {}, extra: 1 };
    const { body } = await sent({ extensions });
    assert.deepEqual(
      [body['mode'], body['duration'], body['external_task_id'], body['metadata'], body['extra']],
      ['std', '5', 'task_ours', undefined, 1],
    );
  });
});

describe('/v1/videos', () => {
  test('takes seed 003’s body, by the name the caller used', async () => {
    const { body } = await sent(
      { model: 'kling-v2-6', requestedModel: 'kling-2.5', sound: true, resolution: '1080P', quality: 'pro' },
      'openai',
    );
    assert.deepEqual(body, {
      model: 'kling-2.5',
      prompt: 'a cat playing with yarn',
      seconds: '5',
      metadata: {
        output_config: {
          duration: 5,
          resolution: '1080P',
          aspect_ratio: '16:9',
          audio_generation: 'Enabled',
        },
      },
      external_task_id: 'task_ours',
    });
  });

  test('takes native fields as the doubly encoded text of ext_info', async () => {
    const { body } = await sent(
      { cfgScale: 0.5, multiShot: { type: 'customize', shots: [{ index: 1, prompt: 'a', seconds: 5 }] } },
      'openai',
    );
    const { ext_info: text } = body['metadata'] as WireObject;
    const outer = JSON.parse(text as string) as { AdditionalParameters: string };
    assert.deepEqual(JSON.parse(outer.AdditionalParameters), {
      cfg_scale: 0.5,
      multi_shot: true,
      shot_type: 'customize',
      multi_prompt: [{ index: 1, prompt: 'a', duration: '5' }],
    });
  });

  test('takes scenes by their type, frames and films where seed 003 has them', async () => {
    const scene = (
      await sent({ operation: 'motion-control', referenceVideo: dance, motion, aspectRatio: null }, 'openai')
    ).body['metadata'] as WireObject;
    assert.equal(scene['scene_type'], 'motion_control');
    assert.equal(scene['motion_level'], 'pro');
    assert.equal(scene['video_url'], 'https://files.example/dance.mp4');
    const frames = await sent({ firstFrame: stored, lastFrame: url('b.png'), aspectRatio: null }, 'openai');
    assert.equal(frames.body['image'], 'data:image/png;base64,YWJj');
    assert.equal((frames.body['metadata'] as WireObject)['last_frame_url'], 'https://files.example/b.png');
    const edit = await sent(
      { model: 'kling-video-o1', referenceVideo: { ...dance, role: 'base' } },
      'openai',
    );
    assert.deepEqual((edit.body['metadata'] as WireObject)['file_infos'], [
      {
        type: 'Url',
        category: 'Video',
        url: 'https://files.example/dance.mp4',
        reference_type: 'base',
        keep_original_sound: 'Enabled',
      },
    ]);
  });

  test('a lone reference is never taken for a first frame', async () => {
    const one = await sent({ references: [url('a.png')] }, 'openai');
    assert.deepEqual(one.body['image_list'], [{ image_url: 'https://files.example/a.png' }]);
    const omni = await sent({ model: 'kling-v3-omni', references: [url('a.png')] }, 'openai');
    assert.deepEqual(omni.body['images'], ['https://files.example/a.png']);
  });
});

test('a far side is not asked to push to a private address', async () => {
  assert.ok(!('callback_url' in (await sent({}, 'kling', 'http://10.0.0.5:8787/callbacks/x')).body));
  assert.ok(!('callback_url' in (await sent({}, 'kling', 'http://[::1]:8787/callbacks/x')).body));
  const push = 'https://ours.example/callbacks/x';
  assert.equal((await sent({}, 'kling', push)).body['callback_url'], push);
});

test('a base_url may end as its clients know it', () => {
  for (const path of ['', '/', '/v1', '/v1/', '/kling', '/kling/v1']) {
    assert.equal(rootOf(`https://far.example${path}`), 'https://far.example');
  }
  assert.equal(rootOf('https://far.example/relay'), 'https://far.example/relay');
});

test('only a film that is no URL is missing', () => {
  assert.equal(video.missing(videoRequest({ operation: 'lip-sync' })), null);
  assert.match(video.missing(videoRequest({ referenceVideo: { ...dance, media: stored } })) ?? '', /by URL/);
});

test('a push names its task by our handle', () => {
  const push = { task_id: 'far-1', task_status: 'succeed', task_info: { external_task_id: 'task_ours' } };
  assert.deepEqual(video.callback!(push), { clientRef: 'task_ours' });
  assert.equal(video.callback!({ task_id: 'far-1' }), null);
  assert.equal(video.callback!(null), null);
});

/** A bench, and a channel to it under an id of its own: what one test has seen another must not know. */
async function open(credential: Json): Promise<{
  bench: ProviderBench;
  channel(id: string): Channel;
  close(): Promise<void>;
}> {
  const bench = await openRelayBench(credential);
  const pools = createUpstreamPools();
  return {
    bench,
    channel: (id) => ({ ...openBenchChannel(bench, pools), id }),
    async close() {
      await pools.close();
      await bench.close();
    },
  };
}

describe('a far side at /v1/videos', () => {
  let far: Awaited<ReturnType<typeof open>>;
  before(async () => (far = await open({ api_key: 'sandbox-relay-key', dialect: 'openai' })));
  after(() => far.close());

  test('makes a film', async () => {
    const channel = far.channel('openai-1');
    const { ref } = await video.submit(videoRequest(), 'task_one', channel, neverAborts);
    assert.deepEqual(await video.poll(ref, channel, neverAborts), { status: 'submitted' });
    await far.bench.clock.advance(3000);
    assert.deepEqual(await video.poll(ref, channel, neverAborts), { status: 'processing' });
    await far.bench.clock.advance(60_000);
    const done = await video.poll(ref, channel, neverAborts);
    assert.ok(done.status === 'succeeded');
    assert.equal(done.cost, null);
    assert.match(done.outputs[0]!.url, /^http/);
  });

  test('tells why it made none', async () => {
    const channel = far.channel('openai-2');
    const request = videoRequest({ prompt: 'a [[fail:content_policy]]' });
    const { ref } = await video.submit(request, 'task_two', channel, neverAborts);
    await far.bench.clock.advance(60_000);
    const failed = await video.poll(ref, channel, neverAborts);
    assert.ok(failed.status === 'failed');
    assert.equal(failed.code, 'content_policy');
  });

  test('finds a task by our handle, which it calls something else', async () => {
    const channel = far.channel('openai-3');
    const { ref } = await video.submit(videoRequest(), 'task_three', channel, neverAborts);
    assert.deepEqual(await video.lookup!(videoRequest(), 'task_three', channel, neverAborts), { ref });
    // It has found one of ours by its handle, so its "no" can be believed.
    assert.equal(await video.lookup!(videoRequest(), 'task_four', channel, neverAborts), null);
  });
});

describe('a doubt about a create', () => {
  test('is settled after a restart by a task that a list shows with its handle', async () => {
    const far = await open({ api_key: 'sandbox-relay-key' });
    await video.submit(videoRequest(), 'task_listed', far.channel('before'), neverAborts);
    // Another id: nothing is remembered of it, as after a restart.
    assert.equal(await video.lookup!(videoRequest(), 'task_never', far.channel('after'), neverAborts), null);
    await far.close();
  });

  test('stays one where nothing proves that handles are kept, and the task is lost after two minutes', async () => {
    for (const [dialect, id] of [
      ['kling', 'forgetful-1'],
      ['openai', 'forgetful-2'],
    ] as const) {
      const far = await open({ api_key: 'sandbox-relay-key-forgetful', dialect });
      const channel = far.channel(id);
      // A create that was answered does not help: asked by its handle, the far side knows nothing of it.
      await video.submit(videoRequest(), 'task_known', channel, neverAborts);
      const doubt = await video.lookup!(videoRequest(), 'task_doubtful', channel, neverAborts);
      assert.ok(doubt);
      const ref = JSON.parse(JSON.stringify(doubt.ref)) as Json;
      assert.deepEqual(await video.poll(ref, channel, neverAborts), { status: 'unknown' });
      await far.bench.clock.advance(121_000);
      const lost = await video.poll(ref, channel, neverAborts);
      assert.ok(lost.status === 'failed');
      assert.equal(lost.code, 'lost');
      await far.close();
    }
  });

  test('ends well when the create shows late', async () => {
    const far = await open({ api_key: 'sandbox-relay-key' });
    const channel = far.channel('late');
    const doubt = await video.lookup!(videoRequest(), 'task_late', channel, neverAborts);
    assert.ok(doubt, 'an empty far side proves nothing');
    await video.submit(videoRequest(), 'task_late', channel, neverAborts);
    assert.deepEqual(await video.poll(doubt.ref, channel, neverAborts), { status: 'submitted' });
    await far.bench.clock.advance(121_000);
    assert.equal((await video.poll(doubt.ref, channel, neverAborts)).status, 'succeeded');
    await far.close();
  });

  test('new-api’s row tells the end of what was accepted', async () => {
    const far = await open({ api_key: 'sandbox-relay-key-forgetful' });
    const channel = far.channel('row');
    const { ref } = await video.submit(videoRequest(), 'task_row', channel, neverAborts);
    assert.deepEqual(await video.poll(ref, channel, neverAborts), { status: 'submitted' });
    await far.bench.clock.advance(60_000);
    const done = await video.poll(ref, channel, neverAborts);
    assert.ok(done.status === 'succeeded');
    assert.match(done.outputs[0]!.url, /^http/);
    await far.bench.clock.advance(31 * 86_400_000);
    assert.deepEqual(await video.poll(ref, channel, neverAborts), { status: 'unknown' });
    await far.close();
  });
});
