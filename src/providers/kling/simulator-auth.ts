/** Who asks the simulator: JWTs by signature and time, or the API key; refused as the platform refuses. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseJson } from '../../lib/json.ts';
import { Refusal } from './simulator-errors.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

/** The one account the sandbox knows, whichever of its credentials is used. */
const account = 'sandbox';
const secretKeys: Record<string, string> = {
  'sandbox-access-key': 'sandbox-secret-key-0123456789abcdef',
};
const apiKeys = new Set(['api-key-kling-sandbox']);

/** Answers the account's name; throws Refusal 1001 to 1004. Times are judged without leeway. */
export function authenticate(authorization: string | undefined, nowMs: number): string {
  if (!authorization) throw new Refusal(1001);
  const bearer = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (!bearer) throw new Refusal(1002);
  if (apiKeys.has(bearer)) return account;
  const claims = verify(bearer);
  const nowSeconds = nowMs / 1000;
  const { nbf, exp } = claims;
  if (typeof nbf === 'number' && nowSeconds < nbf) throw new Refusal(1003);
  if (typeof exp !== 'number' || nowSeconds >= exp) throw new Refusal(1004);
  return account;
}

function verify(token: string): WireObject {
  const [header, payload, signature, ...more] = token.split('.');
  if (!header || !payload || !signature || more.length > 0) throw new Refusal(1002);
  const claims = decode(payload);
  if (decode(header)['alg'] !== 'HS256') throw new Refusal(1002);
  const issuer = claims['iss'];
  const secret = typeof issuer === 'string' && Object.hasOwn(secretKeys, issuer) ? secretKeys[issuer] : null;
  if (!secret) throw new Refusal(1002, 'access key not found');
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Refusal(1002);
  return claims;
}

function decode(part: string): WireObject {
  try {
    const value = parseJson(Buffer.from(part, 'base64url').toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Falls through: whatever is no JSON object is no token.
  }
  throw new Refusal(1002);
}
