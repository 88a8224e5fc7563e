/** The gateway over HTTP. Refusals become CliErrors with the gateway's own sentence. */
import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { parseJson, writeJson, type Json } from '../lib/json.ts';
import { undici } from '../lib/undici.ts';
import { CliError } from './command.ts';

/** The gateway refused. */
export class RefusedError extends CliError {
  override name = 'RefusedError';
  readonly status: number;
  readonly code: string | null;
  readonly retryAfterMs: number | null;

  constructor(message: string, status: number, code: string | null, retryAfterMs: number | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came. `isRefused`: nothing listens there, so nothing can have been done either. */
export class UnreachableError extends CliError {
  override name = 'UnreachableError';
  readonly isRefused: boolean;

  constructor(message: string, isRefused: boolean) {
    super(message);
    this.isRefused = isRefused;
  }
}

export type Headers = Record<string, string | string[] | undefined>;

export interface Answer<Body> {
  body: Body;
  status: number;
  headers: Headers;
  text: string;
}

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD';
  json?: unknown;
  /** A body that is written already, with its content type. */
  form?: { contentType: string; bytes: Buffer };
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
}

/** Creates may wait for an upstream; everything else answers at once. */
const HEADERS_TIMEOUT_MS = 120_000;

export class Api {
  readonly url: string;
  readonly #token: string | null;
  readonly #signal: AbortSignal;
  /** Its idle connections do not keep the process. */
  #agent: Agent | null = null;

  /** `token`: an API key or the admin token; null for routes that need none. `signal` ends every call. */
  constructor(url: string, token: string | null, signal: AbortSignal) {
    this.url = url;
    this.#token = token;
    this.#signal = signal;
  }

  /**
   * One call. The body's type is what the OpenAPI document of our own gateway states; that it is JSON at all is
   * checked, because any other server may listen there.
   */
  async call<Body = Record<string, Json>>(path: string, call: Call = {}): Promise<Answer<Body>> {
    const { statusCode, headers, body } = await this.#send(path, call);
    const text = await this.#read(body);
    const parsed = parseOrNull(text);
    if (statusCode >= 400) throw refusalOf(this.url, statusCode, headers, parsed);
    if (parsed === null || typeof parsed !== 'object') throw notOurs(this.url, statusCode);
    return { body: parsed as Body, status: statusCode, headers, text };
  }

  /** Status and headers of any path, whatever it answers. */
  async peek(path: string, call: Call = {}): Promise<{ status: number; headers: Headers; text: string }> {
    const { statusCode, headers, body } = await this.#send(path, call);
    return { status: statusCode, headers, text: await this.#read(body) };
  }

  /** A file; the caller reads the stream to its end. */
  async open(path: string, call: Call = {}): Promise<{ headers: Headers; body: Readable }> {
    const { statusCode, headers, body } = await this.#send(path, call);
    if (statusCode < 400) return { headers, body };
    throw refusalOf(this.url, statusCode, headers, parseOrNull(await this.#read(body)));
  }

  async #read(body: { text(): Promise<string> }): Promise<string> {
    try {
      return await body.text();
    } catch (error) {
      if (this.#signal.aborted) throw error;
      throw unreachable(this.url, error);
    }
  }

  async #send(path: string, { method = 'GET', json, form, query, headers }: Call) {
    const { Agent, request } = undici();
    this.#agent ??= new Agent();
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const contentType = form?.contentType ?? (json === undefined ? undefined : 'application/json');
    try {
      return await request.call(this.#agent, {
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: {
          accept: 'application/json, */*;q=0.5',
          ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...headers,
        },
        body: form?.bytes ?? (json === undefined ? null : writeJson(json)),
        headersTimeout: HEADERS_TIMEOUT_MS,
        signal: this.#signal,
      });
    } catch (error) {
      if (this.#signal.aborted) throw error;
      throw unreachable(this.url, error);
    }
  }
}

export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parseOrNull(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function unreachable(url: string, error: unknown): UnreachableError {
  const { code, message } = mainCause(error);
  if (code === 'ECONNREFUSED') {
    return new UnreachableError(
      `Nothing answers at ${url}. Is the gateway running? Start it with: npm start. ` +
        'If it runs elsewhere, give --url or set REELAY_URL.',
      true,
    );
  }
  const isUnresolved = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  const why = isUnresolved ? 'its name cannot be resolved' : message;
  return new UnreachableError(`The gateway at ${url} cannot be reached: ${why}.`, isUnresolved);
}

/** `localhost` is tried on several addresses; the first failure is as good as any. */
function mainCause(error: unknown): { code: string | undefined; message: string } {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = first as NodeJS.ErrnoException;
  return { code, message: message || code || 'no answer' };
}

function refusalOf(url: string, status: number, headers: Headers, body: Json): CliError {
  const error = body !== null && typeof body === 'object' && !Array.isArray(body) ? body.error : null;
  if (error === null || typeof error !== 'object' || Array.isArray(error)) return notOurs(url, status);
  const seconds = Number(header(headers, 'retry-after') ?? NaN);
  const requestId = header(headers, 'x-request-id');
  const where = requestId === undefined ? '' : ` (request ${requestId})`;
  return new RefusedError(
    `${String(error?.message)}${status >= 500 ? where : ''}`,
    status,
    typeof error?.code === 'string' ? error.code : null,
    Number.isFinite(seconds) ? seconds * 1000 : null,
  );
}

function notOurs(url: string, status: number): CliError {
  return new CliError(
    `What answers at ${url} does not look like a Reelay gateway (HTTP ${status}, no JSON of ours). Check --url or REELAY_URL.`,
  );
}
