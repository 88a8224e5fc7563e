import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Provider, Store } from './core/ports.ts';
import { makeSandboxChannels, prepareFirstRun, type FirstRun } from './first-run.ts';
import { secretKeyContext } from './flows/admin/keys.ts';
import { hashApiKey } from './lib/api-key.ts';
import { createTestClock } from './lib/clock.ts';
import { newId } from './lib/ids.ts';
import { deriveKey, unseal } from './lib/seal.ts';
import { openStore } from './store/index.ts';

const clock = createTestClock(1_800_000_000_000);
const sealKey = deriveKey('a root secret of thirty-two characters', 'seal');
const page = { cursor: null, limit: 10 };

let directory: string;
let path: string;
let store: Store;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reelay-first-run-'));
  path = join(directory, 'first-run.json');
  store = await openStore({ directory: join(directory, 'store'), clock });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const prepare = (options: { store?: Store; baseUrl?: string; adminToken?: string; demo?: boolean } = {}) =>
  prepareFirstRun({
    dataDir: directory,
    store,
    keyring: [sealKey],
    clock,
    newId: (prefix) => newId(prefix, clock.now()),
    baseUrl: 'http://127.0.0.1:8787',
    adminToken: 'adm-1',
    demo: true,
    ...options,
  });

const onDisk = (): FirstRun => JSON.parse(readFileSync(path, 'utf8')) as FirstRun;

/** A store that dies at the nth change. */
function dyingAt(step: number): Store {
  let changes = 0;
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const member = target[name];
      if (!['createAccount', 'createKey', 'post'].includes(name)) return member;
      return (...args: unknown[]) => {
        if (++changes === step) throw new Error('killed');
        return (member as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
}

describe('a first start', () => {
  test('makes an account with credit and keys that work, and keeps them where only the owner reads', async () => {
    const { content, isNew } = await prepare();
    assert.equal(isNew, true);
    assert.deepEqual(onDisk(), content);
    assert.deepEqual(Object.keys(content), [
      'base_url',
      'admin_token',
      'account_id',
      'api_key',
      'access_key',
      'secret_key',
    ]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const key = (await store.findKeyByHash(hashApiKey(content.api_key!)))!;
    assert.equal(key.accountId, content.account_id);
    assert.equal(key.accessKey, content.access_key);
    assert.equal(unseal([sealKey], key.secretKeySealed, secretKeyContext(key.id)), content.secret_key);
    assert.equal((await store.getWallet(content.account_id!)).availableMicros, 10_000_000_000n);
    assert.ok((await store.verifyLedger()).ok);
  });

  test('without a demo makes no account, and says where the gateway is all the same', async () => {
    const { content, isNew } = await prepare({ demo: false });
    assert.equal(isNew, true);
    assert.deepEqual(content, { base_url: 'http://127.0.0.1:8787', admin_token: 'adm-1' });
    assert.deepEqual((await store.listAccounts(page)).rows, []);
  });

  test('over accounts of an operator makes no demo', async () => {
    await store.createAccount({ id: 'acct_1', name: 'theirs', status: 'active', createdAt: 0 });
    const { content, isNew } = await prepare();
    assert.equal(isNew, false);
    assert.equal(content.api_key, undefined);
    assert.equal((await store.listAccounts(page)).rows.length, 1);
  });

  for (const [step, what] of [
    [1, 'before the account'],
    [2, 'before the key'],
    [3, 'before the credit'],
  ] as const) {
    test(`killed ${what} is finished by the next one, with the same keys`, async () => {
      await assert.rejects(prepare({ store: dyingAt(step) }), /killed/);
      const before = onDisk();
      const { content } = await prepare();
      assert.deepEqual(content, before);
      assert.equal((await store.listAccounts(page)).rows.length, 1);
      assert.equal((await store.listKeys(content.account_id!)).length, 1);
      assert.notEqual(await store.findKeyByHash(hashApiKey(content.api_key!)), null);
      assert.equal((await store.getWallet(content.account_id!)).availableMicros, 10_000_000_000n);
    });
  }

  test('killed before anybody saw the keys shows them at the next one', async () => {
    await assert.rejects(prepare({ store: dyingAt(1) }), /killed/);
    assert.equal((await prepare()).isNew, true);
  });
});

describe('a later start', () => {
  test('makes nothing again, and is not the first', async () => {
    const { content } = await prepare();
    const again = await prepare();
    assert.deepEqual(again, { content, isNew: false });
    assert.equal((await store.listKeys(content.account_id!)).length, 1);
    assert.equal((await store.getWallet(content.account_id!)).availableMicros, 10_000_000_000n);
  });

  test('writes where the gateway listens now, and the admin token it has now', async () => {
    const { content } = await prepare();
    await prepare({ baseUrl: 'https://reelay.example.com', adminToken: 'adm-2' });
    assert.deepEqual(onDisk(), {
      ...content,
      base_url: 'https://reelay.example.com',
      admin_token: 'adm-2',
    });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('gives no new credit to a demo account that has spent it', async () => {
    const { content } = await prepare();
    const accountId = content.account_id!;
    const spent = {
      accountId,
      kind: 'adjustment',
      amountMicros: -10_000_000_000n,
      note: null,
      at: 0,
    } as const;
    await store.post(spent);
    await prepare();
    assert.equal((await store.getWallet(accountId)).availableMicros, 0n);
  });

  test('does not bring back a demo key that was revoked', async () => {
    const { content } = await prepare();
    const [key] = await store.listKeys(content.account_id!);
    await store.revokeKey(content.account_id!, key!.id, clock.now());
    await prepare();
    assert.equal(await store.findKeyByHash(hashApiKey(content.api_key!)), null);
  });

  for (const [what, text] of [
    ['is no JSON', '{"base_url": "http'],
    ['lacks a field', '{"base_url": "http://127.0.0.1:8787"}'],
  ] as const) {
    test(`over a first-run.json that ${what} says so and touches nothing`, async () => {
      writeFileSync(path, text);
      await assert.rejects(prepare(), /first-run\.json is damaged.*Remove or restore it/);
      assert.equal(readFileSync(path, 'utf8'), text);
      assert.deepEqual((await store.listAccounts(page)).rows, []);
    });
  }
});

describe('sandbox channels', () => {
  const provider = { id: 'kling', title: 'Kling' } as Provider;
  const id = 'chan_sandbox_kling';
  const make = (): Promise<void> =>
    makeSandboxChannels({ store, providers: new Map([[provider.id, provider]]), clock });
  const channels = async () =>
    (await store.listChannels()).map(({ name, sandbox, enabled }) => ({ name, sandbox, enabled }));

  test('are made once per provider', async () => {
    await make();
    await make();
    assert.deepEqual(await channels(), [{ name: 'Kling (sandbox)', sandbox: true, enabled: true }]);
  });

  test('that an operator switched off stay off at the next start', async () => {
    await make();
    await store.updateChannel(id, { enabled: false, updatedAt: clock.now() });
    await make();
    assert.deepEqual(await channels(), [{ name: 'Kling (sandbox)', sandbox: true, enabled: false }]);
  });

  test('that an operator deleted do not come back', async () => {
    await make();
    await store.deleteChannel(id, clock.now());
    await make();
    assert.deepEqual(await channels(), []);
  });
});
