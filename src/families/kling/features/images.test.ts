import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  base64,
  film,
  isInvalid,
  isMissing,
  isUnsupported,
  otherPicture,
  picture,
  refused,
  resolve,
  table,
} from './test-table.ts';

table(
  'text-to-image',
  { prompt: 'a cat', negative_prompt: 'rain', n: 3, aspect_ratio: '4:3', resolution: '1K' },
  [
    [{ prompt: '  ' }, isMissing, 'prompt'],
    [{ prompt: 'x'.repeat(2501) }, isInvalid, 'prompt'],
    [{ negative_prompt: 'x'.repeat(2501) }, isInvalid, 'negative_prompt'],
    [{ prompt: 7 }, isInvalid, 'prompt'],
    [{ n: 0 }, isInvalid, 'n'],
    [{ n: 10 }, isInvalid, 'n'],
    [{ n: 1.5 }, isInvalid, 'n'],
    [{ aspect_ratio: '21:9' }, isInvalid, 'aspect_ratio'],
    [{ aspect_ratio: '5:4' }, isInvalid, 'aspect_ratio', 'kling-v3'],
    [{ resolution: '2k' }, isInvalid, 'resolution'],
    [{ resolution: '4k' }, isInvalid, 'resolution', 'kling-v3'],
    [{ image: 'cat' }, isInvalid, 'image'],
    [{ image: picture }, isUnsupported, 'image', 'kling-v2-1'],
    [{ image: picture }, isMissing, 'image_reference', 'kling-v1-5'],
    [{ image: picture, image_reference: 'body' }, isInvalid, 'image_reference', 'kling-v1-5'],
    [{ image: picture, image_reference: 'face' }, isUnsupported, 'image_reference', 'kling-v3'],
    [{ image: picture, image_fidelity: 1.1 }, isInvalid, 'image_fidelity'],
    [{ image: picture, human_fidelity: -0.1 }, isInvalid, 'human_fidelity'],
    [{ element_list: [{ element_id: 1 }] }, isUnsupported, 'element_list'],
    [{ element_list: [{ element_id: 'x' }] }, isInvalid, 'element_list[0].element_id', 'kling-v3'],
    [{}, isMissing, 'image', 'kling-v2-new'],
    [{}, isInvalid, 'model_name', 'kling-video-o1'],
  ],
);

test('what a picture is for depends on the model, and so does its price', () => {
  const withPicture = { prompt: 'a cat', image: picture };
  const v1 = resolve('text-to-image', { ...withPicture, human_fidelity: 0.3 });
  assert.equal(v1.tier, 'kling-text-to-image-v1');
  assert.deepEqual(
    v1.warnings.map(({ code }) => code),
    ['human_fidelity_ignored'],
  );
  const subject = resolve('text-to-image', { ...withPicture, image_reference: 'Subject' }, 'KLING-V1-5');
  assert.equal(subject.tier, 'kling-text-to-image-v1-5-i2i');
  assert.deepEqual(
    [subject.request.parameters['image_fidelity'], subject.request.parameters['human_fidelity']],
    [0.5, 0.45],
  );
  assert.equal(resolve('text-to-image', { prompt: 'a cat' }, 'kling-v1-5').tier, 'kling-text-to-image-v1-5');
  const restyled = resolve('text-to-image', { ...withPicture, aspect_ratio: '1:1' }, 'kling-v2-new');
  assert.ok(
    !('aspect_ratio' in restyled.request.parameters) && !('resolution' in restyled.request.parameters),
  );
  assert.deepEqual(
    restyled.warnings.map(({ code }) => code),
    ['aspect_ratio_ignored'],
  );
});

test('places of pictures and elements hold null and are listed with their paths', () => {
  const { request } = resolve(
    'omni-image',
    {
      prompt: 'a <<<image_2>>>',
      image_list: [{ image: picture }, base64],
      element_list: [829836802793406551n],
      watermark_info: { enabled: true },
    },
    'kling-v3-omni',
  );
  assert.deepEqual(request.parameters['image_list'], [{ image: null }, { image: null }]);
  assert.deepEqual(
    request.media.map(({ path, role, media }) => [path, role, media.kind, media.source]),
    [
      ['image_list.0.image', 'picture', 'url', 'image_list[0].image'],
      ['image_list.1.image', 'picture', 'inline', 'image_list[1].image'],
    ],
  );
  assert.deepEqual(request.resources, [
    { path: 'element_list.0.element_id', kind: 'element', id: '829836802793406551', upstreamId: null },
  ]);
  assert.equal(request.watermark, true);
  assert.ok(!('watermark_info' in request.parameters));
});

