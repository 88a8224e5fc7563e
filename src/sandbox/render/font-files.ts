/** The two things we need from inside font files: the TrueType in a WOFF, and which characters it has. */
import { inflateSync } from 'node:zlib';

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

/** Every character a TrueType file maps (its `cmap`, formats 4 and 12). */
export function charactersIn(font: Buffer): Set<number> {
  const characters = new Set<number>();
  const tables = font.readUInt16BE(4);
  let cmap = -1;
  for (let index = 0; index < tables; index += 1) {
    const entry = 12 + 16 * index;
    if (font.toString('latin1', entry, entry + 4) === 'cmap') cmap = font.readUInt32BE(entry + 8);
  }
  if (cmap < 0) return characters;
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
  return characters;
}
