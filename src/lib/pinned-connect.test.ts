import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { buildConnector } from 'undici';
import { createAddressPolicy } from './address-policy.ts';
import { createPinnedConnect, systemResolve, type Resolve } from './pinned-connect.ts';

type Dialled = { hostname: string; servername: string | undefined };

/** Runs the connector against a socket opener that only takes notes. */
function harness(resolve: Resolve, options: { allow?: string[]; broken?: string[] } = {}) {
  const dialled: Dialled[] = [];
  const connect: buildConnector.connector = ({ hostname, servername }, callback) => {
    dialled.push({ hostname, servername });
    if (options.broken?.includes(hostname)) callback(new Error('refused'), null);
    else callback(null, {} as Socket);
  };
  const pinned = createPinnedConnect({ policy: createAddressPolicy(options.allow ?? []), resolve, connect });
  const open = (hostname: string, protocol = 'https:') =>
    new Promise<string>((done) => {
      pinned({ hostname, host: hostname, protocol, port: '443' }, (...[error]) => {
        done(error ? String((error as Error & { reason?: string }).reason) : 'open');
      });
    });
  return { dialled, open };
}

test('the address that was checked is the one dialled, under the name of the URL', async () => {
  const { dialled, open } = harness(async () => ['93.184.216.34', '2606:2800::1']);
  assert.equal(await open('example.com'), 'open');
  assert.equal(await open('example.com', 'http:'), 'open');
  assert.deepEqual(dialled, [
    { hostname: '93.184.216.34', servername: 'example.com' },
    { hostname: '93.184.216.34', servername: undefined },
  ]);
});

test('a name that rebinds is looked up once per connection and refused as soon as it turns private', async () => {
  const answers = [['93.184.216.34'], ['127.0.0.1'], ['169.254.169.254']];
  let lookUps = 0;
  const { dialled, open } = harness(async () => answers[lookUps++] ?? []);
  assert.equal(await open('rebind.example'), 'open');
  assert.equal(lookUps, 1);
  assert.equal(await open('rebind.example'), 'address');
  assert.equal(await open('rebind.example'), 'address');
  assert.deepEqual(dialled.map(({ hostname }) => hostname), ['93.184.216.34']); // prettier-ignore
});

test('one private address among public ones is enough to refuse', async () => {
  for (const bad of ['10.0.0.1', '::1', '::ffff:127.0.0.1', 'fe80::1', 'nonsense']) {
    const { dialled, open } = harness(async () => ['93.184.216.34', bad, '1.1.1.1']);
    assert.equal(await open('mixed.example'), 'address');
    assert.equal(dialled.length, 0);
  }
});

test('literals are checked without any look-up', async () => {
  const { dialled, open } = harness(() => assert.fail('looked up'));
  assert.equal(await open('127.0.0.1'), 'address');
  assert.equal(await open('::1'), 'address');
  assert.equal(await open('1.1.1.1'), 'open');
  assert.deepEqual(dialled, [{ hostname: '1.1.1.1', servername: undefined }]);
});

test('a name that does not resolve says so', async () => {
  assert.equal(await harness(async () => []).open('a.example'), 'resolve');
  assert.equal(await harness(() => Promise.reject(new Error('ENOTFOUND'))).open('a.example'), 'resolve');
});

test('the next address is tried when one is dead, four at most', async () => {
  const addresses = ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4', '1.1.1.5'];
  const alive = harness(async () => addresses, { broken: addresses.slice(0, 2) });
  assert.equal(await alive.open('a.example'), 'open');
  assert.equal(alive.dialled.length, 3);
  const dead = harness(async () => addresses, { broken: addresses });
  assert.equal(await dead.open('a.example'), 'connect');
  assert.equal(dead.dialled.length, 4);
});

test('an allowed name may resolve to anything, an allowed range only to itself', async () => {
  const named = harness(async () => ['127.0.0.1'], { allow: ['dev.example'] });
  assert.equal(await named.open('dev.example'), 'open');
  assert.equal(await named.open('other.example'), 'address');
  const ranged = harness(async (name) => [name === 'in.example' ? '10.1.0.9' : '10.2.0.9'], {
    allow: ['10.1.0.0/16'],
  });
  assert.equal(await ranged.open('in.example'), 'open');
  assert.equal(await ranged.open('out.example'), 'address');
});

test('the system resolver answers with all addresses of a name', async () => {
  assert.ok(
    (await systemResolve('localhost')).some((address) => address === '127.0.0.1' || address === '::1'),
  );
});