table(
  'multi-image-to-image',
  { subject_image_list: [{ subject_image: picture }, { subject_image: base64 }] },
  [
    [{ subject_image_list: [] }, isMissing, 'subject_image_list'],
    [{ subject_image_list: Array(5).fill({ subject_image: picture }) }, isInvalid, 'subject_image_list'],
    [
      { subject_image_list: [{ subject_image: picture }, {}] },
      isMissing,
      'subject_image_list[1].subject_image',
    ],
    [{ scene_image: 'no' }, isInvalid, 'scene_image'],
    [{ style_image: 3 }, isInvalid, 'style_image'],
    [{ n: 10 }, isInvalid, 'n'],
    [{ aspect_ratio: 'auto' }, isInvalid, 'aspect_ratio'],
    [{}, isInvalid, 'model_name', 'kling-v3'],
  ],
);

table('omni-image', { prompt: 'a cat', image_list: [{ image: picture }], n: 2, aspect_ratio: 'AUTO' }, [
  [{ prompt: '' }, isMissing, 'prompt'],
  [{ image_list: Array(11).fill(picture) }, isInvalid, 'image_list'],
  [{ image_list: [{ image: picture }, { image: 5 }] }, isInvalid, 'image_list[1].image'],
  [{ image_list: Array(6).fill(picture), element_list: [1, 2, 3, 4, 5] }, isInvalid, 'image_list'],
  [{ resolution: '4k' }, isInvalid, 'resolution'],
  [{ result_type: 'many' }, isInvalid, 'result_type'],
  [{ result_type: 'series', series_amount: 1 }, isInvalid, 'series_amount'],
  [{ result_type: 'series', series_amount: 10 }, isInvalid, 'series_amount'],
  [{ aspect_ratio: '7:3' }, isInvalid, 'aspect_ratio'],
]);

test('a series is billed by its pictures, 4K by its own tier', () => {
  const series = resolve('omni-image', { prompt: 'a cat', result_type: 'series', series_amount: '6', n: 2 });
  assert.deepEqual([series.quantity, series.request.count, series.tier], [6, 6, 'kling-omni-image-o1']);
  assert.deepEqual(
    series.warnings.map(({ code }) => code),
    ['n_ignored'],
  );
  assert.equal(resolve('omni-image', { prompt: 'a cat', result_type: 'series' }).quantity, 4);
  const single = resolve('omni-image', { prompt: 'a cat', series_amount: 3, n: 2 });
  assert.deepEqual([single.quantity, single.warnings[0]?.code], [2, 'series_amount_ignored']);
  const large = resolve('omni-image', { prompt: 'a cat', resolution: '4K' }, 'kling-v3-omni');
  assert.equal(large.tier, 'kling-omni-image-v3-omni-4k');
});

const ratios = (up: number, down: number, left: number, right: number) => ({
  up_expansion_ratio: up,
  down_expansion_ratio: down,
  left_expansion_ratio: left,
  right_expansion_ratio: right,
});
table('image-expand', { image: base64, ...ratios(0.1, 0.2, 0.3, 0), n: 2 }, [
  [{ image: null }, isMissing, 'image'],
  [{ up_expansion_ratio: undefined }, isMissing, 'up_expansion_ratio'],
  [{ right_expansion_ratio: 2.1 }, isInvalid, 'right_expansion_ratio'],
  [{ left_expansion_ratio: -1 }, isInvalid, 'left_expansion_ratio'],
  [ratios(0.5, 0.5, 0.5, 0.1), isInvalid, 'up_expansion_ratio'],
  [{ n: 'many' }, isInvalid, 'n'],
]);

test('an expanded picture may have three times the area, to the last decimal', () => {
  assert.equal(resolve('image-expand', { image: picture, ...ratios(0.25, 0.25, 0.5, 0.5) }).quantity, 1);
  assert.equal(resolve('image-expand', { image: picture, ...ratios(0.1, 0.1, 0.7, 0.8) }).quantity, 1);
  assert.match(
    refused('image-expand', { image: picture, ...ratios(2, 0, 0.01, 0) }, isInvalid, 'up_expansion_ratio'),
    /3\.03 times the area: at most 3/,
  );
});

table('virtual-try-on', { human_image: picture, cloth_image: otherPicture }, [
  [{ human_image: '' }, isMissing, 'human_image'],
  [{ cloth_image: undefined }, isMissing, 'cloth_image'],
  [{ cloth_image: 'shirt' }, isInvalid, 'cloth_image'],
  [{}, isInvalid, 'model_name', 'kolors-virtual-try-on-v2'],
]);

table('ai-multi-shot', { element_frontal_image: picture }, [
  [{ element_frontal_image: null }, isMissing, 'element_frontal_image'],
  [{ element_frontal_image: [] }, isMissing, 'element_frontal_image'],
]);

table('image-recognize', { image: picture }, [
  [{ image: undefined }, isMissing, 'image'],
  [{ image: 'x' }, isInvalid, 'image'],
]);

test('steps that are answered at once say so', () => {
  assert.equal(resolve('image-recognize', { image: picture }).request.immediate, true);
  assert.equal(resolve('identify-face', { video_url: film }).request.immediate, true);
  assert.equal(resolve('text-to-image', { prompt: 'a cat' }).request.immediate, false);
});
