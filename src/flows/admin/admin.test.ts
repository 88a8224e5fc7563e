import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GatewayError, UpstreamError, type ErrorCode } from '../../core/errors.ts';
import type { PriceBook } from '../../core/pricing.ts';
import type { Admin, Channel, ChannelInput, ChannelRow, Provider, Store } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';
import { createGuardedHttp } from '../../lib/guarded-http.ts';
import { createIds } from '../../lib/ids.ts';
import { deriveKey, SealError, unseal } from '../../lib/seal.ts';
import { openStore } from '../../store/index.ts';
import { createAuthenticator } from '../authenticate.ts';
import { credentialContext } from '../open-channel.ts';
import { createAdmin } from './index.ts';

const sealKey = deriveKey('a root secret of thirty-two characters', 'test');
const clock = createTestClock(1_800_000_000_000);
const ids = createIds();
const priceBook: PriceBook = { currency: 'USD', version: 'test', prices: new Map() };

let directory: string;
let store: Store;
let admin: Admin;
let probe: Provider['probe'] = async () => ({ ok: true, message: 'works' });
let open: (row: { id: string }) => Channel = (row) => ({ id: row.id }) as Channel;

const provider = {
  id: 'maker',
  title: 'Maker',
  parseCredential(value: unknown) {
    const { api_key: apiKey } = value as { api_key?: unknown };
    if (typeof apiKey !== 'string') {
      throw new GatewayError('missing_required_parameter', "'credential.api_key' is required.", {
        param: 'credential.api_key',
      });
    }
    return { api_key: apiKey };
  },
  probe: (channel: Channel, signal: AbortSignal) => probe(channel, signal),
} as unknown as Provider;

const lookedAfter: [string, string][] = [];
let routedTo = '';
let isSandboxOn = true;
const asItCounts = (row: ChannelRow): ChannelRow =>
  row.sandbox && !isSandboxOn ? { ...row, enabled: false } : row;

const newChannel: ChannelInput = {
  name: 'main',
  provider: 'maker',
  credential: { api_key: 'very-secret' },
  baseUrl: null,
  priority: 0,
  weight: 1,
  concurrency: null,
  requestsPerSecond: null,
  enabled: true,
};

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reelay-admin-'));
  store = await openStore({ directory, clock });
  admin = createAdmin({
    store,
    providers: new Map([[provider.id, provider]]),
    keyring: [sealKey],
    clock,
    newId: (prefix) => ids.newId(prefix, clock.now()),
    priceBook,
    channels: { open: (row) => open(row), asItCounts },
    lanes: {
      running: async () => 3,
      lookAfter: (task, attemptId) => void lookedAfter.push([task.id, attemptId]),
    },
    route: async (_request, pinned) => pinned ?? routedTo,
    owner: 'test',
    settings: { taskDeadlineMs: 86_400_000, retentionMs: 30 * 86_400_000 },
    guarded: createGuardedHttp({ allow: [], userAgent: 'test' }),
  });
});

