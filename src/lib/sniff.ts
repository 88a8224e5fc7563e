/** What a file's first bytes say it is; `extension` without the dot. */
export type Sniffed = { contentType: string; extension: string };

const kinds = {
  png: { contentType: 'image/png', extension: 'png' },
  jpeg: { contentType: 'image/jpeg', extension: 'jpg' },
  gif: { contentType: 'image/gif', extension: 'gif' },
  webp: { contentType: 'image/webp', extension: 'webp' },
  bmp: { contentType: 'image/bmp', extension: 'bmp' },
  mp4: { contentType: 'video/mp4', extension: 'mp4' },
  mov: { contentType: 'video/quicktime', extension: 'mov' },
  webm: { contentType: 'video/webm', extension: 'webm' },
  mp3: { contentType: 'audio/mpeg', extension: 'mp3' },
  wav: { contentType: 'audio/wav', extension: 'wav' },
  m4a: { contentType: 'audio/mp4', extension: 'm4a' },
  aac: { contentType: 'audio/aac', extension: 'aac' },
  ogg: { contentType: 'audio/ogg', extension: 'ogg' },
} satisfies Record<string, Sniffed>;

/** How many leading bytes {@link sniff} looks at. */
export const sniffBytes = 64;

/** Tells the media type from magic bytes; null when it is none of those we handle. Never throws. */
export function sniff(bytes: Uint8Array): Sniffed | null {
  if (startsWith(bytes, 0, '\x89PNG\r\n\x1a\n')) return kinds.png;
  if (startsWith(bytes, 0, '\xff\xd8\xff')) return kinds.jpeg;
  if (startsWith(bytes, 0, 'GIF87a') || startsWith(bytes, 0, 'GIF89a')) return kinds.gif;
  if (startsWith(bytes, 0, 'RIFF')) {
    if (startsWith(bytes, 8, 'WEBP')) return kinds.webp;
    return startsWith(bytes, 8, 'WAVE') ? kinds.wav : null;
  }
  if (startsWith(bytes, 0, 'BM')) return isBitmapHeader(bytes) ? kinds.bmp : null;
  if (startsWith(bytes, 4, 'ftyp')) return sniffBrand(bytes);
  // QuickTime files from before 2001 begin without a brand. "free" and "skip" alone would say too little.
  if (['moov', 'mdat', 'wide'].some((box) => startsWith(bytes, 4, box))) return kinds.mov;
  if (startsWith(bytes, 0, '\x1aE\xdf\xa3')) return hasDocType(bytes, 'webm') ? kinds.webm : null;
  if (startsWith(bytes, 0, 'OggS')) return kinds.ogg;
  if (startsWith(bytes, 0, 'ID3')) return kinds.mp3;
  return sniffAudioFrame(bytes);
}

/** Brands of still pictures that share the MP4 container; we take none of them. */
const pictureBrands = new Set([
  'avif',
  'avis',
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'mif1',
  'msf1',
  'crx ',
]);
const audioBrands = new Set(['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B ']);

function sniffBrand(bytes: Uint8Array): Sniffed | null {
  if (bytes.length < 12) return null;
  const brand = String.fromCharCode(...bytes.subarray(8, 12));
  if (pictureBrands.has(brand)) return null;
  if (audioBrands.has(brand)) return kinds.m4a;
  return brand === 'qt  ' ? kinds.mov : kinds.mp4;
}

/** "BM" begins many a text: the header behind it must have a known size. */
function isBitmapHeader(bytes: Uint8Array): boolean {
  if (bytes.length < 18) return false;
  return [12, 40, 52, 56, 64, 108, 124].includes(uint32(bytes, 14, true));
}

function hasDocType(bytes: Uint8Array, docType: string): boolean {
  const head = String.fromCharCode(...bytes.subarray(0, sniffBytes));
  // EBML: element 0x4282 (DocType), one byte of length, the text.
  return head.includes(`\x42\x82${String.fromCharCode(0x80 + docType.length)}${docType}`);
}

