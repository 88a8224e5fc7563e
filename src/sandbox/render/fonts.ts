/**
 * Fonts without a system: the machine may have none installed, so they come from `@fontsource/noto-sans-sc`.
 * The package ships WOFF only, which the FreeType inside sharp does not read (measured: boxes instead of
 * letters), so each file is unpacked once into a plain TrueType file. The `chinese-simplified` file holds
 * 7 thousand common characters and Latin; rarer ones live in about 100 numbered files that are unpacked
 * only when a text needs them.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { charactersIn, unpackWoff } from './font-files.ts';

/** The names inside the files: Chinese ones call themselves "Thin" although they are of medium weight. */
export const fontFamilies = 'Noto Sans SC Medium,Noto Sans SC Thin Medium,Noto Sans SC,Noto Sans SC Thin';

const weight = 500;
const baseSubsets = ['latin', 'chinese-simplified'];

export interface FontShelf {
  /**
   * Finds the fonts for `text`: paths of TrueType files, and the text as it can be painted with them.
   * A character no file has becomes a dot, because Pango would paint a box with its number instead.
   */
  prepare(text: string): PreparedText;
}

export interface PreparedText {
  files: string[];
  text: string;
}

interface FontFile {
  path: string;
  characters: Set<number>;
}

/**
 * Tells fontconfig to look for no fonts but ours: the same letters on every machine, no scan of the system's
 * fonts at the first text (measured: 0.4 s), and no complaint where no fontconfig is set up. It must be called
 * in the main thread before the first text, because a worker's `process.env` is a copy that C code never
 * sees. A `FONTCONFIG_FILE` that is set already is left alone.
 */
export function isolateFonts(directory: string): void {
  if (process.env.FONTCONFIG_FILE) return;
  mkdirSync(directory, { recursive: true });
  const path = join(resolve(directory), 'fonts.conf');
  writeFileSync(
    path,
    '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig></fontconfig>\n',
  );
  process.env.FONTCONFIG_FILE = path;
}

/** Opens the shelf; unpacked files are kept in `directory`, which is made when missing. */
export function createFontShelf(directory: string): FontShelf {
  const require = createRequire(import.meta.url);
  const unicodePath = require.resolve('@fontsource/noto-sans-sc/unicode.json');
  const packed = join(unicodePath, '..', 'files');
  const subsets = readSubsets(readFileSync(unicodePath, 'utf8'));
  const unpacked = new Map<string, FontFile>();

  const unpack = (subset: string): FontFile => {
    const known = unpacked.get(subset);
    if (known) return known;
    const name = `noto-sans-sc-${subset}-${weight}`;
    const path = join(directory, `${name}.ttf`);
    const font = unpackWoff(readFileSync(join(packed, `${name}-normal.woff`)));
    if (!existsSync(path)) {
      mkdirSync(directory, { recursive: true });
      const temporary = join(directory, `${name}.${randomUUID()}.part`);
      writeFileSync(temporary, font);
      renameSync(temporary, path);
    }
    const file = { path, characters: charactersIn(font) };
    unpacked.set(subset, file);
    return file;
  };

  /** The package's ranges overlap and promise more than the files hold, so the files have the last word. */
  const findFile = (code: number): FontFile | null => {
    for (const subset of baseSubsets) if (unpack(subset).characters.has(code)) return unpack(subset);
    for (const { name, ranges } of subsets) {
      if (!ranges.some(([from, to]) => code >= from && code <= to)) continue;
      if (unpack(name).characters.has(code)) return unpack(name);
    }
    return null;
  };

  return {
    prepare(text) {
      const files = new Set<string>();
      let painted = '';
      for (const character of text) {
        const file = findFile(character.codePointAt(0)!);
        painted += file ? character : '·';
        files.add((file ?? unpack('latin')).path);
      }
      return { files: Array.from(files), text: painted };
    },
  };
}

/** Reads the package's `unicode.json`: subset name to a CSS unicode-range. */
function readSubsets(json: string): { name: string; ranges: [number, number][] }[] {
  const subsets: { name: string; ranges: [number, number][] }[] = [];
  for (const [key, value] of Object.entries(JSON.parse(json) as Record<string, string>)) {
    const ranges = value.split(',').map((range): [number, number] => {
      const [from, to] = range.replace('U+', '').split('-');
      return [parseInt(from!, 16), parseInt(to ?? from!, 16)];
    });
    subsets.push({ name: key.replace(/[[\]]/g, ''), ranges });
  }
  return subsets;
}
