import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../core/errors.ts';
import { kling } from '../../families/kling/family.ts';
import { testProvider } from '../kit/contract.ts';
import { parseCredential } from './credential.ts';
import { relay } from './provider.ts';
import { openRelayBench } from './test-bench.ts';

testProvider('relay', () => openRelayBench());

test('it offers every film model there is', () => {
  const films = kling.models.filter(({ operations }) => operations.length > 0).map(({ id }) => id);
  assert.deepEqual([...relay.serves].sort(), films.sort());
});

test('a credential is a key, with the dialect of the gateway unless that is Kling’s', () => {
  assert.deepEqual(parseCredential(' sk-0123456789 '), { api_key: 'sk-0123456789', dialect: 'kling' });
  assert.deepEqual(parseCredential({ api_key: 'sk-0123456789', dialect: 'openai' }), {
    api_key: 'sk-0123456789',
    dialect: 'openai',
  });
});

test('what is no credential is refused with a reason', () => {
  for (const value of [
    null,
    '',
    {},
    { api_key: 7 },
    { api_key: 'two words' },
    { api_key: 'k', dialect: 'x' },
  ]) {
    assert.throws(
      () => parseCredential(value),
      (error) => error instanceof GatewayError && error.param === 'credential',
    );
  }
});
