/**
 * Every create route of the official platform's legacy standard (specs of its documentation): a body that is taken, the
 * fields it cannot do without, what it costs by the official price sheet at 0.14 USD a unit, and what it makes.
 */
import { plainSound } from './media.ts';

export interface KlingFeature {
  /** Below `/kling/v1`. */
  path: string;
  /** `film` is a finished film of the account's own; `session` one of identify-face, `selection` one of init-selection. */
  body(made: Made): Record<string, unknown>;
  /** Dotted places that must not be missing; `as` where the refusal names another one of a choice. */
  required: (string | { place: string; as: RegExp })[];
  tier: string;
  unit: string;
  /** Of the charge, in units of the price sheet; a function of the whole seconds made where nothing else tells them. */
  units: number | ((seconds: number) => number);
  /** Of the hold, where the length is known only when it is made. */
  unitsMax?: number;
  /** Kind and number of the things in `task_result`. */
  makes: Partial<Record<'videos' | 'images' | 'series_images' | 'audios' | 'voices' | 'elements', number>>;
  /** Answered at once. */
  immediate?: true;
}

export interface Made {
  film: string;
  faces: string;
  selection: string;
  picture: string;
}

const PICTURE = 'https://example.com/one.png';
const OTHER = 'https://example.com/other.jpg';
const FILM = 'https://example.com/film.mp4';
const SOUND = 'https://example.com/sound.mp3';
/** A unit of the picture packs costs a fortieth. */
const pictureUnits = (count: number): number => count / 40;

