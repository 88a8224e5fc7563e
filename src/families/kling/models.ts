/**
 * The Kling models and what each can do: the capability matrix of the official platform (specs/kling.md §3 and §3.15)
 * as data. Rules that read it stand in `resolve.ts` and beside it; nothing outside this folder names a model.
 */
import type { ModelSpec } from '../../core/ports.ts';
import type { Quality, VideoOperation } from '../../core/request/types.ts';

export interface EndFrame {
  needsPro: boolean;
  /** Not together with sound. */
  muteOnly: boolean;
  /** Seconds it comes in; null: all of the model's. */
  durations: readonly number[] | null;
  /** Most pictures in all beside it; null: as without. */
  picturesMax: number | null;
}

export interface KlingModel extends ModelSpec {
  /** First part of the tiers it is billed by when it is asked for by its own name (§8 row 20). */
  tierStem: string;
  /** The quality switch; empty for the masters, which have one grade. */
  qualities: readonly Quality[];
  /** Seconds where only text or frames are given; null: as `durations`. */
  framesOnlyDurations: readonly number[] | null;
  /** Most seconds beside a reference video; null: takes none. */
  referenceVideoSecondsMax: number | null;
  /** Pictures and elements taken together; 0: no reference pictures. */
  referencesMax: number;
  endFrame: EndFrame | null;
  masks: { needsPro: boolean } | null;
  camera: { operation: VideoOperation; quality: Quality; simpleOnly: boolean } | null;
  /** `always`: there is no mute film of it. */
  sound: 'none' | 'pro' | 'any' | 'always';
  voices: boolean;
  /** Several shots: as a list only, or also as the model divides them. */
  multiShot: 'none' | 'listed' | 'any';
  elementsMax: number;
  takesCfgScale: boolean;
  takesNegativePrompt: boolean;
  /** Tier stem of motion control; null: has none. */
  motionStem: string | null;
  /** Pictures are references and frames are marked (`/omni-video`). */
  omni: boolean;
}

const fiveOrTen = [5, 10];
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const ratios = ['16:9', '9:16', '1:1'];
const anyEndFrame: EndFrame = { needsPro: false, muteOnly: false, durations: null, picturesMax: null };

/** What a plain model of the first two generations has; each one below adds what it can do besides. */
const plain = {
  aliases: [],
  operations: ['text-to-video', 'image-to-video'],
  durations: fiveOrTen,
  resolutions: ['720P', '1080P'],
  aspectRatios: ratios,
  qualities: ['std', 'pro'],
  framesOnlyDurations: null,
  referenceVideoSecondsMax: null,
  referencesMax: 0,
  endFrame: null,
  masks: null,
  camera: null,
  sound: 'none',
  voices: false,
  multiShot: 'none',
  elementsMax: 0,
  takesCfgScale: false,
  takesNegativePrompt: true,
  motionStem: null,
  omni: false,
} satisfies Partial<KlingModel>;

