/**
 * Secrets inside a backup: sealed with a passphrase that only the operator knows, so that the file alone opens nothing.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';
import { deriveKey, seal, SealError, unseal } from '../lib/seal.ts';
import { UpkeepError } from './format.ts';

export const PASSPHRASE_LENGTH_MIN = 16;

/** About a tenth of a second and 64 MiB per guess (RFC 7914 names the parameters). */
const COST = { N: 65_536, r: 8, p: 1 };
const CONTEXT = 'backup';

/** By the name of the file that keeps it in the data directory. */
export type SecretFiles = Record<string, string>;

const envelope = z.object({
  kdf: z.literal('scrypt'),
  N: z.number().int().min(2).max(1_048_576),
  r: z.number().int().min(1).max(32),
  p: z.number().int().min(1).max(16),
  salt: z.string(),
  sealed: z.string(),
});

export function sealSecrets(files: SecretFiles, passphrase: string): string {
  const salt = randomBytes(16).toString('base64url');
  const sealed = seal(keyOf(passphrase, { ...COST, salt }), JSON.stringify(files), CONTEXT);
  return JSON.stringify({ kdf: 'scrypt', ...COST, salt, sealed });
}

/** Throws UpkeepError when the passphrase is not the one. */
export function openSecrets(text: string, passphrase: string): SecretFiles {
  const read = envelope.parse(JSON.parse(text));
  try {
    const plain: unknown = JSON.parse(unseal([keyOf(passphrase, read)], read.sealed, CONTEXT));
    return z.record(z.string(), z.string()).parse(plain);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new UpkeepError('The passphrase is not the one this backup was made with.');
  }
}

function keyOf(passphrase: string, { N, r, p, salt }: { N: number; r: number; p: number; salt: string }) {
  const options = { N, r, p, maxmem: 256 * N * r };
  return deriveKey(scryptSync(passphrase, salt, 32, options).toString('hex'), 'backup');
}
