/** Chained gateways must mean the same: what a near one sends, a far Reelay resolves to the request it came from. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import type { SurfaceDefaults, VideoRequest } from '../../core/request/types.ts';
import { resolveVideo } from '../../core/request/video.ts';
import { klingSurfaces } from '../../dialects/kling/surfaces.ts';
import { looseVideo, type VideoRequestBody } from '../../dialects/kit/video-request.ts';
import { parseJson, writeJson } from '../../lib/json.ts';
import {
  catalogue,
  doors,
  film,
  filmNames,
  now,
  otherPicture,
  picture,
  resolve,
} from '../../../test/resolution/doors.ts';
import type { Body, Door } from '../../../test/resolution/doors.ts';
import { neverAborts } from '../kit/contract.ts';
import type { RelayDialect } from './credential.ts';
import { relay } from './provider.ts';

const sound = 'https://example.com/speech.mp3';
const handle = 'task_00000000000000000000000000000001';

const maybe = <Value>(...values: Value[]) =>
  fc
    .option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
    .chain((value) => fc.boolean().map((isKept) => (isKept ? value : undefined)));

const wanted: fc.Arbitrary<Body> = fc
  .record({
    model: fc.constantFrom(...filmNames),
    prompt: fc.constantFrom('a lake', 'a hill'),
    negative_prompt: maybe('rain'),
    seconds: maybe(3, 5, 10, 12),
    mode: maybe('std', 'pro', '4k'),
    aspect_ratio: maybe('16:9', '9:16', '1:1'),
    sound: maybe('on', 'off'),
    image: maybe(picture),
    images: maybe([picture], [picture, otherPicture]),
    image_tail: maybe(otherPicture),
    image_list: maybe([{ image_url: picture }], [{ image_url: picture, type: 'first_frame' }]),
    cfg_scale: maybe(0.7),
    camera_control: maybe({ type: 'forward_up' }, { type: 'simple', config: { zoom: 1 } }),
    static_mask: maybe(otherPicture),
    voice_list: maybe([{ voice_id: '7' }]),
    element_list: maybe([{ element_id: 829836802793406551n }]),
    watermark_info: maybe({ enabled: true }),
    character_orientation: maybe('image', 'video'),
    keep_original_sound: maybe('yes', 'no'),
    shots: maybe(
      { multi_shot: true, shot_type: 'intelligence' },
      { multi_shot: true, shot_type: 'customize', multi_prompt: [{ index: 1, prompt: 'a', duration: '5' }] },
    ),
    metadata: maybe(
      { last_frame_url: otherPicture },
      { video_url: film },
      { resolution: '1080P' },
      { scene_type: 'motion_control', video_url: film, motion_level: 'pro' },
      { scene_type: 'motion_control', video_url: film, resolution: '1080P' },
      { scene_type: 'avatar_i2v', audio_url: sound },
      { scene_type: 'avatar_i2v', resolution: '1080P' },
      { scene_type: 'lip_sync', video_url: film, audio_url: sound },
      { file_infos: [{ type: 'Url', category: 'Video', url: film, reference_type: 'base' }] },
    ),
  })
  .map(({ shots, ...fields }) => ({ ...fields, ...shots }));

const door = fc.constantFrom(...(Object.keys(doors) as Door[]));

/** One request for each way out: chance alone finds some of them too seldom. */
const oneOfEach: [Body, Door][] = [
  [{ model: 'kling-v1-6', prompt: 'a lake' }, 'text2video'],
  [{ model: 'kling-v1-6', prompt: 'a lake', image: picture }, 'image2video'],
  [{ model: 'kling-v3-omni', prompt: 'a lake', aspect_ratio: '1:1' }, 'omniVideo'],
  [
    {
      model: 'kling-v1-6',
      prompt: 'a lake',
      image_list: [{ image_url: picture }, { image_url: otherPicture }],
    },
    'multiImage',
  ],
  [
    {
      model: 'kling-v2-6',
      image_url: picture,
      video_url: film,
      character_orientation: 'image',
      mode: 'pro',
    },
    'motionControl',
  ],
  [{ model: 'kling-v2-6', image: picture, sound_file: sound }, 'avatar'],
];

/** Where a body arrives at a far Reelay. */
function surfaceAt(path: string): { defaults: SurfaceDefaults; read: typeof looseVideo } {
  if (path === '/v1/videos') return { defaults: doors.videos, read: looseVideo };
  const found = klingSurfaces.find(({ feature }) => path === `/kling/v1/videos/${feature}`);
  assert.ok(found, path);
  return { defaults: found.defaults, read: found.read ?? looseVideo };
}

async function send(
  request: VideoRequest,
  dialect: RelayDialect,
): Promise<{ path: string; body: VideoRequestBody }> {
  let sent: { path: string; body: VideoRequestBody } | null = null;
  const channel = {
    id: 'roundtrip',
    baseUrl: 'https://far.example',
    credential: { api_key: 'sk-0123456789', dialect },
    allowsComplianceSwitches: false,
    http: {
      async request({ url, body }: { url: string; body: string }) {
        sent = { path: new URL(url).pathname, body: parseJson(body) as VideoRequestBody };
        return { status: 200, headers: {}, text: '{"id":"x"}' };
      },
    },
    callbackUrl: () => null,
  } as unknown as Channel;
  await relay.video!.submit(request, handle, channel, neverAborts);
  return sent!;
}

/** What makes the film and its price; not where each field was named. */
function meaningOf(request: VideoRequest): unknown {
  const { requestedModel: _name, compliance: _switches, retention: _keeping, ...rest } = request;
  return JSON.parse(writeJson(rest), (key, value: unknown) =>
    key === 'source' ? undefined : value,
  ) as unknown;
}

for (const dialect of ['kling', 'openai'] as const) {
  describe(`through the ${dialect} dialect`, () => {
    test('every request arrives as it was', async () => {
      const paths = new Set<string>();
      let arrived = 0;
      await fc.assert(
        fc.asyncProperty(wanted, door, async (body, at) => {
          const near = attempt(body, at);
          if (near === null || relay.video!.missing(near) !== null) return;
          const { path, body: sent } = await send(near, dialect);
          // Only Kling's own doors charge by the output's length.
          if (path === '/v1/videos') delete near.billsOutputLength;
          const { defaults, read } = surfaceAt(path);
          const far = resolveVideo(read(sent, defaults), catalogue, { nowMs: now });
          // As long as its source: there are no seconds to ask for.
          if (/motion-control|avatar/.test(path)) far.request.seconds = near.seconds;
          assert.deepEqual(meaningOf(far.request), meaningOf(near), `${path} ${writeJson(sent)}`);
          assert.equal(far.externalTaskId, handle);
          paths.add(path);
          arrived++;
        }),
        { numRuns: 4000, examples: oneOfEach },
      );
      assert.ok(arrived > 150, `only ${arrived} requests arrived`);
      if (dialect === 'kling') assert.ok(paths.size >= oneOfEach.length, [...paths].join(' '));
    });
  });
}

function attempt(body: Body, at: Door): VideoRequest | null {
  try {
    return resolve(body, at).request;
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}
