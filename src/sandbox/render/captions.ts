/** Everything written on a frame: where it stands, how large, in which colour. Sizes follow the frame's. */
import { createBox, createLayer, toYuv } from './planes.ts';
import type { Layer, Yuv } from './planes.ts';
import sharp from 'sharp';
import { cutText, drawText, toPrintable, advanceOf } from './text.ts';
import type { TextMask } from './text.ts';
import type { FontShelf } from './fonts.ts';

const white = toYuv({ red: 255, green: 255, blue: 255 });
const black = toYuv({ red: 0, green: 0, blue: 0 });
const mark = 'Reelay sandbox';
const promptSizes = [54, 46, 38, 31, 25, 20];

export interface CaptionText {
  prompt: string;
  title: string;
  watermark: boolean;
}

export interface Captions {
  /** The same on every frame. */
  fixed: Layer[];
  /** What changes: the frame counter and the progress bar. `frame` counts from 0. */
  moving(frame: number, frames: number): Layer[];
}

interface Frame {
  width: number;
  height: number;
  /** Pixels for each unit of design size: 1 at 1280x720 and 720x1280. */
  unit: number;
  margin: number;
}

function frameOf(width: number, height: number): Frame {
  const unit = Math.sqrt(width * height) / 960;
  return { width, height, unit, margin: Math.round(Math.min(width * 0.06, 52 * unit)) };
}

/** For a drawn scene: a large prompt in the sky, the title above it, the mark at the foot. */
export async function sceneCaptions(
  shelf: FontShelf,
  text: CaptionText,
  width: number,
  height: number,
): Promise<Captions> {
  const frame = frameOf(width, height);
  const { unit, margin } = frame;
  const fixed: Layer[] = [];
  const title = await drawText(shelf, cutText(toPrintable(text.title), (width - margin * 2) / (19 * unit)), {
    size: 19 * unit,
  });
  let top = margin;
  if (title) {
    fixed.push(stencil(title, margin, top, white, 0.78));
    top += title.height + Math.round(30 * unit);
  }
  const prompt = await fitPrompt(shelf, text.prompt, width - margin * 2, height * 0.62 - top, unit);
  if (prompt)
    fixed.push(await shadowOf(prompt, margin, top, unit), stencil(prompt, margin, top, white, 0.97));
  const foot = height - margin;
  fixed.push(...(await markLayers(shelf, frame, foot)));
  if (text.watermark) fixed.push(...(await watermarkLayers(shelf, frame)));
  const counter = await createCounter(shelf, frame, foot - Math.round(4 * unit));
  return { fixed, moving: (at, frames) => [...counter(at, frames), progressBar(frame, at, frames)] };
}

/** For a given picture: one strip at the foot, so that the picture itself stays untouched. */
export async function stripCaptions(
  shelf: FontShelf,
  text: CaptionText,
  width: number,
  height: number,
): Promise<Captions> {
  const frame = frameOf(width, height);
  const { unit, margin } = frame;
  const textWidth = width - margin * 2 - 190 * unit;
  const lineEm = (size: number) => textWidth / size;
  const words = toPrintable(text.prompt);
  const long = emOf(words) > lineEm(22 * unit) * 0.95;
  const stripHeight = Math.round(
    long ? Math.min(height * 0.17, 112 * unit) : Math.min(height * 0.13, 84 * unit),
  );
  const stripTop = height - stripHeight;
  const fixed: Layer[] = [createBox(0, stripTop, width, stripHeight, 150, black)];
  // A long prompt gets two lines in smaller letters; what is longer still is cut.
  const prompt = await (long
    ? drawText(shelf, cutText(words, lineEm(18 * unit) * 1.8), { size: 18 * unit, widthMax: textWidth })
    : drawText(shelf, words, { size: 22 * unit }));
  const title = await drawText(shelf, cutText(toPrintable(text.title), lineEm(16 * unit)), {
    size: 16 * unit,
  });
  const gap = Math.round(9 * unit);
  const used = (prompt?.height ?? 0) + (title ? title.height + gap : 0);
  let top = stripTop + Math.max(0, Math.round((stripHeight - used) / 2));
  if (prompt) {
    fixed.push(stencil(prompt, margin, top, white, 0.97));
    top += prompt.height + gap;
  }
  if (title) fixed.push(stencil(title, margin, top, white, 0.7));
  const middle = stripTop + stripHeight / 2;
  fixed.push(...(await markLayers(shelf, frame, Math.round(middle - 4 * unit), 'right')));
  if (text.watermark) fixed.push(...(await watermarkLayers(shelf, frame)));
  const counter = await createCounter(shelf, frame, Math.round(middle + 21 * unit));
  return { fixed, moving: (at, frames) => [...counter(at, frames), progressBar(frame, at, frames)] };
}

/** The words on a placeholder picture, in its middle. */
export async function placeholderLayers(shelf: FontShelf, width: number, height: number): Promise<Layer[]> {
  const { unit } = frameOf(width, height);
  const layers: Layer[] = [createBox(0, 0, width, height, 70, black)];
  const words = await drawText(shelf, 'reference image', { size: 30 * unit });
  if (!words) return layers;
  const x = (width - words.width) / 2;
  const y = (height - words.height) / 2;
  const pad = Math.round(26 * unit);
  const thin = Math.max(2, Math.round(2 * unit));
  const boxWidth = words.width + pad * 2;
  const boxHeight = words.height + pad * 2;
  const left = Math.round(x - pad);
  const up = Math.round(y - pad);
  layers.push(
    createBox(left, up, boxWidth, thin, 190, white),
    createBox(left, up + boxHeight - thin, boxWidth, thin, 190, white),
    createBox(left, up, thin, boxHeight, 190, white),
    createBox(left + boxWidth - thin, up, thin, boxHeight, 190, white),
    stencil(words, x, y, white, 0.95),
  );
  return layers;
}

