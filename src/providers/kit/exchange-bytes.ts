import type { Dispatcher } from 'undici';
import { UpstreamError } from '../../core/errors.ts';

/** Answers of the upstreams we know are a few KB, a list of 500 tasks half a megabyte. */
const answerBytesMax = 8 * 1024 * 1024;

export interface ExchangeAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/**
 * Sends one request and gathers the answer, with `dispatch` and a single timer: about half the CPU of undici's
 * `request`, whose streams and signals a small JSON answer does not need. Rejects with what broke it; with a
 * `TimeoutError` after `timeoutMs`, with the signal's reason when that comes first.
 */
export function exchangeBytes(
  pool: Dispatcher,
  options: Dispatcher.DispatchOptions,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let headers: Record<string, string> = {};
    let controller: Dispatcher.DispatchController | null = null;
    let stoppedBy: Error | null = null;

    const stop = (reason: Error): void => {
      stoppedBy = reason;
      controller?.abort(reason);
    };
    const onAbort = (): void => stop(asError(signal!.reason));
    // A connection that hangs is nobody's clock but the machine's.
    const timer = setTimeout(() => stop(new DOMException('timed out', 'TimeoutError')), timeoutMs); // lint-allow: real time
    signal?.addEventListener('abort', onAbort, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };

    pool.dispatch(options, {
      onRequestStart(given) {
        controller = given;
        if (stoppedBy !== null) given.abort(stoppedBy);
      },
      onResponseStart(_controller, code, received) {
        // 1xx announce an answer, they are none.
        if (code < 200) return;
        status = code;
        headers = flatten(received);
      },
      onResponseData(given, chunk) {
        bytes += chunk.length;
        if (bytes <= answerBytesMax) chunks.push(chunk);
        else given.abort(new UpstreamError('ambiguous', 'The upstream answered more than it ever should.'));
      },
      onResponseEnd() {
        done();
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        resolve({ status, headers, text: body.toString('utf8') });
      },
      onResponseError(_controller, error) {
        done();
        reject(stoppedBy ?? error);
      },
    });
  });
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
