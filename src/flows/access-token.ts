import { createHmac, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import { parseJson, type Json } from '../lib/json.ts';

/** Far above the 250 bytes of a real one, far below what would be worth sending to us. */
const tokenLengthMax = 4096;
/** Callers' clocks run ahead by so much; Kling's own sample dates tokens back by the same (specs/kling.md §1.2). */
const notBeforeLeewaySeconds = 5;

/** A token as a caller signed it, read but not verified. */
export interface AccessToken {
  /** The access key that claims to have signed it. */
  accessKey: string;
  expiresAtSeconds: number;
  notBeforeSeconds: number | null;
  /** The text that was signed, and its signature. */
  signed: string;
  signature: string;
}

/** Whether a credential is a token rather than an API key: three parts between dots. */
export function looksLikeAccessToken(credential: string): boolean {
  return credential.includes('.') && credential.split('.', 4).length === 3;
}

/** Takes a JWT apart. Throws `invalid_api_key` for everything but HS256 with `iss` and `exp`. */
export function readAccessToken(credential: string): AccessToken {
  const [headerText = '', payloadText = '', signature = ''] = credential.split('.');
  if (credential.length > tokenLengthMax) throw refusal('it is too long');
  const header = decode(headerText);
  const payload = decode(payloadText);
  if (header === null || payload === null) throw refusal('it cannot be decoded');
  // Only this one: a token must never choose how it is checked.
  if (header.alg !== 'HS256') throw refusal("its 'alg' must be HS256");
  const { iss, exp, nbf = null } = payload;
  if (typeof iss !== 'string' || iss === '') throw refusal("its 'iss' must be the access key");
  if (typeof exp !== 'number') throw refusal("its 'exp' must be a time in seconds since 1970");
  if (nbf !== null && typeof nbf !== 'number')
    throw refusal("its 'nbf' must be a time in seconds since 1970");
  return {
    accessKey: iss,
    expiresAtSeconds: exp,
    notBeforeSeconds: nbf,
    signed: `${headerText}.${payloadText}`,
    signature,
  };
}

/**
 * Whether the secret key signed the token and the token holds now. Throws `invalid_api_key`, `token_expired` or
 * `token_not_yet_valid`; the signature is judged first, so that times of forged tokens are no news to anybody.
 */
export function verifyAccessToken(token: AccessToken, secretKey: string, nowMs: number): void {
  const expected = Buffer.from(createHmac('sha256', secretKey).update(token.signed).digest('base64url'));
  const given = Buffer.from(token.signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw unknownSigner();
  const now = nowMs / 1000;
  if (now >= token.expiresAtSeconds) {
    throw new GatewayError(
      'token_expired',
      "The token has expired: sign a new one (check its 'exp' and your clock).",
    );
  }
  if (token.notBeforeSeconds !== null && now + notBeforeLeewaySeconds < token.notBeforeSeconds) {
    throw new GatewayError(
      'token_not_yet_valid',
      "The token is not valid yet: check its 'nbf' and your clock.",
    );
  }
}

/** One answer for an unknown access key and a wrong signature: which of the two it was is nobody's business. */
export function unknownSigner(): GatewayError {
  return new GatewayError(
    'invalid_api_key',
    "The token was not signed by a known key pair: check the access key in 'iss' and the secret key.",
  );
}

function refusal(reason: string): GatewayError {
  return new GatewayError('invalid_api_key', `The token is not accepted: ${reason}.`);
}

function decode(part: string): { [key: string]: Json } | null {
  try {
    const value = parseJson(Buffer.from(part, 'base64url').toString('utf8'), { depthMax: 4 });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
