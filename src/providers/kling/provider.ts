/** The official Kling platform, both standards: the manifest. */
import type { Provider } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { credentialSchema, parseCredential } from './auth.ts';
import { call } from './call.ts';
import { publicSentence } from './errors.ts';
import { feature } from './features.ts';
import { resources } from './resources.ts';
import { KLING_PATHS } from './routes.ts';
import { video } from './video.ts';

export const kling: Provider = {
  id: 'kling',
  title: 'Kling (official platform)',
  // The international host since 2026; mainland accounts set https://api-beijing.klingai.com.
  baseUrlDefault: 'https://api-singapore.klingai.com',
  credentials: credentialSchema,
  parseCredential,
  sandboxCredential: {
    access_key: 'sandbox-access-key',
    secret_key: 'sandbox-secret-key-0123456789abcdef',
  },
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
    'kling-v3-omni',
    'kling-video-o1',
    // In the new standard only.
    'kling-3.0-turbo',
    // Pictures.
    'kling-v2',
    'kling-v2-new',
    'kling-image-o1',
    'kolors-virtual-try-on-v1',
    'kolors-virtual-try-on-v1-5',
    // Features that have one model each, which nobody chooses.
    'kling-features',
  ],
  async probe(channel, signal) {
    try {
      // A list of one: free, authenticated, and served by relays too (`/account/costs` is not).
      await call({ method: 'GET', path: `${KLING_PATHS.text2video}?pageNum=1&pageSize=1` }, channel, signal);
      return { ok: true, message: 'The credential works.' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // Too fast or too many: but for that the credential had to be right.
      if (error.kind === 'busy') return { ok: true, message: 'The credential works; the upstream is busy.' };
      return { ok: false, message: adviceFor(error) ?? publicSentence(error.publicMessage, channel) };
    }
  },
  video,
  feature,
  resources,
};

function adviceFor(error: UpstreamError): string | null {
  switch (error.upstreamCode) {
    case '1000':
    case '1001':
    case '1002':
    case 'http_401':
    case 'http_403':
      return 'The credential was refused: check the access key and secret key (or the API key), and that base_url is the region the account belongs to.';
    case '1003':
    case '1004':
      return 'The upstream finds our token out of time: set this machine’s clock (NTP).';
    case '1100':
      return 'The upstream account is blocked or incomplete: look at its console.';
    case '1101':
      return 'The upstream account is in arrears: pay its bill.';
    case '1102':
      return 'The upstream account has no units left: buy a resource pack.';
    case '1103':
      return 'The upstream account lacks the permission: enable the API for it.';
    case '1304':
      return 'The upstream only accepts listed addresses: add this server’s address to its allow-list.';
    default:
      break;
  }
  if (error.kind === 'unavailable') {
    return 'The upstream cannot be reached: check base_url, DNS, the proxy and the firewall.';
  }
  return null;
}
