/**
 * The platform's capability matrix as data (official "capability map" and the pages of the v3 models; cells
 * the documentation leaves open are marked). Kept apart from the gateway's own catalogue on purpose: the
 * simulator judges the gateway, so it must not share its tables.
 */
export type Mode = 'std' | 'pro' | '4k';
/** `std5`: only in that mode and at that length. */
type Cell = `${Mode}${'' | '5' | '10'}`;

export interface ModelRow {
  /** Modes per route; an absent route is not served by the model. */
  text?: Mode[];
  image?: Mode[];
  omni?: Mode[];
  multiImage?: Mode[];
  /** Has one grade only and ignores `mode`. */
  isMaster?: boolean;
  endFrame: Cell[];
  masks: Cell[];
  camera?: { route: 'text' | 'image'; cells: Cell[]; simpleOnly: boolean };
  sound: Mode[];
  voices: Mode[];
  multiShot: boolean;
  /** Most elements of an image2video or omni-video request. */
  elementsMax: number;
  durations: number[];
  /** Pixels of the shorter side. */
  shortSides: Partial<Record<Mode, number>>;
}

const fiveOrTen = [5, 10];
const threeToTen = [3, 4, 5, 6, 7, 8, 9, 10];
const threeToFifteen = [...threeToTen, 11, 12, 13, 14, 15];
const stdPro: Mode[] = ['std', 'pro'];
const all: Mode[] = ['std', 'pro', '4k'];
const plain = {
  endFrame: [],
  masks: [],
  sound: [],
  voices: [],
  multiShot: false,
  elementsMax: 0,
  durations: fiveOrTen,
};
const hd = { std: 720, pro: 1080 };
const uhd = { std: 720, pro: 1080, '4k': 2160 };

export const MODELS: Record<string, ModelRow> = {
  'kling-v1': {
    ...plain,
    text: stdPro,
    image: stdPro,
    endFrame: ['std5', 'pro5'],
    masks: ['std5', 'pro5'],
    camera: { route: 'text', cells: ['std5'], simpleOnly: false },
    shortSides: { std: 720, pro: 720 },
  },
  'kling-v1-5': {
    ...plain,
    image: stdPro,
    endFrame: ['pro'],
    masks: ['pro5'],
    camera: { route: 'image', cells: ['pro5'], simpleOnly: true },
    shortSides: hd,
  },
  'kling-v1-6': {
    ...plain,
    text: stdPro,
    image: stdPro,
    multiImage: stdPro,
    endFrame: ['pro'],
    shortSides: hd,
  },
  'kling-v2-master': {
    ...plain,
    text: stdPro,
    image: stdPro,
    isMaster: true,
    shortSides: { std: 720, pro: 720 },
  },
  'kling-v2-1': { ...plain, image: stdPro, endFrame: ['pro'], shortSides: hd },
  'kling-v2-1-master': {
    ...plain,
    text: stdPro,
    image: stdPro,
    isMaster: true,
    shortSides: { std: 1080, pro: 1080 },
  },
  'kling-v2-5-turbo': { ...plain, text: stdPro, image: stdPro, endFrame: ['pro'], shortSides: hd },
  'kling-v2-6': {
    ...plain,
    text: stdPro,
    image: stdPro,
    endFrame: ['pro'],
    sound: ['pro'],
    // Documented for image2video; text2video takes them in the official samples, too.
    voices: ['pro'],
    shortSides: hd,
  },
  'kling-v3': {
    ...plain,
    text: all,
    image: all,
    // 4k with an end frame is nowhere excluded.
    endFrame: all,
    sound: all,
    voices: all,
    multiShot: true,
    elementsMax: 3,
    durations: threeToFifteen,
    shortSides: uhd,
  },
  'kling-v3-omni': {
    ...plain,
    omni: all,
    endFrame: all,
    sound: all,
    multiShot: true,
    elementsMax: 7,
    durations: threeToFifteen,
    shortSides: uhd,
  },
  'kling-video-o1': {
    ...plain,
    omni: stdPro,
    endFrame: stdPro,
    elementsMax: 7,
    durations: threeToTen,
    shortSides: hd,
  },
};

/** Whether a mode and length are among the cells. */
export function covers(cells: Cell[], mode: Mode, seconds: number): boolean {
  return cells.some((cell) => cell === mode || cell === `${mode}${seconds}`);
}

/** Thousandths of a unit per second: [mute, with sound, with a chosen voice] (official price sheet, 2026). */
type Rates = [mute: number, sound: number, voice: number];
const rates: Record<string, Partial<Record<Mode, Rates>>> = {
  'kling-v1': { std: [200, 200, 200], pro: [700, 700, 700] },
  'kling-v1-5': { std: [400, 400, 400], pro: [700, 700, 700] },
  'kling-v1-6': { std: [400, 400, 400], pro: [700, 700, 700] },
  'kling-v2-master': { std: [2000, 2000, 2000], pro: [2000, 2000, 2000] },
  'kling-v2-1': { std: [400, 400, 400], pro: [700, 700, 700] },
  'kling-v2-1-master': { std: [2000, 2000, 2000], pro: [2000, 2000, 2000] },
  'kling-v2-5-turbo': { std: [300, 300, 300], pro: [500, 500, 500] },
  'kling-v2-6': { std: [300, 300, 300], pro: [500, 1000, 1200] },
  'kling-v3': { std: [600, 900, 900], pro: [800, 1200, 1200], '4k': [3000, 3000, 3000] },
  // Always with sound (the platform's list of updates, 2026-06-17).
  'kling-3.0-turbo': { std: [800, 800, 800], pro: [1000, 1000, 1000] },
  'kling-v3-omni': { std: [600, 800, 800], pro: [800, 1000, 1000], '4k': [3000, 3000, 3000] },
  'kling-video-o1': { std: [600, 600, 600], pro: [800, 800, 800] },
};
/** With a reference video, mute by rule. */
const withVideo: Partial<Record<Mode, number>> = { std: 900, pro: 1200, '4k': 3000 };

const motionRates: Record<string, Partial<Record<Mode, number>>> = {
  'kling-v2-6': { std: 500, pro: 800 },
  'kling-v3': { std: 900, pro: 1200 },
};

/** Thousandths of a unit that a film costs; failed ones cost nothing. */
export function milliUnitsOf(film: {
  model: string;
  mode: Mode;
  seconds: number;
  sound: boolean;
  voice: boolean;
  video: boolean;
  motion?: boolean;
}): number {
  if (film.motion) return (motionRates[film.model]?.[film.mode] ?? 0) * film.seconds;
  const [mute, sound, voice] = rates[film.model]?.[film.mode] ?? [0, 0, 0];
  if (film.video) return (withVideo[film.mode] ?? 0) * film.seconds;
  return (film.voice ? voice : film.sound ? sound : mute) * film.seconds;
}

/** `3500` -> `"3.5"`. */
export function formatUnits(milliUnits: number): string {
  return String(milliUnits / 1000);
}
