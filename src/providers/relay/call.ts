/** One call to a far gateway: address, key, and whichever shape it refuses in. */
import type { Channel } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { JsonError, parseJson } from '../../lib/json.ts';
import { parseCredential } from './credential.ts';
import type { RelayCredential } from './credential.ts';
import { readRefusal, relayError } from './errors.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

/** Queries are answered at once; a create may upload pictures, and a relay asks its own upstream within it. */
const queryTimeoutMs = 20_000;
const createTimeoutMs = 60_000;

export interface Call {
  method: 'GET' | 'POST';
  /** Below the gateway's root: `/kling/v1/…`, `/v1/…`. */
  path: string;
  body?: string;
}

/** Answers the body of a success; throws UpstreamError for everything else. */
export async function call(request: Call, channel: Channel, signal: AbortSignal): Promise<WireObject> {
  const answer = await channel.http.request({
    method: request.method,
    url: rootOf(channel.baseUrl) + request.path,
    headers: {
      authorization: `Bearer ${credentialOf(channel).api_key}`,
      accept: 'application/json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    timeoutMs: request.method === 'POST' ? createTimeoutMs : queryTimeoutMs,
    signal,
  });
  const body = readBody(answer.text);
  const refusal = readRefusal(answer, body);
  if (refusal) throw relayError(refusal, channel);
  return body!;
}

/** A row that was tampered with must not look like a doubt about a task. */
export function credentialOf(channel: Channel): RelayCredential {
  try {
    return parseCredential(channel.credential);
  } catch (cause) {
    throw new UpstreamError('channel', 'The channel has no usable credential.', { cause });
  }
}

/** Operators paste a gateway's address with the path of whichever client they know it from. */
export function rootOf(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '').replace(/(\/kling)?(\/v1)?$/, '');
}

function readBody(text: string): WireObject | null {
  try {
    const body = parseJson(text);
    return isObject(body) ? body : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}
