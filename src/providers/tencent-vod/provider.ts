/** Tencent Cloud VOD, which sells Kling's films and pictures under its own API: the manifest. */
import type { Provider } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { baseUrlDefault, call } from './call.ts';
import { credentialSchema, parseCredential } from './credential.ts';
import { publicSentence } from './errors.ts';
import { feature, resources } from './features.ts';
import { vodImageModels, vodModels } from './models.ts';
import { video } from './video.ts';

export const tencentVod: Provider = {
  id: 'tencent-vod',
  title: 'Tencent Cloud VOD',
  // A credential of site intl goes to the international host instead.
  baseUrlDefault,
  credentials: credentialSchema,
  parseCredential: (value) => ({ ...parseCredential(value) }),
  sandboxCredential: {
    secret_id: 'sandbox-access-key',
    secret_key: 'sandbox-secret-key-0123456789abcdef',
    sub_app_id: 1500000001,
  },
  // One running task per account unless raised by ticket; a second one is refused, or fails after it was accepted.
  concurrencyDefault: 1,
  // With its one slot it would hold up half of what the other simulators make at once.
  sandboxWeight: 0,
  passesComplianceSwitches: true,
  serves: [
    ...new Set([...Object.keys(vodModels), ...Object.keys(vodImageModels)]),
    // Features that have one model each, which nobody chooses.
    'kling-features',
  ],
  async probe(channel, signal) {
    try {
      // A list of one: free, and it needs the keys, the application and VOD itself.
      await call('DescribeTasks', { Limit: 1 }, channel, signal);
      return { ok: true, message: 'The credential works.' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // Too fast: but for that the credential had to be right.
      if (error.kind === 'busy') return { ok: true, message: 'The credential works; the upstream is busy.' };
      return { ok: false, message: adviceFor(error) ?? publicSentence(error.publicMessage, channel) };
    }
  },
  video,
  feature,
  resources,
};

function adviceFor(error: UpstreamError): string | null {
  const code = error.upstreamCode ?? '';
  if (code === 'AuthFailure.SignatureExpire') {
    return 'The upstream finds our signature out of time: set this machine’s clock (NTP).';
  }
  if (/^AuthFailure/.test(code) || code === 'http_401' || code === 'http_403') {
    return 'The credential was refused: check secret_id, secret_key and site; cn and intl have different accounts.';
  }
  if (code === 'InvalidParameterValue.SubAppId') {
    return 'The account of this credential has no application of this sub_app_id: look it up in the VOD console.';
  }
  if (/^UnauthorizedOperation/.test(code)) {
    return 'The credential lacks the permission: allow it VOD (QcloudVODFullAccess) in Tencent Cloud’s CAM.';
  }
  if (code === 'FailedOperation.InvalidVodUser') {
    return 'VOD is not enabled for the account of this credential: enable it in the VOD console.';
  }
  if (code === 'IpNotInWhitelist' || code === 'IpInBlacklist') {
    return 'The upstream only accepts listed addresses: add this server’s address to its allow-list.';
  }
  if (error.kind === 'unavailable') {
    return 'The upstream cannot be reached: check base_url, DNS, the proxy and the firewall.';
  }
  return null;
}
