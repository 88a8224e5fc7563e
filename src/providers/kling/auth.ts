/**
 * Credentials of the official platform: an API key sent as it is, or an AccessKey/SecretKey pair that signs a
 * short-lived JWT (official documentation, "API authentication").
 */
import { createHmac } from 'node:crypto';
import type { Clock, Json } from '../../core/ports.ts';
import { GatewayError } from '../../core/errors.ts';
import { isObject } from './wire.ts';

export type KlingCredential = { access_key: string; secret_key: string } | { api_key: string };

/** JSON Schema of what an operator enters. */
export const credentialSchema: Json = {
  type: 'object',
  oneOf: [
    {
      title: 'AccessKey and SecretKey',
      properties: {
        access_key: { type: 'string', title: 'AccessKey', minLength: 1 },
        secret_key: { type: 'string', title: 'SecretKey', minLength: 1, writeOnly: true },
      },
      required: ['access_key', 'secret_key'],
      additionalProperties: false,
    },
    {
      title: 'API key',
      properties: { api_key: { type: 'string', title: 'API key', minLength: 1, writeOnly: true } },
      required: ['api_key'],
      additionalProperties: false,
    },
  ],
};

/** Also reads the one-line forms `accessKey|secretKey` and a bare API key, as other gateways keep them. */
export function parseCredential(value: unknown): KlingCredential {
  const entered = typeof value === 'string' ? splitLine(value) : value;
  if (!isObject(entered)) throw refuse('must be {"access_key","secret_key"}, {"api_key"} or a string');
  const apiKey = entryOf(entered, 'api_key');
  const accessKey = entryOf(entered, 'access_key');
  const secretKey = entryOf(entered, 'secret_key');
  if (apiKey && !accessKey && !secretKey) return { api_key: apiKey };
  if (apiKey) throw refuse('must hold either api_key, or access_key and secret_key, not both');
  if (accessKey && secretKey) return { access_key: accessKey, secret_key: secretKey };
  if (accessKey) throw refuse('lacks secret_key');
  if (secretKey) throw refuse('lacks access_key');
  throw refuse('must hold access_key and secret_key, or api_key');
}

function splitLine(line: string): Record<string, string> {
  const [first = '', ...rest] = line.trim().split('|');
  return rest.length > 0 ? { access_key: first, secret_key: rest.join('|') } : { api_key: first };
}

/** A key goes into an HTTP header: anything but printable ASCII is a slip of the clipboard. */
function entryOf(entered: Record<string, unknown>, name: string): string | null {
  const value = entered[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw refuse(`has a ${name} that is no string`);
  const text = value.trim();
  if (text === '') return null;
  if (!/^[\x21-\x7e]+$/.test(text)) throw refuse(`has a ${name} with spaces or unprintable characters`);
  return text;
}

function refuse(what: string): GatewayError {
  return new GatewayError('invalid_value', `credential ${what}.`, { param: 'credential' });
}

/** The official sample's lifetime and back-dating; other values are untested at the real upstream. */
const lifetimeSeconds = 1800;
const backdatedSeconds = 5;
const refreshBeforeSeconds = 60;

/** More channels than anyone has; beyond it the cache starts anew. */
const cachedMax = 1000;

export interface Authorizer {
  /** The bearer to send now. `fresh` makes a new JWT even if the old one would still do. */
  bearer(credential: KlingCredential, clock: Clock, options?: { fresh?: boolean }): string;
}

/** Keeps JWTs until a minute before they expire. */
export function createAuthorizer(): Authorizer {
  const cache = new Map<string, { token: string; madeAt: number }>();
  return {
    bearer(credential, clock, options = {}) {
      if ('api_key' in credential) return credential.api_key;
      const nowSeconds = Math.floor(clock.now() / 1000);
      const key = `${credential.access_key}\n${credential.secret_key}`;
      const known = cache.get(key);
      if (known && !options.fresh) {
        const age = nowSeconds - known.madeAt;
        // A negative age means that the clock was set back: the old token is not valid yet.
        if (age >= 0 && age <= lifetimeSeconds - refreshBeforeSeconds) return known.token;
      }
      const token = signJwt(credential, nowSeconds);
      if (cache.size >= cachedMax) cache.clear();
      cache.set(key, { token, madeAt: nowSeconds });
      return token;
    },
  };
}

/** Exactly the official sample's claims: `iss`, `exp`, `nbf`, and no `iat`. */
export function signJwt(pair: { access_key: string; secret_key: string }, nowSeconds: number): string {
  const claims = {
    iss: pair.access_key,
    exp: nowSeconds + lifetimeSeconds,
    nbf: nowSeconds - backdatedSeconds,
  };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', pair.secret_key).update(signed).digest('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
