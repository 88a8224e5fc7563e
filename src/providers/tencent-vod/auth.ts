/**
 * TC3-HMAC-SHA256, the signature of Tencent Cloud's API 3.0 (cloud.tencent.com/document/api/266/31765). Two headers
 * are signed, as the official SDKs do; the address is always `/` without a query, whatever stands before it.
 */
import { createHash, createHmac } from 'node:crypto';

export const algorithm = 'TC3-HMAC-SHA256';
/** The product's name in the credential's scope. */
export const service = 'vod';
const terminator = 'tc3_request';

export interface SigningInput {
  secretId: string;
  secretKey: string;
  /** As the `Host` header says it. */
  host: string;
  /** As the `Content-Type` header says it: what is sent must be what is signed. */
  contentType: string;
  body: string;
  /** Unix seconds, as `X-TC-Timestamp` says it. */
  timestampSeconds: number;
}

/** The value of the `Authorization` header of a POST. */
export function authorizationOf(input: SigningInput): string {
  const scope = scopeOf(input.timestampSeconds);
  return `${algorithm} Credential=${input.secretId}/${scope}, SignedHeaders=content-type;host, Signature=${signatureOf(input)}`;
}

/** UTC date, service and terminator. */
export function scopeOf(timestampSeconds: number): string {
  return `${dateOf(timestampSeconds)}/${service}/${terminator}`;
}

/** The signature alone, in lower-case hex. */
export function signatureOf(input: SigningInput): string {
  const { secretKey, host, contentType, body, timestampSeconds } = input;
  const headers = `content-type:${contentType.toLowerCase()}\nhost:${host.toLowerCase()}\n`;
  const canonicalRequest = ['POST', '/', '', headers, 'content-type;host', sha256(body)].join('\n');
  const text = [algorithm, timestampSeconds, scopeOf(timestampSeconds), sha256(canonicalRequest)].join('\n');
  const dateKey = hmac(`TC3${secretKey}`, dateOf(timestampSeconds));
  const signingKey = hmac(hmac(dateKey, service), terminator);
  return createHmac('sha256', signingKey).update(text).digest('hex');
}

function dateOf(timestampSeconds: number): string {
  return new Date(timestampSeconds * 1000).toISOString().slice(0, 10);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
