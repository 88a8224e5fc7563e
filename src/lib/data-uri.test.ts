import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { DataUriError, decodeBase64, decodeDataUri, isDataUri } from './data-uri.ts';

const bytesMax = 1 << 20;

function reasonOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof DataUriError);
    return error.reason;
  }
  return 'decoded';
}

test('any bytes come back, with or without padding and line breaks', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 80 }),
      (bytes, width) => {
        const base64 = Buffer.from(bytes).toString('base64');
        const wrapped = base64.replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n');
        for (const text of [base64, base64.replace(/=+$/, ''), wrapped, ` ${base64}\n`]) {
          assert.deepEqual(decodeBase64(text, bytesMax), Buffer.from(bytes));
          assert.deepEqual(decodeDataUri(`data:image/png;base64,${text}`, bytesMax), {
            bytes: Buffer.from(bytes),
            contentType: 'image/png',
          });
        }
      },
    ),
  );
});

test('the type is read without parameters, case or need', () => {
  assert.equal(decodeDataUri('DATA:Image/PNG;charset=x;BASE64,aGk=', 9).contentType, 'image/png');
  assert.equal(decodeDataUri('data:;base64,aGk=', 9).contentType, null);
  assert.equal(decodeDataUri('data:image/svg+xml,%3Csvg/%3e', 99).bytes.toString(), '<svg/>');
  assert.equal(decodeDataUri('data:,hé', 9).bytes.toString(), 'hé');
  assert.equal(decodeDataUri('data:a/b;base64,aGk%3D', 9).bytes.toString(), 'hi');
  assert.ok(isDataUri('Data:x') && !isDataUri('http://x') && !isDataUri('dat'));
});

test('other texts are refused with their reason', () => {
  const malformed = [
    'data:image/png;base64',
    'image/png;base64,aGk=',
    'data:image;base64,aGk=',
    'data:a/b;base64,a',
    'data:a/b;base64,aGk==',
    'data:a/b;base64,aG=k',
    'data:a/b;base64,aGk-',
    'data:a/b;base64,aG\u4e01k',
    'data:a/b,%',
    'data:a/b,%4',
    'data:a/b,%zz',
    'data:<x>/b;base64,aGk=',
    `data:${'a'.repeat(300)},x`,
  ];
  for (const text of malformed)
    assert.equal(
      reasonOf(() => decodeDataUri(text, 99)),
      'malformed',
      text,
    );
  for (const text of ['data:,', 'data:a/b;base64,', 'data:a/b;base64, \n']) {
    assert.equal(
      reasonOf(() => decodeDataUri(text, 99)),
      'empty',
      text,
    );
  }
  for (const text of ['a', 'aGk===', 'aGk= =', '====', 'http://x/y.png', 'aG_k']) {
    assert.notEqual(
      reasonOf(() => decodeBase64(text, 99)),
      'decoded',
      text,
    );
  }
});

test('one wrong character anywhere is refused, whatever it is', () => {
  const characters = fc.constantFrom(...'-_=!%."\0\u007f\u00e9\u4e01\ud83d');
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(),
      characters,
      (bytes, where, wrong) => {
        const text = Buffer.from(bytes).toString('base64');
        const digits = text.replace(/=+$/, '').length;
        const at = where % digits;
        const replaced = text.slice(0, at) + wrong + text.slice(at + 1);
        const inserted = text.slice(0, at) + wrong + text.slice(at);
        assert.equal(
          reasonOf(() => decodeBase64(inserted, 99)),
          'malformed',
          inserted,
        );
        // A last digit that becomes padding can make a shorter text that is whole again.
        if (wrong !== '=' || at < digits - 2) {
          assert.equal(
            reasonOf(() => decodeBase64(replaced, 99)),
            'malformed',
            replaced,
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the cap holds to the byte and is checked before decoding', () => {
  assert.equal(decodeBase64('aGk=', 2).length, 2);
  assert.equal(
    reasonOf(() => decodeBase64('aGk=', 1)),
    'too_large',
  );
  assert.equal(
    reasonOf(() => decodeDataUri('data:,abc', 2)),
    'too_large',
  );
});

// Were the work not in proportion to the length, this would take hours.
test('ten megabytes decode, good or bad', { timeout: 60_000 }, () => {
  const text = `data:image/png;base64,${randomBytes(10_000_000).toString('base64')}`;
  assert.equal(decodeDataUri(text, 10_000_000).bytes.length, 10_000_000);
  assert.equal(
    reasonOf(() => decodeDataUri(`${text.slice(0, -4)}!`, 10_000_000)),
    'malformed',
  );
  assert.equal(
    reasonOf(() => decodeDataUri(`data:${'a;'.repeat(5_000_000)}`, 99)),
    'malformed',
  );
});
