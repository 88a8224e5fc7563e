/**
 * The one request body of all video doors: the union of what the founding documents describe (specs/kling.md §8 row
 * 19). Lenient about spelling (a form has nothing but text), strict about JSON types; what a value means is judged in
 * core, which also words the refusal.
 */
import { z } from 'zod';
import { file, flag, fromText, id, list, media, object, structure, text, textOrNumber } from './fields.ts';

export { looseVideo } from './video-loose.ts';

const cameraControl = structure(
  object({
    type: text('simple, down_back, forward_up, right_turn_forward or left_turn_forward'),
    config: structure(
      object({}),
      'With `simple` only: horizontal, vertical, pan, tilt, roll, zoom, each -10 to 10, exactly one not 0.',
    ),
  }),
  'Camera move: kling-v1 text to video (std, 5 s), kling-v1-5 image to video (pro, 5 s, `simple`).',
);

const outputConfig = structure(
  object({
    duration: textOrNumber('Seconds.', [5]),
    resolution: text('720P, 1080P or 4K.', ['720P']),
    aspect_ratio: text('16:9, 9:16 or 1:1.', ['16:9']),
    audio_generation: flag('Enabled or Disabled.'),
    storage_mode: text('Temporary: our copy is kept for 7 days. Permanent: until it is deleted.'),
    media_name: text('File name of the download, at most 64 characters.'),
    class_id: textOrNumber('A number of your own, kept with the task.'),
    expire_time: text('When our copy is to be deleted, ISO 8601.', ['2027-01-31T12:00:00Z']),
    person_generation: text('AllowAdult or Disallowed; takes effect only where the upstream knows it.'),
    input_compliance_check: flag('Enabled or Disabled; takes effect only where the operator allows it.'),
    output_compliance_check: flag('Enabled or Disabled; takes effect only where the operator allows it.'),
    enhance_switch: flag('Enabled or Disabled; takes effect only where the upstream knows it.'),
  }),
  'What the film is to be.',
);

const fileInfos = structure(
  list(
    object({
      type: text('Url or File.', ['Url']),
      category: text('Image or Video.', ['Image']),
      url: text('With type Url.'),
      file_id: text('With type File: an id of a file uploaded here.'),
      usage: text('FirstFrame, LastFrame or Reference.'),
      reference_type: text('Of a video: feature (style and motion) or base (the film to be edited).'),
      keep_original_sound: flag("Whether a video's own sound is kept."),
    }),
  ),
  'Pictures and films that name their role, at most three.',
);

const metadata = structure(
  object({
    scene_type: text('motion_control, avatar_i2v or lip_sync; absent: an ordinary film.'),
    motion_level: text('Level of motion control: std or pro.'),
    video_url: text('Reference video: a public https URL.'),
    last_frame_url: media('End frame.'),
    last_frame_file_id: text('End frame: an id of a file uploaded here.'),
    file_infos: fileInfos,
    ext_info: z
      .union([z.string(), z.looseObject({})], { error: 'must be a JSON text' })
      .nullish()
      .meta({ description: 'Further native fields as JSON text: `{"AdditionalParameters":"{…}"}`.' }),
    output_config: outputConfig,
    resolution: text('Short for output_config.resolution.'),
    aspect_ratio: text('Short for output_config.aspect_ratio.'),
    audio_generation: flag('Short for output_config.audio_generation.'),
    audio: flag('true: with sound.'),
    seconds: textOrNumber('Like the top-level seconds, which goes first.'),
    duration: textOrNumber('Like the top-level duration, which goes first.'),
    video_duration: textOrNumber('Like duration.'),
    mode: text('Like the top-level mode, which goes first.'),
    negative_prompt: text('Like its top-level twin, which goes first.'),
    cfg_scale: textOrNumber('Like its top-level twin, which goes first.'),
    camera_control: cameraControl,
    audio_url: text('Sound for an avatar or a lip-sync: a URL or base64.'),
    sound_file: text('Sound for an avatar or a lip-sync: a URL or base64.'),
    priority: textOrNumber(
      'Which of your own waiting tasks go first: -10 to 10, default 0; the header Reelay-Priority goes first.',
      [5],
    ),
  }),
  'Extended parameters.',
);

