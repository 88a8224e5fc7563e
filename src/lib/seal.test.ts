import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { deriveKey, seal, SealError, unseal } from './seal.ts';

const key = deriveKey('a root secret of at least thirty-two characters', 'credentials');
const secret = 'sk-very-secret';

function reasonOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    assert.ok(error instanceof SealError);
    assert.equal(error.message.includes(secret), false);
    return error.reason;
  }
  return 'opened';
}

test('what was sealed opens again, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, aad) => {
      // A lone surrogate has no UTF-8 form and would come back as U+FFFD.
      const plain = text.toWellFormed();
      assert.equal(unseal([key], seal(key, plain, aad), aad), plain);
    }),
  );
});

test('keys follow from secret and purpose, and are named by their hash', () => {
  const again = deriveKey('a root secret of at least thirty-two characters', 'credentials');
  assert.deepEqual(again, key);
  assert.equal(key.bytes.length, 32);
  assert.equal(key.id, hash('sha256', key.bytes, 'hex').slice(0, 8));
  assert.notEqual(deriveKey('a root secret of at least thirty-two characters', 'links').id, key.id);
});

test('the form is v1, key id, nonce, ciphertext with tag; never the same twice', () => {
  const sealed = seal(key, secret, 'row-1');
  assert.match(sealed, new RegExp(`^v1\\.${key.id}\\.[\\w-]{16}\\.[\\w-]+$`));
  assert.notEqual(seal(key, secret, 'row-1'), sealed);
  assert.equal(sealed.includes(secret), false);
});

test('an older key on the ring still opens', () => {
  const older = deriveKey('the secret used before the rotation happened', 'credentials');
  assert.equal(unseal([key, older], seal(older, secret, 'row-1'), 'row-1'), secret);
});

test('a text sealed with an absent key says so', () => {
  const other = deriveKey('quite another secret, also long enough', 'credentials');
  assert.equal(
    reasonOf(() => unseal([other], seal(key, secret, 'row-1'), 'row-1')),
    'unknown_key',
  );
});

test('a text moved to another place does not open', () => {
  assert.equal(
    reasonOf(() => unseal([key], seal(key, secret, 'row-1'), 'row-2')),
    'tampered',
  );
});

test('no single changed character goes unnoticed', () => {
  const sealed = seal(key, secret, 'row-1');
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
    assert.notEqual(
      reasonOf(() => unseal([key], changed, 'row-1')),
      'opened',
      `at ${index}`,
    );
  }
});

test('texts of another form are refused as malformed', () => {
  const sealed = seal(key, secret, 'row-1');
  for (const text of [
    '',
    'v1',
    '....',
    `v2${sealed.slice(2)}`,
    `${sealed}.x`,
    `${sealed}=`,
    sealed.slice(0, 30),
    `${sealed} `,
  ]) {
    assert.equal(
      reasonOf(() => unseal([key], text, 'row-1')),
      'malformed',
      text,
    );
  }
});
