/**
 * Two tables of what Kling can do stand apart on purpose: the family's, which refuses before money moves, and the
 * simulator's, which judges what arrives. Here they meet: what the one lets through the other must take.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../src/core/errors.ts';
import type { Channel } from '../../src/core/ports.ts';
import { bodyOf, missingFor, routeFor } from '../../src/providers/kling/body.ts';
import { check, type Plan } from '../../src/providers/kling/simulator-check.ts';
import { milliUnitsOf } from '../../src/providers/kling/simulator-matrix.ts';
import { film, filmDoors, filmNames, otherPicture, picture, resolve, type Body, type Door } from './doors.ts';

const names = filmNames;
const channel = { callbackUrl: () => null } as unknown as Channel;

/** Present about every third time, so that most bodies have few fields and many resolve. */
const maybe = <Value>(...values: Value[]) =>
  fc
    .option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
    .chain((value) => fc.boolean().map((isKept) => (isKept ? value : undefined)));

const wanted: fc.Arbitrary<Body> = fc
  .record({
    model: fc.constantFrom(...names),
    prompt: maybe('a lake', 'a hill'),
    negative_prompt: maybe('rain'),
    seconds: maybe(3, 5, 10, 12),
    mode: maybe('std', 'pro', '4k'),
    aspect_ratio: maybe('16:9', '1:1'),
    sound: maybe('on', 'off'),
    image: maybe(picture),
    images: maybe([picture], [picture, otherPicture]),
    image_tail: maybe(otherPicture),
    image_list: maybe(
      [{ image_url: picture }],
      [
        { image_url: picture, type: 'first_frame' },
        { image_url: otherPicture, type: 'end_frame' },
      ],
    ),
    video_list: maybe([{ video_url: film }], [{ video_url: film, refer_type: 'feature' }]),
    cfg_scale: maybe(0.5),
    camera_control: maybe({ type: 'forward_up' }, { type: 'simple', config: { zoom: 1 } }),
    static_mask: maybe(otherPicture),
    voice_list: maybe([{ voice_id: '7' }]),
    element_list: maybe([{ element_id: 829836802793406551n }]),
    shots: maybe(
      { multi_shot: true, shot_type: 'intelligence' },
      {
        multi_shot: 'true',
        shot_type: 'customize',
        multi_prompt: [{ index: 1, prompt: 'a', duration: '5' }],
      },
    ),
    metadata: maybe(
      { last_frame_url: otherPicture },
      { video_url: film },
      { file_infos: [{ type: 'Url', category: 'Image', url: picture, usage: 'FirstFrame' }] },
    ),
  })
  .map(({ shots, ...fields }) => ({ ...fields, ...shots }));

const door = fc.constantFrom(...filmDoors);

describe('what the gateway accepts', () => {
  test('the upstream accepts too, at no more than the price of the tier', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(wanted, door, async (body, at) => {
        const resolution = attempt(body, at);
        if (resolution === null || missingFor(resolution.request) !== null) return;
        const { request, quote, warnings } = resolution;
        const route = routeFor(request);
        // What only the new standard has is checked by that standard's own table.
        if (route.standard === 'new') return;
        const wire = await bodyOf(request, 'task_1', channel);
        const plan: Plan = check(route.path, wire, () => 'kept');
        accepted++;
        assert.equal(plan.model, request.model);
        assert.equal(plan.sound, request.sound);
        // What is made at pro for want of a std is charged as asked, by decision (specification §8 row 22).
        if (warnings.some((warning) => warning.code === 'quality_raised')) return;
        const costMicros = BigInt(milliUnitsOf(plan)) * 140n;
        assert.ok(costMicros <= quote.amountMicros, `${quote.tier} sells for less than it costs`);
      }),
      { numRuns: 6000 },
    );
    assert.ok(accepted > 250, `only ${accepted} requests were made`);
  });
});

function attempt(body: Body, at: Door): ReturnType<typeof resolve> | null {
  try {
    return resolve(body, at);
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}
