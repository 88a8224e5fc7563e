/** Every feature the family describes, judged by the family and made by the simulator. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { features } from '../../families/kling/features/index.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import type { Channel } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';
import { neverAborts, openBenchChannel } from '../kit/contract.ts';
import { testFeatures } from '../kit/contract/features.ts';
import type { FeatureBench } from '../kit/contract/features.ts';
import { featureRequest } from '../kit/feature-sample.ts';
import { createUpstreamPools } from '../kit/upstream-http.ts';
import { toWav } from '../../sandbox/render/sound.ts';
import { pngOf } from '../kit/picture-sample.ts';
import { kling } from './provider.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { FEATURE_ROUTES } from './routes.ts';
import { openKlingBench } from './test-bench.ts';

const picture = pngOf(640, 480).toString('base64');
const filmUrl = 'https://example.com/film.mp4';
const sound = toWav(new Float32Array(44_100 * 3)).toString('base64');

/** What earlier requests left behind, by the upstream's ids. */
interface Made {
  film(): Promise<string>;
  faces(): Promise<string>;
  selection(): Promise<string>;
  speech(): Promise<string>;
}

interface Sample {
  fields(made: Made): Promise<Record<string, unknown>> | Record<string, unknown>;
  model?: string;
  roles: string[];
  resources?: string[];
}

const points = { frame_index: 3, points: [{ x: 0.5, y: 0.5 }] };
const chosenFace = {
  face_id: '0',
  sound_start_time: 0,
  sound_end_time: 3000,
  sound_insert_time: 500,
};

const samples: Record<string, Sample> = {
  'video-extend': { fields: async (made) => ({ video_id: await made.film() }), roles: ['video'] },
  'lip-sync-classic': {
    fields: async (made) => ({
      input: { video_id: await made.film(), mode: 'text2video', text: 'hello', voice_id: 'genshin_klee2' },
    }),
    roles: ['video'],
  },
  'identify-face': { fields: () => ({ video_url: filmUrl }), roles: ['image'], resources: ['session'] },
  'lip-sync-advanced': {
    fields: async (made) => ({
      session_id: await made.faces(),
      face_choose: [{ ...chosenFace, sound_file: sound }],
    }),
    roles: ['video'],
  },
  effects: {
    fields: () => ({
      effect_scene: 'hug',
      input: { images: [picture, picture], model_name: 'kling-v1-6', mode: 'pro', duration: '10' },
    }),
    roles: ['video'],
  },
  'multi-elements-init': {
    fields: async (made) => ({ video_id: await made.film() }),
    roles: [],
    resources: ['session'],
  },
  'multi-elements-add-selection': {
    fields: async (made) => ({ session_id: await made.selection(), ...points }),
    roles: [],
  },
  'multi-elements-delete-selection': {
    fields: async (made) => ({ session_id: await made.selection(), ...points }),
    roles: [],
  },
  'multi-elements-clear-selection': {
    fields: async (made) => ({ session_id: await made.selection() }),
    roles: [],
  },
  'multi-elements-preview-selection': {
    fields: async (made) => ({ session_id: await made.selection() }),
    roles: ['video', 'image'],
  },
  'multi-elements': {
    fields: async (made) => ({
      session_id: await made.selection(),
      edit_mode: 'swap',
      image_list: [{ image: picture }],
      prompt: 'swap the cat for <<<image_1>>>',
      watermark_info: { enabled: true },
    }),
    roles: ['video', 'watermarked'],
  },
  'image-recognize': { fields: () => ({ image: picture }), roles: ['image', 'image', 'image', 'image'] },
  'text-to-audio': { fields: () => ({ prompt: 'rain', duration: 3.5 }), roles: ['audio', 'audio_wav'] },
  'video-to-audio': {
    fields: async (made) => ({ video_id: await made.film(), bgm_prompt: 'piano', asmr_mode: true }),
    roles: ['video', 'audio', 'audio_wav'],
  },
  'text-to-speech': {
    fields: () => ({ text: 'hello there', voice_id: 'genshin_klee2', voice_language: 'en' }),
    roles: ['audio'],
  },
  'text-to-image': {
    model: 'kling-v1-5',
    fields: () => ({
      prompt: 'a cat',
      image: picture,
      image_reference: 'subject',
      n: 2,
      watermark_info: { enabled: true },
    }),
    roles: ['image', 'watermarked', 'image', 'watermarked'],
  },
  'multi-image-to-image': {
    fields: () => ({
      prompt: 'a cat',
      subject_image_list: [{ subject_image: picture }],
      scene_image: picture,
    }),
    roles: ['image'],
  },
  'omni-image': {
    model: 'kling-v3-omni',
    fields: () => ({
      prompt: 'a cat',
      image_list: [{ image: picture }],
      element_list: [{ element_id: 829836802793406551n }],
      result_type: 'series',
      series_amount: 3,
    }),
    roles: ['image', 'image', 'image'],
  },
  'image-expand': {
    fields: () => ({
      image: picture,
      up_expansion_ratio: 0.1,
      down_expansion_ratio: 0.1,
      left_expansion_ratio: 0.5,
      right_expansion_ratio: 0,
    }),
    roles: ['image'],
  },
  'virtual-try-on': { fields: () => ({ human_image: picture, cloth_image: picture }), roles: ['image'] },
  'ai-multi-shot': {
    fields: () => ({ element_frontal_image: picture }),
    roles: ['image', 'image', 'image'],
  },
  'custom-voice': {
    fields: () => ({ voice_name: 'mine', voice_url: 'https://example.com/voice.mp3' }),
    roles: ['audio'],
    resources: ['voice'],
  },
  'custom-element': {
    fields: () => ({
      element_name: 'cat',
      element_description: 'a grey cat',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: picture, refer_images: [{ image_url: picture }] },
      tag_list: [{ tag_id: 'o_102' }],
    }),
    roles: ['image', 'image'],
    resources: ['element'],
  },
};

