/** A piece of a file, as the chunks it came in: nothing is copied together. */
export interface Part {
  chunks: Buffer[];
  bytes: number;
  isLast: boolean;
}

/**
 * Cuts a source into parts of exactly `partBytes` (some stores insist that all are alike) and a last one with what is
 * left. There is always a last one; that of an empty source is empty.
 */
export async function* sliceParts(
  source: AsyncIterable<Buffer>,
  partBytes: number,
): AsyncGenerator<Part, void, void> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (let chunk of source) {
    // A full part is handed on only when more follows: the last one has to be known as such.
    while (chunk.length > 0) {
      if (bytes === partBytes) {
        yield { chunks, bytes, isLast: false };
        chunks = [];
        bytes = 0;
      }
      const head = chunk.subarray(0, partBytes - bytes);
      chunks.push(head);
      bytes += head.length;
      chunk = chunk.subarray(head.length);
    }
  }
  yield { chunks, bytes, isLast: true };
}
