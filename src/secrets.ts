/**
 * The keys that everything secret hangs on: from the configuration, or made at first start and kept in the data
 * directory (0600).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { writePrivateFile } from './lib/private-file.ts';
import { deriveKey, type SealKey } from './lib/seal.ts';

export interface Secrets {
  /** Seals secret keys and credentials at rest; the first one seals, all open. */
  keyring: SealKey[];
  /** Signs links to our own content and the URLs upstreams push to. */
  linkKey: Uint8Array;
  adminToken: string;
}

/** Reads or makes them; `dataDir` is created with 0700 when missing. */
export function loadSecrets(config: Config): Secrets {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const root =
    config.secret ?? kept(join(config.dataDir, 'secret'), () => randomBytes(48).toString('base64url'));
  const adminToken =
    config.adminToken ??
    kept(join(config.dataDir, 'admin-token'), () => `adm-${randomBytes(30).toString('base64url')}`);
  return {
    keyring: [deriveKey(root, 'seal')],
    linkKey: deriveKey(root, 'links').bytes,
    adminToken,
  };
}

function kept(path: string, make: () => string): string {
  if (existsSync(path)) {
    const text = readFileSync(path, 'utf8').trim();
    if (text.length >= 16) return text;
    throw new Error(
      `${path} is damaged (too short). Restore it from a backup: what was sealed with it needs it.`,
    );
  }
  const text = make();
  writePrivateFile(path, `${text}\n`);
  return text;
}
