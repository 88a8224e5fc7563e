import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, afterEach, describe, test } from 'node:test';
import { GatewayError } from '../core/errors.ts';
import type { RootKeys, Store } from '../core/ports.ts';
import { createTestClock } from '../lib/clock.ts';
import { seal, unseal } from '../lib/seal.ts';
import { loadSecrets } from '../secrets.ts';
import { openStore } from '../store/index.ts';
import { secretKeyContext } from './admin/keys.ts';
import { credentialContext } from './open-channel.ts';
import { createSecretKeeper, rootKeyFault, type RunningSecretKeeper } from './secret-keeper.ts';
import { signingSecretContext } from './webhook-secrets.ts';

const ACCOUNT = 'acct_1';
const KEYS = 250;
const DAY_MS = 86_400_000;
const directories: string[] = [];

let directory: string;
let clock: ReturnType<typeof createTestClock>;
let store: Store;
let rootKeys: RootKeys;
let keeper: RunningSecretKeeper;
let errors: unknown[];
let isShared = false;

function open(config: { secret?: string; secretsAlso?: string[] } = {}): void {
  rootKeys = loadSecrets({
    dataDir: directory,
    secret: config.secret ?? null,
    secretsAlso: config.secretsAlso ?? [],
    adminToken: 'an admin token of a test',
  }).rootKeys;
  keeper = createSecretKeeper({
    store: store.sealed,
    rootKeys,
    clock,
    isShared: config.secret === undefined && isShared,
    onError: (error) => errors.push(error),
  });
}

/** The process dies and another starts. */
async function restart(config: { secret?: string; secretsAlso?: string[] } = {}): Promise<void> {
  await keeper.stop();
  open(config);
  assert.equal(await rootKeyFault({ store: store.sealed, rootKeys, clock }), null);
  keeper.start();
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reelay-keeper-'));
  directories.push(directory);
  clock = createTestClock(1_800_000_000_000);
  errors = [];
  store = await openStore({ directory, clock });
  open();
  assert.equal(await rootKeyFault({ store: store.sealed, rootKeys, clock }), null);
  await furnish();
});

afterEach(async () => {
  await keeper.stop();
  await store.close();
});

after(() => directories.forEach((path) => rmSync(path, { recursive: true, force: true })));

const secretOf = (number: number): string => `secret-key-of-${number}`;

/** One of everything that is sealed, and enough keys for several batches. */
async function furnish(): Promise<void> {
  const at = clock.now();
  const key = rootKeys.keyring[0]!;
  await store.createAccount({ id: ACCOUNT, name: 'one', status: 'active', createdAt: at });
  await Promise.all(
    Array.from({ length: KEYS }, (_, number) => {
      const id = `key_${String(number).padStart(4, '0')}`;
      return store.createKey({
        id,
        accountId: ACCOUNT,
        name: 'main',
        hint: '…',
        keyHash: `hash-${number}`,
        accessKey: `AK${number}`,
        secretKeySealed: seal(key, secretOf(number), secretKeyContext(id)),
        responseStyle: 'superset',
        createdAt: at,
        revokedAt: null,
      });
    }),
  );
  await store.createChannel({
    id: 'chan_1',
    name: 'main',
    provider: 'maker',
    credentialSealed: seal(key, '{"api_key":"upstream"}', credentialContext('chan_1')),
    baseUrl: null,
    priority: 0,
    weight: 1,
    concurrency: null,
    requestsPerSecond: null,
    enabled: true,
    sandbox: false,
    createdAt: at,
    updatedAt: at,
  });
  await store.createChannel({
    ...(await store.getChannel('chan_1'))!,
    id: 'chan_sandbox',
    credentialSealed: '',
    sandbox: true,
  });
  await store.webhooks.createEndpoint({
    id: 'whe_1',
    accountId: ACCOUNT,
    kind: 'endpoint',
    name: 'mine',
    url: 'https://example.com',
    eventTypes: ['task.completed'],
    enabled: true,
    disabledReason: null,
    secretSealed: seal(key, 'whsec_new', signingSecretContext('whe_1')),
    secretHint: 'whsec_…',
    oldSecretSealed: seal(key, 'whsec_old', signingSecretContext('whe_1')),
    oldSecretUntil: at + DAY_MS,
    createdAt: at,
    updatedAt: at,
  });
}

