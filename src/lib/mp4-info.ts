/** What an MP4 or QuickTime file says about itself in `moov`: length, picture size, sound. */
import { Mp4Walk, withFileReader } from './mp4-boxes.ts';
import type { Mp4Box, RangeReader } from './mp4-boxes.ts';

export interface Mp4Info {
  /** Null when the file does not say (a live fragmented file). */
  durationSeconds: number | null;
  /** As shown, after rotation; null when there is no picture. */
  width: number | null;
  height: number | null;
  hasAudio: boolean;
}

/** More tracks than any real file; what comes after is not looked at. */
const tracksMax = 32;
/** The fixed parts of mvhd, tkhd, mdhd, hdlr and mehd all fit. */
const headBytes = 128;

/**
 * Reads an MP4's facts, given as a path or a reader, by ranges of a few bytes. Null when the file is no MP4
 * or has no readable `moov`. Rejects only when the file cannot be read.
 */
export async function readMp4Info(source: string | RangeReader): Promise<Mp4Info | null> {
  return typeof source === 'string' ? withFileReader(source, readInfo) : readInfo(source);
}

async function readInfo(reader: RangeReader): Promise<Mp4Info | null> {
  const walk = new Mp4Walk(reader);
  const moov = await walk.find(walk.root, 'moov');
  if (!moov) return null;
  const info: Mp4Info = { durationSeconds: null, width: null, height: null, hasAudio: false };
  let timescale = 0;
  let longestTrackSeconds = 0;
  let fragmentDuration = 0;
  let tracks = 0;
  let known = false;
  for await (const box of walk.children(moov)) {
    if (box.type === 'mvhd') {
      known = true;
      const times = readTimes(await walk.read(box, headBytes));
      timescale = times?.timescale ?? 0;
      if (times && times.duration > 0) info.durationSeconds = times.duration / times.timescale;
    } else if (box.type === 'mvex') {
      fragmentDuration = await readFragmentDuration(walk, box);
    } else if (box.type === 'trak' && tracks < tracksMax) {
      known = true;
      tracks += 1;
      longestTrackSeconds = Math.max(longestTrackSeconds, await readTrack(walk, box, info));
    }
  }
  if (!known) return null;
  if (info.durationSeconds === null && fragmentDuration > 0 && timescale > 0) {
    info.durationSeconds = fragmentDuration / timescale;
  }
  if (info.durationSeconds === null && longestTrackSeconds > 0) info.durationSeconds = longestTrackSeconds;
  return info;
}

/** Adds what one track tells to `info`; answers its own length in seconds. */
async function readTrack(walk: Mp4Walk, track: Mp4Box, info: Mp4Info): Promise<number> {
  let header: DataView | null = null;
  let media: Mp4Box | null = null;
  for await (const box of walk.children(track)) {
    if (box.type === 'tkhd') header = await walk.read(box, headBytes);
    if (box.type === 'mdia') media = box;
  }
  if (!media) return 0;
  let kind = '';
  let seconds = 0;
  for await (const box of walk.children(media)) {
    if (box.type === 'mdhd') {
      const times = readTimes(await walk.read(box, headBytes));
      if (times) seconds = times.duration / times.timescale;
    } else if (box.type === 'hdlr') {
      const view = await walk.read(box, 12);
      if (view.byteLength === 12)
        kind = String.fromCharCode(...[8, 9, 10, 11].map((at) => view.getUint8(at)));
    }
  }
  if (kind === 'soun') info.hasAudio = true;
  if (kind === 'vide' && info.width === null) {
    const size = (header && readShownSize(header)) ?? (await readCodedSize(walk, media));
    if (size) [info.width, info.height] = size;
  }
  return seconds;
}

/** mvhd and mdhd open alike: version, flags, created, modified, timescale, duration (64 bits in version 1). */
function readTimes(view: DataView): { timescale: number; duration: number } | null {
  const long = view.byteLength > 0 && view.getUint8(0) === 1;
  if (view.byteLength < (long ? 32 : 20)) return null;
  const timescale = view.getUint32(long ? 20 : 12);
  const duration = long ? Number(view.getBigUint64(24)) : view.getUint32(16);
  // All ones mean "not known" (ISO/IEC 14496-12 §8.2.2.3).
  const unknown = long ? duration >= 2 ** 63 : duration === 0xffffffff;
  return timescale === 0 ? null : { timescale, duration: unknown ? 0 : duration };
}

async function readFragmentDuration(walk: Mp4Walk, mvex: Mp4Box): Promise<number> {
  const mehd = await walk.find(mvex, 'mehd');
  if (!mehd) return 0;
  const view = await walk.read(mehd, 12);
  if (view.byteLength >= 12 && view.getUint8(0) === 1) return Number(view.getBigUint64(4));
  return view.byteLength >= 8 ? view.getUint32(4) : 0;
}

/** tkhd ends with a 3x3 matrix, then width and height in 16.16 fixed point. */
function readShownSize(view: DataView): [number, number] | null {
  if (view.byteLength === 0) return null;
  const matrix = view.getUint8(0) === 1 ? 52 : 40;
  if (view.byteLength < matrix + 44) return null;
  const width = Math.round(view.getUint32(matrix + 36) / 65536);
  const height = Math.round(view.getUint32(matrix + 40) / 65536);
  if (width === 0 || height === 0) return null;
  // A turn by a quarter leaves nothing on the matrix's main diagonal.
  const turned = view.getInt32(matrix) === 0 && view.getInt32(matrix + 4) !== 0;
  return turned ? [height, width] : [width, height];
}

/** The first sample entry: 8 bytes before it in stsd, then 8 of header, and the size 24 bytes into its payload. */
async function readCodedSize(walk: Mp4Walk, media: Mp4Box): Promise<[number, number] | null> {
  const stsd = await walk.find(media, 'minf', 'stbl', 'stsd');
  if (!stsd) return null;
  const view = await walk.read(stsd, 44);
  if (view.byteLength < 44) return null;
  const width = view.getUint16(40);
  const height = view.getUint16(42);
  return width > 0 && height > 0 ? [width, height] : null;
}
