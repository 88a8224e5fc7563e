/** Bodies of the features that work on films and faces (specs/kling.md §3.3, §3.5, §3.7 to §3.10). */
import { id, list, media, object, structure, text, textOrNumber } from '../../kit/fields.ts';
import { klingVideoRequest } from '../../kit/video-request.ts';
import {
  modelName,
  plainBody,
  prompt,
  sessionId,
  taskBody,
  videoId,
  videoUrl,
  watermarkInfo,
} from './body.ts';

const { shape } = klingVideoRequest;
const mode = text('std (720P) or pro (1080P).', ['std']);
const pictureUrl = 'https://example.com/person.jpg';
const filmUrl = 'https://example.com/dance.mp4';
const soundUrl = 'https://example.com/speech.mp3';

export const multiImageBody = taskBody(
  'KlingMultiImageRequest',
  'A film from one to four pictures of things that are to appear in it.',
  {
    model_name: modelName('kling-v1-6 (default)', ['kling-v1-6']),
    image_list: structure(list(object({ image: media('The picture.') })), 'One to four pictures.'),
    prompt: shape.prompt,
    negative_prompt: shape.negative_prompt,
    mode,
    duration: textOrNumber('5 (default) or 10.', ['5']),
    aspect_ratio: shape.aspect_ratio,
    watermark_info: watermarkInfo,
  },
  { image_list: [{ image: pictureUrl }], prompt: 'They dance together', duration: '5', aspect_ratio: '16:9' },
);

export const motionBody = taskBody(
  'KlingMotionControlRequest',
  'A person in a picture moves as a person in a film does.',
  {
    model_name: modelName('kling-v2-6 (default) or kling-v3', ['kling-v2-6']),
    prompt: shape.prompt,
    image_url: media('The picture with the person.'),
    video_url: text('The film with the motion: a public https URL, 3 to 30 seconds.'),
    keep_original_sound: shape.keep_original_sound,
    character_orientation: shape.character_orientation,
    mode: text('Level: std or pro.', ['std']),
    element_list: shape.element_list,
    watermark_info: watermarkInfo,
  },
  { image_url: pictureUrl, video_url: filmUrl, character_orientation: 'video', mode: 'std' },
);

export const avatarBody = taskBody(
  'KlingAvatarRequest',
  'A person in a picture speaks.',
  {
    image: media('The picture with the person.'),
    sound_file: media('What is spoken: mp3, wav, m4a or aac, 2 to 300 seconds; instead of audio_id.'),
    audio_id: id('What is spoken: id of a task of yours that made a sound.'),
    prompt: shape.prompt,
    mode,
    watermark_info: watermarkInfo,
  },
  { image: pictureUrl, sound_file: soundUrl, mode: 'std' },
);

export const extendBody = taskBody(
  'KlingVideoExtendRequest',
  'A film goes on for four to five seconds more, up to three minutes in all.',
  {
    video_id: videoId,
    prompt: prompt('What happens next', 2500),
    negative_prompt: prompt('What it must not show', 2500),
    cfg_scale: textOrNumber('How closely to follow the prompt, 0 to 1 (0.5); not on kling-v1.', [0.5]),
    watermark_info: watermarkInfo,
  },
  { video_id: 'task_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue', prompt: 'The cat jumps onto the window sill' },
);

export const lipSyncBody = taskBody(
  'KlingLipSyncRequest',
  'A face in a film speaks a text or a sound, in one step.',
  {
    input: structure(
      object({
        video_id: videoId,
        video_url: videoUrl,
        mode: text('text2video: it speaks `text`; audio2video: it speaks a sound.', ['text2video']),
        text: prompt('What is spoken', 120),
        voice_id: text('Whose voice speaks the text.'),
        voice_language: text('zh or en.', ['en']),
        voice_speed: textOrNumber('0.8 to 2 (1).', [1]),
        audio_type: text('url or file.', ['url']),
        audio_url: media('The sound, with audio_type url.'),
        audio_file: media('The sound, with audio_type file: base64 or a file part.'),
      }),
      'The film and what is spoken.',
    ),
  },
  { input: { video_url: filmUrl, mode: 'audio2video', audio_type: 'url', audio_url: soundUrl } },
);

export const identifyFaceBody = plainBody(
  'KlingIdentifyFaceRequest',
  'Which faces a film shows and when.',
  { video_id: videoId, video_url: videoUrl },
  { video_url: filmUrl },
);

export const advancedLipSyncBody = taskBody(
  'KlingAdvancedLipSyncRequest',
  'A face that was found in a film speaks a sound.',
  {
    session_id: sessionId,
    face_choose: structure(
      list(
        object({
          face_id: id('The face, as identify-face named it.'),
          audio_id: id('The sound: id of a task of yours that made one.'),
          sound_file: media('The sound: mp3, wav or m4a, 2 to 60 seconds; instead of audio_id.'),
          sound_start_time: textOrNumber('Where in the sound to begin, milliseconds.'),
          sound_end_time: textOrNumber('Where in the sound to end, milliseconds.'),
          sound_insert_time: textOrNumber('Where in the film it begins, milliseconds.'),
          sound_volume: textOrNumber('0 to 2 (1).'),
          original_audio_volume: textOrNumber("The film's own sound, 0 to 2 (1)."),
        }),
      ),
      'The one face that speaks.',
    ),
    watermark_info: watermarkInfo,
  },
  {
    session_id: '829836802793406551',
    face_choose: [
      {
        face_id: '0',
        sound_file: soundUrl,
        sound_start_time: 0,
        sound_end_time: 3000,
        sound_insert_time: 0,
      },
    ],
  },
);

export const effectsBody = taskBody(
  'KlingEffectsRequest',
  'A ready-made effect on one picture, or on two people.',
  {
    effect_scene: text('The effect: squish, expansion, bloombloom, hug, kiss, heart_gesture, …', ['squish']),
    input: structure(
      object({
        model_name: text('kling-v1, kling-v1-5 or kling-v1-6 (effects of two people).', ['kling-v1-6']),
        mode,
        image: media('The picture (effects of one).'),
        images: structure(list(media('A person.')), 'The two people, left and right (effects of two).'),
        duration: textOrNumber('5; effects of two people also 10.', ['5']),
      }),
      'What the effect works on.',
    ),
    watermark_info: watermarkInfo,
  },
  { effect_scene: 'squish', input: { image: pictureUrl, duration: '5' } },
);

export const imageRecognizeBody = plainBody(
  'KlingImageRecognizeRequest',
  'What a picture shows: object, head, face and clothes, each cut out.',
  { image: media('The picture.') },
  { image: pictureUrl },
);