/** Everything opens, with these keys. */
async function assertAllOpen(keyring = rootKeys.keyring): Promise<void> {
  const keys = await store.listKeys(ACCOUNT);
  assert.equal(keys.length, KEYS);
  for (const { id, secretKeySealed } of keys) {
    assert.equal(unseal(keyring, secretKeySealed, secretKeyContext(id)), secretOf(Number(id.slice(4))));
  }
  const channel = await store.getChannel('chan_1');
  assert.match(unseal(keyring, channel!.credentialSealed, credentialContext('chan_1')), /upstream/);
  assert.equal((await store.getChannel('chan_sandbox'))?.credentialSealed, '');
  const endpoint = (await store.webhooks.getEndpoint(ACCOUNT, 'whe_1'))!;
  assert.equal(unseal(keyring, endpoint.secretSealed, signingSecretContext('whe_1')), 'whsec_new');
  assert.equal(unseal(keyring, endpoint.oldSecretSealed!, signingSecretContext('whe_1')), 'whsec_old');
}

/** Lets the pass go on until it is over. */
async function finish(): Promise<void> {
  for (let turn = 0; (await keeper.status()).isResealing; turn++) {
    assert.ok(turn < 10_000, 'the pass does not end');
    await clock.advance(0);
  }
}

const TEXTS = KEYS + 3;

describe('a root key that we keep', () => {
  test('is replaced while everything sealed stays open, from one moment to the next', async () => {
    const before = rootKeys.keyring[0]!.id;
    const linkKey = rootKeys.linkKeys[0]!;
    const { keyring } = rootKeys;
    const answer = await keeper.rotate();
    assert.equal(answer.isResealing, true);
    assert.notEqual(answer.currentKeyId, before);
    assert.equal(
      keyring[0]!.id,
      answer.currentKeyId,
      'whoever holds the ring seals with the new key at once',
    );
    await assertAllOpen();
    await finish();
    await assertAllOpen([keyring[0]!]);
    const status = await keeper.status();
    assert.deepEqual(
      { ...status, currentSince: 0 },
      {
        source: 'file',
        currentKeyId: answer.currentKeyId,
        currentSince: 0,
        sealed: TEXTS,
        others: [{ keyId: before, isAtHand: true, sealed: 0 }],
        unopened: 0,
        isResealing: false,
        fault: null,
      },
    );
    assert.notDeepEqual(rootKeys.linkKeys[0], linkKey);
    assert.ok(rootKeys.linkKeys.includes(linkKey), 'links that were signed before still hold');
    assert.deepEqual(errors, []);
  });

  test('goes on after a kill at any point, and never twice at once', async () => {
    const { currentKeyId } = await keeper.rotate();
    await clock.advance(0);
    await restart();
    assert.equal(rootKeys.keyring[0]!.id, currentKeyId);
    await assertAllOpen();
    assert.equal((await keeper.rotate()).currentKeyId, currentKeyId, 'asked again it goes on');
    await finish();
    await assertAllOpen([rootKeys.keyring[0]!]);
    assert.equal((await keeper.status()).sealed, TEXTS);
  });

  test('is not lost by a kill between the writing of its two files', async () => {
    const old = readFileSync(join(directory, 'secret'), 'utf8');
    writeFileSync(join(directory, 'secret.old'), old);
    await restart();
    assert.equal(rootKeys.keyring.length, 1);
    await assertAllOpen();
    await keeper.rotate();
    // The new file is there, and nothing was sealed anew.
    await restart();
    assert.equal(rootKeys.keyring.length, 2);
    await finish();
    await assertAllOpen([rootKeys.keyring[0]!]);
  });

  test('goes when nothing is sealed with it and the last link it signed has ended, not before', async () => {
    await keeper.rotate();
    await finish();
    await clock.advance(3 * DAY_MS - 1);
    assert.equal(rootKeys.keyring.length, 2);
    assert.match(readFileSync(join(directory, 'secret.old'), 'utf8'), /^\S{64}\n$/);
    await clock.advance(3_600_000);
    assert.equal(rootKeys.keyring.length, 1);
    assert.equal(rootKeys.linkKeys.length, 1);
    assert.throws(() => readFileSync(join(directory, 'secret.old')), /ENOENT/);
    await restart();
    await assertAllOpen();
    assert.deepEqual((await keeper.status()).others, []);
  });

  test('stays while something that cannot be opened is sealed with it, and that is said', async () => {
    const channel = (await store.getChannel('chan_1'))!;
    const tampered = `${channel.credentialSealed.slice(0, -2)}AA`;
    await store.updateChannel('chan_1', { credentialSealed: tampered });
    await keeper.rotate();
    await finish();
    const status = await keeper.status();
    assert.equal(status.unopened, 1);
    assert.equal(status.others[0]?.sealed, 1);
    await clock.advance(4 * DAY_MS);
    assert.equal(rootKeys.keyring.length, 2);
    assert.equal((await store.getChannel('chan_1'))?.credentialSealed, tampered, 'left as it is');
  });

  test('is not made for ever: older ones that still hold links are counted', async () => {
    for (let number = 0; number < 20; number++) {
      await keeper.rotate();
      await finish();
    }
    await assert.rejects(keeper.rotate(), /20 older keys whose links have not ended/);
    await clock.advance(4 * DAY_MS);
    await keeper.rotate();
    await finish();
    await assertAllOpen([rootKeys.keyring[0]!]);
  });

  test('changes while the database is away are tried again', async () => {
    const { reseal } = store.sealed;
    let failures = 2;
    store.sealed.reseal = (values) =>
      failures-- > 0 ? Promise.reject(new GatewayError('unavailable', 'The disk is full.')) : reseal(values);
    await keeper.rotate();
    await clock.advance(100);
    assert.match((await keeper.status()).fault ?? '', /tried again/);
    await clock.advance(5_000);
    await finish();
    assert.equal((await keeper.status()).fault, null);
    await assertAllOpen([rootKeys.keyring[0]!]);
  });

  test('a secret that was replaced while it was sealed anew keeps the new value', async () => {
    const { reseal } = store.sealed;
    const mine = () => seal(rootKeys.keyring[0]!, '{"api_key":"mine"}', credentialContext('chan_1'));
    store.sealed.reseal = async (values) => {
      if (values[0]?.kind === 'credential') await store.updateChannel('chan_1', { credentialSealed: mine() });
      return reseal(values);
    };
    await keeper.rotate();
    await finish();
    const channel = (await store.getChannel('chan_1'))!;
    assert.match(unseal(rootKeys.keyring, channel.credentialSealed, credentialContext('chan_1')), /mine/);
  });
});

