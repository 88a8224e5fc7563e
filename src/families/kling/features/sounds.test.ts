import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, film, isInvalid, isMissing, picture, resolve, sound, table } from './test-table.ts';

table('text-to-audio', { prompt: 'rain on a roof', duration: 3.5 }, [
  [{ prompt: '' }, isMissing, 'prompt'],
  [{ prompt: 'x'.repeat(201) }, isInvalid, 'prompt'],
  [{ duration: undefined }, isMissing, 'duration'],
  [{ duration: 2.9 }, isInvalid, 'duration'],
  [{ duration: '10.1' }, isInvalid, 'duration'],
  [{ duration: 3.55 }, isInvalid, 'duration'],
]);

table('video-to-audio', { video_url: film, bgm_prompt: 'a piano', asmr_mode: 'true' }, [
  [{ video_url: undefined }, isMissing, 'video_id'],
  [{ video_id: 'task_1' }, isInvalid, 'video_url'],
  [{ sound_effect_prompt: 'x'.repeat(201) }, isInvalid, 'sound_effect_prompt'],
  [{ bgm_prompt: 'x'.repeat(201) }, isInvalid, 'bgm_prompt'],
  [{ asmr_mode: 'loud' }, isInvalid, 'asmr_mode'],
]);

table('text-to-speech', { text: 'Hello', voice_id: 'girlfriend_1', voice_language: 'EN', voice_speed: 1.2 }, [
  [{ text: '' }, isMissing, 'text'],
  [{ text: '字'.repeat(1001) }, isInvalid, 'text'],
  [{ voice_id: undefined }, isMissing, 'voice_id'],
  [{ voice_language: 'fr' }, isInvalid, 'voice_language'],
  [{ voice_speed: 0.7 }, isInvalid, 'voice_speed'],
  [{ voice_speed: 2.1 }, isInvalid, 'voice_speed'],
  [{ voice_speed: 1.25 }, isInvalid, 'voice_speed'],
]);

test('speech has its defaults, and characters are counted as people count them', () => {
  const { request } = resolve('text-to-speech', { text: '🙂'.repeat(1000), voice_id: '1' });
  assert.deepEqual(request.parameters, {
    text: '🙂'.repeat(1000),
    voice_id: null,
    voice_language: 'zh',
    voice_speed: 1,
  });
  assert.deepEqual([request.immediate, request.makes], [true, 'audio']);
});

const classic = (input: Record<string, unknown>) => ({ input });
const spoken = { video_id: 'task_1', mode: 'text2video', text: 'Hello', voice_id: 'v', voice_speed: 0.8 };
const heard = { video_url: film, mode: 'audio2video', audio_type: 'file', audio_file: base64 };
table('lip-sync-classic', classic(spoken), [
  [{ input: undefined }, isMissing, 'input'],
  [{ input: 'x' }, isInvalid, 'input'],
  [classic({ ...spoken, video_id: undefined }), isMissing, 'input.video_id'],
  [classic({ ...spoken, video_url: film }), isInvalid, 'input.video_url'],
  [classic({ ...spoken, mode: undefined }), isMissing, 'input.mode'],
  [classic({ ...spoken, text: undefined }), isMissing, 'input.text'],
  [classic({ ...spoken, text: 'x'.repeat(121) }), isInvalid, 'input.text'],
  [classic({ ...spoken, voice_id: '' }), isMissing, 'input.voice_id'],
  [classic({ ...spoken, voice_speed: 3 }), isInvalid, 'input.voice_speed'],
  [classic({ ...heard, audio_type: undefined }), isMissing, 'input.audio_type'],
  [classic({ ...heard, audio_file: undefined }), isMissing, 'input.audio_file'],
  [classic({ ...heard, audio_type: 'url' }), isMissing, 'input.audio_url'],
  [classic({ ...heard, audio_type: 'url', audio_url: base64 }), isInvalid, 'input.audio_url'],
]);

test('a lip-sync is as long as its film: five seconds at least, a minute held', () => {
  const { quantity, quantityMax, request } = resolve('lip-sync-classic', classic(heard));
  assert.deepEqual([quantity, quantityMax, request.billsOutputLength], [5, 60, true]);
  assert.deepEqual(
    request.media.map(({ path, role }) => [path, role]),
    [
      ['input.video_url', 'film'],
      ['input.audio_file', 'sound'],
    ],
  );
});

