import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../core/errors.ts';
import { parseCredential } from './credential.ts';

describe('credentials', () => {
  const snake = { secret_id: 'AKID1', secret_key: 'key1', sub_app_id: 1500000001 };
  const read = { ...snake, region: null, site: 'cn' };

  test('are read in snake case and in camel case', () => {
    assert.deepEqual(parseCredential(snake), read);
    assert.deepEqual(parseCredential({ secretId: 'AKID1', secretKey: 'key1', subAppId: '1500000001' }), read);
    assert.deepEqual(parseCredential({ ...snake, region: 'ap-guangzhou', site: 'intl' }), {
      ...snake,
      region: 'ap-guangzhou',
      site: 'intl',
    });
  });

  test('what was read can be read again', () => {
    const once = parseCredential(snake);
    assert.deepEqual(parseCredential(JSON.parse(JSON.stringify(once))), once);
  });

  test('refusals name what is wrong, and never the secret', () => {
    const faults: [unknown, RegExp][] = [
      ['AKID1|key1', /secret_id.*secret_key.*sub_app_id/],
      [null, /secret_id/],
      [{}, /lacks secret_id/],
      [{ secret_id: 'AKID1' }, /lacks secret_key/],
      [{ secret_id: 'AKID1', secret_key: 'key1' }, /lacks sub_app_id/],
      [{ ...snake, sub_app_id: 'main' }, /sub_app_id that is no whole number/],
      [{ ...snake, sub_app_id: 1.5 }, /sub_app_id that is no whole number/],
      [{ ...snake, secret_key: 'key 1' }, /secret_key with spaces/],
      [{ ...snake, secret_id: 7 }, /secret_id that is no string/],
      [{ ...snake, site: 'us' }, /neither cn nor intl/],
      [{ ...snake, region: 'a\nb' }, /region/],
    ];
    for (const [value, sentence] of faults) {
      assert.throws(
        () => parseCredential(value),
        (error) => {
          assert.ok(error instanceof GatewayError);
          assert.equal(error.code, 'invalid_value');
          assert.equal(error.param, 'credential');
          assert.match(error.publicMessage, sentence);
          assert.doesNotMatch(error.publicMessage, /key1|key 1/);
          return true;
        },
      );
    }
  });
});
