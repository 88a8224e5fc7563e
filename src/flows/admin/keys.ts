import { GatewayError } from '../../core/errors.ts';
import type { Admin, IssuedKey, RememberKey } from '../../core/ports.ts';
import { apiKeyHint, hashApiKey, newAccessKey, newApiKey, newSecretKey } from '../../lib/api-key.ts';
import { seal } from '../../lib/seal.ts';
import { hasKey, OPERATORS, type Once } from '../once.ts';
import { openAnswer, sealAnswer } from '../sealed-answer.ts';
import { requireAccount } from './accounts.ts';
import { sealingKey, type AdminContext } from './context.ts';

type KeyVerbs = Pick<Admin, 'listKeys' | 'createKey' | 'updateKey' | 'revokeKey'>;

/** Where a secret key is sealed to: it opens for its own key's row only. */
export function secretKeyContext(keyId: string): string {
  return `key:${keyId}`;
}

/** Of an API key only its hash is kept, of a secret key a sealed text: a token's signature needs the key itself. */
export function keyVerbs(context: AdminContext, once: Once): KeyVerbs {
  const { store, clock, newId } = context;

  async function create(
    accountId: string,
    { name, responseStyle, limits }: Parameters<Admin['createKey']>[1],
    remember: RememberKey | null,
  ): Promise<IssuedKey> {
    const id = newId('key_');
    const issued = { id, apiKey: newApiKey(), accessKey: newAccessKey(), secretKey: newSecretKey() };
    await store.createKey(
      {
        id,
        accountId,
        name,
        hint: apiKeyHint(issued.apiKey),
        keyHash: hashApiKey(issued.apiKey),
        accessKey: issued.accessKey,
        secretKeySealed: seal(sealingKey(context), issued.secretKey, secretKeyContext(id)),
        responseStyle,
        createdAt: clock.now(),
        revokedAt: null,
        ...(limits && { limits }),
      },
      remember && sealAnswer(context, remember, issued),
    );
    return issued;
  }

  return {
    async listKeys(accountId) {
      await requireAccount(context, accountId);
      return store.listKeys(accountId);
    },
    async createKey(accountId, input, intent) {
      await requireAccount(context, accountId);
      if (!hasKey(intent)) return create(accountId, input, null);
      return once<IssuedKey & { replayed?: true }>(OPERATORS, intent, {
        create: ({ remember }) => create(accountId, input, remember),
        replay: async (used) => ({
          ...openAnswer<IssuedKey>(context, OPERATORS, intent.key, used),
          replayed: true,
        }),
      });
    },
    async updateKey(accountId, keyId, patch) {
      const row = await store.updateKey({ accountId, id: keyId, at: clock.now() }, patch);
      return row ?? unknownKey(accountId, keyId);
    },
    async revokeKey(accountId, keyId) {
      await requireAccount(context, accountId);
      const revoked = await store.revokeKey(accountId, keyId, clock.now());
      if (revoked !== null) return revoked;
      // Revoking twice is no mistake: what was wanted is so.
      const existing = (await store.listKeys(accountId)).find((key) => key.id === keyId);
      if (existing !== undefined) return existing;
      return unknownKey(accountId, keyId);
    },
  };
}

function unknownKey(accountId: string, keyId: string): never {
  throw new GatewayError('not_found', `Account '${accountId}' has no key '${keyId}'.`);
}
