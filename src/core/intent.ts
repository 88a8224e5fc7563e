/**
 * What makes the repeat of a create recognisable: the caller's `Idempotency-Key`, or the mark that Stainless-made SDKs
 * (openai among them) put on what they send again by themselves.
 */
import { fingerprint } from '../lib/fingerprint.ts';
import { GatewayError } from './errors.ts';

export interface Intent {
  /** SHA-256 of method, path and decoded body. */
  requestHash: string;
  /** The caller's promise of sameness; null: none was made. */
  key: string | null;
  /** How often an SDK has sent this before, by its own count; null: no such SDK. */
  retryCount: number | null;
}

export interface IncomingRequest {
  method: string;
  /** With its query, which does not count: credentials and switches stand there. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  /** Decoded: the boundaries of a form differ from one sending to the next. */
  body: unknown;
}

const keyHeader = 'idempotency-key';
const keyLengthMax = 255;
/** openai-node 7.55 sends it with every request: 0, then 1, 2, … (specs/openai-video.md §4, 2026-11-20). */
const retryHeader = 'x-stainless-retry-count';

/** Null, at the cost of two look-ups, for who uses neither. Throws `invalid_value` for a key that is none. */
export function readIntent(request: IncomingRequest): Intent | null {
  const { headers } = request;
  const key = headers[keyHeader];
  const retry = headers[retryHeader];
  if (key === undefined && retry === undefined) return null;
  const intent = { key: key === undefined ? null : readKey(key), retryCount: readCount(retry) };
  if (intent.key === null && intent.retryCount === null) return null;
  return { ...intent, requestHash: fingerprint([request.method, pathOf(request.url), request.body]) };
}

function readKey(value: string | string[]): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= keyLengthMax) return value;
  throw new GatewayError(
    'invalid_value',
    `Idempotency-Key must have 1 to ${keyLengthMax} characters, e.g. a UUID.`,
    { param: 'Idempotency-Key' },
  );
}

function readCount(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : null;
}

/** As routes see it: without query, doubled slashes and a slash at its end. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  return (query < 0 ? url : url.slice(0, query)).replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
}
