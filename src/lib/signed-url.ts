import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

export type SignedUrlVerdict =
  | { ok: true; expiresAt: number }
  | { ok: false; reason: 'missing' | 'malformed' | 'expired' | 'bad_signature' };

const marker = '&signature=';

/**
 * Signs a path with its query: `…expires=<unix s>&signature=<HMAC-SHA256, base64url>`, the signature last.
 * It covers everything before it, as the very string the client will send, so `pathAndQuery` must be encoded
 * already. Throws TypeError for a path that could not be verified again.
 */
export function signUrl(key: Uint8Array, pathAndQuery: string, expiresAtSeconds: number): string {
  if (!/^\/[!-~]*$/.test(pathAndQuery) || pathAndQuery.includes('#')) {
    throw new TypeError('only an encoded absolute path with an optional query can be signed');
  }
  if (/[?&](?:expires|signature)=/.test(pathAndQuery)) throw new TypeError('the path is signed already');
  if (!Number.isSafeInteger(expiresAtSeconds) || expiresAtSeconds < 0) {
    throw new TypeError('expiresAtSeconds must be whole seconds since 1970');
  }
  const joint = pathAndQuery.includes('?') ? '&' : '?';
  const signed = `${pathAndQuery}${joint}expires=${expiresAtSeconds}`;
  return `${signed}${marker}${signatureOf(key, signed)}`;
}

/**
 * Judges the raw request target, exactly as it came over the wire. Nothing is decoded or reordered: any
 * other spelling of the same link is refused. `expiresAt` is in ms; the link is valid until then, exclusive.
 */
export function verifySignedUrl(key: Uint8Array, rawUrl: string, nowMs: number): SignedUrlVerdict {
  const at = rawUrl.indexOf(marker);
  if (at < 0) return { ok: false, reason: /[?&]signature=/.test(rawUrl) ? 'malformed' : 'missing' };
  const signed = rawUrl.slice(0, at);
  const expires = /^\/[^?]*\?(?:.*&)?expires=(0|[1-9]\d{0,15})$/.exec(signed);
  if (!expires) return { ok: false, reason: 'malformed' };
  // Texts are compared, not decoded bytes: the last character of base64 has spellings that decode alike.
  const given = Buffer.from(rawUrl.slice(at + marker.length), 'utf8');
  const expected = Buffer.from(signatureOf(key, signed), 'utf8');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return { ok: false, reason: 'bad_signature' };
  }
  const expiresAt = Number(expires[1]) * 1000;
  return nowMs < expiresAt ? { ok: true, expiresAt } : { ok: false, reason: 'expired' };
}

/** Node makes such an object of bytes at every use, which takes seven times as long as the signature itself. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function signatureOf(key: Uint8Array, text: string): string {
  let object = keyObjects.get(key);
  if (object === undefined) keyObjects.set(key, (object = createSecretKey(key)));
  return createHmac('sha256', object).update(text, 'utf8').digest('base64url');
}
