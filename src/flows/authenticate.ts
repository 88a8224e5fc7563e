import { LRUCache } from 'lru-cache';
import { GatewayError } from '../core/errors.ts';
import type { Clock, OwnedLimits, Principal, Store, UsableKey } from '../core/ports.ts';
import { createAddressList, type AddressList } from '../lib/address-list.ts';
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

/** What a request needs of a key; frozen, because many requests share it. */
interface KnownKey {
  principal: Readonly<Principal>;
  isActive: boolean;
  /** Null for almost all keys: nothing more to look at. */
  guard: ((caller: Caller) => void) | null;
  secretKeySealed: string;
  /** Opened when the first token arrives. */
  secretKey: string | null;
}

/** Where a request comes from; looked at only where a limit asks for it. */
export interface Caller {
  readonly ip: string;
}

/**
 * Who a credential belongs to: an API key, or a token signed with the AK/SK pair that came with one. The answer is a
 * plain value while the key is remembered, a promise when the store has to be asked. Refuses with `invalid_api_key`,
 * `token_expired`, `token_not_yet_valid`, `account_disabled` or `ip_not_allowed`.
 */
export function createAuthenticator(
  options: AuthenticatorOptions,
): (credential: string, caller: Caller) => Principal | Promise<Principal> {
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

  async function remember(name: string, found: Promise<UsableKey | null>): Promise<KnownKey | null> {
    const asked = generation;
    const row = await found;
    if (row === null) return null;
    const limits = limitsOf(row);
    const key: KnownKey = {
      principal: Object.freeze({
        accountId: row.accountId,
        keyId: row.id,
        responseStyle: row.responseStyle,
        ...(limits.length > 0 && { limits: Object.freeze(limits) }),
      }),
      isActive: row.accountStatus === 'active',
      guard: guardOf(limits, clock),
      secretKeySealed: row.secretKeySealed,
      secretKey: null,
    };
    if (asked === generation) known.set(name, key);
    return key;
  }

  function authenticateApiKey(apiKey: string, caller: Caller): Principal | Promise<Principal> {
    const hash = hashApiKey(apiKey);
    const key = known.get(hash);
    if (key !== undefined) return admitted(key, caller);
    // A typing error is told from its checksum, without asking the store.
    if (!isApiKey(apiKey)) throw unknownKey();
    return remember(hash, store.findKeyByHash(hash)).then((found) => {
      if (found === null) throw unknownKey();
      return admitted(found, caller);
    });
  }

  function authenticateToken(credential: string, caller: Caller): Principal | Promise<Principal> {
    const token = readAccessToken(credential);
    const verified = (key: KnownKey | null): Principal => {
      if (key === null) throw unknownSigner();
      key.secretKey ??= unseal(keyring, key.secretKeySealed, secretKeyContext(key.principal.keyId));
      verifyAccessToken(token, key.secretKey, clock.now());
      return admitted(key, caller);
    };
    // Access keys and hashes cannot be confused: one has a dash, the other is hex.
    const key = known.get(token.accessKey);
    return key === undefined
      ? remember(token.accessKey, store.findKeyByAccessKey(token.accessKey)).then(verified)
      : verified(key);
  }

  return (credential, caller) =>
    looksLikeAccessToken(credential)
      ? authenticateToken(credential, caller)
      : authenticateApiKey(credential, caller);
}

function admitted(key: KnownKey, caller: Caller): Principal {
  if (key.isActive) {
    if (key.guard !== null) key.guard(caller);
    return key.principal;
  }
  throw new GatewayError('account_disabled', 'This account is disabled: ask the operator of this gateway.');
}

function unknownKey(): GatewayError {
  return new GatewayError(
    'invalid_api_key',
    'This API key is not known here: it is mistyped, was revoked, or belongs to another gateway.',
  );
}

/** The key's own limits and those of its account. */
function limitsOf(row: UsableKey): OwnedLimits[] {
  const limits: OwnedLimits[] = [];
  if (row.limits) limits.push({ ...row.limits, owner: 'key', ownerId: row.id });
  if (row.accountLimits) limits.push({ ...row.accountLimits, owner: 'account', ownerId: row.accountId });
  return limits;
}

/** Looks at time and address; null where no limit asks for either. */
function guardOf(limits: readonly OwnedLimits[], clock: Clock): KnownKey['guard'] {
  const lists: AddressList[] = [];
  let expiresAt = Infinity;
  for (const { ipAddresses, expiresAt: own } of limits) {
    if (ipAddresses !== undefined) lists.push(createAddressList(ipAddresses));
    if (own !== undefined) expiresAt = Math.min(expiresAt, own);
  }
  if (lists.length === 0 && expiresAt === Infinity) return null;
  return (caller) => {
    if (clock.now() >= expiresAt) {
      throw new GatewayError(
        'invalid_api_key',
        `This API key expired on ${new Date(expiresAt).toISOString()}: ask the operator of this gateway for another.`,
      );
    }
    if (lists.every((list) => list.includes(caller.ip))) return;
    throw new GatewayError('ip_not_allowed', `This API key may not be used from ${caller.ip}.`);
  };
}
