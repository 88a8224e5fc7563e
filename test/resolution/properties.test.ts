import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../src/core/errors.ts';
import { quote } from '../../src/core/pricing.ts';
import { PRECEDENCE, pick } from '../../src/core/request/precedence.ts';
import type { Claim, LooseVideo } from '../../src/core/request/types.ts';
import { resolveVideo } from '../../src/core/request/video.ts';
import {
  looseVideo,
  videoGenerationRequest,
  type VideoRequestBody,
} from '../../src/dialects/kit/video-request.ts';
import { tiers } from '../../src/families/kling/tiers.ts';
import {
  catalogue,
  doors,
  film,
  filmDoors,
  filmNames,
  now,
  otherPicture,
  picture,
  priceBook,
  resolve,
  type Body,
  type Door,
} from './doors.ts';

const runs = { numRuns: 1500 };
const names = filmNames;
const door = fc.constantFrom(...(Object.keys(doors) as Door[]));
const filmDoor = fc.constantFrom(...filmDoors);
const junk = fc.jsonValue({ maxDepth: 3 });
const mediaText = fc.constantFrom(picture, otherPicture, film, 'data:image/png;base64,AAAA', 'x', '');
const mostly = <Value>(good: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 8, arbitrary: good as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: junk });
const word = (...words: unknown[]) => mostly(fc.constantFrom(...words));
const seconds = word('5', 5, '10', 8, '15', 3, 0, -1, 2.5, 'x');
const flag = word('on', 'off', true, false, 'Enabled', 'Disabled');
const ratio = word('16:9', '9:16', '1:1', '4:3');
const shots = mostly(
  fc.array(
    fc.record({
      index: fc.integer({ min: 1, max: 3 }),
      prompt: fc.string(),
      duration: fc.constantFrom('2', 3, '5'),
    }),
    { maxLength: 3 },
  ),
);

