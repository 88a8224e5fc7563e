import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { GatewayError } from '../../core/errors.ts';
import { createTestClock } from '../../lib/clock.ts';
import { createAuthorizer, parseCredential, signJwt } from './auth.ts';

const pair = { access_key: 'ak', secret_key: 'a-secret-of-thirty-two-characters' };

describe('credentials', () => {
  test('every usual way to write one is read', () => {
    assert.deepEqual(parseCredential({ access_key: 'a', secret_key: 'b' }), {
      access_key: 'a',
      secret_key: 'b',
    });
    assert.deepEqual(parseCredential('a|b|c'), { access_key: 'a', secret_key: 'b|c' });
    assert.deepEqual(parseCredential(' api-key-kling-1\n'), { api_key: 'api-key-kling-1' });
    assert.deepEqual(parseCredential({ api_key: 'k' }), { api_key: 'k' });
  });

  test('a refusal names what is wrong and never repeats the value', () => {
    const refusals: [unknown, RegExp][] = [
      [{}, /access_key and secret_key, or api_key/],
      [{ access_key: 'secret-value' }, /lacks secret_key/],
      [{ secret_key: 'secret-value' }, /lacks access_key/],
      [{ api_key: 'secret-value', access_key: 'x', secret_key: 'y' }, /not both/],
      [{ api_key: 'secret value' }, /spaces/],
      [{ api_key: 7 }, /no string/],
      ['', /access_key and secret_key, or api_key/],
      [null, /must be/],
      [['x'], /must be/],
    ];
    for (const [value, words] of refusals) {
      assert.throws(
        () => parseCredential(value),
        (error) => {
          assert.ok(error instanceof GatewayError);
          assert.equal(error.code, 'invalid_value');
          assert.equal(error.param, 'credential');
          assert.match(error.publicMessage, words);
          assert.doesNotMatch(error.publicMessage, /secret-value|secret value/);
          return true;
        },
      );
    }
  });
});

describe('tokens', () => {
  test('hold exactly the official claims, signed with the secret key', () => {
    const [header, payload, signature] = signJwt(pair, 1_800_000_000).split('.');
    assert.deepEqual(JSON.parse(Buffer.from(header!, 'base64url').toString()), { alg: 'HS256', typ: 'JWT' });
    assert.deepEqual(JSON.parse(Buffer.from(payload!, 'base64url').toString()), {
      iss: 'ak',
      exp: 1_800_001_800,
      nbf: 1_799_999_995,
    });
    const expected = createHmac('sha256', pair.secret_key).update(`${header}.${payload}`).digest('base64url');
    assert.equal(signature, expected);
  });

  test('are kept until a minute before they expire', async () => {
    const clock = createTestClock(1_800_000_000_000);
    const authorizer = createAuthorizer();
    const first = authorizer.bearer(pair, clock);
    await clock.advance(1_740_000);
    assert.equal(authorizer.bearer(pair, clock), first);
    await clock.advance(1000);
    assert.notEqual(authorizer.bearer(pair, clock), first);
  });

  test('are made anew on demand, per pair, and when the clock was set back', async () => {
    const clock = createTestClock(1_800_000_000_000);
    const authorizer = createAuthorizer();
    const first = authorizer.bearer(pair, clock);
    assert.notEqual(authorizer.bearer({ ...pair, secret_key: 'another' }, clock), first);
    await clock.advance(1000);
    assert.notEqual(authorizer.bearer(pair, clock, { fresh: true }), first);
    assert.equal(authorizer.bearer(pair, createTestClock(1_800_000_000_000)), first);
  });

  test('an API key is sent as it is', () => {
    assert.equal(createAuthorizer().bearer({ api_key: 'k' }, createTestClock(0)), 'k');
  });
});
