import { LRUCache } from 'lru-cache';
import { GatewayError } from '../core/errors.ts';
import type { AccountRow, Clock, KeyRow, Principal, Store } from '../core/ports.ts';
import { hashApiKey, isApiKey } from '../lib/api-key.ts';
import { unseal, type SealKey } from '../lib/seal.ts';
import { secretKeyContext } from './admin/keys.ts';
import { looksLikeAccessToken, readAccessToken, unknownSigner, verifyAccessToken } from './access-token.ts';

/** Another node's revocation is seen after so long at most; our own at once. */
const cacheMs = 5_000;
const cachedKeysMax = 10_000;

export interface AuthenticatorOptions {
  store: Pick<Store, 'findKeyByHash' | 'findKeyByAccessKey' | 'onCommit'>;
  /** Opens the secret keys at rest; the current key first. */
  keyring: readonly SealKey[];
  clock: Clock;
}

type FoundKey = KeyRow & { accountStatus: AccountRow['status'] };

/** What a request needs of a key; frozen, because many requests share it. */
interface KnownKey {
  principal: Readonly<Principal>;
  isActive: boolean;
  secretKeySealed: string;
  /** Opened when the first token arrives. */
  secretKey: string | null;
}

/**
 * Who a credential belongs to: an API key, or a token signed with the AK/SK pair that came with one. The answer is a
 * plain value while the key is remembered, a promise when the store has to be asked. Refuses with `invalid_api_key`,
 * `token_expired`, `token_not_yet_valid` or `account_disabled`.
 */
export function createAuthenticator(
  options: AuthenticatorOptions,
): (credential: string) => Principal | Promise<Principal> {
  const { store, keyring, clock } = options;
  const known = new LRUCache<string, KnownKey>({
    max: cachedKeysMax,
    ttl: cacheMs,
    // Zero: no timer of its own behind our clock's back.
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  // An answer that was under way when keys changed must not be remembered.
  let generation = 0;
  store.onCommit('keys', () => {
    generation++;
    known.clear();
  });

  async function remember(name: string, found: Promise<FoundKey | null>): Promise<KnownKey | null> {
    const asked = generation;
    const row = await found;
    if (row === null) return null;
    const key: KnownKey = {
      principal: Object.freeze({
        accountId: row.accountId,
        keyId: row.id,
        responseStyle: row.responseStyle,
      }),
      isActive: row.accountStatus === 'active',
      secretKeySealed: row.secretKeySealed,
      secretKey: null,
    };
    if (asked === generation) known.set(name, key);
    return key;
  }

  function authenticateApiKey(apiKey: string): Principal | Promise<Principal> {
    const hash = hashApiKey(apiKey);
    const key = known.get(hash);
    if (key !== undefined) return admitted(key);
    // A typing error is told from its checksum, without asking the store.
    if (!isApiKey(apiKey)) throw unknownKey();
    return remember(hash, store.findKeyByHash(hash)).then((found) => {
      if (found === null) throw unknownKey();
      return admitted(found);
    });
  }

  function authenticateToken(credential: string): Principal | Promise<Principal> {
    const token = readAccessToken(credential);
    const verified = (key: KnownKey | null): Principal => {
      if (key === null) throw unknownSigner();
      key.secretKey ??= unseal(keyring, key.secretKeySealed, secretKeyContext(key.principal.keyId));
      verifyAccessToken(token, key.secretKey, clock.now());
      return admitted(key);
    };
    // Access keys and hashes cannot be confused: one has a dash, the other is hex.
    const key = known.get(token.accessKey);
    return key === undefined
      ? remember(token.accessKey, store.findKeyByAccessKey(token.accessKey)).then(verified)
      : verified(key);
  }

  return (credential) =>
    looksLikeAccessToken(credential) ? authenticateToken(credential) : authenticateApiKey(credential);
}

function admitted(key: KnownKey): Principal {
  if (key.isActive) return key.principal;
  throw new GatewayError('account_disabled', 'This account is disabled: ask the operator of this gateway.');
}

function unknownKey(): GatewayError {
  return new GatewayError(
    'invalid_api_key',
    'This API key is not known here: it is mistyped, was revoked, or belongs to another gateway.',
  );
}
