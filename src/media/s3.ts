import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { S3mini } from 's3mini';
import { Agent, fetch as controlRequest, type Dispatcher } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { Clock, MediaStore } from '../core/ports.ts';
import { watchPassing } from '../lib/passing-bytes.ts';
import { assertMediaKey, assertMediaPrefix } from './keys.ts';
import { sliceParts, type Part } from './parts.ts';

export interface S3Options {
  /** `https://s3.eu-west-1.amazonaws.com`, or with the bucket as its first label where a store wants that. */
  endpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  clock: Clock;
}

export interface S3Store extends MediaStore {
  /** Ends connections; requests in hand fail. */
  close(): Promise<void>;
}

/** The least that S3 takes for all parts but the last; two of them are in memory per put. */
const partBytes = 5 * 1024 * 1024;
/** A signature is used at once; clocks may differ by some minutes. */
const signatureSeconds = 900;
const headersTimeoutMs = 30_000;
/** Between two pieces of a body; a reader who pauses stops this clock. */
const bodyTimeoutMs = 60_000;
const triesMax = 3;
const firstPauseMs = 200;
const pageKeysMax = 1000;

/**
 * Keeps media as objects of one bucket, which is made where it is missing. The library signs, lists and keeps the
 * books of multipart uploads; bytes go straight through undici with the URLs it signed, because its own requests are
 * `fetch`, whose Web streams cost several times the CPU. Rejects with a sentence for the operator when the bucket can
 * neither be reached nor made.
 */
export async function openS3(options: S3Options): Promise<S3Store> {
  const { clock } = options;
  // A slow reader holds its connection for as long as it takes: there is no cap that others would wait for.
  const agent = new Agent({
    connections: null,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
  });
  const client = new S3mini({
    endpoint: bucketUrl(options.endpoint, options.bucket),
    region: options.region,
    accessKeyId: options.accessKey,
    secretAccessKey: options.secretKey,
    requestAbortTimeout: headersTimeoutMs,
    // undici's own type of the same function.
    fetch: ((url: string, init: object) =>
      controlRequest(url, { ...init, dispatcher: agent })) as unknown as typeof globalThis.fetch,
  });

  async function exchange(
    method: 'GET' | 'HEAD' | 'PUT',
    key: string,
    request: { query?: Record<string, string>; headers?: Record<string, string>; part?: Part } = {},
  ): Promise<Dispatcher.ResponseData> {
    // The library's type knows GET and PUT; what it signs is whatever method it is told.
    const url = await client.getPresignedUrl(method as 'GET', key, signatureSeconds, request.query);
    const { origin, pathname, search } = new URL(url);
    return agent.request({
      origin,
      path: pathname + search,
      method,
      headers: request.headers,
      body: request.part?.chunks.length ? Readable.from(request.part.chunks, { objectMode: false }) : null,
    });
  }

  async function upload(
    key: string,
    part: Part,
    request: { query?: Record<string, string>; contentType?: string } = {},
  ): Promise<string> {
    const headers = {
      'content-length': String(part.bytes),
      ...(request.contentType !== undefined && { 'content-type': request.contentType }),
    };
    const ask = async (): Promise<string> => {
      const answer = await exchange('PUT', key, { query: request.query, headers, part });
      if (answer.statusCode !== 200) throw await refusal(answer);
      await answer.body.dump();
      return String(answer.headers.etag ?? '').replaceAll('"', '');
    };
    return answered(retried(clock, ask));
  }

  /** Reads the next part while one is under way. */
  async function uploadParts(
    key: string,
    first: Part,
    rest: AsyncIterator<Part>,
    contentType: string | undefined,
  ): Promise<void> {
    const uploadId = await answered(retried(clock, () => client.getMultipartUploadId(key, contentType)));
    let uploaded: Promise<string> | null = null;
    try {
      const parts: { partNumber: number; etag: string }[] = [];
      let next: IteratorResult<Part> = { done: false, value: first };
      for (let partNumber = 1; !next.done; partNumber++) {
        uploaded = upload(key, next.value, { query: { partNumber: String(partNumber), uploadId } });
        // Awaited below; until then its failure is nobody's unhandled one.
        uploaded.catch(() => {});
        next = await rest.next();
        parts.push({ partNumber, etag: await uploaded });
      }
      const done = await answered(retried(clock, () => client.completeMultipartUpload(key, uploadId, parts)));
      // An answer of 200 may hold an error, which the library hands on as if it were a result.
      if (!done.etag) throw unavailable(new Error(`${key} was not put together: ${JSON.stringify(done)}`));
    } catch (error) {
      // A part that arrives after the upload was given up would stay behind, and cost money.
      await uploaded?.catch(() => {});
      await client.abortMultipartUpload(key, uploadId).catch(() => {});
      throw error;
    }
  }

  async function stat(key: string): Promise<{ bytes: number; modifiedAt: number } | null> {
    assertMediaKey(key);
    const answer = await answered(retried(clock, () => exchange('HEAD', key)));
    await answer.body.dump();
    if (answer.statusCode === 404) return null;
    if (answer.statusCode !== 200) throw unavailable(await refusal(answer));
    return {
      bytes: Number(answer.headers['content-length']),
      modifiedAt: Date.parse(String(answer.headers['last-modified'])),
    };
  }

  const store: S3Store = {
    async put(key, source, putOptions) {
      assertMediaKey(key);
      const hash = createHash('sha256');
      let bytes = 0;
      async function* tapped(): AsyncGenerator<Buffer> {
        for await (const chunk of source instanceof Readable ? (source as AsyncIterable<Buffer>) : [source]) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      }
      try {
        const parts = sliceParts(tapped(), partBytes);
        const first = (await parts.next()).value as Part;
        if (first.isLast) await upload(key, first, { contentType: putOptions?.contentType });
        else await uploadParts(key, first, parts, putOptions?.contentType);
        return { bytes, sha256: hash.digest('hex') };
      } finally {
        if (source instanceof Readable) source.destroy();
      }
    },

    async open(key, range) {
      assertMediaKey(key);
      if (range && !(range.start >= 0 && range.end >= range.start)) {
        throw new RangeError(`no such range: ${range.start} to ${range.end}`);
      }
      const headers = range && { range: `bytes=${range.start}-${range.end}` };
      const answer = await answered(retried(clock, () => exchange('GET', key, { headers })));
      const { statusCode, body } = answer;
      if (statusCode === (range ? 206 : 200)) {
        // A stream that nobody reads to its end is destroyed; that this ends the request is no error of anybody's.
        body.on('error', () => {});
        const bytes = range
          ? Number(/\/(\d+)$/.exec(String(answer.headers['content-range']))?.[1])
          : Number(answer.headers['content-length']);
        return { stream: watchPassing(body), bytes };
      }
      if (statusCode === 404) {
        await body.dump();
        return null;
      }
      if (statusCode === 416) {
        // It begins behind the end: no bytes, as from a file.
        await body.dump();
        const found = await stat(key);
        return found && { stream: Readable.from([], { objectMode: false }), bytes: found.bytes };
      }
      throw unavailable(await refusal(answer));
    },

    stat,

    localPath(key) {
      assertMediaKey(key);
      return null;
    },

    async delete(key) {
      assertMediaKey(key);
      await answered(retried(clock, () => client.deleteObject(key)));
    },

    list(prefix) {
      assertMediaPrefix(prefix);
      return pages(client, clock, prefix);
    },

    close: () => agent.destroy(),
  };

  try {
    await requireBucket(client);
  } catch (error) {
    await agent.destroy();
    throw error;
  }
  return store;
}