const face = {
  face_id: '0',
  sound_file: sound,
  sound_start_time: 0,
  sound_end_time: 2000,
  sound_insert_time: 500,
};
const advanced = (change: Record<string, unknown>) => ({ face_choose: [{ ...face, ...change }] });
table('lip-sync-advanced', { session_id: '1', face_choose: [face] }, [
  [{ session_id: null }, isMissing, 'session_id'],
  [{ face_choose: [] }, isMissing, 'face_choose'],
  [{ face_choose: [face, face] }, isInvalid, 'face_choose'],
  [advanced({ face_id: undefined }), isMissing, 'face_choose[0].face_id'],
  [advanced({ sound_file: undefined }), isMissing, 'face_choose[0].audio_id'],
  [advanced({ audio_id: '2' }), isInvalid, 'face_choose[0].sound_file'],
  [advanced({ sound_start_time: undefined }), isMissing, 'face_choose[0].sound_start_time'],
  [advanced({ sound_end_time: 1999 }), isInvalid, 'face_choose[0].sound_end_time'],
  [advanced({ sound_end_time: 60_001 }), isInvalid, 'face_choose[0].sound_end_time'],
  [advanced({ sound_insert_time: -1 }), isInvalid, 'face_choose[0].sound_insert_time'],
  [advanced({ sound_insert_time: 58_001 }), isInvalid, 'face_choose[0].sound_insert_time'],
  [advanced({ sound_volume: 2.1 }), isInvalid, 'face_choose[0].sound_volume'],
  [advanced({ original_audio_volume: 'loud' }), isInvalid, 'face_choose[0].original_audio_volume'],
]);

test('session and sound of a chosen face are things the account owns', () => {
  const { request } = resolve('lip-sync-advanced', {
    session_id: 913827032734642185n,
    ...advanced({ sound_file: undefined, audio_id: 'task_9' }),
  });
  assert.deepEqual(
    request.resources.map(({ path, kind, id }) => [path, kind, id]),
    [
      ['session_id', 'session', '913827032734642185'],
      ['face_choose.0.audio_id', 'audio', 'task_9'],
    ],
  );
});

table('custom-voice', { voice_name: 'Anna', voice_url: sound }, [
  [{ voice_name: '' }, isMissing, 'voice_name'],
  [{ voice_name: 'x'.repeat(21) }, isInvalid, 'voice_name'],
  [{ voice_url: undefined }, isMissing, 'voice_url'],
  [{ video_id: 'task_1' }, isInvalid, 'video_id'],
  [{ voice_url: base64 }, isInvalid, 'voice_url'],
]);

const images = { frontal_image: picture, refer_images: [{ image_url: picture }] };
table(
  'custom-element',
  {
    element_name: 'Anna',
    element_description: 'a person',
    reference_type: 'image_refer',
    element_image_list: images,
    tag_list: [{ tag_id: 'o_102' }],
  },
  [
    [{ element_name: 'x'.repeat(21) }, isInvalid, 'element_name'],
    [{ element_description: undefined }, isMissing, 'element_description'],
    [{ element_description: 'x'.repeat(101) }, isInvalid, 'element_description'],
    [{ reference_type: 'sound_refer' }, isInvalid, 'reference_type'],
    [{ element_image_list: undefined }, isMissing, 'element_image_list'],
    [{ element_image_list: { ...images, frontal_image: '' } }, isMissing, 'element_image_list.frontal_image'],
    [{ element_image_list: { ...images, refer_images: [] } }, isMissing, 'element_image_list.refer_images'],
    [
      { element_image_list: { ...images, refer_images: Array(4).fill(picture) } },
      isInvalid,
      'element_image_list.refer_images',
    ],
    [{ reference_type: 'video_refer' }, isMissing, 'element_video_list'],
    [{ element_video_list: { refer_videos: [film] } }, isInvalid, 'element_video_list'],
    [
      { element_video_list: { refer_videos: [{ video_url: base64 }] } },
      isInvalid,
      'element_video_list.refer_videos[0].video_url',
    ],
    [{ tag_list: [{ tag_id: 'o_109' }] }, isInvalid, 'tag_list[0].tag_id'],
  ],
);

test('an element of a film names the film', () => {
  const { request } = resolve('custom-element', {
    element_name: 'Anna',
    element_description: 'a person',
    reference_type: 'video_refer',
    element_video_list: { refer_videos: [{ video_url: film }] },
    element_voice_id: 12,
  });
  assert.deepEqual(
    [request.media[0]?.path, request.media[0]?.role, request.resources[0]?.kind],
    ['element_video_list.refer_videos.0.video_url', 'film', 'voice'],
  );
});
