/** A sandbox of one's own for tests of this provider. */
import type { Json } from '../../core/ports.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openTestSandbox } from '../kit/test-sandbox.ts';
import { relay } from './provider.ts';

/** `credential`: whose account it is, and which dialect is spoken. */
export async function openRelayBench(credential: Json = relay.sandboxCredential): Promise<ProviderBench> {
  return {
    ...(await openTestSandbox({ provider: relay.id })),
    provider: { ...relay, sandboxCredential: credential },
    request: (prompt) => videoRequest({ prompt }),
    wrongCredential: { api_key: 'not-the-key-at-all' },
    prompts: {
      rejectContent: 'a [[reject:1301]]',
      failContent: 'a [[fail:content_policy]]',
      fail: 'a [[fail]]',
    },
  };
}