export const klingFeatures: KlingFeature[] = [
  {
    path: '/videos/text2video',
    body: () => ({ model_name: 'kling-v1-6', prompt: 'waves' }),
    required: ['prompt'],
    tier: 'kling-1.6-720p',
    unit: 'second',
    units: 5 * 0.4,
    makes: { videos: 1 },
  },
  {
    path: '/videos/image2video',
    body: ({ picture }) => ({ model_name: 'kling-v2-5-turbo', image: picture, prompt: 'waves', mode: 'pro' }),
    required: ['image'],
    tier: 'kling-2.5-1080p-mute',
    unit: 'second',
    units: 5 * 0.5,
    makes: { videos: 1 },
  },
  {
    path: '/videos/multi-image2video',
    body: ({ picture }) => ({ prompt: 'both dance', image_list: [{ image: picture }, { image: OTHER }] }),
    required: ['prompt', 'image_list'],
    tier: 'kling-1.6-720p',
    unit: 'second',
    units: 5 * 0.4,
    makes: { videos: 1 },
  },
  {
    path: '/videos/omni-video',
    body: () => ({
      prompt: '<<<image_1>>> walks',
      image_list: [{ image_url: PICTURE }],
      aspect_ratio: '1:1',
      duration: '3',
    }),
    required: ['prompt', 'aspect_ratio'],
    tier: 'kling-o1-1080p',
    unit: 'second',
    // A picture of reference costs as a film of reference does.
    units: 3 * 1.2,
    makes: { videos: 1 },
  },
  {
    path: '/videos/motion-control',
    body: () => ({ image_url: PICTURE, video_url: FILM, character_orientation: 'video', mode: 'std' }),
    // The platform also wants the picture, the mode and the orientation; other doors of ours do without, so this does.
    required: ['video_url'],
    tier: 'kling-2.5-motion-std-720p',
    unit: 'second',
    units: (seconds) => seconds * 0.5,
    unitsMax: 30 * 0.5,
    makes: { videos: 1 },
  },
  {
    path: '/videos/avatar/image2video',
    body: () => ({ image: PICTURE, sound_file: plainSound(3), mode: 'pro' }),
    // Without a sound it is for an upstream that takes it so: a matter of channels, not of this path.
    required: ['image'],
    tier: 'kling-avatar-1080p',
    unit: 'second',
    units: (seconds) => seconds * 0.8,
    unitsMax: 300 * 0.8,
    makes: { videos: 1 },
  },
  {
    path: '/videos/video-extend',
    body: ({ film }) => ({ video_id: film, prompt: 'and on' }),
    required: ['video_id'],
    tier: 'kling-video-extend',
    unit: 'second',
    units: 3.5,
    makes: { videos: 1 },
  },
  {
    path: '/videos/lip-sync',
    body: ({ film }) => ({
      input: { video_id: film, mode: 'text2video', text: 'Good morning', voice_id: 'genshin_vindi2' },
    }),
    required: [
      'input',
      'input.mode',
      'input.text',
      'input.voice_id',
      { place: 'input.video_id', as: /video_id|video_url/ },
    ],
    tier: 'kling-lip-sync-classic',
    unit: 'second',
    units: (seconds) => Math.max(5, seconds) * 0.1,
    unitsMax: 60 * 0.1,
    makes: { videos: 1 },
  },
  {
    path: '/videos/advanced-lip-sync',
    body: ({ faces }) => ({
      session_id: faces,
      face_choose: [
        {
          face_id: '0',
          sound_file: plainSound(4),
          sound_start_time: 0,
          sound_end_time: 3000,
          sound_insert_time: 500,
        },
      ],
    }),
    required: [
      'session_id',
      'face_choose',
      'face_choose[0].face_id',
      'face_choose[0].sound_end_time',
      { place: 'face_choose[0].sound_file', as: /audio_id|sound_file/ },
    ],
    tier: 'kling-lip-sync-advanced',
    unit: 'second',
    units: (seconds) => Math.max(5, seconds) * 0.1,
    unitsMax: 60 * 0.1,
    makes: { videos: 1 },
  },
  {
    path: '/videos/effects',
    body: ({ picture }) => ({
      effect_scene: 'hug',
      input: { model_name: 'kling-v1-6', mode: 'std', images: [picture, OTHER], duration: '5' },
    }),
    required: ['effect_scene', 'input', 'input.images', 'input.model_name'],
    tier: 'kling-effects-duo-v1-6-std',
    unit: 'second',
    units: 5 * 0.4,
    makes: { videos: 1 },
  },
  {
    path: '/videos/multi-elements',
    body: ({ selection }) => ({
      session_id: selection,
      edit_mode: 'swap',
      image_list: [{ image: OTHER }],
      prompt: 'swap <<<video_1>>> for <<<image_1>>>',
      duration: '5',
    }),
    required: ['session_id', 'edit_mode', 'image_list', 'prompt'],
    tier: 'kling-multi-elements-std',
    unit: 'second',
    units: 3,
    makes: { videos: 1 },
  },
  {
    path: '/videos/image-recognize',
    body: ({ picture }) => ({ image: picture }),
    required: ['image'],
    tier: 'kling-image-recognize',
    unit: 'call',
    units: 0.1,
    makes: { images: 4 },
    immediate: true,
  },
  {
    path: '/audio/text-to-audio',
    body: () => ({ prompt: 'rain', duration: 3.5 }),
    required: ['prompt', 'duration'],
    tier: 'kling-text-to-audio',
    unit: 'call',
    units: 0.25,
    makes: { audios: 1 },
  },
  {
    path: '/audio/video-to-audio',
    body: ({ film }) => ({ video_id: film, sound_effect_prompt: 'rain', bgm_prompt: 'a piano' }),
    required: [{ place: 'video_id', as: /video_id|video_url/ }],
    tier: 'kling-video-to-audio',
    unit: 'call',
    units: 0.25,
    makes: { videos: 1, audios: 1 },
  },
  {
    path: '/audio/tts',
    body: () => ({ text: 'Good morning', voice_id: 'genshin_vindi2', voice_language: 'en' }),
    required: ['text', 'voice_id'],
    tier: 'kling-text-to-speech',
    unit: 'call',
    units: 0.05,
    makes: { audios: 1 },
    immediate: true,
  },
  {
    path: '/images/generations',
    body: () => ({ prompt: 'a lighthouse', n: 2, aspect_ratio: '1:1' }),
    required: ['prompt'],
    tier: 'kling-text-to-image-v1',
    unit: 'image',
    units: pictureUnits(2),
    makes: { images: 2 },
  },
  {
    path: '/images/multi-image2image',
    body: ({ picture }) => ({
      prompt: 'together',
      subject_image_list: [{ subject_image: picture }, { subject_image: OTHER }],
    }),
    required: ['subject_image_list'],
    tier: 'kling-multi-image-to-image-v2',
    unit: 'image',
    units: pictureUnits(16),
    makes: { images: 1 },
  },
  {
    path: '/images/omni-image',
    body: ({ picture }) => ({
      prompt: '<<<image_1>>> through the year',
      image_list: [{ image: picture }],
      result_type: 'series',
      series_amount: 3,
    }),
    required: ['prompt'],
    tier: 'kling-omni-image-o1',
    unit: 'image',
    units: pictureUnits(3 * 8),
    makes: { series_images: 3 },
  },
  {
    path: '/images/editing/expand',
    body: ({ picture }) => ({
      image: picture,
      up_expansion_ratio: 0.1,
      down_expansion_ratio: 0.1,
      left_expansion_ratio: 0.5,
      right_expansion_ratio: 0.5,
      n: 1,
    }),
    required: ['image', 'up_expansion_ratio', 'right_expansion_ratio'],
    tier: 'kling-image-expand',
    unit: 'image',
    units: pictureUnits(8),
    makes: { images: 1 },
  },
  {
    path: '/images/kolors-virtual-try-on',
    body: ({ picture }) => ({ human_image: picture, cloth_image: OTHER }),
    required: ['human_image', 'cloth_image'],
    tier: 'kling-virtual-try-on',
    unit: 'image',
    units: 0.5,
    makes: { images: 1 },
  },
  {
    path: '/general/ai-multi-shot',
    body: ({ picture }) => ({ element_frontal_image: picture }),
    required: ['element_frontal_image'],
    tier: 'kling-ai-multi-shot',
    unit: 'call',
    units: pictureUnits(20),
    makes: { images: 3 },
  },
  {
    path: '/general/custom-voices',
    body: () => ({ voice_name: 'narrator', voice_url: SOUND }),
    required: ['voice_name', { place: 'voice_url', as: /voice_url|video_id/ }],
    tier: 'kling-custom-voice',
    unit: 'call',
    units: 0.05,
    makes: { voices: 1 },
  },
  {
    path: '/general/advanced-custom-elements',
    body: ({ picture }) => ({
      element_name: 'courier',
      element_description: 'a courier in yellow',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: picture, refer_images: [{ image_url: OTHER }] },
      tag_list: [{ tag_id: 'o_101' }],
    }),
    required: [
      'element_name',
      'element_description',
      'reference_type',
      'element_image_list',
      'element_image_list.frontal_image',
      'element_image_list.refer_images',
    ],
    tier: 'kling-custom-element',
    unit: 'call',
    // No official price is known.
    units: 0,
    makes: { elements: 1 },
  },
];
