/**
 * Checks AWS Signature Version 4 the way a store does: written from the documentation ("Authenticating Requests (AWS
 * Signature Version 4)", Amazon S3 API Reference), independent of the library that signs, tried on the documentation's
 * own examples.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  method: string;
  /** As on the wire: path and query, still encoded. */
  target: string;
  /** Lower-case names. */
  headers: Record<string, string | undefined>;
}

export interface Credentials {
  accessKey: string;
  secretKey: string;
  region: string;
}

/** S3's own error code for what is wrong, or null. */
export function signatureFault(
  request: SignedRequest,
  credentials: Credentials,
  nowMs: number,
): string | null {
  const [path = '/', search = ''] = request.target.split('?', 2);
  const query = parseQuery(search);
  return request.headers.authorization === undefined
    ? presignedFault(request, path, query, credentials, nowMs)
    : headerFault(request, path, query, credentials, nowMs);
}

/** 15 minutes either way. */
const skewMs = 15 * 60_000;

function headerFault(
  request: SignedRequest,
  path: string,
  query: [string, string][],
  credentials: Credentials,
  nowMs: number,
): string | null {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization!,
    );
  if (!match) return 'AuthorizationHeaderMalformed';
  const at = request.headers['x-amz-date'] ?? '';
  const payloadHash = request.headers['x-amz-content-sha256'];
  if (payloadHash === undefined) return 'MissingSecurityHeader';
  if (Math.abs(timeOf(at) - nowMs) > skewMs || Number.isNaN(timeOf(at))) return 'RequestTimeTooSkewed';
  return compare(request, path, query, credentials, {
    credential: match[1]!,
    signedHeaders: match[2]!,
    signature: match[3]!,
    at,
    payloadHash,
  });
}

function presignedFault(
  request: SignedRequest,
  path: string,
  query: [string, string][],
  credentials: Credentials,
  nowMs: number,
): string | null {
  const value = (name: string): string => query.find(([found]) => found === name)?.[1] ?? '';
  if (value('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'AccessDenied';
  const at = value('X-Amz-Date');
  const expiresSeconds = Number(value('X-Amz-Expires'));
  if (!(expiresSeconds >= 1 && expiresSeconds <= 604_800)) return 'AuthorizationQueryParametersError';
  const startsAt = timeOf(at);
  if (!(nowMs >= startsAt - skewMs && nowMs <= startsAt + expiresSeconds * 1000)) return 'AccessDenied';
  return compare(
    request,
    path,
    query.filter(([name]) => name !== 'X-Amz-Signature'),
    credentials,
    {
      credential: value('X-Amz-Credential'),
      signedHeaders: value('X-Amz-SignedHeaders'),
      signature: value('X-Amz-Signature'),
      at,
      payloadHash: 'UNSIGNED-PAYLOAD',
    },
  );
}

interface Claim {
  credential: string;
  signedHeaders: string;
  signature: string;
  at: string;
  payloadHash: string;
}

function compare(
  request: SignedRequest,
  path: string,
  query: [string, string][],
  { accessKey, secretKey, region }: Credentials,
  claim: Claim,
): string | null {
  const day = claim.at.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const separator = claim.credential.indexOf('/');
  if (claim.credential.slice(0, separator) !== accessKey) return 'InvalidAccessKeyId';
  if (claim.credential.slice(separator + 1) !== scope) return 'AuthorizationHeaderMalformed';

  const names = claim.signedHeaders.split(';');
  const sorted = names.every((name, index) => index === 0 || names[index - 1]! < name);
  if (!sorted || !names.includes('host')) return 'SignatureDoesNotMatch';
  // Every x-amz header has to be signed, or whoever is in between could add one.
  for (const name of Object.keys(request.headers)) {
    if (name.startsWith('x-amz-') && !names.includes(name)) return 'AccessDenied';
  }
  const canonical = [
    request.method,
    path,
    query
      .map(([name, value]) => [encode(name), encode(value)] as const)
      .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join('&'),
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders,
    claim.payloadHash,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', claim.at, scope, sha256(canonical)].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  const expected = hmac(key, text);
  const given = Buffer.from(claim.signature, 'hex');
  const isSame = given.length === expected.length && timingSafeEqual(given, expected);
  return isSame ? null : 'SignatureDoesNotMatch';
}

/** Pairs, decoded; a `+` is a plus. */
export function parseQuery(search: string): [string, string][] {
  if (search === '') return [];
  return search.split('&').map((pair) => {
    const [name = '', ...rest] = pair.split('=');
    return [decodeURIComponent(name), decodeURIComponent(rest.join('='))];
  });
}

/** All but A–Z a–z 0–9 - . _ ~ as upper-case hex. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `20130524T000000Z` as Unix ms. */
function timeOf(at: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at);
  if (!match) return NaN;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
