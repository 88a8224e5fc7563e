/**
 * Fonts without a system: the machine may have none installed, so they come from `@fontsource/noto-sans-sc`.
 * The package ships WOFF only, which the FreeType inside sharp does not read (measured: boxes instead of
 * letters), so each file is unpacked once into a plain TrueType file. The `chinese-simplified` file holds
 * 7 thousand common characters and Latin; rarer ones live in about 100 numbered files that are unpacked
 * only when a text needs them.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { inflateSync } from 'node:zlib';

/** The names inside the files: Chinese ones call themselves "Thin" although they are of medium weight. */
export const fontFamilies = 'Noto Sans SC Medium,Noto Sans SC Thin Medium,Noto Sans SC,Noto Sans SC Thin';

const weight = 500;
const baseSubsets = ['latin', 'chinese-simplified'];

export interface FontShelf {
  /** Paths of TrueType files that together hold every character of `text` the package knows. */
  filesFor(text: string): string[];
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
  const files = join(unicodePath, '..', 'files');
  const subsets = readSubsets(readFileSync(unicodePath, 'utf8'));
  const common = new Set<number>();
  const unpacked = new Map<string, string>();

  const unpack = (subset: string): string => {
    const known = unpacked.get(subset);
    if (known) return known;
    const path = join(directory, `noto-sans-sc-${subset}-${weight}.ttf`);
    if (!existsSync(path)) {
      mkdirSync(directory, { recursive: true });
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(
        temporary,
        unpackWoff(readFileSync(join(files, `noto-sans-sc-${subset}-${weight}-normal.woff`))),
      );
      renameSync(temporary, path);
    }
    unpacked.set(subset, path);
    return path;
  };

  return {
    filesFor(text) {
      const paths = baseSubsets.map(unpack);
      if (common.size === 0) for (const path of paths) addCharacters(readFileSync(path), common);
      const needed = new Set<string>();
      for (const character of text) {
        const code = character.codePointAt(0)!;
        if (common.has(code)) continue;
        const subset = subsets.find(({ ranges }) => ranges.some(([from, to]) => code >= from && code <= to));
        if (subset) needed.add(subset.name);
      }
      return [...paths, ...Array.from(needed, unpack)];
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

/** Unpacks WOFF 1.0 (W3C Recommendation, 2012-12-13) into the TrueType file it was made from. */
export function unpackWoff(woff: Buffer): Buffer {
  if (woff.toString('latin1', 0, 4) !== 'wOFF') throw new Error('not a WOFF file');
  const count = woff.readUInt16BE(12);
  const tables = [];
  let length = 12 + 16 * count;
  for (let index = 0; index < count; index += 1) {
    const entry = 44 + 20 * index;
    const start = woff.readUInt32BE(entry + 4);
    const packedLength = woff.readUInt32BE(entry + 8);
    const fullLength = woff.readUInt32BE(entry + 12);
    const packed = woff.subarray(start, start + packedLength);
    const bytes = packedLength < fullLength ? inflateSync(packed) : packed;
    tables.push({
      tag: woff.readUInt32BE(entry),
      checksum: woff.readUInt32BE(entry + 16),
      offset: length,
      bytes,
    });
    length += Math.ceil(fullLength / 4) * 4;
  }
  const font = Buffer.alloc(length);
  const exponent = Math.floor(Math.log2(count));
  font.writeUInt32BE(woff.readUInt32BE(4), 0);
  font.writeUInt16BE(count, 4);
  font.writeUInt16BE(16 << exponent, 6);
  font.writeUInt16BE(exponent, 8);
  font.writeUInt16BE(count * 16 - (16 << exponent), 10);
  tables.forEach(({ tag, checksum, offset, bytes }, index) => {
    const entry = 12 + 16 * index;
    font.writeUInt32BE(tag, entry);
    font.writeUInt32BE(checksum, entry + 4);
    font.writeUInt32BE(offset, entry + 8);
    font.writeUInt32BE(bytes.length, entry + 12);
    bytes.copy(font, offset);
  });
  return font;
}

/** Adds every character a TrueType file maps (its `cmap` in format 4 or 12) to `characters`. */
function addCharacters(font: Buffer, characters: Set<number>): void {
  const tables = font.readUInt16BE(4);
  let cmap = -1;
  for (let index = 0; index < tables; index += 1) {
    const entry = 12 + 16 * index;
    if (font.toString('latin1', entry, entry + 4) === 'cmap') cmap = font.readUInt32BE(entry + 8);
  }
  if (cmap < 0) return;
  const encodings = font.readUInt16BE(cmap + 2);
  for (let index = 0; index < encodings; index += 1) {
    const table = cmap + font.readUInt32BE(cmap + 4 + 8 * index + 4);
    const format = font.readUInt16BE(table);
    if (format === 12) {
      for (let group = 0; group < font.readUInt32BE(table + 12); group += 1) {
        const entry = table + 16 + 12 * group;
        const last = font.readUInt32BE(entry + 4);
        for (let code = font.readUInt32BE(entry); code <= last; code += 1) characters.add(code);
      }
    } else if (format === 4) {
      const segmentsTwice = font.readUInt16BE(table + 6);
      for (let segment = 0; segment < segmentsTwice; segment += 2) {
        const last = font.readUInt16BE(table + 14 + segment);
        const first = font.readUInt16BE(table + 16 + segmentsTwice + segment);
        for (let code = first; code <= last && code !== 0xffff; code += 1) characters.add(code);
      }
    }
  }
}
