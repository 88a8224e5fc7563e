/** The drawn landscape behind a prompt: sky, stars, a wandering sun, birds and four drifting ridges. */
import { mix, paletteFor, seededChance } from './palette.ts';
import type { Palette } from './palette.ts';
import { blendLayer, createLayer, createPlanes, toYuv } from './planes.ts';
import type { Layer, Planes, Rgb, Yuv } from './planes.ts';

export interface Scene {
  /** Paints the moment `atSeconds` of a clip that lasts `seconds` over the whole of `target`. */
  paint(target: Planes, atSeconds: number, seconds: number): void;
}

interface Ridge {
  /** Height of its middle line and of its waves, as shares of the picture's height. */
  level: number;
  swing: number;
  /** Picture heights a second. */
  drift: number;
  waves: { length: number; phase: number; share: number }[];
  /** Colour by row: lit at the crest, darker below. */
  rows: Yuv[];
}

interface Star {
  position: number;
  brightness: number;
  pace: number;
  phase: number;
}

/** Makes the landscape that belongs to `seed` in the given size (even sides). */
export function createScene(seed: string, width: number, height: number): Scene {
  const chance = seededChance(`${seed}/scene`);
  const palette = paletteFor(seed);
  const sky = paintSky(palette, width, height);
  const ridges = palette.ridges.map((colour, index) => createRidge(colour, palette, index, height, chance));
  const stars = createStars(chance, width, height);
  const sunFromLeft = chance() < 0.35;
  const radius = Math.max(2, Math.round(Math.min(width, height) * 0.085));
  const glow = createDisc(radius * 4, (distance) => 110 * (1 - distance) ** 2, palette.sun);
  const disc = createDisc(radius, (distance) => 245 * Math.min(1, (1 - distance) * radius), palette.sun);
  const birds = createBirds(Math.max(6, Math.round(height * 0.016)), toYuv(palette.ridges[3]!));

  return {
    paint(target, atSeconds, seconds) {
      const progress = seconds > 0 ? atSeconds / seconds : 0;
      target.data.set(sky.data);
      for (const star of stars) {
        const glint = star.brightness * (0.6 + 0.4 * Math.sin(atSeconds * star.pace + star.phase));
        target.luma[star.position] = Math.min(235, target.luma[star.position]! + glint);
      }
      const across = 0.64 + 0.2 * progress;
      const sunX = width * (sunFromLeft ? 1 - across : across);
      const sunY = height * (0.56 - 0.2 * Math.sin((progress * 0.9 + 0.1) * Math.PI * 0.62));
      for (const layer of [glow, disc]) blendLayer(target, centred(layer, sunX, sunY));
      paintBirds(target, birds, atSeconds, progress);
      for (const ridge of ridges) paintRidge(target, ridge, atSeconds);
    },
  };
}

function paintSky(palette: Palette, width: number, height: number): Planes {
  const planes = createPlanes(width, height);
  for (let y = 0; y < height; y += 1) {
    const depth = y / (height * 0.8);
    const colour =
      depth < 0.5
        ? mix(palette.skyTop, palette.skyMiddle, depth * 2)
        : mix(palette.skyMiddle, palette.horizon, Math.min(1, depth * 2 - 1));
    const { luma, blueChroma, redChroma } = toYuv(colour);
    planes.luma.fill(luma, y * width, (y + 1) * width);
    if (y % 2 === 0) {
      const row = (y >> 1) * (width >> 1);
      planes.blueChroma.fill(blueChroma, row, row + (width >> 1));
      planes.redChroma.fill(redChroma, row, row + (width >> 1));
    }
  }
  return planes;
}

function createRidge(
  colour: Rgb,
  palette: Palette,
  index: number,
  height: number,
  chance: () => number,
): Ridge {
  const level = 0.6 + index * 0.1;
  const lit = mix(colour, palette.horizon, 0.24 - index * 0.05);
  const rows: Yuv[] = [];
  for (let y = 0; y < height; y += 1) {
    rows.push(toYuv(mix(lit, colour, Math.min(1, Math.max(0, (y / height - level + 0.06) / 0.2)))));
  }
  const waves = [1.15, 0.52, 0.21].map((length, order) => ({
    length: length * (0.8 + chance() * 0.5),
    phase: chance() * Math.PI * 2,
    share: [0.6, 0.3, 0.1][order]!,
  }));
  return { level, swing: 0.075 - index * 0.008, drift: 0.008 * 2.1 ** index, waves, rows };
}

