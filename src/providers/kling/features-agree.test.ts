/**
 * Two descriptions of every feature stand apart on purpose: the family's, which refuses before money moves, and the
 * simulator's, which judges what arrives. What the one lets through the other must take.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { resolveFeature } from '../../families/kling/features/index.ts';
import { createTestClock } from '../../lib/clock.ts';
import { parseJson } from '../../lib/json.ts';
import { toWav } from '../../sandbox/render/sound.ts';
import { neverAborts } from '../kit/contract.ts';
import { feature } from './features.ts';
import { routeOf } from './routes.ts';
import { startTestSimulator } from './test-simulator.ts';
import type { TestSimulator } from './test-simulator.ts';

const picture = 'https://example.com/a.png';
const film = 'https://example.com/a.mp4';
const sound = toWav(new Float32Array(44_100 * 2)).toString('base64');

/** Absent about every second time. */
const maybe = <Value>(...values: Value[]) =>
  fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
const always = <Value>(...values: Value[]) => fc.constantFrom(...values);
const ratios = ['16:9', '1:1', '21:9', '2:3'];
const elements = maybe([{ element_id: 829836802793406551n }]);
const words = maybe('rain', 'x'.repeat(200), 'x'.repeat(201));

const bodies: Record<string, { models?: string[]; fields: Record<string, fc.Arbitrary<unknown>> }> = {
  'text-to-image': {
    models: ['kling-v1', 'kling-v1-5', 'kling-v2', 'kling-v2-new', 'kling-v2-1', 'kling-v3'],
    fields: {
      prompt: always('a cat'),
      negative_prompt: maybe('rain'),
      image: maybe(picture),
      image_reference: maybe('subject', 'face'),
      image_fidelity: maybe(0, 0.7, 1.2),
      human_fidelity: maybe(0.4),
      element_list: elements,
      resolution: maybe('1k', '2k', '4k'),
      n: maybe(1, 9, 10),
      aspect_ratio: maybe(...ratios),
    },
  },
  'multi-image-to-image': {
    models: ['kling-v2', 'kling-v2-1'],
    fields: {
      prompt: maybe('a cat'),
      subject_image_list: always([{ subject_image: picture }], Array(4).fill({ subject_image: picture })),
      scene_image: maybe(picture),
      style_image: maybe(picture),
      n: maybe(2),
      aspect_ratio: maybe(...ratios),
    },
  },
  'omni-image': {
    models: ['kling-image-o1', 'kling-v3-omni'],
    fields: {
      prompt: always('a cat'),
      image_list: maybe([{ image: picture }], Array(10).fill({ image: picture })),
      element_list: elements,
      resolution: maybe('1k', '2k', '4k'),
      n: maybe(3),
      result_type: maybe('single', 'series'),
      series_amount: maybe(1, 2, 9),
      aspect_ratio: maybe(...ratios, 'auto'),
    },
  },
  'image-expand': {
    fields: {
      image: always(picture),
      up_expansion_ratio: always(0, 0.1, 1, 2),
      down_expansion_ratio: always(0, 0.1, 1),
      left_expansion_ratio: always(0, 0.1, 0.5),
      right_expansion_ratio: always(0, 0.1, 0.5),
      prompt: maybe('a lake'),
      n: maybe(9),
    },
  },
  effects: {
    fields: {
      effect_scene: always('squish', 'hug', 'fight', 'hug_pro', 'Pet_Lion'),
      input: fc.record({
        image: maybe(picture),
        images: maybe([picture, picture]),
        duration: maybe('5', '10'),
        model_name: maybe('kling-v1', 'kling-v1-6'),
        mode: maybe('std', 'pro'),
      }),
    },
  },
  'lip-sync-classic': {
    fields: {
      input: fc.record({
        video_url: always(film),
        mode: always('text2video', 'audio2video'),
        text: maybe('hello'),
        voice_id: maybe('genshin_klee2'),
        voice_language: maybe('zh', 'en'),
        voice_speed: maybe(0.8, 1.25, 2),
        audio_type: maybe('url', 'file'),
        audio_url: maybe('https://example.com/a.mp3'),
        audio_file: maybe(sound),
      }),
    },
  },
  'text-to-audio': { fields: { prompt: words, duration: always(2.9, 3, 3.1, 4.25, 10, 11) } },
  'video-to-audio': {
    fields: {
      video_url: always(film),
      sound_effect_prompt: words,
      bgm_prompt: words,
      asmr_mode: maybe<unknown>(true, 'false'),
    },
  },
  'text-to-speech': {
    fields: {
      text: always('hello', '你好', 'x'.repeat(1000)),
      voice_id: always('genshin_klee2'),
      voice_language: maybe('zh', 'en'),
      voice_speed: maybe(0.8, 1.3, 2, 2.5),
    },
  },
  'custom-voice': { fields: { voice_name: always('mine', 'x'.repeat(20)), voice_url: always(film) } },
  'custom-element': {
    fields: {
      element_name: always('cat'),
      element_description: always('a cat', 'x'.repeat(100)),
      reference_type: always('image_refer', 'video_refer'),
      element_image_list: maybe({ frontal_image: picture, refer_images: [{ image_url: picture }] }),
      element_video_list: maybe({ refer_videos: [{ video_url: film }] }),
      element_voice_id: maybe('genshin_klee2'),
      tag_list: maybe([{ tag_id: 'o_101' }], [{ tag_id: 'o_108' }, { tag_id: 'o_102' }]),
    },
  },
};

describe('what the family accepts', () => {
  let it: TestSimulator;
  before(() => (it = startTestSimulator()));
  after(() => it.close());

  for (const [operation, { models, fields }] of Object.entries(bodies)) {
    test(`of ${operation} the upstream accepts, too`, async () => {
      let accepted = 0;
      const wanted = fc.record({
        model: fc.constantFrom(null, ...(models ?? [])),
        fields: fc.record(fields),
      });
      await fc.assert(
        fc.asyncProperty(wanted, async (asked) => {
          const request = judged(operation, asked.model, asked.fields);
          if (request === null || feature.missing(request) !== null) return;
          it.behave({ slots: 1_000_000 });
          const answer = it.ask('POST', routeOf(operation)!.path, parseJson(await bodyFor(request)));
          assert.equal(answer.code, 0, answer.message);
          // What our lane counts is what the platform's packs do.
          const { pack, slots } = it.accepted.at(-1)!;
          const weight = feature.weigh!(request);
          assert.equal(weight.units, slots);
          if (slots > 0) assert.equal(weight.pool, pack);
          accepted++;
        }),
        { numRuns: 300 },
      );
      assert.ok(accepted > 5, `only ${accepted} requests were made`);
    });
  }
});

/** As the flows would bind it; null when the family refuses. */
function judged(
  operation: string,
  model: string | null,
  fields: Record<string, unknown>,
): FeatureRequest | null {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  try {
    const { request } = resolveFeature({
      surface: `kling.${operation}`,
      operation,
      model,
      fields: given,
      externalTaskId: null,
      callbackUrl: null,
      maxCost: null,
    });
    return { ...request, resources: request.resources.map((use) => ({ ...use, upstreamId: use.id })) };
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}

let handles = 0;

async function bodyFor(request: FeatureRequest): Promise<string> {
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
        return {
          status: 200,
          headers: {},
          text: '{"code":0,"data":{"task_id":"1","task_status":"failed"}}',
        };
      },
    },
    clock: createTestClock(0),
    readMedia: () => assert.fail('no media here'),
    callbackUrl: () => null,
  };
  await feature.submit(request, `task_agree${++handles}`, channel, neverAborts);
  return body;
}
