import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { GatewayError, type ErrorCode } from '../core/errors.ts';
import type { AccountRow, Principal, UsableKey } from '../core/ports.ts';
import { hashApiKey, newAccessKey, newApiKey, newSecretKey } from '../lib/api-key.ts';
import { createTestClock, type TestClock } from '../lib/clock.ts';
import { deriveKey, seal } from '../lib/seal.ts';
import { secretKeyContext } from './admin/keys.ts';
import { createAuthenticator } from './authenticate.ts';

const sealKey = deriveKey('a root secret of thirty-two characters', 'keys');
const apiKey = newApiKey();
const accessKey = newAccessKey();
const secretKey = newSecretKey();

function rowOf(status: AccountRow['status'] = 'active'): UsableKey {
  return {
    id: 'key_1',
    accountId: 'acct_1',
    name: 'test',
    hint: '',
    accessKey,
    secretKeySealed: seal(sealKey, secretKey, secretKeyContext('key_1')),
    responseStyle: 'strict',
    createdAt: 0,
    revokedAt: null,
    accountStatus: status,
  };
}

let clock: TestClock;
let row: UsableKey | null;
let asked: number;
let keysChanged: () => void;
let authenticate: (credential: string, caller?: { ip: string }) => Principal | Promise<Principal>;

beforeEach(() => {
  clock = createTestClock(1_800_000_000_000);
  row = rowOf();
  asked = 0;
  const authenticator = createAuthenticator({
    clock,
    keyring: [sealKey],
    store: {
      async findKeyByHash(hash) {
        asked++;
        return hash === hashApiKey(apiKey) ? row : null;
      },
      async findKeyByAccessKey(name) {
        asked++;
        return name === accessKey ? row : null;
      },
      onCommit(topic, listener) {
        assert.equal(topic, 'keys');
        keysChanged = () => listener(null);
        return () => {};
      },
    },
  });
  authenticate = (credential, caller = { ip: '203.0.113.1' }) => authenticator(credential, caller);
});

