import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { watchPassing } from '../lib/passing-bytes.ts';

/** By import, Node would give everything the module has, and load WebSocket and fetch for it: 13 MiB. */
const http = process.getBuiltinModule('node:http');

/** From 128 KiB on, the allocator maps fresh pages for every buffer: a film then costs three times the CPU. */
const chunkBytes = 64 * 1024;

/**
 * The bytes of an open file from `start` up to but without `end`; closes the file when it is over. Piped into an answer it
 * passes the file on through two buffers, filled in turn: a new one for every chunk would have to be collected. Read in
 * any other way it is a stream like all others.
 */
export class FileStream extends Readable {
  readonly #handle: FileHandle;
  readonly #end: number;
  #position: number;
  /** What uses the handle just now: it is closed after that. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(handle: FileHandle, start: number, end: number) {
    super({ highWaterMark: chunkBytes });
    this.#handle = handle;
    this.#position = start;
    this.#end = end;
    watchPassing(this);
  }

  override _read(): void {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    this.#fill(buffer).then(
      (bytes) => this.push(bytes > 0 ? buffer.subarray(0, bytes) : null),
      (error: Error) => this.destroy(error),
    );
  }

  // lint-allow: Node's own streams, as its types name them
  override pipe<Destination extends NodeJS.WritableStream>( // lint-allow: see above
    destination: Destination,
    options?: { end?: boolean },
  ): Destination {
    // Only an answer is known to be done with a chunk when it says so: other streams hand the very buffer on. And what
    // somebody has read already has to go the ordinary way.
    const isUntouched = !this.readableDidRead && this.readableFlowing === null && this.readableLength === 0;
    if (!(destination instanceof http.ServerResponse && isUntouched)) return super.pipe(destination, options);
    if (options?.end !== false) this.once('end', () => destination.end());
    this.#passOn(destination).then(
      () => {
        if (this.destroyed) return;
        this.push(null);
        // Nothing is left to be read: this only says so.
        this.resume();
      },
      (error: Error) => this.destroy(error),
    );
    return destination;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const close = () => this.#handle.close().then(() => callback(error), callback);
    this.#busy.then(close, close);
  }

  async #passOn(destination: ServerResponse): Promise<void> {
    const buffers = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
    const written = [Promise.resolve(), Promise.resolve()];
    for (let turn = 0; !this.destroyed; turn = 1 - turn) {
      // Whoever takes the bytes is done with this buffer.
      await written[turn]!;
      const bytes = this.destroyed ? 0 : await this.#fill(buffers[turn]!);
      if (bytes === 0 || this.destroyed) break;
      written[turn] = write(destination, buffers[turn]!.subarray(0, bytes));
      // Awaited a turn later; until then its failure is nobody's unhandled one.
      written[turn]!.catch(() => {});
    }
    await Promise.all(written);
  }

  async #fill(buffer: Buffer): Promise<number> {
    const length = Math.min(buffer.length, this.#end - this.#position);
    if (length <= 0) return 0;
    const reading = this.#handle.read(buffer, 0, length, this.#position);
    this.#busy = reading;
    const { bytesRead } = await reading;
    this.#position += bytesRead;
    return bytesRead;
  }
}

/** Resolves when the bytes have left the process, or are of no use to anybody any more. */
function write(destination: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    destination.write(bytes, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}