/** Frame headers of MPEG audio (ISO 11172-3 §2.4.1.3) and ADTS (ISO 13818-7 §6.2) share their sync bits. */
function sniffAudioFrame(bytes: Uint8Array): Sniffed | null {
  if (bytes.length < 4 || bytes[0] !== 0xff) return null;
  const [, second = 0, third = 0] = bytes;
  if ((second & 0xf6) === 0xf0) return (third >> 2) % 16 < 13 ? kinds.aac : null;
  const isLayer3 = (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08;
  const bitrate = third >> 4;
  const isSampleRate = (third & 0x0c) !== 0x0c;
  return isLayer3 && bitrate > 0 && bitrate < 15 && isSampleRate ? kinds.mp3 : null;
}

function startsWith(bytes: Uint8Array, offset: number, text: string): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let index = 0; index < text.length; index++) {
    if (bytes[offset + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function uint16(bytes: Uint8Array, offset: number, littleEndian: boolean): number {
  const [low, high] = littleEndian ? [offset, offset + 1] : [offset + 1, offset];
  return (bytes[low] ?? 0) + (bytes[high] ?? 0) * 0x100;
}

function uint32(bytes: Uint8Array, offset: number, littleEndian: boolean): number {
  const [low, high] = littleEndian ? [offset, offset + 2] : [offset + 2, offset];
  return uint16(bytes, low, littleEndian) + uint16(bytes, high, littleEndian) * 0x10000;
}

/**
 * Width and height in pixels, as the file's header states them, of a PNG, JPEG, WebP or GIF; null for other
 * files and broken headers. Nothing is decoded, an EXIF rotation is not applied. Never throws.
 */
export function imageSize(bytes: Uint8Array): { width: number; height: number } | null {
  const size = readSize(bytes);
  return size && size.width > 0 && size.height > 0 ? size : null;
}

function readSize(bytes: Uint8Array): { width: number; height: number } | null {
  switch (sniff(bytes)) {
    case kinds.png:
      if (bytes.length < 24 || !startsWith(bytes, 12, 'IHDR')) return null;
      return { width: uint32(bytes, 16, false), height: uint32(bytes, 20, false) };
    case kinds.gif:
      if (bytes.length < 10) return null;
      return { width: uint16(bytes, 6, true), height: uint16(bytes, 8, true) };
    case kinds.webp:
      return readWebpSize(bytes);
    case kinds.jpeg:
      return readJpegSize(bytes);
    default:
      return null;
  }
}

/** RFC 9649: the three kinds of first chunk. */
function readWebpSize(bytes: Uint8Array): { width: number; height: number } | null {
  if (bytes.length < 30) {
    // A lossless picture of a few pixels can be shorter than the other two kinds' headers.
    if (bytes.length < 25 || !startsWith(bytes, 12, 'VP8L')) return null;
  }
  if (startsWith(bytes, 12, 'VP8X')) {
    const size24 = (offset: number) => uint16(bytes, offset, true) + (bytes[offset + 2] ?? 0) * 0x10000;
    return { width: size24(24) + 1, height: size24(27) + 1 };
  }
  if (startsWith(bytes, 12, 'VP8L')) {
    if (bytes[20] !== 0x2f) return null;
    const bits = uint32(bytes, 21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (!startsWith(bytes, 12, 'VP8 ') || !startsWith(bytes, 23, '\x9d\x01\x2a')) return null;
  return { width: uint16(bytes, 26, true) & 0x3fff, height: uint16(bytes, 28, true) & 0x3fff };
}

/** ITU T.81 §B: segments follow each other by their lengths until a frame header (SOFn) comes. */
function readJpegSize(bytes: Uint8Array): { width: number; height: number } | null {
  let offset = 2;
  while (offset + 9 <= bytes.length) {
    if (bytes[offset] !== 0xff) return null;
    const marker = bytes[offset + 1] ?? 0;
    if (marker === 0xff) {
      offset++; // fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      offset += 2; // markers without a length
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) return null;
    const isFrameHeader = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrameHeader)
      return { height: uint16(bytes, offset + 5, false), width: uint16(bytes, offset + 7, false) };
    const length = uint16(bytes, offset + 2, false);
    if (length < 2) return null;
    offset += 2 + length;
  }
  return null;
}
