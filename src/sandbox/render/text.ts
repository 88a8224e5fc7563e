/** Letters as alpha masks: one sharp (Pango) call per piece of text, with our own fonts. */
import sharp from 'sharp';
import { fontFamilies } from './fonts.ts';
import type { FontShelf } from './fonts.ts';

export interface TextMask {
  width: number;
  height: number;
  /** 0 (nothing) to 255 (ink), row by row. */
  alpha: Uint8Array;
}

export interface TextBox {
  /** Letter height in pixels (em). */
  size: number;
  /** Lines are wrapped at this width in pixels; without it there is one line. */
  widthMax?: number;
}

/** Draws `text`; its mask is cut to the ink. An empty or unprintable text gives null. */
export async function drawText(shelf: FontShelf, text: string, box: TextBox): Promise<TextMask | null> {
  const printable = toPrintable(text);
  if (printable === '') return null;
  const prepared = shelf.prepare(printable);
  // Each call can bring one file; what it brings stays known to the process, so the last call sees them all.
  for (const fontfile of prepared.files) await loadFont(fontfile);
  const { data, info } = await sharp({
    text: {
      text: escapeMarkup(prepared.text),
      font: `${fontFamilies} ${Math.max(5, Math.round(box.size))}`,
      dpi: 72,
      align: 'left',
      wrap: 'word-char',
      ...(box.widthMax ? { width: Math.round(box.widthMax) } : {}),
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const alpha = new Uint8Array(info.width * info.height);
  for (let index = 0; index < alpha.length; index += 1) alpha[index] = data[index * info.channels]!;
  return { width: info.width, height: info.height, alpha };
}

const loadedFonts = new Set<string>();

async function loadFont(fontfile: string): Promise<void> {
  if (loadedFonts.has(fontfile)) return;
  await sharp({ text: { text: '.', font: `${fontFamilies} 8`, fontfile, dpi: 72 } })
    .raw()
    .toBuffer();
  loadedFonts.add(fontfile);
}

/** One line of what can be painted: no control characters, no half characters, no emoji (the fonts have none). */
export function toPrintable(text: string): string {
  return text
    .toWellFormed()
    .replace(
      /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0e\ufe0f\u20e3]/gu,
      (found) => (/[\u00a9\u00ae\u2122]/.test(found) ? found : ''),
    )
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim();
}

/** How many em a character takes on the line, near enough to choose a size: Chinese is square, Latin narrow. */
export function advanceOf(character: string): number {
  return /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\u{20000}-\u{3ffff}]/u.test(
    character,
  )
    ? 1
    : 0.56;
}

/** Cuts `text` to about `emMax` em, with an ellipsis when something is left out. */
export function cutText(text: string, emMax: number): string {
  let em = 0;
  let kept = '';
  for (const character of text) {
    em += advanceOf(character);
    if (em > emMax) return `${kept.trimEnd()}…`;
    kept += character;
  }
  return text;
}

function escapeMarkup(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
