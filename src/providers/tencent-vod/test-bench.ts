/** A sandbox of one's own for tests of this provider. */
import type { ProviderBench } from '../kit/contract.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openTestSandbox } from '../kit/test-sandbox.ts';
import { tencentVod } from './provider.ts';

/**
 * `slots`: tasks that may run at once; the upstream's own number is one. `startsAt`: Unix ms. `draws`: files can be
 * downloaded (small ones, rendered once).
 */
export async function openVodBench(
  slots: number,
  { startsAt, draws = false }: { startsAt?: number; draws?: boolean } = {},
): Promise<ProviderBench> {
  return {
    ...(await openTestSandbox({
      provider: tencentVod.id,
      draws,
      manners: { slots },
      ...(startsAt === undefined ? {} : { startsAt }),
    })),
    provider: tencentVod,
    request: (prompt) => videoRequest({ prompt }),
    wrongCredential: {
      secret_id: 'sandbox-access-key',
      secret_key: 'not-the-secret-key-at-all',
      sub_app_id: 1500000001,
    },
    prompts: {
      rejectContent: 'a [[reject:InvalidParameter.VoilationContent]]',
      failContent: 'a [[fail:ContentModerationFailed]]',
      fail: 'a [[fail]]',
    },
  };
}
