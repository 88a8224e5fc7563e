/** Colours and chance, both derived from a text: the same prompt always looks the same. */
import { createHash } from 'node:crypto';
import type { Rgb } from './planes.ts';

export interface Palette {
  skyTop: Rgb;
  skyMiddle: Rgb;
  horizon: Rgb;
  sun: Rgb;
  /** From the farthest, palest ridge to the nearest, darkest one. */
  ridges: Rgb[];
}

/** A repeatable source of numbers in [0, 1), seeded by `text`. */
export function seededChance(text: string): () => number {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0) || 1;
  return () => {
    // xorshift32: three shifts are plenty for choosing hues and hills.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}

/**
 * Hour-of-day moods: hues of sky top, middle, horizon and sun. Chosen by hand, because colours drawn
 * freely from the wheel are ugly more often than not; chance only turns them a little.
 */
const moods = [
  { top: 252, middle: 318, horizon: 24, sun: 44 },
  { top: 218, middle: 238, horizon: 336, sun: 40 },
  { top: 206, middle: 190, horizon: 158, sun: 58 },
  { top: 232, middle: 262, horizon: 300, sun: 20 },
  { top: 222, middle: 202, horizon: 34, sun: 48 },
  { top: 168, middle: 186, horizon: 48, sun: 50 },
  { top: 276, middle: 340, horizon: 12, sun: 30 },
];

/** Picks a mood for `text`. */
export function paletteFor(text: string): Palette {
  const chance = seededChance(text);
  const mood = moods[Math.floor(chance() * moods.length)]!;
  const turn = (chance() - 0.5) * 22;
  const horizon = fromHsl(mood.horizon + turn, 0.78, 0.7);
  const near = fromHsl(mood.top + turn, 0.5, 0.1);
  return {
    skyTop: fromHsl(mood.top + turn, 0.58, 0.2),
    skyMiddle: fromHsl(mood.middle + turn, 0.46, 0.45),
    horizon,
    sun: fromHsl(mood.sun, 0.95, 0.88),
    ridges: [0.34, 0.56, 0.78, 1].map((share) => mix(fromHsl(mood.middle + turn, 0.4, 0.52), near, share)),
  };
}

/** `from` x (1 - share) + `to` x share. */
export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return {
    red: from.red + (to.red - from.red) * share,
    green: from.green + (to.green - from.green) * share,
    blue: from.blue + (to.blue - from.blue) * share,
  };
}

function fromHsl(hue: number, saturation: number, lightness: number): Rgb {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const position = (offset + hue / 30 + 12) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(position - 3, 9 - position, 1))));
  };
  return { red: channel(0), green: channel(8), blue: channel(4) };
}
