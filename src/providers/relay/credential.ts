/** A bearer key of the far gateway, and which of its doors to knock at. */
import type { Json } from '../../core/ports.ts';
import { GatewayError } from '../../core/errors.ts';
import { isObject } from './wire.ts';

/** `kling`: `/kling/v1/videos/…`; `openai`: `/v1/videos`. */
export type RelayDialect = 'kling' | 'openai';

export interface RelayCredential {
  api_key: string;
  dialect: RelayDialect;
}

const dialects: readonly RelayDialect[] = ['kling', 'openai'];

/** JSON Schema of what an operator enters. */
export const credentialSchema: Json = {
  type: 'object',
  properties: {
    api_key: { type: 'string', title: 'API key', minLength: 1, writeOnly: true },
    dialect: {
      type: 'string',
      title: 'API of the gateway',
      description: 'kling: /kling/v1/videos/…, openai: /v1/videos.',
      enum: [...dialects],
      default: 'kling',
    },
  },
  required: ['api_key'],
  additionalProperties: false,
};

/** Also reads a bare key. Throws GatewayError `invalid_value`. */
export function parseCredential(value: unknown): RelayCredential {
  const entered = typeof value === 'string' ? { api_key: value } : value;
  if (!isObject(entered)) throw refuse('must be {"api_key", "dialect"?} or a string');
  const { api_key: apiKey, dialect = 'kling' } = entered;
  if (typeof apiKey !== 'string' || apiKey.trim() === '') throw refuse('must hold api_key');
  // A key goes into an HTTP header: anything but printable ASCII is a slip of the clipboard.
  if (!/^[\x21-\x7e]+$/.test(apiKey.trim())) {
    throw refuse('has an api_key with spaces or unprintable characters');
  }
  const known = dialects.find((name) => name === dialect);
  if (known === undefined) throw refuse('has a dialect that is neither kling nor openai');
  return { api_key: apiKey.trim(), dialect: known };
}

function refuse(what: string): GatewayError {
  return new GatewayError('invalid_value', `credential ${what}.`, { param: 'credential' });
}
