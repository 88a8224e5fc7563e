/** Credentials of Tencent Cloud VOD: an API key pair, the application it is for, and which of the two sites. */
import type { Json } from '../../core/ports.ts';
import { GatewayError } from '../../core/errors.ts';
import { isObject } from './wire.ts';

export type VodSite = 'cn' | 'intl';

export interface VodCredential {
  secret_id: string;
  secret_key: string;
  /** Accounts opened since 2023-12-25 must name one; older ones have a default application that has an id, too. */
  sub_app_id: number;
  /** `X-TC-Region`; null: not sent, the product needs none. */
  region: string | null;
  site: VodSite;
}

/** JSON Schema of what an operator enters. */
export const credentialSchema: Json = {
  type: 'object',
  properties: {
    secret_id: { type: 'string', title: 'SecretId', minLength: 1 },
    secret_key: { type: 'string', title: 'SecretKey', minLength: 1, writeOnly: true },
    sub_app_id: { type: 'integer', title: 'SubAppId (application)', minimum: 1 },
    region: { type: 'string', title: 'Region, e.g. ap-guangzhou (not needed)' },
    site: { type: 'string', title: 'Site', enum: ['cn', 'intl'], default: 'cn' },
  },
  required: ['secret_id', 'secret_key', 'sub_app_id'],
  additionalProperties: false,
};

/** Reads snake case, and camel case as Tencent's own tools write it. Throws GatewayError `invalid_value`. */
export function parseCredential(value: unknown): VodCredential {
  if (!isObject(value)) throw refuse('must be {"secret_id","secret_key","sub_app_id"}');
  const region = textOf(value, 'region', 'region');
  if (region !== null && !/^[a-z0-9-]{1,40}$/.test(region)) {
    throw refuse('has a region that is none, ap-guangzhou for example is one');
  }
  return {
    secret_id: required(value, 'secret_id', 'secretId'),
    secret_key: required(value, 'secret_key', 'secretKey'),
    sub_app_id: subAppIdOf(value),
    region,
    site: siteOf(value),
  };
}

function required(entered: Record<string, unknown>, name: string, camelName: string): string {
  const text = textOf(entered, name, camelName);
  if (text === null) throw refuse(`lacks ${name}`);
  return text;
}

/** A key goes into an HTTP header: anything but printable ASCII is a slip of the clipboard. */
function textOf(entered: Record<string, unknown>, name: string, camelName: string): string | null {
  const value = entered[name] ?? entered[camelName];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw refuse(`has a ${name} that is no string`);
  const text = value.trim();
  if (text === '') return null;
  if (!/^[\x21-\x7e]+$/.test(text)) throw refuse(`has a ${name} with spaces or unprintable characters`);
  return text;
}

function subAppIdOf(entered: Record<string, unknown>): number {
  const value = entered['sub_app_id'] ?? entered['subAppId'];
  if (value === undefined || value === null || value === '') throw refuse('lacks sub_app_id');
  const id = typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) {
    throw refuse('has a sub_app_id that is no whole number');
  }
  return id;
}

function siteOf(entered: Record<string, unknown>): VodSite {
  const site = entered['site'] ?? 'cn';
  if (site !== 'cn' && site !== 'intl') throw refuse('has a site that is neither cn nor intl');
  return site;
}

function refuse(what: string): GatewayError {
  return new GatewayError('invalid_value', `credential ${what}.`, { param: 'credential' });
}
