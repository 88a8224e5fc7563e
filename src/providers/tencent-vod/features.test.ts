import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { features as familyFeatures } from '../../families/kling/features/index.ts';
import type { Channel } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { chooseChannel } from '../../core/routing.ts';
import type { Candidate } from '../../core/routing.ts';
import { neverAborts, openBenchChannel } from '../kit/contract.ts';
import { testFeatures } from '../kit/contract/features.ts';
import type { FeatureBench } from '../kit/contract/features.ts';
import { featureRequest } from '../kit/feature-sample.ts';
import { storedMedia, urlMedia } from '../kit/request-sample.ts';
import { createUpstreamPools } from '../kit/upstream-http.ts';
import { toWav } from '../../sandbox/render/sound.ts';
import { errorAnswer, fakeUpstream, fixture } from './fake-upstream.ts';
import { feature, resources } from './features.ts';
import { missingForFeature } from './missing-feature.ts';
import { inlineBytesMax } from './missing.ts';
import { tencentVod } from './provider.ts';
import { openVodBench } from './test-bench.ts';
import type { WireObject } from './wire.ts';

const pictureUrl = 'https://media.example/a.png';
const otherPictureUrl = 'https://media.example/b.png';
const filmUrl = 'https://media.example/film.mp4';
const sound = toWav(new Float32Array(44_100 * 3)).toString('base64');
const ratios = {
  up_expansion_ratio: 0.1,
  down_expansion_ratio: 0.1,
  left_expansion_ratio: 0.5,
  right_expansion_ratio: 0,
};
const face = { face_id: '0', sound_start_time: 0, sound_end_time: 3000, sound_insert_time: 500 };
const elementFields = {
  element_name: 'cat',
  element_description: 'a grey cat',
  reference_type: 'image_refer',
  element_image_list: { frontal_image: pictureUrl, refer_images: [{ image_url: otherPictureUrl }] },
  tag_list: [{ tag_id: 'o_102' }],
};

interface Sample {
  fields: Record<string, unknown>;
  model?: string;
  roles: string[];
  resources?: string[];
}

const samples: Record<string, Sample> = {
  'text-to-image': {
    model: 'kling-v3',
    fields: { prompt: 'a cat', image: pictureUrl, n: 2, resolution: '2k' },
    roles: ['image', 'image'],
  },
  'multi-image-to-image': {
    model: 'kling-v2-1',
    fields: { prompt: 'two cats', subject_image_list: [pictureUrl, otherPictureUrl] },
    roles: ['image'],
  },
  'omni-image': {
    model: 'kling-v3-omni',
    fields: {
      prompt: 'a cat',
      image_list: [pictureUrl],
      element_list: [829836802793406551n],
      resolution: '4k',
    },
    roles: ['image'],
  },
  'image-expand': { fields: { image: pictureUrl, ...ratios, n: 3 }, roles: ['image', 'image', 'image'] },
  'identify-face': { fields: { video_url: filmUrl }, roles: ['image'], resources: ['session'] },
  // At the simulator its session is found first.
  'lip-sync-advanced': {
    fields: { session_id: '7', face_choose: [{ ...face, sound_file: sound }] },
    roles: ['video'],
  },
  'custom-voice': {
    fields: { voice_name: 'mine', voice_url: 'https://media.example/voice.mp3' },
    roles: ['audio'],
    resources: ['voice'],
  },
  'custom-element': { fields: elementFields, roles: ['image', 'image'], resources: ['element'] },
};

async function openBench(): Promise<FeatureBench> {
  const bench = await openVodBench(100, { draws: true });
  const pools = createUpstreamPools();
  return {
    ...bench,
    async openCase(operation) {
      const { fields, model = null, roles, resources: made = [] } = samples[operation]!;
      const session: Record<string, unknown> = {};
      if (operation === 'lip-sync-advanced') {
        const look = featureRequest('identify-face', null, { video_url: filmUrl });
        const channel = openBenchChannel(bench, pools);
        const { observation } = await feature.submit(look, 'task_look', channel, neverAborts);
        assert.ok(observation?.status === 'succeeded');
        session['session_id'] = observation.resources![0]!.upstreamId;
      }
      const request = featureRequest(operation, model, { ...fields, ...session });
      return { request, roles, resources: made };
    },
    async close() {
      await pools.close();
      await bench.close();
    },
  };
}

testFeatures('tencent-vod', openBench, Object.keys(samples));