const data: Omit<KlingModel, 'features' | 'modes' | 'tiers'>[] = [
  {
    ...plain,
    id: 'kling-v1',
    title: 'Kling 1.0',
    tierStem: 'kling-1.0',
    endFrame: { ...anyEndFrame, durations: [5] },
    masks: { needsPro: false },
    camera: { operation: 'text-to-video', quality: 'std', simpleOnly: false },
    takesCfgScale: true,
  },
  {
    ...plain,
    id: 'kling-v1-5',
    title: 'Kling 1.5',
    tierStem: 'kling-1.5',
    operations: ['image-to-video'],
    endFrame: { ...anyEndFrame, needsPro: true },
    masks: { needsPro: true },
    camera: { operation: 'image-to-video', quality: 'pro', simpleOnly: true },
    takesCfgScale: true,
  },
  {
    ...plain,
    id: 'kling-v1-6',
    title: 'Kling 1.6',
    tierStem: 'kling-1.6',
    endFrame: { ...anyEndFrame, needsPro: true },
    // multi-image2video: 1 to 4 pictures (§3.3).
    referencesMax: 4,
    takesCfgScale: true,
  },
  { ...plain, id: 'kling-v2-master', title: 'Kling 2.0 Master', tierStem: 'kling-2.0', qualities: [] },
  {
    ...plain,
    id: 'kling-v2-1',
    title: 'Kling 2.1',
    tierStem: 'kling-2.1',
    operations: ['image-to-video'],
    endFrame: { ...anyEndFrame, needsPro: true },
  },
  { ...plain, id: 'kling-v2-1-master', title: 'Kling 2.1 Master', tierStem: 'kling-2.1', qualities: [] },
  {
    ...plain,
    id: 'kling-v2-5-turbo',
    title: 'Kling 2.5 Turbo',
    tierStem: 'kling-2.5',
    endFrame: { ...anyEndFrame, needsPro: true },
  },
  {
    ...plain,
    id: 'kling-v2-6',
    title: 'Kling 2.6',
    tierStem: 'kling-2.5',
    operations: ['text-to-video', 'image-to-video', 'motion-control', 'avatar', 'lip-sync'],
    endFrame: { ...anyEndFrame, needsPro: true, muteOnly: true },
    sound: 'pro',
    voices: true,
    motionStem: 'kling-2.5-motion',
  },
  {
    ...plain,
    id: 'kling-v3',
    title: 'Kling 3.0',
    tierStem: 'kling-3.0',
    operations: ['text-to-video', 'image-to-video', 'motion-control'],
    durations: range(3, 15),
    resolutions: ['720P', '1080P', '4K'],
    qualities: ['std', 'pro', '4k'],
    endFrame: anyEndFrame,
    sound: 'any',
    voices: true,
    multiShot: 'any',
    elementsMax: 3,
    motionStem: 'kling-3.0-motion',
  },
  {
    ...plain,
    // Only the new standard has it (§4): no end frame, no elements, no switch for sound or shots.
    id: 'kling-3.0-turbo',
    title: 'Kling 3.0 Turbo',
    tierStem: 'kling-3.0-turbo',
    durations: range(3, 15),
    sound: 'always',
    multiShot: 'listed',
    takesNegativePrompt: false,
  },
  {
    ...plain,
    id: 'kling-v3-omni',
    title: 'Kling 3.0 Omni',
    tierStem: 'kling-3.0-omni',
    durations: range(3, 15),
    // The maker also has 4K, but no price of it is known (`tiers.ts`).
    referenceVideoSecondsMax: 10,
    referencesMax: 7,
    endFrame: anyEndFrame,
    sound: 'any',
    multiShot: 'any',
    elementsMax: 7,
    takesNegativePrompt: false,
    omni: true,
  },
  {
    ...plain,
    id: 'kling-video-o1',
    title: 'Kling O1',
    tierStem: 'kling-o1',
    durations: range(3, 10),
    framesOnlyDurations: fiveOrTen,
    referenceVideoSecondsMax: 10,
    referencesMax: 7,
    endFrame: { ...anyEndFrame, picturesMax: 2 },
    elementsMax: 7,
    takesNegativePrompt: false,
    omni: true,
  },
];

/** Capability words of the public model page, read off the matrix so that the two cannot differ. */
function featuresOf(model: Omit<KlingModel, 'features' | 'modes' | 'tiers'>): string[] {
  const features: [string, boolean][] = [
    ['end_frame', model.endFrame !== null],
    ['sound', model.sound !== 'none'],
    ['voices', model.voices],
    ['multi_shot', model.multiShot !== 'none'],
    ['references', model.referencesMax > 0],
    ['reference_video', model.referenceVideoSecondsMax !== null],
    ['elements', model.elementsMax > 0],
    ['masks', model.masks !== null],
    ['camera_control', model.camera !== null],
    ['cfg_scale', model.takesCfgScale],
    ['negative_prompt', model.takesNegativePrompt],
  ];
  return features.flatMap(([word, has]) => (has ? [word] : []));
}

export const models: KlingModel[] = data.map((model) => ({
  ...model,
  features: featuresOf(model),
  modes: [...model.qualities],
}));

const byId = new Map(models.map((model) => [model.id, model]));

/** A model by its own id. Throws for a name that is none: aliases are settled before. */
export function modelOf(id: string): KlingModel {
  const model = byId.get(id);
  if (model === undefined) throw new Error(`${id} is no Kling model`);
  return model;
}

/** Ids of the models for which `has` holds, for messages. */
export function modelsWith(has: (model: KlingModel) => boolean): string[] {
  return models.filter(has).map((model) => model.id);
}
