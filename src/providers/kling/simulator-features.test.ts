/** The simulator's judgement of every feature: what it refuses and by which name, what lives on and for how long. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { toWav } from '../../sandbox/render/sound.ts';
import { pngOf } from '../kit/picture-sample.ts';
import { maskAround, pngOfMask, runLengths } from './simulator-mask.ts';
import { startTestSimulator } from './test-simulator.ts';
import type { TestSimulator } from './test-simulator.ts';

const picture = 'https://example.com/a.png';
const film = 'https://example.com/a.mp4';
const inline = pngOf(640, 480).toString('base64');
const sound = (seconds: number) => toWav(new Float32Array(44_100 * seconds)).toString('base64');

const videos = '/v1/videos';
const elementsMode = `${videos}/multi-elements`;
const generations = '/v1/images/generations';
const motion = {
  image_url: picture,
  video_url: film,
  character_orientation: 'image',
  mode: 'std',
};
const expand = {
  image: picture,
  up_expansion_ratio: 0,
  down_expansion_ratio: 0,
  left_expansion_ratio: 0,
  right_expansion_ratio: 0,
};
const element = {
  element_name: 'cat',
  element_description: 'a cat',
  reference_type: 'image_refer',
  element_image_list: { frontal_image: picture, refer_images: [{ image_url: picture }] },
};
const speech = { text: 'hello', voice_id: 'genshin_klee2', voice_language: 'en' };

describe('what the simulator refuses', () => {
  let it: TestSimulator;
  before(() => (it = startTestSimulator()));
  after(() => it.close());

  const refusals: [field: string, path: string, body: object][] = [
    ['image_url', `${videos}/motion-control`, { ...motion, image_url: undefined }],
    ['video_url', `${videos}/motion-control`, { ...motion, video_url: 'AAAA' }],
    ['character_orientation', `${videos}/motion-control`, { ...motion, character_orientation: undefined }],
    ['mode', `${videos}/motion-control`, { ...motion, mode: '4k' }],
    ['element_list', `${videos}/motion-control`, { ...motion, element_list: [{ element_id: 1 }] }],
    [
      'character_orientation',
      `${videos}/motion-control`,
      { ...motion, model_name: 'kling-v3', element_list: [{ element_id: 1 }] },
    ],
    ['image', `${videos}/avatar/image2video`, { sound_file: film }],
    ['audio_id', `${videos}/avatar/image2video`, { image: picture }],
    ['sound_file', `${videos}/avatar/image2video`, { image: picture, sound_file: sound(1) }],
    ['sound_file', `${videos}/avatar/image2video`, { image: picture, sound_file: inline }],
    ['sound_file', `${videos}/avatar/image2video`, { image: picture, sound_file: sound(2), audio_id: '1' }],
    ['mode', `${videos}/avatar/image2video`, { image: picture, sound_file: film, mode: '4k' }],
    ['video_id', `${videos}/video-extend`, {}],
    ['video_id', `${videos}/identify-face`, {}],
    ['video_url', `${videos}/identify-face`, { video_id: '1', video_url: film }],
    ['input', `${videos}/lip-sync`, {}],
    ['input.mode', `${videos}/lip-sync`, { input: { video_url: film } }],
    ['input.text', `${videos}/lip-sync`, { input: { video_url: film, mode: 'text2video' } }],
    ['input.audio_type', `${videos}/lip-sync`, { input: { video_url: film, mode: 'audio2video' } }],
    ['session_id', `${videos}/advanced-lip-sync`, { face_choose: [] }],
    ['effect_scene', `${videos}/effects`, { input: { image: picture, duration: '5' } }],
    ['input', `${videos}/effects`, { effect_scene: 'squish' }],
    ['input.duration', `${videos}/effects`, { effect_scene: 'squish', input: { image: picture } }],
    [
      'input.duration',
      `${videos}/effects`,
      { effect_scene: 'squish', input: { image: picture, duration: '10' } },
    ],
    [
      'input.images',
      `${videos}/effects`,
      { effect_scene: 'hug', input: { images: [picture], model_name: 'kling-v1-6', duration: '5' } },
    ],
    [
      'input.model_name',
      `${videos}/effects`,
      { effect_scene: 'fight', input: { images: [picture, picture], model_name: 'kling-v1', duration: '5' } },
    ],
    ['session_id', elementsMode, { edit_mode: 'removal', prompt: 'x' }],
    ['session_id', `${elementsMode}/preview-selection`, {}],
    ['image', `${videos}/image-recognize`, {}],
    ['prompt', '/v1/audio/text-to-audio', { duration: 5 }],
    ['duration', '/v1/audio/text-to-audio', { prompt: 'rain' }],
    ['duration', '/v1/audio/text-to-audio', { prompt: 'rain', duration: 11 }],
    ['duration', '/v1/audio/text-to-audio', { prompt: 'rain', duration: 3.25 }],
    ['prompt', '/v1/audio/text-to-audio', { prompt: 'x'.repeat(201), duration: 5 }],
    ['video_id', '/v1/audio/video-to-audio', {}],
    ['bgm_prompt', '/v1/audio/video-to-audio', { video_url: film, bgm_prompt: 'x'.repeat(201) }],
    ['asmr_mode', '/v1/audio/video-to-audio', { video_url: film, asmr_mode: 'maybe' }],
    ['text', '/v1/audio/tts', { ...speech, text: '' }],
    ['text', '/v1/audio/tts', { ...speech, text: 'x'.repeat(1001) }],
    ['voice_id', '/v1/audio/tts', { ...speech, voice_id: undefined }],
    ['voice_language', '/v1/audio/tts', { ...speech, voice_language: 'fr' }],
    ['voice_speed', '/v1/audio/tts', { ...speech, voice_speed: 2.1 }],
    ['prompt', generations, {}],
    ['n', generations, { prompt: 'x', n: 10 }],
    ['n', generations, { prompt: 'x', n: 1.5 }],
    ['aspect_ratio', generations, { prompt: 'x', aspect_ratio: '21:9' }],
    ['aspect_ratio', generations, { prompt: 'x', aspect_ratio: '5:4' }],
    ['resolution', generations, { prompt: 'x', resolution: '4k' }],
    ['negative_prompt', generations, { prompt: 'x', image: picture, negative_prompt: 'y' }],
    ['image_reference', generations, { model_name: 'kling-v1-5', prompt: 'x', image: picture }],
    ['image_reference', generations, { prompt: 'x', image_reference: 'face' }],
    ['image_fidelity', generations, { prompt: 'x', image_fidelity: 1.1 }],
    ['element_list', generations, { prompt: 'x', element_list: [{ element_id: 1 }] }],
    ['image', generations, { model_name: 'kling-v2-new', prompt: 'x' }],
    ['subject_image_list', '/v1/images/multi-image2image', { prompt: 'x' }],
    [
      'subject_image_list',
      '/v1/images/multi-image2image',
      { subject_image_list: Array(5).fill({ subject_image: picture }) },
    ],
    ['prompt', '/v1/images/omni-image', {}],
    ['resolution', '/v1/images/omni-image', { prompt: 'x', resolution: '4k' }],
    ['series_amount', '/v1/images/omni-image', { prompt: 'x', result_type: 'series', series_amount: 1 }],
    [
      'image_list',
      '/v1/images/omni-image',
      {
        prompt: 'x',
        image_list: Array(6).fill({ image: picture }),
        element_list: Array(5).fill({ element_id: 1 }),
      },
    ],
    ['up_expansion_ratio', '/v1/images/editing/expand', { image: picture }],
    [
      'up_expansion_ratio',
      '/v1/images/editing/expand',
      { ...expand, up_expansion_ratio: 2, left_expansion_ratio: 1 },
    ],
    ['human_image', '/v1/images/kolors-virtual-try-on', { cloth_image: picture }],
    ['cloth_image', '/v1/images/kolors-virtual-try-on', { human_image: picture }],
    ['element_frontal_image', '/v1/general/ai-multi-shot', {}],
    ['voice_name', '/v1/general/custom-voices', { voice_url: film }],
    ['voice_name', '/v1/general/custom-voices', { voice_name: 'x'.repeat(21), voice_url: film }],
    ['voice_url', '/v1/general/custom-voices', { voice_name: 'mine' }],
    ['element_name', '/v1/general/advanced-custom-elements', { ...element, element_name: '' }],
    ['reference_type', '/v1/general/advanced-custom-elements', { ...element, reference_type: 'other' }],
    [
      'element_video_list',
      '/v1/general/advanced-custom-elements',
      { ...element, reference_type: 'video_refer' },
    ],
    [
      'element_image_list.refer_images',
      '/v1/general/advanced-custom-elements',
      { ...element, element_image_list: { frontal_image: picture } },
    ],
    [
      'tag_list[0].tag_id',
      '/v1/general/advanced-custom-elements',
      { ...element, tag_list: [{ tag_id: 'x' }] },
    ],
    ['voice_id', '/v1/general/delete-voices', {}],
    ['element_id', '/v1/general/delete-elements', { element_id: 7 }],
    ['external_task_id', '/v1/audio/text-to-audio', { prompt: 'x', duration: 5, external_task_id: {} }],
    ['callback_url', generations, { prompt: 'x', callback_url: 'nowhere' }],
    ['watermark_info', generations, { prompt: 'x', watermark_info: true }],
  ];
  for (const [field, path, body] of refusals) {
    test(`${field} in ${path.slice(4)} ${JSON.stringify(body).slice(0, 70)}`, () => {
      const answer = it.ask('POST', path, body);
      assert.deepEqual([answer.status, answer.code], [400, 1201], answer.message);
      assert.ok(answer.message.startsWith(field), answer.message);
    });
  }

  test('nothing of all that was accepted', () => assert.equal(it.accepted.length, 0));

  const missing: [field: string, path: string, body: object][] = [
    ['model_name', generations, { model_name: 'kling-v9', prompt: 'x' }],
    ['model_name', `${videos}/motion-control`, { ...motion, model_name: 'kling-v1' }],
    ['video_id', `${videos}/video-extend`, { video_id: '123456789012345678' }],
    ['session_id', `${videos}/advanced-lip-sync`, { session_id: '1', face_choose: [] }],
    ['audio_id', `${videos}/avatar/image2video`, { image: picture, audio_id: '77' }],
    ['voice_id', '/v1/general/delete-voices', { voice_id: 'genshin_klee2' }],
  ];
  for (const [field, path, body] of missing) {
    test(`an unknown ${field} at ${path.slice(4)} is 1203`, () => {
      const answer = it.ask('POST', path, body);
      assert.deepEqual([answer.status, answer.code], [404, 1203], answer.message);
      assert.ok(answer.message.startsWith(field), answer.message);
    });
  }

  test('bad bodies are answered, never thrown', () => {
    const paths = [...new Set(refusals.map(([, path]) => path)), '/tasks', '/text-to-video/kling-2.6'];
    for (const path of paths) {
      for (const body of [[], null, 7, 'text']) assert.equal(it.ask('POST', path, body).code, 1200, path);
      for (const value of [[], {}, 7, 'x', true]) {
        const fields = [
          'image',
          'input',
          'contents',
          'settings',
          'points',
          'video_id',
          'filters',
          'face_choose',
        ];
        const answer = it.ask('POST', path, Object.fromEntries(fields.map((field) => [field, value])));
        assert.ok(answer.code === 0 || answer.status < 500, `${path} ${answer.message}`);
      }
    }
  });
});

describe('what lives on', () => {
  let it: TestSimulator;
  beforeEach(() => (it = startTestSimulator()));
  afterEach(() => it.close());
  const ok = (path: string, body: object) => {
    const answer = it.ask('POST', path, body);
    assert.equal(answer.code, 0, answer.message);
    return answer.data;
  };
  const done = async (path: string, body: object) => {
    const created = ok(path, body);
    await it.clock.advance(300_000);
    const task = it.ask('GET', `${path.replace(/\/$/, '')}/${created.task_id}`).data;
    assert.equal(task.task_status, 'succeed', task.task_status_msg);
    return task;
  };
  const faceChoice = (changes: object = {}) => [
    {
      face_id: '0',
      sound_file: film,
      sound_start_time: 0,
      sound_end_time: 3000,
      sound_insert_time: 0,
      ...changes,
    },
  ];

  test('faces are remembered for a day, and through a restart', async () => {
    const found = ok(`${videos}/Identify-face`, { video_id: await it.film() });
    const { session_id: session, face_data: faces } = found;
    assert.deepEqual([faces[0]!.start_time, faces[0]!.end_time], [0, 5000]);
    it.restart();
    const lips = (changes: object) => ({ session_id: session, face_choose: faceChoice(changes) });
    const path = `${videos}/advanced-lip-sync`;
    for (const [field, changes] of [
      ['face_choose[0].face_id', { face_id: '9' }],
      ['face_choose[0].sound_end_time', { sound_end_time: 1999 }],
      ['face_choose[0].sound_end_time', { sound_file: sound(2) }],
      ['face_choose[0].sound_insert_time', { sound_insert_time: 3500 }],
      ['face_choose[0].sound_insert_time', { sound_insert_time: undefined }],
      ['face_choose[0].sound_volume', { sound_volume: 3 }],
      ['face_choose[0].sound_file', { audio_id: '5' }],
    ] as [string, object][]) {
      const refused = it.ask('POST', path, lips(changes));
      assert.equal(refused.code, 1201);
      assert.ok(refused.message.startsWith(field), refused.message);
    }
    const task = await done(path, lips({}));
    assert.equal(task.task_info.parent_video.duration, '5.04');
    await it.clock.advance(86_400_000);
    assert.equal(it.ask('POST', path, lips({})).code, 1203);
  });

  test('a selection grows, shrinks, and is needed for an edit', async () => {
    const begun = ok(`${elementsMode}/init-selection`, { video_id: await it.film() });
    assert.deepEqual(
      [begun.width, begun.height, begun.fps, begun.total_frame, begun.original_duration],
      [1280, 720, 24, 120, 5000],
    );
    const session_id = begun.session_id;
    const edit = { session_id, edit_mode: 'removal', prompt: 'remove it' };
    assert.match(it.ask('POST', elementsMode, edit).message, /^session_id: edit_mode removal needs/);
    const mark = (frame_index: number, x = 0.5) => ({ session_id, frame_index, points: [{ x, y: 0.5 }] });
    const added = ok(`${elementsMode}/add-selection`, mark(3));
    it.restart();
    const [mask] = added.res.rle_mask_list!;
    assert.deepEqual(mask!.rle_mask.size, [720, 1280]);
    assert.match(mask!.png_mask['base64']!, /^iVBORw0KGgo/);
    assert.equal(it.ask('POST', `${elementsMode}/add-selection`, mark(120)).code, 1201);
    assert.equal(it.ask('POST', `${elementsMode}/add-selection`, mark(1, 1.1)).code, 1201);
    for (let frame = 10; frame < 19; frame++) ok(`${elementsMode}/add-selection`, mark(frame));
    assert.match(
      it.ask('POST', `${elementsMode}/add-selection`, mark(20)).message,
      /^frame_index: at most 10/,
    );
    const preview = ok(`${elementsMode}/preview-selection`, { session_id });
    assert.deepEqual(Object.keys(preview.res!), ['video', 'video_cover', 'tracking_output']);
    assert.match(it.ask('POST', `${elementsMode}/delete-selection`, mark(3, 0.4)).message, /^points/);
    const deleted = ok(`${elementsMode}/delete-selection`, mark(3));
    assert.deepEqual(deleted.res.rle_mask_list, []);
    assert.match(
      it.ask('POST', elementsMode, { ...edit, edit_mode: 'swap' }).message,
      /^image_list: edit_mode swap takes 1/,
    );
    const task = await done(`${elementsMode}/`, edit);
    assert.equal(task.task_result.videos[0]!.session_id, session_id);
    assert.equal(task.final_unit_deduction, '3');
    ok(`${elementsMode}/clear-selection`, { session_id });
    assert.equal(it.ask('POST', `${elementsMode}/preview-selection`, { session_id }).code, 1201);
  });

  test('films can be built upon for thirty days, and grow to three minutes', async () => {
    let id = await it.film();
    const path = `${videos}/video-extend`;
    for (let seconds = 10; seconds <= 180; seconds += 5) {
      const task = await done(path, { video_id: id, prompt: 'on' });
      const [video] = task.task_result.videos!;
      assert.equal(video!.duration, `${seconds}.04`);
      assert.equal(task.task_info.parent_video.id, id);
      assert.equal(task.final_unit_deduction, '2');
      id = video!.id!;
    }
    assert.match(
      it.ask('POST', path, { video_id: id }).message,
      /^video_id: the extended video would exceed 180/,
    );
    const newer = await it.film({ model_name: 'kling-v2-6' });
    assert.match(it.ask('POST', path, { video_id: newer }).message, /^video_id: a video of kling-v2-6/);
    const old = await it.film();
    await it.clock.advance(30 * 86_400_000);
    assert.equal(it.ask('POST', path, { video_id: old }).code, 1203);
  });

  test('kling-v1 is extended without the fields it does not know', async () => {
    const video_id = await it.film({ model_name: 'kling-v1' });
    const refused = it.ask('POST', `${videos}/video-extend`, { video_id, cfg_scale: 0.5 });
    assert.match(refused.message, /^cfg_scale: is not supported by kling-v1/);
  });

  test('a film that is not finished is no source', () => {
    const { task_id: id } = ok(`${videos}/text2video`, { model_name: 'kling-v1-6', prompt: 'x' });
    const video_id = String(BigInt(id) + 1n);
    assert.equal(it.ask('POST', `${videos}/video-extend`, { video_id }).code, 1203);
  });

  test('speech is in the answer, and its sound speaks for an avatar', async () => {
    const spoken = ok('/v1/audio/tts', { ...speech, text: 'hello there, this is me' });
    assert.equal(spoken.task_status, 'succeed');
    const [audio] = spoken.task_result.audios!;
    assert.ok(Number(audio!.duration) > 1);
    const task = await done(`${videos}/avatar/image2video`, { image: inline, audio_id: audio!.id });
    assert.equal(task.task_result.videos[0]!.duration, audio!.duration);
  });

  test('a voice is used until it is deleted', async () => {
    const path = '/v1/general/custom-voices';
    const created = ok(path, {
      voice_name: 'mine',
      video_id: await it.film({ model_name: 'kling-v2-6', mode: 'pro', sound: 'on' }),
    });
    await it.clock.advance(60_000);
    const [task] = it.ask('GET', path).data;
    assert.equal(task!.task_id, created.task_id);
    const voice_id = task!.task_result.voices[0]!.voice_id;
    it.restart();
    ok('/v1/audio/tts', { ...speech, voice_id });
    assert.equal(ok('/v1/general/delete-voices', { voice_id }), undefined);
    const again = it.ask('POST', '/v1/general/delete-voices', { voice_id });
    assert.deepEqual([again.code, again.message], [1201, `Voice already be deleted for id: ${voice_id}`]);
    assert.match(it.ask('POST', '/v1/audio/tts', { ...speech, voice_id }).message, /^voice_id: .*deleted/);
    const sung = { model_name: 'kling-v3', prompt: 'x', sound: 'on', voice_list: [{ voice_id }] };
    assert.match(it.ask('POST', `${videos}/text2video`, sung).message, /^voice_list\[0\].voice_id/);
  });

  test('a voice needs a film that sounds', async () => {
    const body = { voice_name: 'mine', video_id: await it.film() };
    assert.match(
      it.ask('POST', '/v1/general/custom-voices', body).message,
      /^video_id: the video has no sound/,
    );
  });

  test('an element is known by a long, under its old path, too, and ends as deleted', async () => {
    const path = '/v1/general/advanced-custom-elements';
    const task = await done(path, element);
    const [made] = task.task_result.elements! as unknown as Record<string, unknown>[];
    assert.equal(typeof made!.element_id, 'bigint');
    assert.equal(made!.status, 'succeed');
    const omni = {
      prompt: 'x',
      aspect_ratio: '1:1',
      element_list: [{ element_id: made!.element_id }],
    };
    ok(`${videos}/omni-video`, omni);
    it.restart();
    ok('/v1/general/delete-elements', { element_id: String(made!.element_id) });
    assert.match(it.ask('POST', `${videos}/omni-video`, omni).message, /^element_list\[0\].element_id/);
    const listed = it.ask('GET', '/v1/general/custom-elements').data[0]!;
    assert.equal(listed.task_result.elements[0]!.status, 'deleted');
  });

  test('presets come in pages', () => {
    const page = (target: string) => it.ask('GET', target).data;
    const voices = page('/v1/general/presets-voices');
    assert.equal(voices[0]!.task_result.voices[0]!.owned_by, 'kling');
    assert.equal(page('/v1/general/presets-voices?pageNum=2&pageSize=2').length, 2);
    assert.equal(page('/v1/general/advanced-presets-elements').length, 3);
    assert.equal(it.ask('GET', '/v1/general/presets-voices?pageSize=1001').code, 1201);
  });

  test('steps and their files are in no list', async () => {
    ok(`${videos}/identify-face`, { video_url: film });
    ok(`${videos}/image-recognize`, { image: picture });
    assert.equal(it.ask('GET', `${videos}/identify-face`).code, 1202);
    assert.equal(it.ask('POST', '/tasks', {}).data.count, 0);
  });
});

describe('pictures', () => {
  let it: TestSimulator;
  beforeEach(() => (it = startTestSimulator()));
  afterEach(() => it.close());

  test('take as many slots as there are pictures, and none of the films’', () => {
    it.behave({ slots: 5 });
    assert.equal(it.ask('POST', generations, { prompt: 'x', n: 4 }).code, 0);
    assert.equal(it.ask('POST', generations, { prompt: 'x', n: 2 }).code, 1303);
    assert.equal(it.ask('POST', generations, { prompt: 'x', n: 1 }).code, 0);
    assert.equal(it.ask('POST', `${videos}/text2video`, { prompt: 'x' }).code, 0);
    const tryOn = { human_image: picture, cloth_image: picture };
    assert.equal(it.ask('POST', '/v1/images/kolors-virtual-try-on', tryOn).code, 0);
  });

  const sizes: [string, object, object | null][] = [
    ['the default', { prompt: 'x' }, { width: 1360, height: 768 }],
    ['a square', { prompt: 'x', aspect_ratio: '1:1' }, { width: 1024, height: 1024 }],
    [
      '2k, upright',
      { model_name: 'kling-v2-1', prompt: 'x', aspect_ratio: '9:16', resolution: '2k' },
      { width: 1536, height: 2720 },
    ],
    ['a restyled one', { model_name: 'kling-v2-new', prompt: 'x', image: picture }, null],
  ];
  for (const [name, body, size] of sizes) {
    test(`${name} has its size`, () => {
      assert.equal(it.ask('POST', generations, body).code, 0);
      const [file] = it.accepted[0]!.files!;
      assert.ok(file?.kind === 'image');
      assert.deepEqual(file.size, size);
    });
  }

  test('an expanded one grows by its ratios', () => {
    const body = {
      ...expand,
      up_expansion_ratio: 0.5,
      left_expansion_ratio: 0.25,
      right_expansion_ratio: 0.25,
    };
    assert.equal(it.ask('POST', '/v1/images/editing/expand', body).code, 0);
    const [file] = it.accepted[0]!.files!;
    assert.ok(file?.kind === 'image');
    assert.deepEqual(file.stretch, { width: 1.5, height: 1.5 });
  });

  const units: [string, object, string][] = [
    [generations, { prompt: 'x', n: 3 }, '3'],
    [generations, { model_name: 'kling-v2-1', prompt: 'x' }, '4'],
    [generations, { model_name: 'kling-v1-5', prompt: 'x', image: picture, image_reference: 'face' }, '8'],
    ['/v1/images/multi-image2image', { subject_image_list: [{ subject_image: picture }] }, '16'],
    ['/v1/images/omni-image', { model_name: 'kling-v3-omni', prompt: 'x', resolution: '4k' }, '16'],
    ['/v1/images/editing/expand', expand, '8'],
    ['/v1/general/ai-multi-shot', { element_frontal_image: picture }, '20'],
  ];
  for (const [path, body, expected] of units) {
    test(`${path.slice(4)} ${JSON.stringify(body).slice(0, 50)} costs ${expected} units`, async () => {
      const { data } = it.ask('POST', path, body);
      await it.clock.advance(60_000);
      assert.equal(it.ask('GET', `${path}/${data.task_id}`).data.final_unit_deduction, expected);
    });
  }

  test('fail by the same switches as films', async () => {
    assert.equal(it.ask('POST', generations, { prompt: 'a [[reject:1301]]' }).code, 1301);
    const { data } = it.ask('POST', generations, { prompt: 'a [[fail]]' });
    await it.clock.advance(60_000);
    const task = it.ask('GET', `${generations}/${data.task_id}`).data;
    assert.deepEqual([task.task_status, task.final_unit_deduction], ['failed', '0']);
  });
});

describe('bills', () => {
  test('name what was made, and add up to the packs', async () => {
    const it = startTestSimulator();
    await it.film({ mode: 'pro' });
    it.ask('POST', generations, { prompt: 'x', n: 2 });
    await it.clock.advance(60_000);
    const time = { start_time: 0, end_time: it.clock.now() };
    const { data } = it.ask('POST', '/account/billing/package', time);
    const detail = data.result.detail!;
    assert.deepEqual(
      detail.map((bill) => [bill.product_type, bill.product_function, bill.deduction_amount]),
      [
        ['video', 'text2video', '3.5'],
        ['image', 'generations', '2'],
      ],
    );
    assert.equal(detail[0]!.resolution, '1080p');
    const filters = [{ key: 'product_type', values: ['image'] }];
    const images = it.ask('POST', '/account/billing/package', { ...time, filters }).data;
    assert.equal(images.result.count, 1);
    const first = it.ask('POST', '/account/billing/package', { ...time, limit: 1 }).data;
    assert.deepEqual([first.has_more, first.next_cursor], [true, '1']);
    const balance = it.ask('POST', '/account/billing/balance', time).data;
    assert.deepEqual(balance.result, { detail: [], count: 0 });
    assert.equal(it.ask('POST', '/account/billing/package', {}).code, 1201);
    const costs = it.ask('GET', '/account/costs?start_time=1&end_time=2').data;
    const left = costs.resource_pack_subscribe_infos!.map((pack) => pack.remaining_quantity);
    assert.deepEqual(left, [9996.5, 9998, 10_000]);
    it.close();
  });
});

describe('masks', () => {
  const [width, height] = [40, 20];
  const mask = maskAround(
    [
      { x: 0.25, y: 0.5 },
      { x: 1, y: 1 },
    ],
    width,
    height,
  );

  test('as run lengths give the same pixels back', () => {
    assert.deepEqual(fromRunLengths(runLengths(mask, width, height), width, height), mask);
    const empty = new Uint8Array(width * height);
    assert.deepEqual(fromRunLengths(runLengths(empty, width, height), width, height), empty);
  });

  test('as PNG hold the same pixels', () => {
    const png = pngOfMask(mask, width, height);
    assert.equal(png.readUInt32BE(16), width);
    const length = png.readUInt32BE(33);
    const rows = inflateSync(png.subarray(41, 41 + length));
    assert.equal(rows.length, (width + 1) * height);
    for (let y = 0; y < height; y++) {
      const row = rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1));
      assert.deepEqual(
        [...row].map((value) => value / 255),
        [...mask.subarray(y * width, (y + 1) * width)],
      );
    }
  });
});

/** cocoapi's rleFrString, for comparison. */
function fromRunLengths(text: string, width: number, height: number): Uint8Array {
  const counts: number[] = [];
  for (let place = 0; place < text.length;) {
    let number = 0;
    for (let shift = 0; ; shift += 5) {
      const bits = text.charCodeAt(place++) - 48;
      number |= (bits & 0x1f) << shift;
      if (bits & 0x20) continue;
      if (bits & 0x10) number |= -1 << (shift + 5);
      break;
    }
    counts.push(counts.length > 2 ? number + counts.at(-2)! : number);
  }
  const mask = new Uint8Array(width * height);
  let at = 0;
  counts.forEach((count, index) => {
    for (const end = at + count; at < end; at++) {
      mask[(at % height) * width + Math.floor(at / height)] = index % 2;
    }
  });
  return mask;
}
