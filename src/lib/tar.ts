/**
 * Archives in the form every `tar` reads: ustar headers, names that do not fit in a pax header, sizes that do not fit
 * in base 256 (POSIX.1-2017 pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format"). Nothing is ever
 * held but one block: files of any size pass through.
 */

const BLOCK = 512;
/** Eleven octal digits. */
const OCTAL_MAX = 0o77777777777;
const NAME_MAX = 100;
/** Pax headers of ours hold a name; anything larger is no archive of ours. */
const PAX_MAX = 64 * 1024;

export class TarError extends Error {
  override name = 'TarError';
}

/** What stands before an entry's bytes. `modifiedAt` in Unix ms. */
export function tarHeader(name: string, bytes: number, modifiedAt: number): Buffer {
  if (Buffer.byteLength(name) <= NAME_MAX) return header(name, bytes, modifiedAt, '0');
  const record = paxRecord('path', name);
  const body = Buffer.concat([record, tarPadding(record.length)]);
  return Buffer.concat([
    header('pax', record.length, modifiedAt, 'x'),
    body,
    header(Buffer.from(name).subarray(0, NAME_MAX).toString('latin1'), bytes, modifiedAt, '0'),
  ]);
}

/** What stands behind an entry of so many bytes. */
export function tarPadding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

export interface TarEntry {
  name: string;
  bytes: number;
  /** To be read to its end before the next entry is asked for; what is left is passed over. */
  body: AsyncIterable<Buffer>;
}

/** Reads an archive entry by entry. Throws TarError for what is no archive or ends early. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const input = blocks(source);
  let longName: string | null = null;
  for (;;) {
    const block = await input.take(BLOCK);
    if (block === null) throw new TarError('the archive ends early');
    if (block.every((byte) => byte === 0)) return;
    const { name, bytes, type } = readHeader(block);
    if (type === 'x') {
      if (bytes > PAX_MAX) throw new TarError('not an archive of ours');
      longName = readPaxPath(await wholly(input, bytes));
      await skip(input, tarPadding(bytes).length);
      continue;
    }
    if (type !== '0') throw new TarError(`the entry ${name} is no file`);
    let left = bytes;
    const body = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await input.some(left);
        if (chunk === null) throw new TarError('the archive ends early');
        left -= chunk.length;
        yield chunk;
      }
    };
    yield { name: longName ?? name, bytes, body: body() };
    longName = null;
    await skip(input, left + tarPadding(bytes).length);
  }
}

function header(name: string, bytes: number, modifiedAt: number, type: '0' | 'x'): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, NAME_MAX);
  block.write('0000600\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  if (bytes <= OCTAL_MAX) block.write(`${octal(bytes, 11)}\0`, 124);
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(bytes), 128);
  }
  block.write(`${octal(Math.floor(modifiedAt / 1000), 11)}\0`, 136);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  block.write(`${octal(checksumOf(block), 6)}\0 `, 148);
  return block;
}

function readHeader(block: Buffer): { name: string; bytes: number; type: string } {
  const stated = parseInt(block.toString('latin1', 148, 156), 8);
  if (stated !== checksumOf(block)) throw new TarError('not an archive, or a damaged one');
  const name = block.subarray(0, NAME_MAX);
  const end = name.indexOf(0);
  const bytes =
    block[124] === 0x80
      ? Number(block.readBigUInt64BE(128))
      : parseInt(block.toString('latin1', 124, 136), 8);
  return {
    name: name.subarray(0, end < 0 ? NAME_MAX : end).toString('utf8'),
    bytes,
    type: String.fromCharCode(block[156]!),
  };
}

/** The sum of all bytes, its own eight counted as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index++) if (index < 148 || index >= 156) sum += block[index]!;
  return sum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** `<length> key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function readPaxPath(record: Buffer): string {
  const path = /^\d+ path=([^\n]*)\n$/.exec(record.toString('utf8'))?.[1];
  if (path === undefined) throw new TarError('not an archive of ours');
  return path;
}

interface Blocks {
  /** Exactly so many bytes; null at the end. */
  take(bytes: number): Promise<Buffer | null>;
  /** At least one byte, at most so many, as they came; null at the end. */
  some(bytesMax: number): Promise<Buffer | null>;
}

function blocks(source: AsyncIterable<Buffer>): Blocks {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  async function some(bytesMax: number): Promise<Buffer | null> {
    while (held.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return null;
      held = next.value;
    }
    const part = held.subarray(0, bytesMax);
    held = held.subarray(part.length);
    return part;
  }

  return {
    some,
    async take(bytes) {
      const parts: Buffer[] = [];
      for (let left = bytes; left > 0;) {
        const part = await some(left);
        if (part === null) {
          if (parts.length === 0) return null;
          throw new TarError('the archive ends early');
        }
        parts.push(part);
        left -= part.length;
      }
      return Buffer.concat(parts);
    },
  };
}

async function wholly(input: Blocks, bytes: number): Promise<Buffer> {
  const found = bytes === 0 ? Buffer.alloc(0) : await input.take(bytes);
  if (found === null) throw new TarError('the archive ends early');
  return found;
}

async function skip(input: Blocks, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    const part = await input.some(left);
    if (part === null) throw new TarError('the archive ends early');
    left -= part.length;
  }
}
