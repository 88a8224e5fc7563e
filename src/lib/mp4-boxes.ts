/**
 * Walking the boxes of an MP4 or QuickTime file (ISO/IEC 14496-12 §4.2) without reading more than the headers.
 * Files may be hostile: sizes are checked against the enclosing box, and the number of headers read is bounded.
 */
import { open } from 'node:fs/promises';

/** Random access to a file, wherever it lies. */
export interface RangeReader {
  /** Bytes in all. */
  size: number;
  /** Reads up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** One box: its payload lies in `[start, end)`. */
export interface Mp4Box {
  type: string;
  start: number;
  end: number;
}

/** An MP4 has tens of boxes outside its media data, a heavily fragmented one some thousands. */
const headersMax = 2_000;

/** Opens the file at `path`, gives `use` a reader and closes the file again. Rejects when it cannot be opened. */
export async function withFileReader<Result>(
  path: string,
  use: (reader: RangeReader) => Promise<Result>,
): Promise<Result> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await use({
      size,
      async read(offset, length) {
        const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
    });
  } finally {
    await file.close();
  }
}

/** A look into one file; its boxes are found through `children` and `find`. */
export class Mp4Walk {
  readonly #reader: RangeReader;
  #headersLeft = headersMax;

  constructor(reader: RangeReader) {
    this.#reader = reader;
  }

  /** The whole file as a box. */
  get root(): Mp4Box {
    return { type: '', start: 0, end: this.#reader.size };
  }

  /** Lists the boxes inside `parent`, leaving out its first `skip` bytes; ends early where the data is broken. */
  async *children(parent: Mp4Box, skip = 0): AsyncGenerator<Mp4Box> {
    let offset = parent.start + skip;
    while (offset + 8 <= parent.end && this.#headersLeft > 0) {
      this.#headersLeft -= 1;
      const header = await this.#reader.read(offset, Math.min(16, parent.end - offset));
      if (header.length < 8) return;
      const view = new DataView(header.buffer, header.byteOffset, header.length);
      let size = view.getUint32(0);
      let headerSize = 8;
      if (size === 1) {
        if (header.length < 16) return;
        // Above 2^53 this loses digits, but then it is beyond the end of any file anyway.
        size = Number(view.getBigUint64(8));
        headerSize = 16;
      } else if (size === 0) {
        size = parent.end - offset;
      }
      if (size < headerSize || offset + size > parent.end) return;
      yield {
        type: String.fromCharCode(...header.subarray(4, 8)),
        start: offset + headerSize,
        end: offset + size,
      };
      offset += size;
    }
  }

  /** The first box at `path` below `parent`; null when there is none. */
  async find(parent: Mp4Box, ...path: string[]): Promise<Mp4Box | null> {
    let at = parent;
    for (const type of path) {
      let found: Mp4Box | null = null;
      for await (const box of this.children(at)) {
        if (box.type !== type) continue;
        found = box;
        break;
      }
      if (!found) return null;
      at = found;
    }
    return at;
  }

  /** Reads at most `lengthMax` bytes of a box's payload. */
  async read(box: Mp4Box, lengthMax: number): Promise<DataView> {
    const bytes = await this.#reader.read(box.start, Math.max(0, Math.min(lengthMax, box.end - box.start)));
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
