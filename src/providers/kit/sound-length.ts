/** How long a sound file is, read from its bytes without decoding: WAV, MP3 and MP4 (M4A). */

/** Seconds; null when the bytes do not say. */
export function soundSeconds(bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seconds = wavSeconds(view) ?? mp4Seconds(view) ?? mp3Seconds(view);
  return seconds !== null && Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

function name(view: DataView, at: number): string {
  if (at + 4 > view.byteLength) return '';
  return String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)));
}

/** RIFF: bytes of the data chunk divided by the bytes a second that the fmt chunk names. */
function wavSeconds(view: DataView): number | null {
  if (name(view, 0) !== 'RIFF' || name(view, 8) !== 'WAVE') return null;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    if (name(view, at) === 'fmt ' && at + 20 <= view.byteLength)
      bytesPerSecond = view.getUint32(at + 16, true);
    // A recorder that was cut off leaves a size beyond the file.
    if (name(view, at) === 'data') {
      return bytesPerSecond > 0 ? Math.min(size, view.byteLength - at - 8) / bytesPerSecond : null;
    }
    at += 8 + size + (size & 1);
  }
  return null;
}

/** ISO base media: the movie header inside `moov`. */
function mp4Seconds(view: DataView): number | null {
  if (name(view, 4) !== 'ftyp') return null;
  const moov = boxIn(view, 'moov', 0, view.byteLength);
  const header = moov && boxIn(view, 'mvhd', moov.start, moov.end);
  if (!header || header.start + 32 > header.end) return null;
  const isLong = view.getUint8(header.start) === 1;
  const timescale = view.getUint32(header.start + (isLong ? 20 : 12));
  const duration = isLong ? Number(view.getBigUint64(header.start + 24)) : view.getUint32(header.start + 16);
  return timescale > 0 ? duration / timescale : null;
}

function boxIn(
  view: DataView,
  type: string,
  from: number,
  to: number,
): { start: number; end: number } | null {
  for (let at = from; at + 8 <= to;) {
    const short = view.getUint32(at);
    const head = short === 1 ? 16 : 8;
    if (at + head > to) return null;
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short === 0 ? to - at : short;
    if (size < head) return null;
    if (name(view, at + 4) === type) return { start: at + head, end: Math.min(to, at + size) };
    at += size;
  }
  return null;
}

/** Layer III bit rates in kbit/s by the header's index: MPEG-1, then MPEG-2 and 2.5 (ISO 11172-3, 13818-3). */
const bitRates = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
];
const sampleRates = [44_100, 48_000, 32_000, 0];
/** No sound that an upstream takes has more frames (20 minutes). */
const framesMax = 50_000;

/** Frame by frame, so that variable bit rates count right. */
function mp3Seconds(view: DataView): number | null {
  let at = 0;
  if (name(view, 0).startsWith('ID3') && view.byteLength > 10) {
    // A "syncsafe" size: seven bits to the byte.
    at = 10 + [6, 7, 8, 9].reduce((size, place) => (size << 7) | (view.getUint8(place) & 0x7f), 0);
  }
  let seconds = 0;
  for (let frames = 0; frames < framesMax && at + 4 <= view.byteLength; frames++) {
    const header = view.getUint32(at);
    const isFrame = header >>> 21 === 0x7ff && ((header >>> 17) & 3) === 1;
    const version = (header >>> 19) & 3;
    const isFirst = version === 3;
    const bitRate = bitRates[isFirst ? 0 : 1]![(header >>> 12) & 15]! * 1000;
    const sampleRate = sampleRates[(header >>> 10) & 3]! / (isFirst ? 1 : version === 2 ? 2 : 4);
    if (!isFrame || version === 1 || bitRate === 0 || sampleRate === 0) break;
    const samples = isFirst ? 1152 : 576;
    seconds += samples / sampleRate;
    at += Math.floor((samples / 8) * (bitRate / sampleRate)) + ((header >>> 9) & 1);
  }
  return seconds > 0 ? seconds : null;
}
