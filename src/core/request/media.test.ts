import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { readFileId, readMedia, readUrl, sameMedia, unite } from './media.ts';

const read = (value: unknown) => readMedia({ source: 'image', value });
const url = 'https://example.com/a.png';
const base64 = Buffer.from('a picture that is long enough to be one').toString('base64');
const bytes = Buffer.from('picture');

test('the five shapes of a picture', () => {
  assert.deepEqual(read(` ${url} `), { kind: 'url', url, source: 'image' });
  assert.deepEqual(read({ image_url: url }), { kind: 'url', url, source: 'image.image_url' });
  assert.deepEqual(read({ image_url: { url } }), { kind: 'url', url, source: 'image.image_url.url' });
  assert.deepEqual(read({ file_id: 'file-1' }), { kind: 'file', fileId: 'file-1', source: 'image.file_id' });
  assert.deepEqual(read({ bytes, filename: 'a.png', contentType: 'image/png' }), {
    kind: 'upload',
    bytes,
    filename: 'a.png',
    source: 'image',
  });
  assert.deepEqual(read(`data:image/png;base64,${base64}`).kind, 'inline');
  assert.deepEqual(read(base64).kind, 'inline');
});

test('everything else is refused by name', () => {
  const wrong = [
    '', 'cat.png', 'ftp://example.com/a', 'https://', 'https:// a', 'https://example.com/a\nb', `https://example.com/${'x'.repeat(9000)}`,
    5, null, [], {}, { image_url: url, file_id: 'file-1' }, { image_url: { url: { url } } }, { file_id: '' }, { file_id: '../x' },
  ]; // prettier-ignore
  for (const value of wrong) {
    assert.throws(
      () => read(value),
      (error) => error instanceof GatewayError && error.param?.startsWith('image') === true,
    );
  }
});

test('a URL is taken for its form alone, and https can be asked for', () => {
  assert.equal(readUrl({ source: 'x', value: 'http://127.0.0.1/a' }), 'http://127.0.0.1/a');
  assert.throws(
    () => readUrl({ source: 'x', value: 'http://example.com/a' }, { secure: true }),
    GatewayError,
  );
  assert.throws(() => readFileId({ source: 'x', value: 'a b' }), GatewayError);
});

test('several names of one picture must agree', () => {
  const one = read(url);
  const same = readMedia({ source: 'input_reference', value: url });
  const other = readMedia({ source: 'input_reference', value: `${url}?2` });
  assert.ok(sameMedia(one, same));
  assert.equal(unite([one, same], 'picture'), one);
  assert.equal(unite([], 'picture'), null);
  assert.throws(() => unite([one, other], 'picture'), /image and input_reference/);
  assert.ok(
    sameMedia(
      read({ bytes, filename: 'a', contentType: '' }),
      read({ bytes: Buffer.from('picture'), filename: 'b', contentType: '' }),
    ),
  );
});

test('the id of a file kept here stands wherever a URL may', () => {
  const fileId = 'file_0VbVtD5diAtWMBxQdmFf8rQS';
  assert.deepEqual(read(` ${fileId}`), { kind: 'file', fileId, source: 'image' });
  assert.throws(() => read('file_short'), /must be an http\(s\) URL or base64 data/);
});
