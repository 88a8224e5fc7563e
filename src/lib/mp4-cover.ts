/**
 * The cover picture inside an MP4: `moov/udta/meta/ilst/covr/data`, the place iTunes gave it and ffmpeg,
 * players and file managers read. No decoder is needed: the picture is a whole JPEG or PNG file.
 */
import { Mp4Walk, withFileReader } from './mp4-boxes.ts';
import type { Mp4Box, RangeReader } from './mp4-boxes.ts';

export interface Mp4Cover {
  bytes: Uint8Array;
  contentType: 'image/jpeg' | 'image/png';
}

/** Covers are thumbnails; a larger one is not worth its memory. */
const coverBytesMax = 8 * 1024 * 1024;

/**
 * Reads the first cover of an MP4, given as a path or a reader, by ranges. Null when there is none, when the
 * file is no MP4 or broken, or when the cover is above 8 MiB. Rejects only when the file cannot be read.
 */
export async function extractCover(source: string | RangeReader): Promise<Mp4Cover | null> {
  return typeof source === 'string' ? withFileReader(source, readCover) : readCover(source);
}

async function readCover(reader: RangeReader): Promise<Mp4Cover | null> {
  const walk = new Mp4Walk(reader);
  const meta = await walk.find(walk.root, 'moov', 'udta', 'meta');
  if (!meta) return null;
  const ilst = await findInMeta(walk, meta);
  const data = ilst && (await walk.find(ilst, 'covr', 'data'));
  // A data box opens with its type and a locale, four bytes each (QuickTime File Format, "Value Atom").
  if (!data || data.end - data.start <= 8 || data.end - data.start > coverBytesMax + 8) return null;
  const view = await walk.read(data, coverBytesMax + 8);
  if (view.byteLength <= 8) return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + 8, view.byteLength - 8);
  const contentType = contentTypeOf(bytes);
  return contentType && { bytes, contentType };
}

/** In MP4 `meta` has four bytes of version and flags before its boxes, in QuickTime it has none. */
async function findInMeta(walk: Mp4Walk, meta: Mp4Box): Promise<Mp4Box | null> {
  for (const skip of [4, 0]) {
    for await (const box of walk.children(meta, skip)) if (box.type === 'ilst') return box;
  }
  return null;
}

/** By the picture's own first bytes: the type written in the box is often wrong. */
function contentTypeOf(bytes: Uint8Array): Mp4Cover['contentType'] | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47) return 'image/png';
  return null;
}
