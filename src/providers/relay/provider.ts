/** Any other gateway that speaks Kling's or OpenAI's video API behind a bearer key, another Reelay included. */
import type { Provider } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import { credentialSchema, parseCredential } from './credential.ts';
import { video } from './video.ts';

export const relay: Provider = {
  id: 'relay',
  title: 'Another gateway (new-api style)',
  // There is no such thing as the usual one: every channel names its own.
  baseUrlDefault: '',
  credentials: credentialSchema,
  parseCredential: (value) => ({ ...parseCredential(value) }),
  sandboxCredential: { api_key: 'sandbox-relay-key' },
  // It claims whatever there is, so the other simulators go first.
  sandboxPriority: -1,
  serves: [
    'kling-v1',
    'kling-v1-5',
    'kling-v1-6',
    'kling-v2-master',
    'kling-v2-1',
    'kling-v2-1-master',
    'kling-v2-5-turbo',
    'kling-v2-6',
    'kling-v3',
    'kling-3.0-turbo',
    'kling-v3-omni',
    'kling-video-o1',
  ],
  async probe(channel, signal) {
    try {
      // Free, authenticated, and the one route that every gateway has.
      await call({ method: 'GET', path: '/v1/models' }, channel, signal);
      return { ok: true, message: 'The credential works.' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // Too fast: but for that the key had to be right.
      if (error.kind === 'busy') return { ok: true, message: 'The credential works; the upstream is busy.' };
      return { ok: false, message: adviceFor(error) };
    }
  },
  video,
};

function adviceFor(error: UpstreamError): string {
  if (
    /^(http_40[13]|invalid_api_key|missing_api_key|access_denied|100[0-4])$/.test(error.upstreamCode ?? '')
  ) {
    return 'The credential was refused: check api_key, and that base_url is the gateway that gave it out.';
  }
  if (error.kind === 'unavailable') {
    return 'The upstream cannot be reached: check base_url, DNS, the proxy and the firewall.';
  }
  if (error.upstreamCode === 'http_404') {
    return 'What answers at base_url has no /v1/models: base_url is the address before /v1 and /kling.';
  }
  return error.publicMessage;
}