function jwt(payload: object, options: { secret?: string; header?: object } = {}): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode(options.header ?? { alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', options.secret ?? secretKey)
    .update(signed)
    .digest('base64url')}`;
}

const nowSeconds = (): number => clock.now() / 1000;

async function refused(credential: string, code: ErrorCode): Promise<void> {
  await assert.rejects(
    async () => authenticate(credential),
    (error) => error instanceof GatewayError && error.code === code,
  );
}

describe('API keys', () => {
  test('are known with their account and style', async () => {
    assert.deepEqual(await authenticate(apiKey), {
      accountId: 'acct_1',
      keyId: 'key_1',
      responseStyle: 'strict',
    });
  });

  test('are answered without a promise and without the store once known', async () => {
    await authenticate(apiKey);
    const again = authenticate(apiKey);
    assert.ok(!(again instanceof Promise));
    assert.equal(asked, 1);
  });

  test('with a wrong checksum never reach the store', async () => {
    await refused(`${apiKey.slice(0, -1)}${apiKey.endsWith('0') ? '1' : '0'}`, 'invalid_api_key');
    await refused('', 'invalid_api_key');
    assert.equal(asked, 0);
  });

  test('that nobody has are refused, and asked for again the next time', async () => {
    const stranger = newApiKey();
    await refused(stranger, 'invalid_api_key');
    await refused(stranger, 'invalid_api_key');
    assert.equal(asked, 2);
  });

  test('of a disabled account are refused as such', async () => {
    row = rowOf('disabled');
    await refused(apiKey, 'account_disabled');
  });

  test('stop working the moment a change of keys is committed', async () => {
    await authenticate(apiKey);
    row = null;
    keysChanged();
    await refused(apiKey, 'invalid_api_key');
  });

  test('are not remembered when keys changed while the store was answering', async () => {
    const pending = authenticate(apiKey);
    row = null;
    keysChanged();
    await pending;
    await refused(apiKey, 'invalid_api_key');
  });

  test('are asked for again after five seconds, because another node may have revoked them', async () => {
    await authenticate(apiKey);
    row = null;
    await clock.advance(4_999);
    assert.ok(!(authenticate(apiKey) instanceof Promise));
    await clock.advance(2);
    await refused(apiKey, 'invalid_api_key');
  });
});

describe('tokens signed with a key pair', () => {
  test("are accepted as Kling's own clients make them", async () => {
    const token = jwt({ iss: accessKey, exp: nowSeconds() + 1800, nbf: nowSeconds() - 5 });
    assert.equal((await authenticate(token)).accountId, 'acct_1');
    assert.ok(!(authenticate(token) instanceof Promise));
  });

  test('expire to the second', async () => {
    const token = jwt({ iss: accessKey, exp: nowSeconds() + 10 });
    await clock.advance(9_999);
    await authenticate(token);
    await clock.advance(1);
    await refused(token, 'token_expired');
  });

  test('may start up to five seconds ahead of our clock', async () => {
    await authenticate(jwt({ iss: accessKey, exp: nowSeconds() + 60, nbf: nowSeconds() + 5 }));
    await refused(
      jwt({ iss: accessKey, exp: nowSeconds() + 60, nbf: nowSeconds() + 6 }),
      'token_not_yet_valid',
    );
  });

  test('with another signature or an unknown access key are refused alike', async () => {
    const exp = nowSeconds() + 60;
    await refused(jwt({ iss: accessKey, exp }, { secret: 'another' }), 'invalid_api_key');
    await refused(jwt({ iss: 'ak-nobody', exp }), 'invalid_api_key');
  });

  test('cannot choose how they are checked', async () => {
    const payload = { iss: accessKey, exp: nowSeconds() + 60 };
    const [, body] = jwt(payload).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    await refused(`${none}.${body}.`, 'invalid_api_key');
    await refused(jwt(payload, { header: { alg: 'HS512' } }), 'invalid_api_key');
  });

  test('need an issuer and an end, and are refused whatever else they hold', async () => {
    await refused(jwt({ iss: accessKey }), 'invalid_api_key');
    await refused(jwt({ exp: nowSeconds() + 60 }), 'invalid_api_key');
    await refused(jwt({ iss: accessKey, exp: 'soon' }), 'invalid_api_key');
    await refused(jwt({ iss: accessKey, exp: nowSeconds() + 60, nbf: 'now' }), 'invalid_api_key');
    await refused('a.b.c', 'invalid_api_key');
    await refused('..', 'invalid_api_key');
    await refused(`${'x'.repeat(5000)}.y.z`, 'invalid_api_key');
  });

  test('of a disabled account are refused as such', async () => {
    row = rowOf('disabled');
    await refused(jwt({ iss: accessKey, exp: nowSeconds() + 60 }), 'account_disabled');
  });
});

describe('limits', () => {
  test('of key and account come with the caller, and unlimited callers carry none', async () => {
    assert.ok(!('limits' in (await authenticate(apiKey))));
    row = { ...rowOf(), limits: { requestsPerMinute: 5 }, accountLimits: { models: ['a'] } };
    keysChanged();
    assert.deepEqual((await authenticate(apiKey)).limits, [
      { owner: 'key', ownerId: 'key_1', requestsPerMinute: 5 },
      { owner: 'account', ownerId: 'acct_1', models: ['a'] },
    ]);
  });

  test('end a key at its time, also one that is remembered', async () => {
    row = { ...rowOf(), limits: { expiresAt: clock.now() + 1_000 } };
    await authenticate(apiKey);
    await clock.advance(1_000);
    await refused(apiKey, 'invalid_api_key');
    await refused(jwt({ iss: accessKey, exp: nowSeconds() + 60 }), 'invalid_api_key');
  });

  test('let nobody in from an address that is not on every list', async () => {
    row = {
      ...rowOf(),
      limits: { ipAddresses: ['203.0.113.0/24'] },
      accountLimits: { ipAddresses: ['203.0.113.1', '10.0.0.0/8'] },
    };
    await authenticate(apiKey);
    await authenticate(apiKey, { ip: '::ffff:203.0.113.1' });
    for (const ip of ['203.0.113.2', '10.0.0.1', '']) {
      await assert.rejects(
        async () => authenticate(apiKey, { ip }),
        (error) => error instanceof GatewayError && error.code === 'ip_not_allowed',
      );
    }
  });
});
