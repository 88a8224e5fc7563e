import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, film, isInvalid, isMissing, otherPicture, picture, resolve, table } from './test-table.ts';

table('video-extend', { video_id: 'task_1', prompt: 'on it goes', cfg_scale: 0.7 }, [
  [{ video_id: undefined }, isMissing, 'video_id'],
  [{ video_id: {} }, isInvalid, 'video_id'],
  [{ prompt: 'x'.repeat(2501) }, isInvalid, 'prompt'],
  [{ negative_prompt: false }, isInvalid, 'negative_prompt'],
  [{ cfg_scale: 2 }, isInvalid, 'cfg_scale'],
]);

test('an extension is five seconds of a film the account made', () => {
  const { request, quantity, warnings } = resolve(
    'video-extend',
    { video_id: 913827032734642185n },
    'kling-v1',
  );
  assert.deepEqual([quantity, request.seconds], [5, 5]);
  assert.deepEqual(request.resources, [
    { path: 'video_id', kind: 'video', id: '913827032734642185', upstreamId: null },
  ]);
  assert.equal(request.parameters['video_id'], null);
  assert.deepEqual([request.model, warnings[0]?.code], ['kling-features', 'model_ignored']);
});

const single = (input: Record<string, unknown>, effect_scene = 'squish') => ({ effect_scene, input });
table('effects', single({ image: picture, duration: '5' }), [
  [{ effect_scene: undefined }, isMissing, 'effect_scene'],
  [{ input: undefined }, isMissing, 'input'],
  [single({ duration: '5' }), isMissing, 'input.image'],
  [single({ image: picture, duration: '10' }), isInvalid, 'input.duration'],
  [single({ image: picture, images: [picture, picture] }), isInvalid, 'input.images'],
  [single({ image: picture, mode: '4k' }), isInvalid, 'input.mode'],
  [single({ image: picture }, 'hug'), isMissing, 'input.images'],
  [single({ images: [picture] }, 'hug'), isInvalid, 'input.images'],
  [single({ images: [picture, 'no'] }, 'hug'), isInvalid, 'input.images[1]'],
  [single({ images: [picture, otherPicture] }, 'kiss'), isMissing, 'input.model_name'],
  [single({ images: [picture, picture], model_name: 'kling-v2' }, 'kiss'), isInvalid, 'input.model_name'],
  [single({ images: [picture, picture], model_name: 'kling-v1' }, 'fight'), isInvalid, 'input.model_name'],
  [single({ images: [picture, picture], duration: '10' }, 'hug_pro'), isInvalid, 'input.duration'],
]);

test('effects are billed by the template: one picture, two people, or two people of a model', () => {
  const duo = { images: [picture, base64], model_name: 'KLING-V1-5', duration: 10 };
  const hug = resolve('effects', single(duo, 'Hug'));
  assert.deepEqual([hug.tier, hug.quantity], ['kling-effects-duo-v1-5-std', 10]);
  assert.equal(hug.request.parameters['effect_scene'], 'hug');
  assert.deepEqual(
    hug.request.media.map(({ path }) => path),
    ['input.images.0', 'input.images.1'],
  );
  const unheard = resolve('effects', single({ image: picture }, 'scene_of_next_month'));
  assert.deepEqual([unheard.tier, unheard.quantity], ['kling-effects-single', 1]);
  assert.equal(
    resolve('effects', single({ images: [picture, picture] }, 'kiss_pro')).tier,
    'kling-effects-duo',
  );
  assert.equal(resolve('effects', single({ image: picture }, 'constructor')).tier, 'kling-effects-single');
});

const session = { session_id: '7' };
table(
  'multi-elements',
  { ...session, edit_mode: 'Swap', image_list: [{ image: picture }], prompt: 'swap it', mode: 'pro' },
  [
    [{ session_id: '' }, isMissing, 'session_id'],
    [{ edit_mode: undefined }, isMissing, 'edit_mode'],
    [{ edit_mode: 'paint' }, isInvalid, 'edit_mode'],
    [{ image_list: undefined }, isMissing, 'image_list'],
    [{ image_list: [picture, otherPicture] }, isInvalid, 'image_list'],
    [{ edit_mode: 'removal' }, isInvalid, 'image_list'],
    [{ edit_mode: 'addition', image_list: [picture, picture, picture] }, isInvalid, 'image_list'],
    [
      { edit_mode: 'addition', image_list: [{ image: picture }, { image: 'no' }] },
      isInvalid,
      'image_list[1].image',
    ],
    [{ prompt: '' }, isMissing, 'prompt'],
    [{ mode: '4k' }, isInvalid, 'mode'],
    [{ duration: 7 }, isInvalid, 'duration'],
    [{}, isInvalid, 'model_name', 'kling-v3'],
  ],
);

test('an edit is billed by its mode and seconds', () => {
  const { tier, quantity, request } = resolve('multi-elements', {
    ...session,
    edit_mode: 'removal',
    prompt: 'away with it',
    duration: 10,
  });
  assert.deepEqual([tier, quantity, request.seconds], ['kling-multi-elements-std', 10, 10]);
  assert.equal(request.model, 'kling-v1-6');
});

for (const operation of ['identify-face', 'multi-elements-init']) {
  table(operation, { video_url: film }, [
    [{ video_url: undefined }, isMissing, 'video_id'],
    [{ video_id: 'task_1' }, isInvalid, 'video_url'],
    [{ video_url: base64 }, isInvalid, 'video_url'],
    [{ video_url: 'film' }, isInvalid, 'video_url'],
  ]);
}

const point = { x: 0.5, y: 1 };
for (const operation of ['multi-elements-add-selection', 'multi-elements-delete-selection']) {
  table(operation, { ...session, frame_index: 0, points: [point] }, [
    [{ session_id: undefined }, isMissing, 'session_id'],
    [{ frame_index: undefined }, isMissing, 'frame_index'],
    [{ frame_index: -1 }, isInvalid, 'frame_index'],
    [{ points: undefined }, isMissing, 'points'],
    [{ points: Array(11).fill(point) }, isInvalid, 'points'],
    [{ points: [point, { x: 0.5, y: 1.01 }] }, isInvalid, 'points[1].y'],
    [{ points: [{ x: 0.5 }] }, isMissing, 'points[0].y'],
  ]);
}
for (const operation of ['multi-elements-clear-selection', 'multi-elements-preview-selection']) {
  table(operation, session, [[{ session_id: ' ' }, isMissing, 'session_id']]);
}