/** What a request becomes. */
async function sent(
  request: FeatureRequest,
  changes: Partial<Channel> = {},
): Promise<{ action: string; body: WireObject }> {
  const { channel, asked } = fakeUpstream(() => ({ body: fixture('created') }), changes);
  await feature.submit(request, 'task_0Vx1', channel, neverAborts);
  return asked[0]!;
}

const kept = (operation: string) => {
  const { fields, model = null } = samples[operation]!;
  return featureRequest(operation, model, fields);
};
const additional = (body: WireObject): unknown =>
  JSON.parse(
    (JSON.parse(body['ExtInfo'] as string) as { AdditionalParameters: string }).AdditionalParameters,
  );

describe('features as actions', () => {
  test('pictures from text', async () => {
    assert.deepEqual(await sent(kept('text-to-image')), {
      action: 'CreateAigcImageTask',
      body: {
        SubAppId: 1500000001,
        ModelName: 'Kling',
        ModelVersion: '3.0',
        EnhancePrompt: 'Disabled',
        SessionId: 'task_0Vx1',
        OutputConfig: {
          StorageMode: 'Temporary',
          OutputImageCount: 2,
          Resolution: '2k',
          AspectRatio: '16:9',
        },
        Prompt: 'a cat',
        FileInfos: [{ Type: 'Url', Url: pictureUrl }],
        InputRegion: 'Mainland',
      },
    });
  });

  test('the account’s site decides from where pictures are fetched', async () => {
    const credential = { secret_id: 'a', secret_key: 'b', sub_app_id: 1, site: 'intl' };
    const { body } = await sent(kept('text-to-image'), { credential });
    assert.equal(body['InputRegion'], 'Oversea');
  });

  test('pictures keep their order, those of ours go as data without a prefix', async () => {
    const request = kept('multi-image-to-image');
    request.media[1]!.media = storedMedia(9);
    const { body } = await sent(request);
    assert.equal(body['ModelVersion'], '2.1');
    assert.deepEqual(body['FileInfos'], [
      { Type: 'Url', Url: pictureUrl },
      { Type: 'Base64', Base64: Buffer.from('a picture').toString('base64') },
    ]);
  });

  test('elements of pictures are bare integers in Kling’s own words', async () => {
    const { body } = await sent(kept('omni-image'));
    assert.equal(body['ModelVersion'], '3.0-Omni');
    const ext = JSON.parse(body['ExtInfo'] as string) as { AdditionalParameters: string };
    assert.equal(ext.AdditionalParameters, '{"element_list":[{"element_id":829836802793406551}]}');
  });

  test('expansion is a scene of its own', async () => {
    const { body } = await sent(kept('image-expand'));
    assert.deepEqual([body['ModelVersion'], body['SceneType']], ['scene', 'image_expand']);
    assert.deepEqual(additional(body), ratios);
    assert.deepEqual(body['OutputConfig'], { StorageMode: 'Temporary', OutputImageCount: 3 });
  });

  test('lip-sync sends session and face in Kling’s words, and no files', async () => {
    const fields = { session_id: '7', face_choose: [{ ...face, sound_file: 'https://media.example/a.mp3' }] };
    const { action, body } = await sent(featureRequest('lip-sync-advanced', null, fields));
    assert.deepEqual(
      [action, body['SceneType'], body['ModelVersion'], body['FileInfos']],
      ['CreateAigcVideoTask', 'lip_sync', '2.6', undefined],
    );
    const volumes = { sound_volume: 1, original_audio_volume: 1 };
    assert.deepEqual(additional(body), {
      session_id: '7',
      face_choose: [{ ...fields.face_choose[0], ...volumes }],
    });
  });

  test('a voice', async () => {
    const { action, body } = await sent(kept('custom-voice'));
    assert.equal(action, 'CreateAigcCustomVoice');
    const { SubAppId: _, ...parameters } = body;
    assert.deepEqual(parameters, {
      VoiceName: 'mine',
      VoiceUrl: 'https://media.example/voice.mp3',
      SessionId: 'task_0Vx1',
    });
  });

  test('an element: its lists are texts', async () => {
    const { action, body } = await sent(kept('custom-element'));
    assert.equal(action, 'CreateAigcAdvancedCustomElement');
    assert.equal(body['ReferenceType'], 'image_refer');
    assert.deepEqual(JSON.parse(body['ElementImageList'] as string), elementFields.element_image_list);
    assert.deepEqual(JSON.parse(body['TagList'] as string), [{ tag_id: 'o_102' }]);
    assert.ok(!('ElementVideoList' in body) && !('ElementVoiceId' in body));
  });

  test('an element from a film may have a voice', async () => {
    const { body } = await sent(
      featureRequest('custom-element', null, {
        element_name: 'cat',
        element_description: 'a grey cat',
        reference_type: 'video_refer',
        element_video_list: { refer_videos: [{ video_url: filmUrl }] },
        element_voice_id: '829824295735410756',
      }),
    );
    assert.deepEqual(JSON.parse(body['ElementVideoList'] as string), {
      refer_videos: [{ video_url: filmUrl }],
    });
    assert.equal(body['ElementVoiceId'], '829824295735410756');
  });
});

