/** The four create routes of the new standard (specs/kling.md §4): models, contents and what each assumes. */
import type { SurfaceDefaults } from '../../core/request/types.ts';

export type ContentType =
  | 'prompt'
  | 'first_frame'
  | 'last_frame'
  | 'refer_image'
  | 'feature_video'
  | 'base_video'
  | 'image'
  | 'video'
  | 'element';

export type AudioWord = 'off' | 'native' | 'original';

export interface Door {
  /** First part of the path below `/kling`. */
  feature: string;
  title: string;
  description: string;
  /** What may stand in the path, as the platform spells it. */
  models: string[];
  contents: ContentType[];
  /** Each list: one of these must be there. */
  needs: ContentType[][];
  audio: AudioWord[];
  /** What no `settings.audio` means. */
  audioDefault: AudioWord;
  defaults: SurfaceDefaults;
  example: Record<string, unknown>;
}

const shared = {
  model: null,
  mode: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 7,
};
const plainModels = ['kling-3.0-turbo', 'kling-3.0', 'kling-2.6', 'kling-2.5-turbo'];

export const doors: Door[] = [
  {
    feature: 'text-to-video',
    title: 'Text to video',
    description: 'A film from words.',
    models: plainModels,
    contents: ['prompt'],
    needs: [],
    audio: ['off', 'native'],
    audioDefault: 'off',
    defaults: {
      ...shared,
      surface: 'kling-new-standard.text-to-video',
      operation: 'text-to-video',
    },
    example: {
      prompt: 'A cat playing with a ball of yarn in a sunny room',
      settings: { resolution: '720p', aspect_ratio: '16:9', duration: 5, multi_shot: false },
      options: { external_task_id: 'order-4711' },
    },
  },
  {
    feature: 'image-to-video',
    title: 'Image to video',
    description: 'A film that begins, and may end, with a picture.',
    models: plainModels,
    contents: ['prompt', 'first_frame', 'last_frame', 'element'],
    needs: [['first_frame']],
    audio: ['off', 'native'],
    audioDefault: 'off',
    defaults: {
      ...shared,
      surface: 'kling-new-standard.image-to-video',
      operation: 'image-to-video',
    },
    example: {
      contents: [
        { type: 'prompt', text: 'The cat looks up' },
        { type: 'first_frame', url: 'https://example.com/cat.jpg' },
      ],
      settings: { resolution: '720p', duration: 5 },
    },
  },
  {
    feature: 'omni-video',
    title: 'Omni video',
    description: 'A film from words, pictures, elements and a film, each named `@id` in the prompt.',
    models: ['kling-3.0-omni', 'kling-o1'],
    contents: [
      'prompt',
      'first_frame',
      'last_frame',
      'refer_image',
      'feature_video',
      'base_video',
      'element',
    ],
    needs: [],
    audio: ['off', 'native', 'original'],
    audioDefault: 'off',
    defaults: {
      ...shared,
      surface: 'kling-new-standard.omni-video',
      operation: null,
      billsOutputLength: true,
    },
    example: {
      contents: [
        { type: 'prompt', text: '@cat plays with a ball of yarn' },
        { type: 'refer_image', id: 'cat', url: 'https://example.com/cat.jpg' },
      ],
      settings: { resolution: '720p', aspect_ratio: '16:9', duration: 5, multi_shot: false },
    },
  },
  {
    feature: 'motion-control',
    title: 'Motion control',
    description: 'A person in a picture moves as a person in a film does; as long as that film.',
    models: ['kling-3.0', 'kling-2.6'],
    contents: ['prompt', 'image', 'video', 'element'],
    needs: [['video'], ['image', 'element']],
    audio: ['off', 'original'],
    audioDefault: 'original',
    defaults: {
      ...shared,
      surface: 'kling-new-standard.motion-control',
      operation: 'motion-control',
      billsOutputLength: true,
    },
    example: {
      contents: [
        { type: 'image', url: 'https://example.com/person.jpg' },
        { type: 'video', url: 'https://example.com/dance.mp4' },
      ],
      settings: { resolution: '720p', character_orientation: 'video' },
    },
  },
];

/** The models whose films have several shots unless `settings.multi_shot` says otherwise. */
const multiShotModels: ReadonlySet<string> = new Set(['kling-3.0', 'kling-3.0-omni']);

/** Whether absence of `settings.multi_shot` means several shots. */
export function hasShotsByDefault(door: Door, model: string): boolean {
  return door.defaults.operation !== 'motion-control' && multiShotModels.has(model);
}