/** Bodies that look like the documents', with something wrong now and then. */
const body: fc.Arbitrary<Body> = fc.record(
  {
    model: mostly(fc.constantFrom(...names, 'KLING-2.6', 'sora-2')),
    model_name: fc.constantFrom(...names),
    prompt: mostly(fc.string({ maxLength: 20 })),
    negative_prompt: mostly(fc.string({ maxLength: 20 })),
    seconds,
    duration: seconds,
    size: word('720P', '1080x1920', '1024*1024', '4K', 'x'),
    mode: word('std', 'PRO', '4k'),
    aspect_ratio: ratio,
    sound: flag,
    image: mostly(mediaText),
    input_reference: mostly(mediaText),
    images: mostly(fc.array(mediaText, { maxLength: 4 })),
    image_tail: mostly(mediaText),
    content: mostly(
      fc.array(
        fc.record({
          type: word('text', 'image_url', 'video_url'),
          text: fc.string(),
          image_url: mediaText,
          video_url: mediaText,
        }),
        { maxLength: 2 },
      ),
    ),
    cfg_scale: word(0.5, '1', 2),
    camera_control: mostly(
      fc.record({
        type: word('simple', 'down_back'),
        config: mostly(fc.record({ zoom: fc.integer({ min: -12, max: 12 }) })),
      }),
    ),
    static_mask: mostly(mediaText),
    multi_shot: flag,
    shot_type: word('customize', 'intelligence'),
    multi_prompt: shots,
    voice_list: mostly(fc.constant([{ voice_id: '1' }])),
    element_list: mostly(fc.constant([{ element_id: 829836802793406551n }])),
    image_list: mostly(
      fc.array(
        fc.record(
          { image_url: mediaText, type: word('first_frame', 'end_frame') },
          { requiredKeys: ['image_url'] },
        ),
        { maxLength: 3 },
      ),
    ),
    video_list: mostly(
      fc.array(fc.record({ video_url: mediaText, refer_type: word('base', 'feature') }), { maxLength: 2 }),
    ),
    external_task_id: word('mine', 7, ''),
    callback_url: word('https://example.com/hook', 'x'),
    max_cost: word('1.5', 2, '-1'),
    metadata: mostly(
      fc.record(
        {
          scene_type: word('motion_control', 'avatar_i2v', 'lip_sync'),
          motion_level: word('std', 'pro'),
          video_url: mostly(mediaText),
          last_frame_url: mostly(mediaText),
          last_frame_file_id: word('file_1', 'not an id'),
          resolution: word('720P', '1080p', '4K'),
          audio: flag,
          ext_info: mostly(
            fc.oneof(fc.json({ maxDepth: 2 }), fc.record({ AdditionalParameters: fc.json({ maxDepth: 2 }) })),
          ),
          file_infos: mostly(
            fc.array(
              fc.record({
                type: word('Url', 'File'),
                category: word('Image', 'Video'),
                url: mediaText,
                file_id: fc.string(),
                usage: word('FirstFrame', 'Reference'),
              }),
              { maxLength: 3 },
            ),
          ),
          output_config: mostly(
            fc.record(
              {
                duration: seconds,
                resolution: word('720P', '1080P'),
                aspect_ratio: ratio,
                audio_generation: flag,
              },
              { requiredKeys: [] },
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);

/** The same fields, but only a few of them at a time beside a model and a prompt: many of these resolve. */
const likelyBody: fc.Arbitrary<Body> = fc
  .tuple(body, fc.constantFrom(...names), fc.infiniteStream(fc.nat({ max: 9 })))
  .map(([fields, model, numbers]) => {
    const kept = Object.entries(fields).filter(
      ([name]) => !name.startsWith('model') && numbers.next().value < 1,
    );
    return { ...Object.fromEntries(kept), model, prompt: 'a lake' };
  });

/** Runs the resolver on a body as it is, schema or no schema; null when it is refused. */
function attempt(value: unknown, at: Door) {
  try {
    const resolution = resolveVideo(looseVideo(value as VideoRequestBody, doors[at]), catalogue, {
      nowMs: now,
    });
    return { ...resolution, quote: quote(resolution.request, resolution.family, priceBook) };
  } catch (error) {
    assert.ok(
      error instanceof GatewayError,
      `${String(error)}\n${error instanceof Error ? error.stack : ''}`,
    );
    assert.ok(error.publicMessage.length > 0 && error.publicMessage.length < 600, error.publicMessage);
    return null;
  }
}

/** What the public page of the name says is what was judged by. */
function checkPublished({ request, quote: { tier } }: NonNullable<ReturnType<typeof attempt>>): void {
  const detail = catalogue.detail(request.requestedModel);
  assert.ok(detail, request.requestedModel);
  const { spec, tiers: published } = detail;
  // Avatars and lip-sync have a model of their own, whatever name they were asked by.
  if (!spec.operations.includes(request.operation)) return;
  assert.ok(published.includes(tier), `${request.requestedModel} does not publish ${tier}`);
  if (request.operation !== 'text-to-video' && request.operation !== 'image-to-video') return;
  assert.ok(spec.durations.includes(request.seconds), `${request.seconds}`);
  assert.ok(spec.resolutions.includes(request.resolution), request.resolution);
  if (request.aspectRatio !== null) assert.ok(spec.aspectRatios.includes(request.aspectRatio));
  if (request.sound) assert.ok(spec.features.includes('sound'), request.model);
  if (request.multiShot !== null) assert.ok(spec.features.includes('multi_shot'), request.model);
}

describe('whatever is sent', () => {
  test('is resolved or refused by a GatewayError, never anything else', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), junk), door, (value, at) => void attempt(value, at)),
      runs,
    );
    fc.assert(
      fc.property(body, door, (value, at) => void attempt(value, at)),
      { numRuns: 4000 },
    );
  });

  test('passes the schema or is refused by it with a path, and then never breaks the resolver', () => {
    fc.assert(
      fc.property(body, door, (value, at) => {
        const parsed = videoGenerationRequest.safeParse(value);
        if (parsed.success) attempt(parsed.data, at);
        else assert.ok(parsed.error.issues.every((issue) => issue.path.length > 0));
      }),
      runs,
    );
  });

  test('a tier is always one of the closed list, and the amount is quantity times unit price', () => {
    let resolved = 0;
    fc.assert(
      fc.property(likelyBody, filmDoor, (value, at) => {
        const result = attempt(value, at);
        if (result === null) return;
        resolved++;
        checkPublished(result);
        assert.ok(tiers.includes(result.quote.tier), result.quote.tier);
        assert.ok(Number.isSafeInteger(result.quote.quantity) && result.quote.quantity > 0);
        assert.equal(
          result.quote.amountMicros,
          BigInt(result.quote.quantityMax) * result.quote.unitPriceMicros,
        );
        assert.ok(result.quote.quantityMax >= result.quote.quantity);
        assert.ok(catalogue.find(result.request.model), result.request.model);
      }),
      { numRuns: 4000 },
    );
    assert.ok(resolved > 500, `only ${resolved} bodies were resolvable`);
  });

  test('resolves alike each time, leaves its input alone, and is plain data', () => {
    fc.assert(
      fc.property(likelyBody, door, (value, at) => {
        const before = structuredClone(value);
        const first = attempt(value, at);
        const second = attempt(value, at);
        assert.deepEqual(structuredClone(value), before);
        if (first === null || second === null) return assert.equal(first, second);
        // A copy has ordinary prototypes where form decoders make objects without one.
        const [one, other] = [first, second].map((result) => structuredClone({ ...result, family: null }));
        assert.deepEqual(one, other);
      }),
      runs,
    );
  });
});

describe('precedence', () => {
  const fields = Object.keys(PRECEDENCE) as (keyof typeof PRECEDENCE)[];

  test('the strongest source wins whatever the order of the claims', () => {
    const claims = fc.constantFrom(...fields).chain((field) =>
      fc.record({
        order: fc.constant(PRECEDENCE[field] as readonly string[]),
        claims: fc.shuffledSubarray([...PRECEDENCE[field], 'elsewhere', 'nowhere'], { minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(claims, ({ order, claims: sources }) => {
        const winner = pick(
          sources.map((source): Claim => ({ source, value: source })),
          order,
        );
        const listed = order.find((source) => sources.includes(source));
        assert.equal(winner?.source, listed ?? sources.toSorted()[0]);
      }),
    );
  });

  test('shuffling every list of claims changes nothing', () => {
    const rich = {
      model: 'kling-3.0-omni',
      model_name: 'kling-3.0-omni',
      prompt: 'one',
      content: [
        { type: 'text', text: 'two' },
        { type: 'image_url', image_url: picture },
        { type: 'text', text: 'three' },
      ],
      image: picture,
      images: [otherPicture, `${picture}?2`],
      seconds: '5',
      duration: 8,
      aspect_ratio: '1:1',
      sound: 'off',
      mode: 'std',
      metadata: {
        audio: true,
        duration: 9,
        output_config: { duration: 10, resolution: '1080P', audio_generation: 'Enabled' },
      },
    };
    const loose = looseVideo(videoGenerationRequest.parse(rich), doors.videos);
    const expected = resolveVideo(loose, catalogue, { nowMs: now });
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const shuffled = Object.fromEntries(
          Object.entries(loose).map(([field, value]) => [
            field,
            Array.isArray(value)
              ? value
                  .map((entry) => ({ entry, at: numbers.next().value }))
                  .sort((one, other) => one.at - other.at)
                  .map(({ entry }) => entry)
              : value,
          ]),
        ) as unknown as LooseVideo;
        assert.deepEqual(resolveVideo(shuffled, catalogue, { nowMs: now }), expected);
      }),
      { numRuns: 200 },
    );
    assert.equal(expected.request.prompt, 'one\ntwo\nthree');
    assert.equal(expected.request.seconds, 5);
    assert.equal(expected.request.sound, true);
  });

  test('a weaker claim that says otherwise is ignored with a warning', () => {
    const { warnings, sources } = resolve({
      model: 'kling-3.0',
      prompt: 'a lake',
      seconds: '5',
      duration: 5,
      metadata: { duration: 8 },
    });
    assert.equal(sources['seconds'], 'seconds');
    assert.deepEqual(
      warnings.map(({ code, field }) => [code, field]),
      [['value_ignored', 'metadata.duration']],
    );
  });
});