function paintRidge(target: Planes, ridge: Ridge, atSeconds: number): void {
  const { width, height, luma, blueChroma, redChroma } = target;
  const chromaWidth = width >> 1;
  for (let x = 0; x < width; x += 1) {
    // Measured in picture heights, so that a portrait clip shows fewer hills, not thinner ones.
    const place = x / height + atSeconds * ridge.drift;
    let wave = 0;
    for (const { length, phase, share } of ridge.waves) {
      wave += share * Math.sin((place / length) * Math.PI * 2 + phase);
    }
    const crest = (ridge.level - ridge.swing * wave) * height;
    const top = Math.max(0, Math.floor(crest));
    if (top >= height) continue;
    const edge = top * width + x;
    // The first pixel is covered in part: without this the crest crawls in steps.
    luma[edge] = luma[edge]! + (ridge.rows[top]!.luma - luma[edge]!) * (1 - (crest - top));
    for (let y = top + 1; y < height; y += 1) luma[y * width + x] = ridge.rows[y]!.luma;
    if (x % 2 === 1) continue;
    for (let y = (top + 1) >> 1; y < height >> 1; y += 1) {
      const { blueChroma: blue, redChroma: red } = ridge.rows[y * 2]!;
      const chroma = y * chromaWidth + (x >> 1);
      blueChroma[chroma] = blue;
      redChroma[chroma] = red;
    }
  }
}

function createStars(chance: () => number, width: number, height: number): Star[] {
  return Array.from({ length: 70 }, () => {
    const x = Math.floor(chance() * width);
    const depth = chance() ** 1.5;
    return {
      position: Math.floor(depth * height * 0.45) * width + x,
      brightness: (1 - depth) * (30 + chance() * 110),
      pace: 1 + chance() * 3,
      phase: chance() * Math.PI * 2,
    };
  });
}

/** A round layer around its own middle; `strength` gets the distance from it, 0 to 1. */
function createDisc(radius: number, strength: (distance: number) => number, colour: Rgb): Layer {
  const side = radius * 2;
  const mask = new Uint8Array(side * side);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const distance = Math.hypot(x + 0.5 - radius, y + 0.5 - radius) / radius;
      if (distance < 1) mask[y * side + x] = Math.max(0, Math.min(255, strength(distance)));
    }
  }
  return createLayer(mask, side, side, 0, 0, toYuv(colour));
}

function centred(layer: Layer, x: number, y: number): Layer {
  return {
    ...layer,
    x: Math.round((x - layer.width / 2) / 2) * 2,
    y: Math.round((y - layer.height / 2) / 2) * 2,
  };
}

/** Four wing positions of one bird: two strokes that meet in the middle. */
function createBirds(span: number, colour: Yuv): Layer[] {
  return [0.55, 0.25, -0.1, 0.25].map((lift) => {
    const width = span * 2;
    const mask = new Uint8Array(width * span);
    const thickness = Math.max(0.8, span * 0.09);
    for (let x = 0; x < width; x += 1) {
      const reach = Math.abs(x + 0.5 - span) / span;
      const line = span * (0.7 - lift * Math.sin(reach * Math.PI * 0.62));
      for (let y = 0; y < span; y += 1) {
        const cover = thickness * (1.1 - reach) + 0.5 - Math.abs(y + 0.5 - line);
        mask[y * width + x] = Math.max(0, Math.min(1, cover)) * 210;
      }
    }
    return createLayer(mask, width, span, 0, 0, colour);
  });
}

function paintBirds(target: Planes, birds: Layer[], atSeconds: number, progress: number): void {
  const { width, height } = target;
  for (let index = 0; index < 3; index += 1) {
    const stroke = birds[Math.floor(atSeconds * 6 + index * 1.7) % birds.length]!;
    const x = width * (0.2 + 0.42 * progress) - index * stroke.width * 1.5;
    const y =
      height * (0.53 - 0.05 * Math.sin(progress * Math.PI)) + ((index * 37) % 23) * stroke.height * 0.06;
    blendLayer(target, centred(stroke, x, y));
  }
}