test('a root key that nodes share is not made by one of them', async () => {
  isShared = true;
  try {
    await restart();
    await assert.rejects(keeper.rotate(), /on every node/);
    await assertAllOpen();
  } finally {
    isShared = false;
  }
});

describe('a root key that the operator gives', () => {
  const first = 'the first root key of an operator, long enough';
  const second = 'the second root key of an operator, long too';

  test('is changed with both at hand, when the operator says so', async () => {
    // From the file to the configuration: the file is still there and opens.
    await restart({ secret: first });
    await assertAllOpen();
    await keeper.rotate();
    await finish();
    await assertAllOpen([rootKeys.keyring[0]!]);

    await restart({ secret: second, secretsAlso: [first] });
    assert.equal((await keeper.status()).isResealing, false, 'other nodes may not have the new one yet');
    const status = await keeper.rotate();
    assert.equal(status.source, 'configuration');
    await finish();
    await assertAllOpen([rootKeys.keyring[0]!]);
    await restart({ secret: second });
    await assertAllOpen();
  });

  test('is not made by us: nothing to do is said with what to do', async () => {
    await restart({ secret: first });
    await keeper.rotate();
    await finish();
    await assert.rejects(
      keeper.rotate(),
      (error) =>
        error instanceof GatewayError &&
        error.code === 'conflict' &&
        /REELAY_SECRET_ALSO/.test(error.publicMessage) &&
        !error.publicMessage.includes(first),
    );
  });

  test('that nothing is sealed with any more is not asked for again', async () => {
    await restart({ secret: first });
    await keeper.rotate();
    await finish();
    rmSync(join(directory, 'secret'));
    await restart({ secret: first });
    const inUse = (await store.sealed.rootKeys()).filter(({ retiredAt }) => retiredAt === null);
    assert.deepEqual(
      inUse.map(({ id }) => id),
      [rootKeys.keyring[0]!.id],
    );
  });

  test('that opens nothing of what is there is noticed at the start', async () => {
    await keeper.stop();
    rmSync(join(directory, 'secret'));
    open({ secret: second });
    const fault = await rootKeyFault({ store: store.sealed, rootKeys, clock });
    assert.match(fault ?? '', /253 with [0-9a-f]{8}; here is [0-9a-f]{8}/);
    assert.equal(fault?.includes(second), false);
    assert.equal((await store.sealed.rootKeys()).length, 1, 'nothing was noted of the wrong one');
  });
});
