/** Masks as the selection answers them: run lengths in COCO's compressed form, and a PNG of one channel. */
import { crc32, deflateSync } from 'node:zlib';

/** A place on a frame, as shares of its sides. */
export interface Point {
  x: number;
  y: number;
}

/** Share of the shorter side that one point marks. */
const radiusShare = 0.12;

/** One byte a pixel, row by row: 1 within reach of a point. */
export function maskAround(points: Point[], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  const radius = Math.round(Math.min(width, height) * radiusShare);
  for (const point of points) {
    const centreX = Math.round(point.x * (width - 1));
    const centreY = Math.round(point.y * (height - 1));
    for (let y = Math.max(0, centreY - radius); y <= Math.min(height - 1, centreY + radius); y++) {
      const reach = Math.floor(Math.sqrt(radius ** 2 - (y - centreY) ** 2));
      const from = Math.max(0, centreX - reach);
      mask.fill(1, y * width + from, y * width + Math.min(width - 1, centreX + reach) + 1);
    }
  }
  return mask;
}

/**
 * Lengths of runs of 0, 1, 0, …, column by column, each written as its difference to the one before the last in
 * groups of five bits from character 48 on (cocoapi, common/maskApi.c).
 */
export function runLengths(mask: Uint8Array, width: number, height: number): string {
  const counts: number[] = [];
  let value = 0;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (mask[y * width + x] === value) run++;
      else {
        counts.push(run);
        value = 1 - value;
        run = 1;
      }
    }
  }
  counts.push(run);
  return counts.map((count, index) => coded(index > 2 ? count - counts[index - 2]! : count)).join('');
}

function coded(number: number): string {
  let text = '';
  for (let rest = number; ;) {
    let bits = rest & 0x1f;
    rest >>= 5;
    const isLast = bits & 0x10 ? rest === -1 : rest === 0;
    if (!isLast) bits |= 0x20;
    text += String.fromCharCode(bits + 48);
    if (isLast) return text;
  }
}

/** Grey, eight bits: what is marked is white. */
export function pngOfMask(mask: Uint8Array, width: number, height: number): Buffer {
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    // Every row begins with its filter: none.
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = mask[y * width + x]! * 255;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
