/** Secrets that sign webhooks: made here, sealed at rest, opened to sign and where their owner may see them. */
import { randomBytes } from 'node:crypto';
import type { WebhookEndpointRow } from '../core/webhook-ports.ts';
import { seal, unseal } from '../lib/seal.ts';
import type { FlowContext } from './context.ts';

/** 256 bits, as Standard Webhooks recommends (24 to 64 bytes). */
const SECRET_BYTES = 32;

/** Where a signing secret is sealed to: it opens for its own endpoint's row only. */
export function signingSecretContext(endpointId: string): string {
  return `webhook:${endpointId}`;
}

/** A new secret with its sealed form and what people may see of it. */
export function newSigningSecret(
  ctx: Pick<FlowContext, 'keyring'>,
  endpointId: string,
): { secret: string; sealed: string; hint: string } {
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  const [key] = ctx.keyring;
  if (key === undefined) throw new Error('the keyring is empty');
  return {
    secret,
    sealed: seal(key, secret, signingSecretContext(endpointId)),
    hint: `${secret.slice(0, 8)}…${secret.slice(-4)}`,
  };
}

/** Opens the current secret. */
export function signingSecret(ctx: Pick<FlowContext, 'keyring'>, endpoint: WebhookEndpointRow): string {
  return unseal(ctx.keyring, endpoint.secretSealed, signingSecretContext(endpoint.id));
}

/** Every secret that signs now: the current one and, while it overlaps, the one before. */
export function activeSecrets(
  ctx: Pick<FlowContext, 'keyring' | 'clock'>,
  endpoint: WebhookEndpointRow,
): string[] {
  const secrets = [signingSecret(ctx, endpoint)];
  if (endpoint.oldSecretSealed !== null && (endpoint.oldSecretUntil ?? 0) > ctx.clock.now()) {
    secrets.push(unseal(ctx.keyring, endpoint.oldSecretSealed, signingSecretContext(endpoint.id)));
  }
  return secrets;
}

/** Who signs callbacks to URLs that come with a request; comes into being when first needed. */
export async function callbackSigner(
  ctx: Pick<FlowContext, 'store' | 'keyring' | 'clock' | 'newId'>,
  accountId: string,
): Promise<WebhookEndpointRow> {
  const known = await ctx.store.webhooks.findCallbackSigner(accountId);
  if (known !== null) return known;
  const id = ctx.newId('whe_');
  const { sealed, hint } = newSigningSecret(ctx, id);
  const now = ctx.clock.now();
  return ctx.store.webhooks.callbackSigner({
    id,
    accountId,
    kind: 'callbacks',
    name: 'callback_url',
    url: '',
    eventTypes: [],
    enabled: true,
    disabledReason: null,
    secretSealed: sealed,
    secretHint: hint,
    oldSecretSealed: null,
    oldSecretUntil: null,
    createdAt: now,
    updatedAt: now,
  });
}
