import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestClock } from '../../lib/clock.ts';
import { authorizationOf } from './auth.ts';
import { baseUrlDefault, call } from './call.ts';
import { errorAnswer, fakeUpstream } from './fake-upstream.ts';

const signal = new AbortController().signal;
const pair = { secret_id: 'AKID1', secret_key: 'key-of-a-test', sub_app_id: 42 };

/** What one call sends, under the given credential and address. */
async function sent(credential: { [key: string]: string | number }, baseUrl: string) {
  let seen: { url: string; headers: Record<string, string>; body?: string } | null = null;
  const { channel } = fakeUpstream(() => ({ body: '' }), {
    credential,
    baseUrl,
    clock: createTestClock(1_795_000_000_500),
    http: {
      async request(request) {
        seen = request;
        return { status: 200, headers: {}, text: '{"Response":{"RequestId":"r"}}' };
      },
    },
  });
  await call('DescribeTasks', { Limit: 1 }, channel, signal);
  return seen!;
}

describe('a call', () => {
  test('is signed as it is sent, and names the application', async () => {
    const { url, headers, body } = await sent(pair, 'https://proxy.example:8443/tencent');
    assert.equal(url, 'https://proxy.example:8443/tencent/');
    assert.deepEqual(JSON.parse(body!), { SubAppId: 42, Limit: 1 });
    assert.deepEqual(headers, {
      'content-type': 'application/json',
      'x-tc-action': 'DescribeTasks',
      'x-tc-version': '2018-07-17',
      'x-tc-timestamp': '1795000000',
      authorization: authorizationOf({
        secretId: 'AKID1',
        secretKey: 'key-of-a-test',
        host: 'proxy.example:8443',
        contentType: 'application/json',
        body: body!,
        timestampSeconds: 1_795_000_000,
      }),
    });
  });

  test('goes to the site of the credential unless the channel has an address', async () => {
    const intl = { ...pair, site: 'intl', region: 'ap-singapore' };
    assert.equal((await sent(pair, baseUrlDefault)).url, 'https://vod.tencentcloudapi.com/');
    const { url, headers } = await sent(intl, baseUrlDefault);
    assert.equal(url, 'https://vod.intl.tencentcloudapi.com/');
    assert.equal(headers['x-tc-region'], 'ap-singapore');
    assert.equal((await sent(intl, 'https://vod.example')).url, 'https://vod.example/');
  });

  test('a refusal comes as HTTP 200', async () => {
    const { channel } = fakeUpstream(() => errorAnswer('RequestLimitExceeded'));
    await assert.rejects(call('DescribeTasks', {}, channel, signal), {
      kind: 'busy',
      upstreamCode: 'RequestLimitExceeded',
    });
  });

  test('what is not the envelope is nobody’s verdict', async () => {
    for (const [status, body, kind] of [
      [200, '<html>', 'ambiguous'],
      [200, '{}', 'ambiguous'],
      [200, '[]', 'ambiguous'],
      [404, 'not found', 'channel'],
      [502, 'bad gateway', 'ambiguous'],
      [429, '', 'busy'],
    ] as const) {
      const { channel } = fakeUpstream(() => ({ status, body }));
      await assert.rejects(call('DescribeTasks', {}, channel, signal), { kind }, `${status} ${body}`);
    }
  });

  test('a request above 10 MB is not sent', async () => {
    const { channel, asked } = fakeUpstream(() => ({ body: '' }));
    const large = call('CreateAigcVideoTask', { Prompt: 'x'.repeat(10 * 1024 * 1024) }, channel, signal);
    await assert.rejects(large, { kind: 'rejected' });
    assert.equal(asked.length, 0);
  });

  test('a credential that cannot be read is the channel’s trouble', async () => {
    const { channel } = fakeUpstream(() => ({ body: '' }), { credential: { secret_id: 'x' } });
    await assert.rejects(call('DescribeTasks', {}, channel, signal), { kind: 'channel' });
  });
});
