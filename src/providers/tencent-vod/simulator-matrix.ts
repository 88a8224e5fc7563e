/**
 * What the Kling models do at VOD, as data (official SDK of August 2026; where it is silent, the capability map of
 * the models' maker). Kept apart from the provider's own table on purpose: it judges it.
 */
export interface VersionRow {
  durations: readonly number[];
  /** Grades that sound comes in. */
  sound: readonly string[];
  /** Grades that take an end frame. */
  endFrame: readonly string[];
  /** Pictures and films as references. */
  references: boolean;
  scenes: readonly SceneType[];
  multiShot: boolean;
  voices: boolean;
}

export type SceneType = 'motion_control' | 'avatar_i2v' | 'lip_sync';
export const sceneTypes: readonly SceneType[] = ['motion_control', 'avatar_i2v', 'lip_sync'];
export const resolutions = ['720P', '1080P'] as const;

const fiveOrTen = [5, 10];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const plain: VersionRow = {
  durations: fiveOrTen,
  sound: [],
  endFrame: [],
  references: false,
  scenes: [],
  multiShot: false,
  voices: false,
};
const both: readonly string[] = resolutions;

export const versions: Record<string, VersionRow> = {
  '1.6': { ...plain, endFrame: ['1080P'] },
  '2.0': plain,
  '2.1': { ...plain, endFrame: ['1080P'] },
  '2.5': { ...plain, endFrame: ['1080P'] },
  '2.6': { ...plain, sound: ['1080P'], endFrame: ['1080P'], scenes: sceneTypes },
  O1: { ...plain, durations: range(3, 10), endFrame: both, references: true },
  '3.0': {
    ...plain,
    durations: range(3, 15),
    sound: both,
    endFrame: both,
    scenes: ['motion_control'],
    multiShot: true,
    voices: true,
  },
  '3.0-Omni': {
    ...plain,
    durations: range(3, 15),
    sound: both,
    endFrame: both,
    references: true,
    multiShot: true,
  },
};

/** `OutputConfig.Duration` of Kling whatever the version; scenes are held to nothing closer. */
export const sceneDurations: readonly number[] = range(3, 15);
export const durationDefault = 5;

/** What CreateAigcImageTask takes of a version. */
export interface ImageRow {
  /** Most pictures beside the words. */
  files: number;
  resolutions: readonly string[];
  ratios: readonly string[];
  elements: boolean;
  /** The version makes nothing without it; the others make nothing with it. */
  scene: 'image_expand' | null;
}

const pictureRatios = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9'];
const image: ImageRow = {
  files: 1,
  resolutions: ['1k', '2k'],
  ratios: pictureRatios,
  elements: false,
  scene: null,
};
const omni: ImageRow = {
  files: 10,
  resolutions: ['1k', '2k', '4k'],
  ratios: [...pictureRatios, 'auto'],
  elements: true,
  scene: null,
};

export const imageVersions: Record<string, ImageRow> = {
  '2.1': { ...image, files: 4 },
  '3.0': { ...image, elements: true },
  '3.0-Omni': omni,
  O1: omni,
  scene: { ...image, resolutions: [], ratios: [], scene: 'image_expand' },
};

export const imageCountMax = 9;
