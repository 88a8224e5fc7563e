import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKeyHint, hashApiKey, isApiKey, newAccessKey, newApiKey, newSecretKey } from './api-key.ts';

test('keys have their form and never repeat', () => {
  assert.match(newApiKey(), /^rl-[0-9A-Za-z]{48}$/);
  assert.match(newAccessKey(), /^ak-[0-9A-Za-z]{24}$/);
  assert.match(newSecretKey(), /^[0-9A-Za-z]{48}$/);
  assert.equal(new Set(Array.from({ length: 500 }, newApiKey)).size, 500);
});

test('a key is recognised without the store, any wrong character is not', () => {
  const key = newApiKey();
  assert.ok(isApiKey(key));
  for (let index = 0; index < key.length; index++) {
    const wrong = key.slice(0, index) + (key[index] === 'x' ? 'y' : 'x') + key.slice(index + 1);
    assert.equal(isApiKey(wrong), false, `at ${index}`);
  }
  for (const text of ['', 'rl-', key.slice(0, -1), `${key}a`, ` ${key}`, `${key}\n`, 'sk-abcdef']) {
    assert.equal(isApiKey(text), false, text);
  }
});

test('the stored form is SHA-256 in hex', () => {
  assert.equal(hashApiKey('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('the hint shows both ends, and nothing of a text too short to be a key', () => {
  const key = newApiKey();
  assert.equal(apiKeyHint(key), `${key.slice(0, 7)}…${key.slice(-4)}`);
  assert.equal(apiKeyHint('short-secret'), '…');
});
