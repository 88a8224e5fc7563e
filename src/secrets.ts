/**
 * The keys that everything secret hangs on: from the configuration, or made at first start and kept in the data
 * directory (0600). `secret` holds the current root key; `secret.old`, while there are any, those before it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { RootKeys } from './core/ports.ts';
import { createPrivateFile, writePrivateFile } from './lib/private-file.ts';
import { deriveKey, type SealKey } from './lib/seal.ts';

export const SECRET_FILE = 'secret';
export const OLD_SECRETS_FILE = 'secret.old';
export const ADMIN_TOKEN_FILE = 'admin-token';

export interface Secrets {
  rootKeys: RootKeys;
  adminToken: string;
}

/** Reads or makes them; `dataDir` is created with 0700 when missing. */
export function loadSecrets(
  config: Pick<Config, 'dataDir' | 'secret' | 'secretsAlso' | 'adminToken'>,
): Secrets {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  return {
    rootKeys: openRootKeys(config),
    adminToken:
      config.adminToken ??
      kept(join(config.dataDir, ADMIN_TOKEN_FILE), () => `adm-${randomBytes(30).toString('base64url')}`),
  };
}

/** A root key never leaves this file; what is derived from it does. */
interface Root {
  text: string;
  sealKey: SealKey;
  linkKey: Uint8Array;
}

function openRootKeys({
  dataDir,
  secret,
  secretsAlso,
}: Pick<Config, 'dataDir' | 'secret' | 'secretsAlso'>): RootKeys {
  const file = join(dataDir, SECRET_FILE);
  const oldFile = join(dataDir, OLD_SECRETS_FILE);
  const given = secretsAlso.map(rootOf);
  // Whoever moves the key from the file to the configuration still needs the one in the file.
  let roots = uniqueRoots([
    rootOf(secret ?? kept(file, newRoot)),
    ...given,
    ...(secret !== null && existsSync(file) ? [rootOf(readFileSync(file, 'utf8').trim())] : []),
    ...readOld(oldFile),
  ]);
  const keyring: SealKey[] = [];
  const linkKeys: Uint8Array[] = [];
  const publish = (): void => {
    keyring.splice(0, Infinity, ...roots.map(({ sealKey }) => sealKey));
    linkKeys.splice(0, Infinity, ...roots.map(({ linkKey }) => linkKey));
  };
  const writeOld = (old: Root[]): void => {
    const lines = old.filter((root) => !given.some(({ text }) => text === root.text)).map(({ text }) => text);
    if (lines.length > 0) writePrivateFile(oldFile, `${lines.join('\n')}\n`);
    else rmSync(oldFile, { force: true });
  };
  const assertOurs = (): void => {
    if (secret !== null) throw new Error('the root key is given by the configuration');
  };
  publish();
  return {
    source: secret === null ? 'file' : 'configuration',
    keyring,
    linkKeys,
    renew() {
      assertOurs();
      const root = rootOf(newRoot());
      // In this order: whenever the process dies, every key that sealed something is on the disk.
      writeOld(roots);
      writePrivateFile(file, `${root.text}\n`);
      roots = uniqueRoots([root, ...roots]);
      publish();
    },
    forget(keyId) {
      assertOurs();
      if (roots[0]!.sealKey.id === keyId) throw new Error('the current root key cannot be forgotten');
      roots = roots.filter(({ sealKey }) => sealKey.id !== keyId);
      writeOld(roots.slice(1));
      publish();
    },
  };
}

function newRoot(): string {
  return randomBytes(48).toString('base64url');
}

function rootOf(text: string): Root {
  return { text, sealKey: deriveKey(text, 'seal'), linkKey: deriveKey(text, 'links').bytes };
}

function uniqueRoots(roots: Root[]): Root[] {
  return [...new Map(roots.map((root) => [root.text, root])).values()];
}

function readOld(path: string): Root[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => rootOf(line));
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
  // Another node on the same directory may have been quicker.
  return createPrivateFile(path, `${text}\n`) ? text : kept(path, make);
}
