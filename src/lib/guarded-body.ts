import { Readable } from 'node:stream';
import type { Deadline } from './guarded-deadline.ts';
import { TransferFailed } from './guarded-errors.ts';

/** A body that fails as soon as it is read. */
export async function* failing(error: TransferFailed): AsyncGenerator<Buffer> {
  throw error;
}

/** The source's chunks, up to so many bytes; its errors in our words. */
export async function* capped(
  source: Readable,
  bytesMax: number,
  deadline: Deadline,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      yield chunk;
    }
  } catch (error) {
    throw deadline.explain(error);
  }
}

export function tooLarge(bytesMax: number): TransferFailed {
  return new TransferFailed('too_large', `the body is larger than the ${bytesMax} bytes allowed`);
}

/** Counts bytes and the time spent waiting for them; time the consumer takes is not the sender's. */
export function createPace(bytesPerSecondMin: number, windowMs: number) {
  let bytes = 0;
  return {
    bytes: () => bytes,
    async *pass(source: Readable): AsyncGenerator<Buffer> {
      let waitedMs = 0;
      let windowBytes = 0;
      let askedAt = performance.now();
      for await (const chunk of source as AsyncIterable<Buffer>) {
        waitedMs += performance.now() - askedAt;
        bytes += chunk.length;
        windowBytes += chunk.length;
        if (waitedMs >= windowMs) {
          if (windowBytes * 1000 < bytesPerSecondMin * waitedMs) {
            throw new TransferFailed(
              'timeout',
              `the server sent less than ${bytesPerSecondMin} bytes per second`,
            );
          }
          waitedMs = 0;
          windowBytes = 0;
        }
        yield chunk;
        askedAt = performance.now();
      }
    },
  };
}

/**
 * A stream of what `chunks` yields from `source`; closing it ends the source, also when nothing was read. A
 * reader learns of a failure by reading; a stream drained by nobody in particular must not end the process.
 */
export function wrap(source: Readable, chunks: AsyncGenerator<Buffer>): Readable {
  const stream = Readable.from(chunks, { objectMode: false });
  stream.on('error', () => {});
  // Before the generator is asked to return: it cannot while it waits for a chunk that may never come.
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, callback) => {
    discard(source);
    destroy(error, callback);
  };
  return stream;
}

/** Ends a body nobody reads; the error this gives it has no one to tell. */
export function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}