async function openBench(): Promise<FeatureBench> {
  const bench = await openKlingBench({ draws: true });
  const pools = createUpstreamPools();
  let handles = 0;
  const channel = () => openBenchChannel(bench, pools);
  const answer = async (operation: string, fields: Record<string, unknown>) => {
    const { ref, observation } = await kling.feature!.submit(
      featureRequest(operation, null, fields),
      `task_made${++handles}`,
      channel(),
      neverAborts,
    );
    return { ref, observation };
  };
  const sessionOf = async (operation: string, fields: Record<string, unknown>) => {
    const { observation } = await answer(operation, fields);
    assert.ok(observation?.status === 'succeeded');
    return observation.resources![0]!.upstreamId;
  };
  const made: Made = {
    async film() {
      const handle = `task_film${++handles}`;
      const { ref } = await kling.video!.submit(videoRequest(), handle, channel(), neverAborts);
      await bench.clock.advance(60_000);
      const done = await kling.video!.poll(ref, channel(), neverAborts);
      assert.ok(done.status === 'succeeded');
      return done.outputs[0]!.upstreamId!;
    },
    faces: () => sessionOf('identify-face', { video_url: filmUrl }),
    async selection() {
      const id = await sessionOf('multi-elements-init', { video_url: filmUrl });
      await answer('multi-elements-add-selection', { session_id: id, ...points });
      return id;
    },
    async speech() {
      const fields = { text: 'hello', voice_id: 'genshin_klee2', voice_language: 'en' };
      const { observation } = await answer('text-to-speech', fields);
      assert.ok(observation?.status === 'succeeded');
      return observation.outputs[0]!.upstreamId!;
    },
  };
  return {
    ...bench,
    async openCase(operation) {
      const sample = samples[operation]!;
      const request = featureRequest(operation, sample.model ?? null, await sample.fields(made));
      return { request, roles: sample.roles, resources: sample.resources ?? [] };
    },
    async close() {
      await pools.close();
      await bench.close();
    },
  };
}

testFeatures('kling', openBench, Object.keys(samples));

describe('features at the official platform', () => {
  test('all that the family sells is tried here, and has a route', () => {
    assert.deepEqual(Object.keys(samples).sort(), features.map(({ operation }) => operation).sort());
    assert.deepEqual(Object.keys(FEATURE_ROUTES).sort(), Object.keys(samples).sort());
  });

  test('every model of a feature is served', () => {
    for (const { models } of features) {
      for (const model of models) assert.ok(kling.serves.includes(model), model);
    }
  });

  /** The body that a request becomes. */
  const bodyFor = async (request: FeatureRequest): Promise<string> => {
    let body = '';
    const channel: Channel = {
      id: 'channel_1',
      provider: 'kling',
      baseUrl: 'https://upstream.example',
      credential: { api_key: 'api-key-kling-1' },
      allowsComplianceSwitches: false,
      http: {
        async request(sent) {
          body = sent.body ?? '';
          return { status: 200, headers: {}, text: '{"code":0,"data":{"task_id":"1"}}' };
        },
      },
      clock: createTestClock(0),
      readMedia: () => assert.fail('no media here'),
      callbackUrl: () => null,
    };
    await kling.feature!.submit(request, 'task_1', channel, neverAborts);
    return body;
  };

  test('element ids are bare integers, voice ids strings', async () => {
    const element = await bodyFor(
      featureRequest('omni-image', 'kling-v3-omni', { prompt: 'x', element_list: [829836802793406551n] }),
    );
    assert.match(element, /"element_id":829836802793406551\b/);
  });

  test('a sound by URL is passed on, one of ours goes inline', async () => {
    const base = {
      session_id: '7',
      face_choose: [{ ...chosenFace, sound_file: 'https://example.com/a.mp3' }],
    };
    const byUrl = await bodyFor(featureRequest('lip-sync-advanced', null, base));
    assert.match(byUrl, /"sound_file":"https:\/\/example.com\/a.mp3"/);
    assert.match(byUrl, /"session_id":"7"/);
    const inline = {
      ...base,
      face_choose: [{ ...chosenFace, sound_file: `data:audio/wav;base64,${sound}` }],
    };
    const byBytes = await bodyFor(featureRequest('lip-sync-advanced', null, inline));
    assert.ok(byBytes.includes(`"sound_file":"${sound}"`));
  });

  test('a step carries no name of ours, a task does', async () => {
    const step = await bodyFor(featureRequest('identify-face', null, { video_url: filmUrl }));
    assert.deepEqual(JSON.parse(step), { video_url: filmUrl });
    const task = await bodyFor(featureRequest('text-to-audio', null, { prompt: 'rain', duration: 4 }));
    assert.deepEqual(JSON.parse(task), {
      prompt: 'rain',
      duration: 4,
      external_task_id: 'task_1',
    });
  });
});