after(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function refused(work: Promise<unknown>, code: ErrorCode, param?: string): Promise<void> {
  await assert.rejects(
    work,
    (error) => error instanceof GatewayError && error.code === code && (error.param ?? undefined) === param,
  );
}

const caller = { ip: '127.0.0.1' };

describe('accounts', () => {
  test('are made, renamed, disabled and listed', async () => {
    const made = await admin.createAccount({ name: 'studio' });
    assert.match(made.id, /^acct_/);
    assert.deepEqual(await admin.getAccount(made.id), made);
    assert.deepEqual(await admin.updateAccount(made.id, { name: 'film studio', status: 'disabled' }), {
      ...made,
      name: 'film studio',
      status: 'disabled',
    });
    assert.equal((await admin.updateAccount(made.id, {})).name, 'film studio');
    const { rows } = await admin.listAccounts({ cursor: null, limit: 50 });
    assert.ok(rows.some((row) => row.id === made.id));
  });

  test('that do not exist are not found, whatever is asked of them', async () => {
    const id = 'acct_nobody';
    await refused(admin.getAccount(id), 'not_found');
    await refused(admin.updateAccount(id, {}), 'not_found');
    await refused(admin.updateAccount(id, { name: 'x' }), 'not_found');
    await refused(admin.listKeys(id), 'not_found');
    await refused(admin.createKey(id, { name: 'x', responseStyle: 'superset' }), 'not_found');
    await refused(admin.revokeKey(id, 'key_x'), 'not_found');
    await refused(admin.topUp(id, { amountMicros: 1n, note: null }), 'not_found');
    await refused(admin.wallet(id), 'not_found');
    await refused(admin.ledger(id, { cursor: null, limit: 1 }), 'not_found');
  });
});

describe('keys', () => {
  test('work from the moment they are shown until they are revoked', async () => {
    const account = await admin.createAccount({ name: 'keys' });
    const authenticate = createAuthenticator({ store, keyring: [sealKey], clock });
    const issued = await admin.createKey(account.id, { name: 'ci', responseStyle: 'superset' });
    assert.equal((await authenticate(issued.apiKey, caller)).accountId, account.id);

    const [listed] = await admin.listKeys(account.id);
    assert.equal(listed?.accessKey, issued.accessKey);
    const shown = JSON.stringify(listed);
    assert.ok(!shown.includes(issued.apiKey) && !shown.includes(issued.secretKey));

    const revoked = await admin.revokeKey(account.id, issued.id);
    assert.equal(revoked.revokedAt, clock.now());
    await refused((async () => authenticate(issued.apiKey, caller))(), 'invalid_api_key');
    assert.equal((await admin.revokeKey(account.id, issued.id)).id, issued.id);
    await refused(admin.revokeKey(account.id, 'key_unknown'), 'not_found');
  });

  test('stop working when their account is disabled', async () => {
    const account = await admin.createAccount({ name: 'closing' });
    const authenticate = createAuthenticator({ store, keyring: [sealKey], clock });
    const { apiKey } = await admin.createKey(account.id, { name: 'k', responseStyle: 'superset' });
    await authenticate(apiKey, caller);
    await admin.updateAccount(account.id, { status: 'disabled' });
    await refused((async () => authenticate(apiKey, caller))(), 'account_disabled');
  });
});

describe('wallets', () => {
  test('are topped up, and the ledger says so', async () => {
    const account = await admin.createAccount({ name: 'payer' });
    const wallet = await admin.topUp(account.id, { amountMicros: 12_500_000n, note: 'first' });
    assert.deepEqual(wallet, { accountId: account.id, availableMicros: 12_500_000n, heldMicros: 0n });
    assert.deepEqual(await admin.wallet(account.id), wallet);
    const { rows } = await admin.ledger(account.id, { cursor: null, limit: 10 });
    assert.ok(rows.some((row) => row.amountMicros === 12_500_000n && row.note === 'first'));
    const verdict = await admin.verifyLedger();
    assert.equal(verdict.ok, true);
    assert.equal(verdict.sumMicros, 0n);
  });

  test('are never topped up with nothing or less', async () => {
    const account = await admin.createAccount({ name: 'payer' });
    await refused(admin.topUp(account.id, { amountMicros: 0n, note: null }), 'invalid_value', 'amount');
    await refused(admin.topUp(account.id, { amountMicros: -1n, note: null }), 'invalid_value', 'amount');
  });
});

describe('channels', () => {
  test('keep their credential sealed to their own row and never show it', async () => {
    const view = await admin.createChannel(newChannel);
    assert.equal(view.running, 3);
    assert.equal(view.waiting, 0);
    assert.ok(!('credentialSealed' in view));
    const row = await store.getChannel(view.id);
    assert.ok(row && !row.credentialSealed.includes('very-secret'));
    assert.deepEqual(JSON.parse(unseal([sealKey], row.credentialSealed, credentialContext(view.id))), {
      api_key: 'very-secret',
    });
    assert.throws(() => unseal([sealKey], row.credentialSealed, credentialContext('chan_other')), SealError);
  });

  test('are changed field by field', async () => {
    const made = await admin.createChannel(newChannel);
    const before = (await store.getChannel(made.id))!.credentialSealed;
    await clock.advance(1000);
    const changed = await admin.updateChannel(made.id, {
      enabled: false,
      baseUrl: 'http://10.0.0.7:8080/x//',
    });
    assert.deepEqual(changed, {
      ...made,
      enabled: false,
      baseUrl: 'http://10.0.0.7:8080/x',
      updatedAt: clock.now(),
    });
    assert.equal((await store.getChannel(made.id))!.credentialSealed, before);
    await admin.updateChannel(made.id, { credential: { api_key: 'next' } });
    assert.notEqual((await store.getChannel(made.id))!.credentialSealed, before);
  });

  test('are refused with the field at fault', async () => {
    await refused(admin.createChannel({ ...newChannel, provider: 'nobody' }), 'invalid_value', 'provider');
    await refused(
      admin.createChannel({ ...newChannel, credential: {} }),
      'missing_required_parameter',
      'credential.api_key',
    );
    for (const baseUrl of ['', 'ftp://x', 'x', 'https://u:p@x', 'https://x?a=1', 'https://x#', 'https://']) {
      await refused(admin.createChannel({ ...newChannel, baseUrl }), 'invalid_value', 'base_url');
    }
  });

  test('of the sandbox keep their credential and address', async () => {
    await store.createChannel({
      id: 'chan_sandbox',
      name: 'sandbox',
      provider: 'maker',
      credentialSealed: '',
      baseUrl: null,
      priority: 0,
      weight: 1,
      concurrency: null,
      requestsPerSecond: null,
      enabled: true,
      sandbox: true,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    });
    await refused(admin.updateChannel('chan_sandbox', { baseUrl: 'https://x' }), 'conflict', 'base_url');
    assert.equal((await admin.updateChannel('chan_sandbox', { concurrency: 2 })).concurrency, 2);
    // While there is no sandbox they are of no use, and nobody should look for what is wrong with them.
    isSandboxOn = false;
    assert.equal((await admin.getChannel('chan_sandbox')).enabled, false);
    isSandboxOn = true;
    assert.equal((await admin.getChannel('chan_sandbox')).enabled, true);
  });

  test('are gone from the list once deleted', async () => {
    const { id } = await admin.createChannel(newChannel);
    await admin.deleteChannel(id);
    assert.ok(!(await admin.listChannels()).some((view) => view.id === id));
    await refused(admin.deleteChannel(id), 'not_found');
    await refused(admin.getChannel('chan_none'), 'not_found');
    await refused(admin.updateChannel('chan_none', {}), 'not_found');
    await refused(admin.probeChannel('chan_none'), 'not_found');
  });

  test('are probed, and what goes wrong is a sentence rather than an error', async () => {
    const { id } = await admin.createChannel(newChannel);
    assert.deepEqual(await admin.probeChannel(id), { ok: true, message: 'works' });

    probe = async () => {
      throw new UpstreamError('channel', 'The access key is unknown there.');
    };
    assert.deepEqual(await admin.probeChannel(id), {
      ok: false,
      message: 'The access key is unknown there.',
    });

    probe = (_channel, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const pending = admin.probeChannel(id);
    while (clock.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(15_000);
    assert.match((await pending).message, /15 seconds/);

    open = () => {
      throw new SealError('unknown_key', 'sealed with another key');
    };
    assert.match((await admin.probeChannel(id)).message, /enter it again/);
  });
});

describe('tasks', () => {
  test('that do not exist have no record', async () => {
    await refused(admin.taskRecord('task_none'), 'task_not_found');
    assert.deepEqual((await admin.listTasks({ cursor: null, limit: 5 })).rows, []);
  });
});