/** Tries large letters first; a prompt that does not fit even in small ones is cut with an ellipsis. */
async function fitPrompt(
  shelf: FontShelf,
  prompt: string,
  widthMax: number,
  heightMax: number,
  unit: number,
): Promise<TextMask | null> {
  const text = toPrintable(prompt);
  const em = emOf(text);
  const linesAt = (size: number) => Math.max(1, Math.floor(heightMax / (size * 1.42)));
  // Lines are broken at words, so some of each line stays empty: count on nine tenths of it.
  const roomAt = (size: number) => linesAt(size) * ((widthMax * 0.9) / size);
  const size = promptSizes.find((candidate) => em <= roomAt(candidate * unit) * 0.8) ?? promptSizes.at(-1)!;
  const shown = cutText(text, roomAt(size * unit));
  return drawText(shelf, shown, { size: size * unit, widthMax });
}

/** The width of one line of `text`, in em. */
function emOf(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + advanceOf(character), 0);
}

function stencil(mask: TextMask, x: number, y: number, colour: Yuv, strength: number): Layer {
  const alpha = strength === 1 ? mask.alpha : mask.alpha.map((value) => Math.round(value * strength));
  return createLayer(alpha, mask.width, mask.height, Math.round(x), Math.round(y), colour);
}

/** A soft dark halo, so that white letters read on any sky. */
async function shadowOf(mask: TextMask, x: number, y: number, unit: number): Promise<Layer> {
  const reach = Math.max(2, Math.round(12 * unit));
  const width = mask.width + reach * 2;
  const height = mask.height + reach * 2;
  const padded = new Uint8Array(width * height);
  for (let row = 0; row < mask.height; row += 1) {
    padded.set(mask.alpha.subarray(row * mask.width, (row + 1) * mask.width), (row + reach) * width + reach);
  }
  const { data, info } = await sharp(padded, { raw: { width, height, channels: 1 } })
    .blur(Math.max(0.5, 5 * unit))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const alpha = new Uint8Array(width * height);
  for (let index = 0; index < alpha.length; index += 1)
    alpha[index] = Math.min(150, data[index * info.channels]! * 0.75);
  return createLayer(alpha, width, height, x - reach, y - reach + Math.round(3 * unit), black);
}

/** A play triangle and the mark; `baseline` is where its letters end. */
async function markLayers(
  shelf: FontShelf,
  frame: Frame,
  baseline: number,
  side: 'left' | 'right' = 'left',
): Promise<Layer[]> {
  const { unit, margin, width } = frame;
  const words = await drawText(shelf, mark, { size: 17 * unit });
  if (!words) return [];
  const icon = Math.max(4, Math.round(15 * unit));
  const gap = Math.round(8 * unit);
  const left = side === 'left' ? margin : width - margin - words.width - gap - icon;
  // The mask is cut to the ink: "y" hangs below the line by about a fifth of the letters.
  const top = baseline - words.height;
  const triangle = new Uint8Array(icon * icon);
  for (let y = 0; y < icon; y += 1) {
    const half = Math.abs(y + 0.5 - icon / 2) / (icon / 2);
    for (let x = 0; x < icon; x += 1)
      triangle[y * icon + x] = Math.max(0, Math.min(1, (1 - half) * icon * 0.92 - x)) * 225;
  }
  return [
    createLayer(triangle, icon, icon, left, top, white),
    stencil(words, left + icon + gap, top, white, 0.88),
  ];
}

async function watermarkLayers(shelf: FontShelf, { unit, margin, width }: Frame): Promise<Layer[]> {
  const words = await drawText(shelf, 'Reelay · AI generated', { size: 16 * unit });
  if (!words) return [];
  const padX = Math.round(10 * unit);
  const padY = Math.round(7 * unit);
  const left = width - Math.round(margin / 2) - words.width - padX * 2;
  const top = Math.round(margin / 3);
  return [
    createBox(left, top, words.width + padX * 2, words.height + padY * 2, 95, black),
    stencil(words, left + padX, top + padY, white, 0.85),
  ];
}

function progressBar({ width, height, unit }: Frame, at: number, frames: number): Layer {
  const thickness = Math.max(2, Math.round(6 * unit));
  const share = frames > 1 ? at / (frames - 1) : 1;
  return createBox(0, height - thickness, Math.max(2, Math.round(width * share)), thickness, 205, white);
}

/** Digits are drawn once and set side by side, because a text call for every frame would cost more than the frame. */
async function createCounter(shelf: FontShelf, frame: Frame, baseline: number) {
  const { unit, margin, width } = frame;
  const size = 17 * unit;
  const glyphs = await Promise.all(
    Array.from('0123456789/', (character) => drawText(shelf, character, { size })),
  );
  const digits = glyphs.slice(0, 10);
  const slash = glyphs[10];
  const cell = Math.max(...digits.map((mask) => mask?.width ?? 0)) + Math.max(1, Math.round(1.5 * unit));
  const letterHeight = digits[0]?.height ?? 0;
  return (at: number, frames: number): Layer[] => {
    const total = String(frames);
    const label = `${String(at + 1).padStart(total.length, '0')}/${total}`;
    let x = width - margin - label.length * cell;
    const layers: Layer[] = [];
    for (const character of label) {
      const mask = character === '/' ? slash : digits[Number(character)];
      if (mask) {
        const y = character === '/' ? baseline - (letterHeight + mask.height) / 2 : baseline - mask.height;
        layers.push(stencil(mask, x + (cell - mask.width) / 2, y, white, 0.8));
      }
      x += cell;
    }
    return layers;
  };
}