describe('answers', () => {
  const observed = async (name: string) => {
    const { channel } = fakeUpstream(() => ({ body: fixture(name) }));
    return feature.poll({ task_id: 'x' }, channel, neverAborts);
  };

  test('pictures come in their order, and are what was billed', async () => {
    const image = { role: 'image', upstreamId: null, durationSeconds: null };
    assert.deepEqual(await observed('detail-image'), {
      status: 'succeeded',
      outputs: [
        { ...image, url: 'http://media.example/1.png' },
        { ...image, index: 1, url: 'http://media.example/2.png' },
      ],
      cost: { amount: '2', unit: 'image' },
    });
  });

  test('an element is told in Kling’s words, without links', async () => {
    const done = await observed('detail-element');
    assert.ok(done.status === 'succeeded');
    const told = {
      element_name: 'cat',
      element_description: 'a grey cat',
      reference_type: 'image_refer',
      status: 'succeed',
      element_image_list: { frontal_image: null, refer_images: [{ image_url: null }] },
    };
    assert.deepEqual(done.data, { elements: [{ element_id: '829836802793406560', ...told }] });
    assert.deepEqual(
      done.outputs.map(({ path, url }) => [path, url]),
      [
        ['elements.0.element_image_list.frontal_image', 'https://media.example/frontal.png'],
        ['elements.0.element_image_list.refer_images.0.image_url', 'https://media.example/side.png'],
      ],
    );
  });

  test('a voice whose description is no JSON is still a voice', async () => {
    const done = await observed('detail-voice');
    assert.ok(done.status === 'succeeded');
    assert.deepEqual(done.data, { voices: [{ voice_id: '829824295735410757', voice_name: 'mine' }] });
    assert.deepEqual(done.outputs, []);
  });

  test('a film without a face is an answer, too', async () => {
    const body = { Response: { FaceInfoSet: [{ SessionId: '8', FaceInfoList: [] }] } };
    const { channel } = fakeUpstream(() => ({ body }));
    const look = featureRequest('identify-face', null, { video_url: filmUrl });
    const { observation } = await feature.submit(look, 'task_1', channel, neverAborts);
    assert.ok(observation?.status === 'succeeded');
    assert.deepEqual(observation.data, { session_id: '8', face_data: [] });
  });

  test('a look without a session is a doubt', async () => {
    const { channel } = fakeUpstream(() => ({ body: { Response: { FaceInfoSet: [] } } }));
    const look = featureRequest('identify-face', null, { video_url: filmUrl });
    await assert.rejects(feature.submit(look, 'task_1', channel, neverAborts), { kind: 'ambiguous' });
  });
});

describe('the end of a resource', () => {
  test('elements are deleted, and one that is gone counts as removed', async () => {
    const { channel, asked } = fakeUpstream(() => errorAnswer('ResourceNotFound'));
    await resources.remove('element', '829836802793406560', channel, neverAborts);
    assert.deepEqual(asked[0], {
      action: 'DeleteAigcAdvancedCustomElement',
      body: { SubAppId: 1500000001, ElementId: '829836802793406560' },
    });
  });

  test('a refusal is told', async () => {
    const { channel } = fakeUpstream(() => errorAnswer('UnauthorizedOperation'));
    await assert.rejects(resources.remove('element', '1', channel, neverAborts), { kind: 'channel' });
  });

  test('voices and sessions have no action', async () => {
    const { channel, asked } = fakeUpstream(() => errorAnswer('InvalidAction'));
    for (const kind of ['voice', 'session', 'video'] as const) {
      await resources.remove(kind, '1', channel, neverAborts);
    }
    assert.equal(asked.length, 0);
  });

  test('there are no presets', () => {
    assert.equal(resources.presets, undefined);
  });
});

