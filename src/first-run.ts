/**
 * What a first start prepares: sandbox channels, and a demo account with credit and keys. Made once: the keys are
 * written to `first-run.json` before the account exists, so that a start killed in between finishes with the same keys.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock, Provider, Store } from './core/ports.ts';
import { apiKeyHint, hashApiKey, newAccessKey, newApiKey, newSecretKey } from './lib/api-key.ts';
import type { SealKey } from './lib/seal.ts';
import { seal } from './lib/seal.ts';
import { writePrivateFile } from './lib/private-file.ts';
import { secretKeyContext } from './flows/admin/keys.ts';

const DEMO_CREDIT_MICROS = 10_000_000_000n;

const schema = z.object({
  base_url: z.string(),
  admin_token: z.string(),
  account_id: z.string().optional(),
  api_key: z.string().optional(),
  access_key: z.string().optional(),
  secret_key: z.string().optional(),
});

export type FirstRun = z.infer<typeof schema>;

export interface FirstRunOptions {
  dataDir: string;
  store: Store;
  keyring: readonly SealKey[];
  clock: Clock;
  newId(prefix: `${string}_`): string;
  baseUrl: string;
  adminToken: string;
  /** Whether to make the demo account (sandbox on, not switched off, nothing there yet). */
  demo: boolean;
}

/** Answers what `first-run.json` holds, and whether it was made just now (then it is printed, once). */
export async function prepareFirstRun(
  options: FirstRunOptions,
): Promise<{ content: FirstRun; isNew: boolean }> {
  const path = join(options.dataDir, 'first-run.json');
  const known = read(path);
  const fresh =
    known === null && (await options.store.listAccounts({ cursor: null, limit: 1 })).rows.length === 0;
  const content: FirstRun = { ...known, base_url: options.baseUrl, admin_token: options.adminToken };
  if (fresh && options.demo) {
    content.account_id = options.newId('acct_');
    content.api_key = newApiKey();
    content.access_key = newAccessKey();
    content.secret_key = newSecretKey();
  }
  // The address may have changed since: tools on this machine find the gateway through this file.
  if (JSON.stringify(known) !== JSON.stringify(content)) {
    writePrivateFile(path, `${JSON.stringify(content, null, 2)}\n`);
  }
  // A start that was killed on the way showed nobody the keys.
  const isCompleted = await completeDemo(options, content);
  return { content, isNew: fresh || isCompleted };
}

function read(path: string): FirstRun | null {
  if (!existsSync(path)) return null;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} is damaged: it is not JSON. Remove or restore it.`, { cause: error });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${path} is damaged: ${parsed.error.issues[0]?.path.join('.')} is missing. Remove or restore it.`,
  );
}

/** Makes whatever of the demo account is not there yet; answers whether that was anything. */
async function completeDemo(options: FirstRunOptions, content: FirstRun): Promise<boolean> {
  const { store } = options;
  const { account_id: accountId, api_key: apiKey, access_key: accessKey, secret_key: secretKey } = content;
  if (!accountId || !apiKey || !accessKey || !secretKey) return false;
  const now = options.clock.now();
  if ((await store.getAccount(accountId)) === null) {
    await store.createAccount({ id: accountId, name: 'demo', status: 'active', createdAt: now });
  }
  const keys = await store.listKeys(accountId);
  if (!keys.some((key) => key.accessKey === accessKey)) {
    const keyId = options.newId('key_');
    await store.createKey({
      id: keyId,
      accountId,
      name: 'demo',
      keyHash: hashApiKey(apiKey),
      hint: apiKeyHint(apiKey),
      accessKey,
      secretKeySealed: seal(options.keyring[0]!, secretKey, secretKeyContext(keyId)),
      responseStyle: 'superset',
      createdAt: now,
      revokedAt: null,
    });
  }
  // The last step: where it is done, the others are.
  if ((await store.listLedger(accountId, { cursor: null, limit: 1 })).rows.length > 0) return false;
  await store.post({
    accountId,
    kind: 'top_up',
    amountMicros: DEMO_CREDIT_MICROS,
    note: 'test credit',
    at: now,
  });
  return true;
}

/**
 * One channel per provider, marked `sandbox`, made once: what an operator then makes of it stays, also its deletion.
 * While the sandbox is off they count as switched off, whatever their rows say.
 */
export async function makeSandboxChannels(options: {
  store: Store;
  providers: ReadonlyMap<string, Provider>;
  clock: Clock;
}): Promise<void> {
  const { store, providers } = options;
  const now = options.clock.now();
  const known = new Set((await store.listChannels()).flatMap((row) => (row.sandbox ? [row.provider] : [])));
  for (const provider of providers.values()) {
    if (known.has(provider.id)) continue;
    // The id tells that it was made, for deleted rows can be read by it.
    const id = `chan_sandbox_${provider.id}`;
    if ((await store.getChannel(id)) !== null) continue;
    await store.createChannel({
      id,
      name: `${provider.title} (sandbox)`,
      provider: provider.id,
      credentialSealed: '',
      baseUrl: null,
      priority: provider.sandboxPriority ?? 0,
      weight: provider.sandboxWeight ?? 1,
      concurrency: null,
      requestsPerSecond: null,
      enabled: true,
      sandbox: true,
      createdAt: now,
      updatedAt: now,
    });
  }
}
