/** One block per row of the table of contradictions in the Kling specification (§8). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { film, now, otherPicture, picture, refused, resolve, tierOf, warningsOf } from './doors.ts';

const prompt = 'a lake';
const motion = (body: Record<string, unknown>, metadata: Record<string, unknown> = {}) => ({
  prompt,
  ...body,
  metadata: { scene_type: 'motion_control', video_url: film, ...metadata },
});

test('row 1: motion control on 2.5, 2.6 and 3.0 only', () => {
  assert.equal(tierOf(motion({ model: 'kling-2.5' })), 'kling-2.5-motion-std-720p');
  assert.equal(tierOf(motion({ model: 'kling-2.6' })), 'kling-2.5-motion-std-720p');
  assert.equal(resolve(motion({ model: 'kling-2.5' })).request.model, 'kling-v2-6');
  const { quote, request } = resolve(motion({ model: 'kling-3.0', mode: 'pro' }, { resolution: '1080P' }));
  assert.equal(quote.tier, 'kling-3.0-motion-pro-1080p');
  assert.equal(quote.unitPriceMicros, 168_000n);
  assert.equal(request.model, 'kling-v3');
  for (const model of ['kling-1.0', 'kling-2.1', 'kling-o1', 'kling-3.0-omni', 'kling-v2-5-turbo']) {
    assert.match(
      refused(motion({ model }), 'invalid_value', 'metadata.scene_type'),
      /kling-2\.5, kling-3\.0/,
    );
  }
});

test('row 2: seconds follow the resolved model; negative, fractional and absurd ones are refused', () => {
  const asked = (model: string, seconds: unknown) => ({ model, prompt, seconds });
  assert.match(refused(asked('kling-2.5', 7), 'invalid_value', 'seconds'), /5 or 10/);
  assert.match(refused(asked('kling-1.0', '15'), 'invalid_value', 'seconds'), /5 or 10/);
  assert.match(refused(asked('kling-3.0', '16'), 'invalid_value', 'seconds'), /3 to 15/);
  assert.equal(resolve(asked('kling-3.0', '15')).request.seconds, 15);
  for (const seconds of [0, -5, '-5', 2.5, '2.5', 'five', 1e21, '99999999999', '5s']) {
    assert.match(refused(asked('kling-3.0', seconds), 'invalid_value', 'seconds'), /3 to 15/);
  }
  const metadata = { output_config: { duration: 4 } };
  refused({ model: 'kling-2.5', prompt, metadata }, 'invalid_value', 'metadata.output_config.duration');
});

test('row 3: references are billed on omni and O1 only; a file without usage is the first frame on 3.0', () => {
  const file_infos = [{ type: 'Url', category: 'Image', url: picture }];
  const plain = resolve({ model: 'kling-3.0', prompt, metadata: { file_infos } });
  assert.equal(plain.quote.tier, 'kling-3.0-720p-mute');
  assert.equal(plain.request.firstFrame?.source, 'metadata.file_infos[0].url');
  const omni = resolve({ model: 'kling-3.0-omni', prompt, metadata: { file_infos } });
  assert.equal(omni.quote.tier, 'kling-3.0-omni-720p-ref-mute');
  assert.equal(omni.request.references.length, 1);
  assert.equal(tierOf({ model: 'kling-3.0-omni', prompt, image: picture }), 'kling-3.0-omni-720p-noref-mute');
  const first = [{ ...file_infos[0], usage: 'FirstFrame' }];
  assert.equal(
    tierOf({ model: 'kling-3.0-omni', prompt, metadata: { file_infos: first } }),
    'kling-3.0-omni-720p-ref-mute',
  );

  const o1 = { model: 'kling-o1', prompt };
  assert.equal(resolve(o1).quote.unitPriceMicros, 84_000n);
  assert.equal(resolve({ ...o1, image: picture }).quote.unitPriceMicros, 84_000n);
  assert.equal(resolve({ ...o1, images: [picture] }).quote.unitPriceMicros, 126_000n);
  assert.equal(resolve({ ...o1, images: [picture], mode: 'pro' }).quote.unitPriceMicros, 168_000n);
});

test('row 4: three pictures here, seven on the official route, four beside a video', () => {
  const images = Array.from({ length: 4 }, (_, index) => `${picture}?${index}`);
  refused({ model: 'kling-3.0-omni', prompt, images }, 'invalid_value', 'images');
  const file_infos = images.map((url) => ({ type: 'Url', category: 'Image', url }));
  refused(
    { model: 'kling-3.0-omni', prompt, metadata: { file_infos } },
    'invalid_value',
    'metadata.file_infos',
  );
  const image_list = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ image_url: `${picture}?${index}` }));
  const body = { model_name: 'kling-v3-omni', prompt, aspect_ratio: '1:1' };
  assert.equal(resolve({ ...body, image_list: image_list(7) }, 'omniVideo').request.references.length, 7);
  refused({ ...body, image_list: image_list(8) }, 'invalid_value', 'image_list', 'omniVideo');
  const video_list = [{ video_url: film, refer_type: 'feature' }];
  refused({ ...body, image_list: image_list(5), video_list }, 'invalid_value', 'image_list', 'omniVideo');
});

test('row 5: data URIs and bare base64 are taken, except at a strict door', () => {
  const base64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
  for (const image of [base64, `data:image/png;base64,${base64}`]) {
    assert.equal(resolve({ model: 'kling-2.5', prompt, image }).request.firstFrame?.kind, 'inline');
    refused({ model: 'kling-2.5', prompt, image }, 'invalid_value', 'image', 'strictVideos');
  }
  for (const image of [
    'ftp://example.com/a.png',
    'file:///etc/passwd',
    'cat.png',
    'https://',
    'http://a b/',
  ]) {
    refused({ model: 'kling-2.5', prompt, image }, 'invalid_value', 'image');
  }
});

test('row 10: sound where there is none is refused, silence is not', () => {
  for (const model of ['kling-1.0', 'kling-1.5', 'kling-2.0', 'kling-2.1', 'kling-o1', 'kling-v2-5-turbo']) {
    refused({ model, prompt, audio_generation: 'Enabled' }, 'unsupported_parameter', 'audio_generation');
    refused({ model, prompt, metadata: { audio: true } }, 'unsupported_parameter', 'metadata.audio');
    resolve({ model, prompt, sound: 'off' });
  }
});

test('row 11: lip-sync and avatar ignore the model, with a warning', () => {
  for (const model of ['kling-1.0', 'kling-3.0', 'kling-v2-master', 'kling-3.0-omni']) {
    const avatar = { model, prompt, image: picture, metadata: { scene_type: 'avatar_i2v' } };
    assert.equal(tierOf(avatar), 'kling-avatar-720p');
    assert.ok(warningsOf(avatar).includes('model_ignored'));
    const lipSync = { ...avatar, metadata: { scene_type: 'LIP_SYNC' } };
    assert.equal(tierOf(lipSync), 'kling-identify-face');
  }
  assert.deepEqual(warningsOf({ model: 'kling-avatar-1080p', prompt, image: picture }), []);
});

test('row 12: a motion without a picture, an avatar without a sound and a lip-sync without a film resolve', () => {
  assert.equal(resolve(motion({ model: 'kling-2.6' })).request.firstFrame, null);
  refused(
    { model: 'kling-2.6', prompt, metadata: { scene_type: 'motion_control' } },
    'missing_required_parameter',
    'metadata.video_url',
  );
  refused({ model: 'kling-avatar-720p', prompt }, 'missing_required_parameter', 'image');
  refused({ model: 'kling-identify-face', prompt }, 'missing_required_parameter', 'image');
  resolve({ model: 'kling-identify-face', prompt, metadata: { video_url: film } });
});

test('row 13: long prompts pass, other ratios do not', () => {
  resolve({ model: 'kling-2.5', prompt: '猫'.repeat(2500), negative_prompt: 'x'.repeat(2500) });
  refused({ model: 'kling-2.5', prompt: 'x'.repeat(2501) }, 'invalid_value', 'prompt');
  refused(
    { model: 'kling-2.5', prompt, negative_prompt: 'x'.repeat(2501) },
    'invalid_value',
    'negative_prompt',
  );
  for (const aspect_ratio of ['4:3', '3:4', '3:2', '2:3', '21:9', 'wide']) {
    refused({ model: 'kling-2.5', prompt, aspect_ratio }, 'invalid_value', 'aspect_ratio');
  }
});

test('row 14: the ratio is 16:9 when nobody names one', () => {
  const { request, sources } = resolve({ prompt }, 'text2video');
  assert.equal(request.aspectRatio, '16:9');
  assert.equal(sources['aspectRatio'], 'default');
});

test('row 15: O1 and 3.0 Omni resolve at text2video and image2video', () => {
  assert.equal(tierOf({ model_name: 'kling-video-o1', prompt }, 'text2video'), 'kling-o1-720p');
  assert.equal(
    tierOf({ model_name: 'kling-v3-omni', prompt, image: picture }, 'image2video'),
    'kling-3.0-omni-720p-noref-mute',
  );
});

test('row 16: masters ignore mode', () => {
  for (const model of ['kling-v2-master', 'kling-v2-1-master', 'kling-2.0']) {
    const body = { model, prompt, mode: 'pro' };
    assert.match(tierOf(body), /-720p$/);
    assert.deepEqual(warningsOf(body), ['mode_ignored']);
    assert.equal(resolve(body).request.quality, null);
  }
});

test('rows 17 and 32: ext_info as text or object, encoded once or twice, by an allow-list', () => {
  const shots = [
    { index: 2, prompt: 'second', duration: 3 },
    { index: 1, prompt: 'first', duration: '2' },
  ];
  const fields = {
    multi_shot: true,
    shot_type: 'customize',
    multi_prompt: shots,
    model_name: 'kling-v1',
    mode: '4k',
  };
  const forms = [
    JSON.stringify({ AdditionalParameters: JSON.stringify(fields) }),
    { AdditionalParameters: JSON.stringify(fields) },
    { AdditionalParameters: fields },
    JSON.stringify(fields),
    fields,
  ];
  for (const ext_info of forms) {
    const { request, quote, warnings } = resolve({ model: 'kling-3.0', metadata: { ext_info } });
    assert.deepEqual(request.multiShot, {
      type: 'customize',
      shots: [
        { index: 1, prompt: 'first', seconds: 2 },
        { index: 2, prompt: 'second', seconds: 3 },
      ],
    });
    assert.equal(quote.tier, 'kling-3.0-720p-mute');
    assert.match(warnings.find(({ code }) => code === 'ext_info_ignored')?.message ?? '', /model_name, mode/);
  }
  const ext_info = JSON.stringify({ AdditionalParameters: JSON.stringify(fields) });
  refused(
    { model: 'kling-2.5', metadata: { ext_info } },
    'unsupported_parameter',
    'metadata.ext_info.AdditionalParameters.multi_shot',
  );
  refused(
    { model: 'kling-3.0', seconds: 8, metadata: { ext_info } },
    'invalid_value',
    'metadata.ext_info.AdditionalParameters.multi_prompt',
  );
  refused(
    { model: 'kling-3.0', prompt, metadata: { ext_info: '{"a"' } },
    'invalid_value',
    'metadata.ext_info',
  );
  refused(
    { model: 'kling-3.0', prompt, metadata: { ext_info: '{"AdditionalParameters":"{"}' } },
    'invalid_value',
    'metadata.ext_info.AdditionalParameters',
  );
  const both = { model: 'kling-1.0', prompt, cfg_scale: 0.3, metadata: { ext_info: '{"cfg_scale":0.9}' } };
  assert.equal(resolve(both).request.cfgScale, 0.3);
});

test('row 18: sizes as NNNP, WxH, W*H in any case', () => {
  const cases: [string, string, string][] = [
    ['720P', '720p', '16:9'],
    ['1080p', '1080p', '16:9'],
    ['720x1280', '720p', '9:16'],
    ['1080X1920', '1080p', '9:16'],
    ['1280*720', '720p', '16:9'],
    ['1920×1080', '1080p', '16:9'],
    ['1024x1024', '720p', '1:1'],
    ['1024x1792', '720p', '9:16'],
    ['1440x1440', '1080p', '1:1'],
  ];
  for (const [size, grade, ratio] of cases) {
    const { request, quote } = resolve({ model: 'kling-1.0', prompt, size });
    assert.equal(quote.tier, `kling-1.0-${grade}`, size);
    assert.equal(request.aspectRatio, ratio, size);
  }
  assert.deepEqual(warningsOf({ model: 'kling-1.0', prompt, size: '1024x1792' }), ['size_adjusted']);
  for (const size of ['480P', '0x0', 'big', '720x', '1280']) {
    refused({ model: 'kling-1.0', prompt, size }, 'invalid_value', 'size');
  }
});

test('row 19: one schema at all doors; the video doors require a model', () => {
  const body = {
    prompt,
    seconds: '10',
    metadata: { output_config: { resolution: '1080P', aspect_ratio: '9:16' } },
  };
  assert.equal(tierOf({ ...body, model: 'kling-2.5' }, 'text2video'), 'kling-2.5-1080p-mute');
  assert.equal(tierOf({ ...body, model_name: 'kling-v2-5-turbo' }), 'kling-2.5-1080p-mute');
  refused(body, 'missing_required_parameter', 'model');
  refused({ ...body, model: 'sora-2' }, 'model_not_found', 'model');
  refused({ ...body, model_name: 'sora-2' }, 'model_not_found', 'model_name', 'text2video');
  const both = { ...body, model_name: 'kling-v1-6', model: 'kling-v1' };
  assert.equal(tierOf(both), 'kling-1.6-1080p');
  assert.deepEqual(warningsOf(both), ['model_ignored']);
});

test('row 20: text to video on 2.0 and 2.1 costs what the masters cost', () => {
  const unit = (body: Record<string, unknown>) => resolve({ prompt, ...body }).quote.unitPriceMicros;
  assert.equal(unit({ model: 'kling-2.0' }), 280_000n);
  assert.equal(unit({ model: 'kling-2.1' }), 280_000n);
  assert.equal(unit({ model: 'kling-2.1', image: picture }), 56_000n);
  assert.equal(unit({ model: 'kling-2.1', image: picture, mode: 'pro' }), 98_000n);
  assert.equal(unit({ model: 'kling-v2-1-master', image: picture }), 280_000n);
  assert.equal(unit({ model: 'kling-v1-6' }), unit({ model: 'kling-1.5' }));
});

test('row 21: mode is the grade, after the resolution fields and before size; in motion control it is the level', () => {
  const body = { model: 'kling-1.0', prompt, mode: 'pro' };
  assert.equal(tierOf(body), 'kling-1.0-1080p');
  assert.equal(tierOf({ ...body, metadata: { resolution: '720P' } }), 'kling-1.0-720p');
  const sized = resolve({ ...body, size: '720x1280' });
  assert.equal(sized.quote.tier, 'kling-1.0-1080p');
  assert.equal(sized.request.aspectRatio, '9:16');
  assert.equal(tierOf({ model: 'kling-1.0', prompt, metadata: { mode: 'pro' } }), 'kling-1.0-1080p');
  assert.equal(tierOf(motion({ model: 'kling-2.5', mode: 'pro' })), 'kling-2.5-motion-pro-720p');
  assert.equal(tierOf(motion({ model: 'kling-2.5' }, { mode: 'pro' })), 'kling-2.5-motion-pro-720p');
  assert.equal(
    tierOf(motion({ model: 'kling-2.5', mode: 'pro' }, { motion_level: 'std' })),
    'kling-2.5-motion-std-720p',
  );
});

test('row 22: what exists at pro only is made at pro and charged as asked, but masks and camera are never moved', () => {
  const sound = resolve({ model: 'kling-2.5', prompt, sound: 'on' });
  assert.equal(sound.quote.tier, 'kling-2.5-720p-sound');
  assert.equal(sound.request.quality, 'pro');
  assert.equal(sound.request.model, 'kling-v2-6');
  assert.deepEqual(
    sound.warnings.map(({ code, field }) => [code, field]),
    [['quality_raised', 'sound']],
  );
  for (const model of ['kling-v1-5', 'kling-v1-6', 'kling-v2-1', 'kling-v2-5-turbo', 'kling-v2-6']) {
    const { request, warnings } = resolve({
      model,
      prompt,
      image: picture,
      image_tail: otherPicture,
      mode: 'std',
    });
    assert.equal(request.quality, 'pro', model);
    assert.equal(request.resolution, '720P', model);
    assert.ok(warnings.some(({ code }) => code === 'quality_raised'));
  }
  assert.equal(
    resolve({ model: 'kling-v1', prompt, image: picture, image_tail: otherPicture }).request.quality,
    'std',
  );
  refused(
    { model: 'kling-v2-6', prompt, image: picture, image_tail: otherPicture, sound: 'on' },
    'invalid_value',
    'sound',
  );

  const camera_control = { type: 'simple', config: { zoom: 5, pan: 0 } };
  const camera = { model: 'kling-v1', prompt, camera_control };
  assert.deepEqual(resolve(camera).request.cameraControl, camera_control);
  refused({ ...camera, mode: 'pro' }, 'invalid_value', 'camera_control');
  refused({ ...camera, duration: 10 }, 'invalid_value', 'camera_control');
  refused({ ...camera, model: 'kling-v1-6' }, 'unsupported_parameter', 'camera_control');
  refused({ ...camera, model: 'kling-v1-5', image: picture }, 'invalid_value', 'camera_control');
  resolve({ ...camera, model: 'kling-v1-5', image: picture, mode: 'pro' });
  refused(
    { ...camera, camera_control: { type: 'simple', config: { zoom: 5, pan: 1 } } },
    'invalid_value',
    'camera_control.config',
  );
  refused(
    { ...camera, camera_control: { type: 'simple', config: { zoom: 11 } } },
    'invalid_value',
    'camera_control.config.zoom',
  );

  const masks = { prompt, image: picture, static_mask: otherPicture };
  resolve({ ...masks, model: 'kling-v1' });
  refused({ ...masks, model: 'kling-v1-5' }, 'invalid_value', 'static_mask');
  refused({ ...masks, model: 'kling-v1', duration: 10 }, 'invalid_value', 'static_mask');
  refused({ ...masks, model: 'kling-v2-6' }, 'unsupported_parameter', 'static_mask');
  refused({ ...masks, model: 'kling-v1', image_tail: otherPicture }, 'invalid_value', 'static_mask');
});

test('row 23: 1.5 makes text to video with 1.6 and is billed as 1.5', () => {
  const { request, quote } = resolve({ model: 'kling-1.5', prompt });
  assert.equal(request.model, 'kling-v1-6');
  assert.equal(quote.tier, 'kling-1.5-720p');
  assert.equal(resolve({ model: 'kling-1.5', prompt, image: picture }).request.model, 'kling-v1-5');
  refused({ model: 'kling-v1-5', prompt }, 'invalid_value', 'model');
});

test('row 24: absent seconds are five; only Kling\u2019s own routes bill the output', () => {
  for (const body of [
    { model: 'kling-2.5', prompt },
    motion({ model: 'kling-2.5' }),
    { model: 'kling-avatar-720p', prompt, image: picture },
  ]) {
    const { quote, sources } = resolve(body);
    assert.equal(quote.quantity, 5);
    assert.equal(quote.quantityMax, 5);
    assert.equal(sources['seconds'], 'default');
  }
  const edit = { model_name: 'kling-v3-omni', prompt, video_list: [{ video_url: film }] };
  const native = resolve(edit, 'omniVideo');
  assert.equal(native.request.referenceVideo?.role, 'base');
  assert.equal(native.quote.quantityMax, 10);
  assert.equal(native.quote.amountMicros, 10n * native.quote.unitPriceMicros);
  assert.equal(resolve(edit).quote.quantityMax, 5);
});

test('row 25: lip-sync has a minimum and no step', () => {
  const lipSync = (seconds: number) => ({ model: 'kling-identify-face', prompt, image: picture, seconds });
  assert.equal(resolve(lipSync(4)).quote.quantity, 5);
  assert.equal(resolve(lipSync(7)).quote.quantity, 7);
  assert.equal(resolve(lipSync(7)).quote.amountMicros, 98_000n);
});

test('row 26: several pictures where one is taken are refused; all names of one picture must agree', () => {
  const images = [picture, otherPicture];
  assert.match(
    refused({ model: 'kling-3.0', prompt, images }, 'invalid_value', 'images[1]'),
    /kling-v1-6, kling-v3-omni or kling-video-o1/,
  );
  assert.equal(
    resolve({ model: 'kling-3.0', prompt, images: [picture] }).request.firstFrame?.source,
    'images[0]',
  );
  assert.equal(
    resolve({ model: 'kling-3.0', prompt, images: [picture], image: picture }).request.references.length,
    0,
  );
  assert.equal(resolve({ model: 'kling-v1-6', prompt, images }).request.references.length, 2);
  const content = [{ type: 'image_url', image_url: { url: picture } }];
  const same = {
    model: 'kling-3.0',
    prompt,
    image: picture,
    input_reference: { image_url: picture },
    content,
  };
  assert.equal(resolve(same).request.firstFrame?.source, 'image');
  refused({ ...same, input_reference: otherPicture }, 'invalid_value', 'input_reference');
  refused({ ...same, image: otherPicture }, 'invalid_value', 'input_reference.image_url');
});

test('row 27: O1 is std except on its own route; with text or frames only it has 5 and 10 seconds', () => {
  assert.equal(tierOf({ model_name: 'kling-video-o1', prompt }), 'kling-o1-720p');
  assert.equal(tierOf({ prompt, aspect_ratio: '16:9' }, 'omniVideo'), 'kling-o1-1080p');
  assert.equal(tierOf({ prompt, aspect_ratio: '16:9', mode: 'std' }, 'omniVideo'), 'kling-o1-720p');
  refused({ prompt }, 'missing_required_parameter', 'aspect_ratio', 'omniVideo');
  refused({ model: 'kling-o1', prompt, seconds: 7 }, 'invalid_value', 'seconds');
  refused({ model: 'kling-o1', prompt, seconds: 7, image: picture }, 'invalid_value', 'seconds');
  resolve({ model: 'kling-o1', prompt, seconds: 7, images: [picture] });
});

test('row 28: prompt and content text are joined by a newline', () => {
  const content = [
    { type: 'text', text: 'second' },
    { type: 'text', text: 'third' },
  ];
  const { request, sources } = resolve({ model: 'kling-2.5', prompt: 'first', content });
  assert.equal(request.prompt, 'first\nsecond\nthird');
  assert.equal(sources['prompt'], 'prompt + content[0].text + content[1].text');
  refused({ model: 'kling-2.5', content: [{ type: 'audio' }] }, 'invalid_value', 'content[0].type');
});

test('row 29: output_config, metadata, top level, size, 16:9; dropped beside a first frame', () => {
  const ratio = (body: Record<string, unknown>) =>
    resolve({ model: 'kling-2.5', prompt, ...body }).request.aspectRatio;
  const output_config = { aspect_ratio: '9:16' };
  assert.equal(ratio({ metadata: { output_config, aspect_ratio: '1:1' }, aspect_ratio: '16:9' }), '9:16');
  assert.equal(ratio({ metadata: { aspect_ratio: '1:1' }, aspect_ratio: '16:9' }), '1:1');
  assert.equal(ratio({ aspect_ratio: '1:1', size: '1280x720' }), '1:1');
  assert.equal(ratio({ size: '720x1280' }), '9:16');
  assert.equal(ratio({ aspect_ratio: '1:1', image: picture }), null);
  assert.deepEqual(warningsOf({ model: 'kling-2.5', prompt, aspect_ratio: '1:1', image: picture }), [
    'aspect_ratio_ignored',
  ]);
});

test('row 30: reference videos over https, on omni and O1; frames in order; known scenes', () => {
  const metadata = { video_url: film };
  assert.equal(tierOf({ model: 'kling-3.0-omni', prompt, metadata }), 'kling-3.0-omni-720p-ref-mute');
  const content = [{ type: 'video_url', video_url: { url: film } }];
  assert.equal(tierOf({ model: 'kling-3.0-omni', prompt, content }), 'kling-3.0-omni-720p-ref-mute');
  resolve({ model: 'kling-o1', prompt, metadata });
  refused({ model: 'kling-3.0', prompt, metadata }, 'unsupported_parameter', 'metadata.video_url');
  refused(
    { model: 'kling-3.0-omni', prompt, metadata: { video_url: 'http://example.com/a.mp4' } },
    'invalid_value',
    'metadata.video_url',
  );
  refused({ model: 'kling-3.0-omni', prompt, metadata, sound: 'on' }, 'invalid_value', 'sound');
  refused({ model: 'kling-3.0-omni', prompt, metadata, seconds: 12 }, 'invalid_value', 'seconds');
  refused(
    { model: 'kling-3.0', prompt, metadata: { last_frame_url: picture } },
    'missing_required_parameter',
    'image',
  );
  refused(
    { model: 'kling-3.0', prompt, metadata: { scene_type: 'dance' } },
    'invalid_value',
    'metadata.scene_type',
  );
  refused(
    { model: 'kling-v2-master', prompt, image: picture, image_tail: otherPicture },
    'unsupported_parameter',
    'image_tail',
  );
});

test('row 31: file_infos have closed enums in any case, and violations name the entry', () => {
  const entry = { type: 'url', category: 'VIDEO', url: film, reference_type: 'Base' };
  const asked = (change: Record<string, unknown>) => ({
    model: 'kling-3.0-omni',
    prompt,
    metadata: { file_infos: [{ ...entry, ...change }] },
  });
  assert.equal(resolve(asked({})).request.referenceVideo?.role, 'base');
  const image = { category: 'Image', reference_type: null };
  refused(asked({ type: 'Base64' }), 'invalid_value', 'metadata.file_infos[0].type');
  refused(asked({ type: null }), 'missing_required_parameter', 'metadata.file_infos[0].type');
  refused(asked({ category: 'Audio' }), 'invalid_value', 'metadata.file_infos[0].category');
  refused(asked({ url: '' }), 'missing_required_parameter', 'metadata.file_infos[0].url');
  refused(asked({ type: 'File' }), 'missing_required_parameter', 'metadata.file_infos[0].file_id');
  refused(asked({ reference_type: 'style' }), 'invalid_value', 'metadata.file_infos[0].reference_type');
  refused(asked({ ...image, usage: 'Middle' }), 'invalid_value', 'metadata.file_infos[0].usage');
  refused(asked({ url: 'http://example.com/a.mp4' }), 'invalid_value', 'metadata.file_infos[0].url');
  const file = resolve(asked({ ...image, type: 'FILE', file_id: 'file_1', usage: 'reference' })).request
    .references[0];
  assert.deepEqual(file, { kind: 'file', fileId: 'file_1', source: 'metadata.file_infos[0].file_id' });
});

test('row 33: retention', () => {
  const retention = (output_config: Record<string, unknown>) =>
    resolve({ model: 'kling-2.5', prompt, metadata: { output_config } }).request.retention;
  const expire_time = new Date(now + 86_400_000).toISOString();
  assert.deepEqual(retention({ storage_mode: 'permanent', media_name: 'Lake', class_id: '7', expire_time }), {
    mode: 'permanent',
    expiresAt: now + 86_400_000,
    mediaName: 'Lake',
    classId: 7,
  });
  assert.equal(retention({ expire_time: '2027-01-31' }).expiresAt, Date.UTC(2027, 0, 31));
  const bad: [string, unknown][] = [
    ['expire_time', '2020-01-01T00:00:00Z'],
    ['expire_time', 'tomorrow'],
    ['storage_mode', 'Forever'],
    ['media_name', 'x'.repeat(65)],
    ['media_name', '../../etc/passwd'],
    ['class_id', 1.5],
    ['class_id', 'seven'],
  ];
  for (const [field, value] of bad) {
    const body = { model: 'kling-2.5', prompt, metadata: { output_config: { [field]: value } } };
    refused(body, 'invalid_value', `metadata.output_config.${field}`);
  }
});

test('row 34: compliance switches warn, other words are refused', () => {
  const asked = (word: string) => ({
    model: 'kling-2.5',
    prompt,
    metadata: { output_config: { input_compliance_check: word } },
  });
  assert.deepEqual(resolve(asked('disabled')).request.compliance, { input_compliance_check: 'Disabled' });
  assert.deepEqual(warningsOf(asked('disabled')), ['compliance_ignored']);
  assert.deepEqual(warningsOf(asked('Enabled')), []);
  refused(asked('maybe'), 'invalid_value', 'metadata.output_config.input_compliance_check');
});

test('row 35: twins in metadata count, the top level goes first', () => {
  const metadata = { negative_prompt: 'rain', cfg_scale: '0.7', camera_control: { type: 'forward_up' } };
  const { request, sources } = resolve({ model: 'kling-v1', prompt, metadata });
  assert.equal(request.negativePrompt, 'rain');
  assert.equal(request.cfgScale, 0.7);
  assert.deepEqual(request.cameraControl, { type: 'forward_up', config: null });
  assert.equal(sources['cfgScale'], 'metadata.cfg_scale');
  assert.equal(resolve({ model: 'kling-v1', prompt, cfg_scale: 0.1, metadata }).request.cfgScale, 0.1);
  refused({ model: 'kling-v1', prompt, cfg_scale: 1.1 }, 'invalid_value', 'cfg_scale');
  assert.deepEqual(warningsOf({ model: 'kling-v2-6', prompt, cfg_scale: 0.5 }), ['cfg_scale_ignored']);
});

test('row 36: no prompt and no picture is refused', () => {
  refused({ model: 'kling-2.5' }, 'missing_required_parameter', 'prompt');
  refused({ model: 'kling-2.5', prompt: '  ' }, 'missing_required_parameter', 'prompt');
  resolve({ model: 'kling-2.5', image: picture });
  refused({ prompt }, 'missing_required_parameter', 'image', 'image2video');
});

describe('row 37: enums in any case', () => {
  const body = { model: 'KLING-3.0', prompt, mode: 'PRO', audio_generation: 'ENABLED' };
  test('all of them', () => assert.equal(tierOf(body), 'kling-3.0-1080p-sound'));
  for (const [word, tier] of [
    ['on', 'sound'],
    [true, 'sound'],
    ['TRUE', 'sound'],
    ['1', 'sound'],
    ['off', 'mute'],
    ['Disabled', 'mute'],
    [false, 'mute'],
  ]) {
    test(`sound: ${word}`, () =>
      assert.equal(tierOf({ model: 'kling-3.0', prompt, sound: word }), `kling-3.0-720p-${tier}`));
  }
  test('other words are refused', () => {
    refused({ model: 'kling-3.0', prompt, sound: 'loud' }, 'invalid_value', 'sound');
    refused({ model: 'kling-3.0', prompt, mode: 'ultra' }, 'invalid_value', 'mode');
  });
});

describe('what clients send along', () => {
  test('fields left empty are as good as absent', () => {
    const empty = {
      negative_prompt: '',
      image: '',
      image_tail: null,
      images: [],
      multi_prompt: [],
      voice_list: [],
      element_list: [],
      dynamic_masks: [],
      callback_url: '',
      external_task_id: '',
      metadata: {},
    };
    const { request } = resolve({ model: 'kling-v2-6', prompt, ...empty });
    assert.deepEqual(request, resolve({ model: 'kling-v2-6', prompt }).request);
  });

  test('sounds and sessions have no place in an ordinary film', () => {
    const { request, warnings } = resolve({
      model: 'kling-3.0',
      prompt,
      metadata: { ext_info: { session_id: 's', sound_file: 'https://example.com/a.mp3' } },
    });
    assert.deepEqual(request.extensions, {});
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['audio_ignored', 'audio_ignored'],
    );
  });

  test('callback, own id and cost cap are judged', () => {
    const body = { model: 'kling-2.5', prompt };
    const taken = resolve({
      ...body,
      callback_url: 'https://example.com/hook',
      external_task_id: ' mine-1 ',
      max_cost: '0.5',
    });
    assert.equal(taken.callbackUrl, 'https://example.com/hook');
    assert.equal(taken.externalTaskId, 'mine-1');
    assert.equal(taken.maxCostMicros, 500_000n);
    assert.equal(
      resolve({ ...body, external_task_id: 913827032734642185n }).externalTaskId,
      '913827032734642185',
    );
    refused({ ...body, callback_url: 'example.com/hook' }, 'invalid_value', 'callback_url');
    refused({ ...body, external_task_id: 'x'.repeat(129) }, 'invalid_value', 'external_task_id');
    refused({ ...body, external_task_id: 'a\nb' }, 'invalid_value', 'external_task_id');
    for (const max_cost of ['-1', 'cheap', '1e3'])
      refused({ ...body, max_cost }, 'invalid_value', 'max_cost');
  });

  test('a door that knows its operation asks for what it needs', () => {
    refused({ model_name: 'kling-v2-1', prompt }, 'missing_required_parameter', 'image', 'image2video');
    assert.equal(resolve({ prompt, image: picture }, 'text2video').request.operation, 'image-to-video');
    assert.equal(
      resolve({ model_name: 'kling-v1', image_tail: picture }, 'image2video').request.firstFrame,
      null,
    );
  });

  test('speaking scenes reach their media and handles', () => {
    const ext_info = JSON.stringify({
      AdditionalParameters: JSON.stringify({ session_id: 's1', face_choose: [{ face_id: '0' }] }),
    });
    const { request } = resolve({
      model: 'kling-identify-face',
      prompt,
      metadata: { ext_info, audio_url: 'https://example.com/a.mp3' },
    });
    assert.deepEqual(request.extensions, { session_id: 's1', face_choose: [{ face_id: '0' }] });
    assert.equal(request.audio?.kind, 'url');
    assert.equal(request.sound, true);
  });
});