/** The bucket as the first label of the host where the endpoint says so, else as the first part of the path. */
function bucketUrl(endpoint: string, bucket: string): string {
  const url = new URL(endpoint);
  if (url.hostname.startsWith(`${bucket}.`)) return url.href;
  return `${url.href.replace(/\/+$/, '')}/${bucket}`;
}

async function requireBucket(client: S3mini): Promise<void> {
  let step = 'be read';
  try {
    if ((await client.listObjectsPaged('/', '', 1)) !== null) return;
    step = 'be made, and does not exist';
    if (!(await client.createBucket())) throw new Error('the store refused');
  } catch (error) {
    throw new Error(
      `the bucket at ${client.endpoint.href} cannot ${step}: ${(error as Error).message}. ` +
        'Check endpoint, region, bucket and keys; the keys need to list the bucket and to read, write and delete in it.',
      { cause: error },
    );
  }
}

async function* pages(
  client: S3mini,
  clock: Clock,
  prefix: string,
): AsyncGenerator<{ key: string; bytes: number; modifiedAt: number }> {
  let token: string | undefined;
  do {
    const page = await answered(
      retried(clock, () => client.listObjectsPaged('/', prefix, pageKeysMax, token)),
    );
    if (!page) throw unavailable(new Error('the bucket is gone'));
    for (const { Key, Size, LastModified } of page.objects ?? []) {
      yield { key: Key, bytes: Size, modifiedAt: LastModified.getTime() };
    }
    token = page.nextContinuationToken;
  } while (token !== undefined);
}

/** A store that refused, with its status. */
class RefusedError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(`the store answered ${status}: ${text.slice(0, 500)}`);
    this.status = status;
  }
}

async function refusal(answer: Dispatcher.ResponseData): Promise<RefusedError> {
  return new RefusedError(answer.statusCode, await answer.body.text().catch(() => ''));
}

/** Tries again what may pass: a store that is busy or away. Everything asked here can be asked twice. */
async function retried<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await ask();
      if (tries === triesMax || !isBusy(answer)) return answer;
      await answer.body.dump();
    } catch (error) {
      if (tries === triesMax || !isPassing(error)) throw error;
    }
    await clock.sleep(firstPauseMs * 2 ** (tries - 1));
  }
}

/** An answer not yet judged that says "later". */
function isBusy(answer: unknown): answer is Dispatcher.ResponseData {
  return (
    typeof answer === 'object' && answer !== null && 'statusCode' in answer && isLater(answer.statusCode)
  );
}

/** No answer at all, or one that says "later". */
function isPassing(error: unknown): boolean {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === undefined || isLater(status);
}

/** S3 says SlowDown with 503, some stores with 429. */
function isLater(status: unknown): boolean {
  return typeof status === 'number' && (status >= 500 || status === 429);
}

/** A caller's request that needed the store, and failed with it. */
async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError('unavailable', 'Stored files cannot be reached at the moment: try again.', {
    cause,
  });
}
