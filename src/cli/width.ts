/** How wide text stands in a terminal: Chinese, Japanese and Korean characters and emoji take two columns. */

const segmenter = new Intl.Segmenter();

/** Ranges of Unicode's East Asian Width property, values W and F (EastAsianWidth.txt), blocks rounded outwards. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

/** Columns that `text` takes. Colour codes and control characters take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(withoutColours(text))) width += widthOfCharacter(segment);
  return width;
}

/** Pads with spaces at the end, to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Pads with spaces at the start, to `width` columns: for numbers. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** Cuts plain text to at most `width` columns; what was cut ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = used + widthOfCharacter(segment);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
}

/** One line without control characters: text of others must not move the cursor or colour the screen. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}

function withoutColours(text: string): string {
  return text.replace(/\u001b\[\d+m/g, '');
}

function widthOfCharacter(segment: string): number {
  const code = segment.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || /^[\p{Mn}\p{Cf}]/u.test(segment)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
