import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressPolicy, normaliseHost } from './address-policy.ts';

test('public addresses are allowed', () => {
  const policy = createAddressPolicy([]);
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ]) {
    assert.equal(policy.allowsAddress(address), true, address);
  }
});

test('everything that is not plainly public is refused', () => {
  const policy = createAddressPolicy([]);
  const refused = [
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
    ...[
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
    ],
    ...[
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.255.255.255',
      '240.0.0.1',
    ],
    ...['255.255.255.255', '::', '::1', '::127.0.0.1', '::8.8.8.8', '::ffff:127.0.0.1', '::ffff:a00:1'],
    ...['::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::808:808', '2002:7f00:1::'],
    ...[
      '2002:808:808::',
      '2001:0:4136:e378:8000:63bf:80ff:fffe',
      '2001:db8::1',
      '3fff::1',
      'fe80::1',
      'febf::1',
    ],
    ...[
      'fe80::1%lo',
      'fec0::1',
      'fc00::1',
      'fd00:ec2::254',
      'ff02::1',
      '100::1',
      '5f00::1',
      '4000::1',
      'a000::1',
    ],
    ...['', 'localhost', '127.1x', '[::1]', '127.1', '1.2.3'],
  ];
  for (const address of refused) {
    assert.equal(policy.allowsAddress(address), false, address);
  }
});

test('what is allowed by name, address or range is let through, and nothing else', () => {
  const policy = createAddressPolicy([
    'My-Receiver.internal.',
    '10.1.0.0/16',
    '192.168.0.7',
    '[fd00::5]',
    'fd01::/16',
  ]);
  assert.ok(policy.allowsHost('my-receiver.INTERNAL') && policy.allowsHost('my-receiver.internal.'));
  assert.equal(policy.allowsHost('other.internal'), false);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.168.0.7', 'fd00::5', 'fd01:2::3']) {
    assert.equal(policy.allowsAddress(address), true, address);
  }
  for (const address of ['10.2.0.1', '192.168.0.8', 'fd00::6', '127.0.0.1', '::1']) {
    assert.equal(policy.allowsAddress(address), false, address);
  }
});

test('an entry that means nothing is an error at start, not a silent gap', () => {
  for (const entry of ['', 'http://x', 'a b', '10.0.0.0/33', '*.internal', 'host:80']) {
    assert.throws(() => createAddressPolicy([entry]), TypeError, entry);
  }
});

test('host names are compared without case, brackets and final dot', () => {
  assert.equal(normaliseHost('LocalHost.'), 'localhost');
  assert.equal(normaliseHost('[::1]'), '::1');
});
