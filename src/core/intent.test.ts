import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from './errors.ts';
import { readIntent, type IncomingRequest } from './intent.ts';

const ask = (changes: Partial<IncomingRequest> = {}) =>
  readIntent({
    method: 'POST',
    url: '/v1/videos',
    headers: { 'idempotency-key': 'k' },
    body: {},
    ...changes,
  });

test('who promises nothing has no intent', () => {
  assert.equal(ask({ headers: {} }), null);
  assert.equal(ask({ headers: { 'x-stainless-retry-count': 'often' } }), null);
});

test("a key and an SDK's count are read", () => {
  assert.deepEqual(
    { ...ask({ headers: { 'idempotency-key': 'k', 'x-stainless-retry-count': '2' } }), requestHash: '' },
    { key: 'k', retryCount: 2, requestHash: '' },
  );
});

test('the same request is recognised however its path is spelled, and whatever its query says', () => {
  const { requestHash } = ask()!;
  for (const url of ['//v1//videos', '/v1/videos/', '/v1/videos?key=secret']) {
    assert.equal(ask({ url })!.requestHash, requestHash, url);
  }
  for (const changes of [{ url: '/v1/files' }, { method: 'PUT' }, { body: { a: 1 } }]) {
    assert.notEqual(ask(changes)!.requestHash, requestHash);
  }
});

test('a key that is empty or too long is refused by name', () => {
  for (const key of ['', 'x'.repeat(256)]) {
    assert.throws(
      () => ask({ headers: { 'idempotency-key': key } }),
      (error) => error instanceof GatewayError && error.param === 'Idempotency-Key',
    );
  }
});
