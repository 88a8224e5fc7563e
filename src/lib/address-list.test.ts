import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressList } from './address-list.ts';

test('addresses and ranges of both kinds', () => {
  const list = createAddressList(['203.0.113.7', '10.0.0.0/8', '2001:db8::/32', ' ::1 ']);
  for (const address of ['203.0.113.7', '10.255.0.1', '2001:db8::7', '::1', '::ffff:203.0.113.7']) {
    assert.ok(list.includes(address), address);
  }
  for (const address of ['203.0.113.8', '11.0.0.1', '2001:db9::', '', 'localhost', '10.1']) {
    assert.ok(!list.includes(address), address);
  }
});

test('what is no address is named', () => {
  for (const entry of ['localhost', '10.1', '10.0.0.0/33', '10.0.0.0/', '', '1.2.3.4/8/9']) {
    assert.throws(() => createAddressList([entry]), TypeError, entry);
  }
});
