/** One call to the official platform: address, token, envelope, and the two retries a token may need. */
import type { Channel, Json } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { JsonError, parseJson } from '../../lib/json.ts';
import { createAuthorizer, parseCredential } from './auth.ts';
import type { KlingCredential } from './auth.ts';
import { klingError } from './errors.ts';
import { isObject } from './wire.ts';

const authorizer = createAuthorizer();

/** Queries are answered in well under a second; a create may upload ten megabytes of picture. */
const queryTimeoutMs = 20_000;
const createTimeoutMs = 60_000;

/** How long after 1003 ("token not valid yet") the clocks of both sides should have met. */
const notYetValidWaitMs = 5000;

export interface Call {
  method: 'GET' | 'POST';
  /** Below the base URL, query included. */
  path: string;
  body?: string;
}

/** Answers `data` of a successful envelope; throws UpstreamError for everything else. */
export async function call(request: Call, channel: Channel, signal: AbortSignal): Promise<Json> {
  const credential = credentialOf(channel);
  const first = await exchange(request, credential, channel, signal, false);
  if (first.ok) return first.data;
  // Both refusals come before anything was done, so sending again can make no second task.
  const mayRetry = !('api_key' in credential) && (first.code === 1003 || first.code === 1004);
  if (!mayRetry) throw first.error;
  if (first.code === 1003) await wait(notYetValidWaitMs, channel, signal, first.error);
  const second = await exchange(request, credential, channel, signal, true);
  if (second.ok) return second.data;
  throw second.error;
}

/** A row that was tampered with must not look like a doubt about a task. */
function credentialOf(channel: Channel): KlingCredential {
  try {
    return parseCredential(channel.credential);
  } catch (cause) {
    throw new UpstreamError('channel', 'The channel has no usable credential.', { cause });
  }
}

type Outcome = { ok: true; data: Json } | { ok: false; code: number | null; error: UpstreamError };

async function exchange(
  request: Call,
  credential: KlingCredential,
  channel: Channel,
  signal: AbortSignal,
  fresh: boolean,
): Promise<Outcome> {
  const response = await channel.http.request({
    method: request.method,
    url: rootOf(channel.baseUrl, credential) + request.path,
    headers: {
      authorization: `Bearer ${authorizer.bearer(credential, channel.clock, { fresh })}`,
      accept: 'application/json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    timeoutMs: request.method === 'POST' ? createTimeoutMs : queryTimeoutMs,
    signal,
  });
  const envelope = readEnvelope(response.text);
  if (response.status >= 200 && response.status < 300 && envelope?.code === 0) {
    return { ok: true, data: envelope.data };
  }
  const code = envelope?.code ?? null;
  const error = klingError(
    {
      status: response.status,
      code,
      message: envelope?.message ?? '',
      retryAfter: response.headers['retry-after'],
    },
    channel,
  );
  return { ok: false, code, error };
}

/**
 * Relays of the one-api family give out keys that begin with `sk-` and serve Kling below `/kling`
 * (QuantumNous/new-api relay/channel/task/kling/adaptor.go).
 */
function rootOf(baseUrl: string, credential: KlingCredential): string {
  const isRelay = 'api_key' in credential && credential.api_key.startsWith('sk-');
  return isRelay && !baseUrl.endsWith('/kling') ? `${baseUrl}/kling` : baseUrl;
}

function readEnvelope(text: string): { code: number; message: string; data: Json } | null {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
  if (!isObject(body) || typeof body['code'] !== 'number') return null;
  const message = body['message'];
  return {
    code: body['code'],
    message: typeof message === 'string' ? message : '',
    data: body['data'] ?? null,
  };
}

/** An abort during the wait leaves the refusal as it stands: nothing was accepted. */
async function wait(
  ms: number,
  channel: Channel,
  signal: AbortSignal,
  refusal: UpstreamError,
): Promise<void> {
  try {
    await channel.clock.sleep(ms, signal);
  } catch {
    throw refusal;
  }
}