const shape = {
  model: text('Model name, in any case: GET /v1/models lists them.', ['kling-2.5', 'kling-v2-6']),
  model_name: text('The same as `model`; goes first where both are given.', ['kling-v1-6']),
  prompt: text('What the film shows, at most 2500 characters.', [
    'A cat playing with a ball of yarn in a sunny room',
  ]),
  negative_prompt: text('What it must not show, at most 2500 characters.'),
  seconds: textOrNumber('Length in seconds; goes before duration and metadata. Default 5.', ['5']),
  duration: textOrNumber('Length in seconds. 1.x and 2.x: 5 or 10; 3.0: 3 to 15. Default 5.', ['5', 10]),
  size: text('Grade or picture size: 720P, 1080P, 720x1280, 1280*720.', ['1280x720']),
  aspect_ratio: text('16:9 (default), 9:16 or 1:1; ignored where a picture is the first frame.', ['16:9']),
  mode: text('Quality: std (720P), pro (1080P) or 4k. In motion control: its level, std or pro.', ['std']),
  image: media('First frame.'),
  input_reference: media('First frame; the same as `image`.'),
  images: z
    .preprocess(
      (value) => (typeof value === 'string' && value.trim().startsWith('[') ? fromText(value) : value),
      z
        .union([z.array(media('A picture.')), z.string(), file], { error: 'must be a list of pictures' })
        .nullish(),
    )
    .optional()
    .meta({ description: 'Pictures: references on 3.0 Omni and O1, the first frame elsewhere.' }),
  image_tail: media('End frame.'),
  content: structure(
    list(
      object({
        type: text('text, image_url or video_url.', ['text']),
        text: text('With type text; joined to prompt by a newline.'),
        image_url: z.unknown().optional().meta({ description: 'With type image_url: a URL or {url}.' }),
        video_url: z.unknown().optional().meta({ description: 'With type video_url: a URL or {url}.' }),
      }),
    ),
    'The prompt and a picture in the form of chat messages.',
  ),
  sound: flag('on or off (default).'),
  audio_generation: flag('Enabled or Disabled (default); the same as `sound`.'),
  cfg_scale: textOrNumber('How closely to follow the prompt, 0 to 1; 1.x only.', [0.5]),
  camera_control: cameraControl,
  static_mask: media('Where nothing moves; kling-v1, kling-v1-5.'),
  dynamic_masks: structure(
    list(
      object({
        mask: media('What moves.'),
        trajectories: structure(list(object({})), 'Its path: `{x, y}`.'),
      }),
    ),
    'What moves where, at most six; kling-v1, kling-v1-5.',
  ),
  multi_shot: flag('Several shots in one film; 3.0 and 3.0 Omni.'),
  shot_type: text('With multi_shot: customize or intelligence.'),
  multi_prompt: structure(
    list(
      object({
        index: textOrNumber('From 1.'),
        prompt: text('At most 512 characters.'),
        duration: textOrNumber('Seconds.'),
      }),
    ),
    'The shots, at most six; their seconds add up to those of the film.',
  ),
  voice_list: structure(
    list(z.union([object({ voice_id: id('Voice.') }), z.string(), z.number(), z.bigint()])),
    'At most two voices; needs sound.',
  ),
  element_list: structure(
    list(z.union([object({ element_id: id('Element.') }), z.string(), z.number(), z.bigint()])),
    'Elements that appear in the film.',
  ),
  image_list: structure(
    list(
      z.union([
        z.string(),
        object({
          image_url: media('The picture.'),
          image: media('The picture.'),
          type: text('first_frame or end_frame; absent: a reference.'),
        }),
      ]),
    ),
    'Pictures with their role (omni-video).',
  ),
  video_list: structure(
    list(
      object({
        video_url: text('A public https URL.'),
        refer_type: text('base (default) or feature.'),
        keep_original_sound: flag('yes or no.'),
      }),
    ),
    'At most one reference video (omni-video).',
  ),
  character_orientation: text('Motion control: image or video (default).'),
  keep_original_sound: flag("Whether the reference video's own sound is kept (default)."),
  watermark_info: z
    .preprocess(
      fromText,
      z
        .union([
          object({ enabled: flag('Whether a watermarked copy is made too.') }),
          z.boolean(),
          z.string(),
        ])
        .nullish(),
    )
    .optional()
    .meta({ description: '`{"enabled": true}`: a watermarked copy is made too.' }),
  callback_url: text('Where every change of the task is posted to.'),
  external_task_id: id('Your own id of the task, unique in your account; finds it again.'),
  max_cost: textOrNumber('Refuse the request when it would cost more, a decimal.', ['1.50']),
  metadata,
};

/** The body at Kling's own doors, where a missing model means kling-v1. */
export const klingVideoRequest = z.looseObject(shape, { error: 'must be a JSON object' }).meta({
  id: 'KlingVideoRequest',
  description: 'A video to be made, in Kling’s words or in OpenAI’s.',
});

/** The body at the other doors, where a model is required. */
export const videoGenerationRequest = z.looseObject(shape, { error: 'must be a JSON object' }).meta({
  id: 'VideoGenerationRequest',
  description: 'A video to be made; `model` (or `model_name`) is required.',
});

export type VideoRequestBody = z.output<typeof videoGenerationRequest>;
