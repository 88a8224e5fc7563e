/** A sandbox of one's own for tests of this provider. */
import type { ProviderBench } from '../kit/contract.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openTestSandbox } from '../kit/test-sandbox.ts';
import { kling } from './provider.ts';

/** `draws`: files can be downloaded (small ones, rendered once). */
export async function openKlingBench({ draws = false } = {}): Promise<ProviderBench> {
  return {
    ...(await openTestSandbox({ provider: kling.id, draws })),
    provider: kling,
    request: (prompt) => videoRequest({ prompt }),
    wrongCredential: { access_key: 'sandbox-access-key', secret_key: 'not-the-secret-key-at-all' },
    prompts: { rejectContent: 'a [[reject:1301]]', failContent: 'a [[fail:1301]]', fail: 'a [[fail]]' },
  };
}
