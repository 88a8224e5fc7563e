import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** A derived key and the name under which sealed texts refer to it. */
export interface SealKey {
  /** First 8 hex digits of the key's SHA-256. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

export type SealErrorReason = 'malformed' | 'unknown_key' | 'tampered';

/** A sealed text that cannot be opened. The message never holds any part of the secret. */
export class SealError extends Error {
  readonly reason: SealErrorReason;

  constructor(reason: SealErrorReason, message: string) {
    super(message);
    this.name = 'SealError';
    this.reason = reason;
  }
}

const nonceBytes = 12;
const tagBytes = 16;

/** Derives the 256-bit key for one purpose from the root secret (HKDF-SHA256, RFC 5869). */
export function deriveKey(rootSecret: string, purpose: string): SealKey {
  const bytes = Buffer.from(hkdfSync('sha256', rootSecret, '', purpose, 32));
  return { id: hash('sha256', bytes, 'hex').slice(0, 8), bytes };
}

/**
 * Encrypts with AES-256-GCM under a random nonce: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url.
 * `aad` names where the text belongs (say the row's id): it opens nowhere else.
 */
export function seal(key: SealKey, plaintext: string, aad: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
  cipher.setAAD(boundText(key.id, aad));
  const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${key.id}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
}

/**
 * Opens a sealed text with the key it names; the ring may hold older keys beside the current one.
 * Throws {@link SealError}.
 */
export function unseal(keyring: readonly SealKey[], sealed: string, aad: string): string {
  const [version, keyId, nonceText, bodyText, ...rest] = sealed.split('.');
  const nonce = decodeExactly(nonceText);
  const body = decodeExactly(bodyText);
  if (
    version !== 'v1' ||
    rest.length > 0 ||
    nonce?.length !== nonceBytes ||
    !body ||
    body.length < tagBytes
  ) {
    throw new SealError('malformed', 'not a sealed text of a known version');
  }
  const key = keyring.find((candidate) => candidate.id === keyId);
  if (!key) {
    throw new SealError('unknown_key', 'sealed with a key that is not at hand: was the root secret changed?');
  }
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagBytes });
  decipher.setAAD(boundText(key.id, aad));
  decipher.setAuthTag(body.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(body.subarray(0, -tagBytes)), decipher.final()]).toString('utf8');
  } catch {
    throw new SealError('tampered', 'the sealed text was changed, or belongs to another place');
  }
}

/** Version and key id are bound too, so that no part of the text can be exchanged. */
function boundText(keyId: string, aad: string): Buffer {
  return Buffer.from(`v1.${keyId}.${aad}`, 'utf8');
}

/** Node decodes leniently; only the one canonical spelling is accepted. */
function decodeExactly(text: string | undefined): Buffer | null {
  if (text === undefined) return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