describe('what VOD cannot make of a feature', () => {
  const like = (operation: string, changes: Partial<FeatureRequest> = {}): FeatureRequest => ({
    ...kept('custom-voice'),
    operation,
    media: [],
    parameters: {},
    ...changes,
  });

  test('every feature that is sold is made, or missing with a reason of its own', () => {
    for (const { operation } of familyFeatures) {
      const missing = missingForFeature(like(operation, samples[operation] ? kept(operation) : {}));
      if (operation in samples) assert.equal(missing, null, operation);
      else assert.match(missing ?? '', /^(this|the) (upstream|try-on).+[^.]$/, operation);
    }
  });

  const cases: [string, FeatureRequest, RegExp][] = [
    [
      'another picture model',
      { ...kept('text-to-image'), model: 'kling-v1-5' },
      /kling-v2-1 and kling-v3 do$/,
    ],
    [
      'a model of films only',
      { ...kept('omni-image'), model: 'kling-v2-1' },
      /kling-v3-omni and kling-image-o1 do$/,
    ],
    [
      'a scene beside the subjects',
      like('multi-image-to-image', { model: 'kling-v2-1', parameters: { scene_image: null } }),
      /no scene_image/,
    ],
    [
      'a series',
      like('omni-image', { model: 'kling-v3-omni', parameters: { result_type: 'series' } }),
      /no series/,
    ],
    [
      'how like the picture',
      like('text-to-image', { model: 'kling-v3', parameters: { image_fidelity: 0.9 } }),
      /no image_fidelity/,
    ],
    ['a watermarked copy', { ...kept('image-expand'), watermark: true }, /no watermarked copy/],
    ['a film by id', featureRequest('identify-face', null, { video_id: '1' }), /gives its films no ids/],
    [
      'a sound by id',
      featureRequest('lip-sync-advanced', null, {
        session_id: '1',
        face_choose: [{ ...face, audio_id: '2' }],
      }),
      /send a sound_file/,
    ],
    [
      'a picture of an element as data',
      {
        ...kept('custom-element'),
        media: [{ path: 'element_image_list.frontal_image', role: 'picture', media: storedMedia(9) }],
      },
      /frontal_image by URL only/,
    ],
    [
      'too much data',
      {
        ...kept('image-expand'),
        media: [{ path: 'image', role: 'picture', media: storedMedia(inlineBytesMax + 1) }],
      },
      /7 MB/,
    ],
    ['something new', like('time-travel'), /^time-travel is not offered/],
  ];
  for (const [name, request, sentence] of cases) {
    test(name, async () => {
      assert.match(missingForFeature(request) ?? '', sentence);
      const { channel, asked } = fakeUpstream(() => ({ body: fixture('created') }));
      await assert.rejects(feature.submit(request, 'task_1', channel, neverAborts), { kind: 'rejected' });
      assert.equal(asked.length, 0);
    });
  }

  test('pictures by URL weigh nothing', () => {
    const media = Array.from({ length: 4 }, (_, index) => ({
      path: `subject_image_list.${index}.subject_image`,
      role: 'picture' as const,
      media: urlMedia(pictureUrl),
    }));
    assert.equal(missingForFeature({ ...kept('multi-image-to-image'), media }), null);
  });
});

describe('beside a simulator that can do the same', () => {
  const other = {
    id: 'other',
    enabled: true,
    isHealthy: true,
    sandbox: true,
    priority: 0,
    weight: 1,
    missing: () => null,
  };
  const own: Candidate = {
    ...other,
    id: 'tencent-vod',
    priority: tencentVod.sandboxPriority ?? 0,
    weight: tencentVod.sandboxWeight ?? 1,
    missing: (request) => missingForFeature(request as FeatureRequest),
  };

  test('the other one makes it, and this one what the other refused', () => {
    for (const operation of Object.keys(samples)) {
      for (const random of [0, 0.5, 0.999]) {
        const route = (...refused: string[]) =>
          chooseChannel([own, other], kept(operation), {
            sandboxAlways: false,
            exclude: new Set(refused),
            random,
          });
        assert.deepEqual(route(), { channelId: 'other' }, operation);
        assert.deepEqual(route('other'), { channelId: 'tencent-vod' }, operation);
      }
    }
  });
});
