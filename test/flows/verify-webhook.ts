/** Verifies a delivery with clients we did not write: standardwebhooks and both majors of the openai package. */
import { mock } from 'node:test';
import { OpenAI as OpenAI6 } from 'openai-6';
import { OpenAI } from 'openai-7';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

/** Throws unless the signature is right for this very text. The time of the story is the time of the check. */
export function verify(secret: string, text: string, headers: Record<string, string>): unknown {
  mock.timers.enable({ apis: ['Date'], now: Number(headers['webhook-timestamp']) * 1000 });
  try {
    return new Webhook(secret).verify(text, headers);
  } finally {
    mock.timers.reset();
  }
}

export function isSignedWith(secret: string, text: string, headers: Record<string, string>): boolean {
  try {
    verify(secret, text, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

/** The same by `client.webhooks.unwrap`, whose tolerance can be asked for. */
export async function unwrapWithBoth(
  secret: string,
  text: string,
  headers: Record<string, string>,
): Promise<void> {
  for (const Client of [OpenAI, OpenAI6 as unknown as typeof OpenAI]) {
    const client = new Client({ apiKey: 'none' });
    await client.webhooks.unwrap(text, headers, secret, Number.MAX_SAFE_INTEGER);
  }
}
