/** The new standard's capability matrix as data: apart from the gateway's own catalogue, as the legacy one is. */

export type Kind = 'text-to-video' | 'image-to-video' | 'omni-video' | 'motion-control';

export interface NewModel {
  kinds: Kind[];
  /** Its name in the legacy standard and in price tables. */
  twin: string;
  durations: number[];
  resolutions: string[];
  /** Most characters of a prompt: 3.x takes more than it recommends. */
  promptMax: number;
  pictureBytesMax: number;
  /** `always`: makes sound unasked and has no such setting. */
  audio: 'none' | 'native' | 'always';
  /** `setting`: true unless told otherwise; `prompt`: whenever the prompt is written as shots. */
  multiShot: 'none' | 'setting' | 'prompt';
  lastFrame: 'none' | '1080p' | 'any';
  elementsMax: number;
}

const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const second: Omit<NewModel, 'twin' | 'kinds'> = {
  durations: [5, 10],
  resolutions: ['720p', '1080p'],
  promptMax: 2500,
  pictureBytesMax: 10 * 1024 * 1024,
  audio: 'none',
  multiShot: 'none',
  lastFrame: '1080p',
  elementsMax: 0,
};
const third: Omit<NewModel, 'twin' | 'kinds'> = {
  ...second,
  durations: from(3, 15),
  resolutions: ['720p', '1080p', '4k'],
  promptMax: 3072,
  pictureBytesMax: 50 * 1024 * 1024,
  audio: 'native',
  multiShot: 'setting',
  lastFrame: 'any',
};

/** Official pages of 2026, "text to video" to "motion control" of each model. */
export const NEW_MODELS: Record<string, NewModel> = {
  'kling-2.5-turbo': { ...second, twin: 'kling-v2-5-turbo', kinds: ['text-to-video', 'image-to-video'] },
  'kling-2.6': {
    ...second,
    twin: 'kling-v2-6',
    kinds: ['text-to-video', 'image-to-video', 'motion-control'],
    audio: 'native',
  },
  'kling-3.0': {
    ...third,
    twin: 'kling-v3',
    kinds: ['text-to-video', 'image-to-video', 'motion-control'],
    elementsMax: 3,
  },
  'kling-3.0-turbo': {
    ...third,
    twin: 'kling-3.0-turbo',
    kinds: ['text-to-video', 'image-to-video'],
    resolutions: ['720p', '1080p'],
    audio: 'always',
    multiShot: 'prompt',
    lastFrame: 'none',
  },
  'kling-3.0-omni': { ...third, twin: 'kling-v3-omni', kinds: ['omni-video'], elementsMax: 7 },
  'kling-o1': {
    ...third,
    twin: 'kling-video-o1',
    kinds: ['omni-video'],
    durations: from(3, 10),
    resolutions: ['720p', '1080p'],
    audio: 'none',
    multiShot: 'none',
    elementsMax: 7,
  },
};
