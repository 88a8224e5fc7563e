import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UpstreamError } from '../../core/errors.ts';
import type { Channel, Json } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';
import { call } from './call.ts';

type Sent = { url: string; authorization: string };

const pair = { access_key: 'ak', secret_key: 'a-secret-of-thirty-two-characters' };
const ok = { status: 200, text: '{"code":0,"message":"SUCCEED","data":{"id":913827032734642185}}' };
const refusal = (status: number, code: number, message = 'no') => ({
  status,
  text: JSON.stringify({ code, message, request_id: 'r' }),
});

/** A channel whose upstream gives these answers in turn. */
function scripted(answers: { status: number; text: string }[], options: { credential?: Json } = {}) {
  const clock = createTestClock(1_800_000_000_000);
  const sent: Sent[] = [];
  const channel: Channel = {
    id: 'channel_1',
    provider: 'kling',
    baseUrl: 'https://upstream.example',
    credential: options.credential ?? pair,
    allowsComplianceSwitches: false,
    http: {
      async request({ url, headers }) {
        sent.push({ url, authorization: headers['authorization'] ?? '' });
        const answer = answers.shift();
        assert.ok(answer, 'one request too many');
        return { ...answer, headers: {} };
      },
    },
    clock,
    readMedia: () => assert.fail('no media here'),
    callbackUrl: () => null,
  };
  return { channel, clock, sent };
}

const signal = new AbortController().signal;
const query = { method: 'GET', path: '/v1/videos/text2video/1' } as const;

describe('a call to the upstream', () => {
  test('answers the data, long integers intact', async () => {
    const { channel } = scripted([ok]);
    assert.deepEqual(await call(query, channel, signal), { id: 913827032734642185n });
  });

  test('an expired token is renewed and the call repeated, once', async () => {
    const { channel, sent } = scripted([refusal(401, 1004), ok]);
    await call(query, channel, signal);
    assert.equal(sent.length, 2);
    const again = scripted([refusal(401, 1004), refusal(401, 1004)]);
    await assert.rejects(call(query, again.channel, signal), { kind: 'channel', upstreamCode: '1004' });
  });

  test('a token that is not valid yet is tried again after five seconds', async () => {
    const { channel, clock, sent } = scripted([refusal(401, 1003), ok]);
    const work = call(query, channel, signal);
    await clock.advance(4999);
    assert.equal(sent.length, 1);
    await clock.advance(1);
    await work;
    assert.equal(sent.length, 2);
    assert.notEqual(sent[0]?.authorization, sent[1]?.authorization);
  });

  test('time that runs out while waiting leaves a refusal, not a doubt', async () => {
    const { channel } = scripted([refusal(401, 1003)]);
    const work = call(query, channel, AbortSignal.timeout(5));
    await assert.rejects(work, { kind: 'channel', upstreamCode: '1003' });
  });

  test('an API key has nothing to renew', async () => {
    const { channel, sent } = scripted([refusal(401, 1004)], { credential: { api_key: 'api-key-kling-1' } });
    await assert.rejects(call(query, channel, signal), { kind: 'channel' });
    assert.deepEqual(sent, [
      {
        url: 'https://upstream.example/v1/videos/text2video/1',
        authorization: 'Bearer api-key-kling-1',
      },
    ]);
  });

  test('keys of relays are asked for below /kling', async () => {
    const { channel, sent } = scripted([ok, ok], { credential: { api_key: 'sk-relay' } });
    await call(query, channel, signal);
    await call(query, { ...channel, baseUrl: 'https://upstream.example/kling' }, signal);
    assert.deepEqual(
      sent.map(({ url }) => url),
      Array(2).fill('https://upstream.example/kling/v1/videos/text2video/1'),
    );
  });

  test('the code decides, whatever the HTTP status says', async () => {
    const { channel } = scripted([refusal(200, 1301, 'unsafe')]);
    await assert.rejects(call(query, channel, signal), { kind: 'content_policy', publicMessage: 'unsafe' });
  });

  test('whatever is no envelope is a refusal, never a success', async () => {
    const expected: [number, string, string][] = [
      [200, '<html>welcome</html>', 'ambiguous'],
      [200, '{"data":{}}', 'ambiguous'],
      [404, '<html>not found</html>', 'channel'],
      [401, '{"error":"no"}', 'channel'],
      [413, 'too large', 'rejected'],
      [429, 'slow down', 'busy'],
      [502, 'bad gateway', 'ambiguous'],
      [500, '{"code":0,"data":{}}', 'ambiguous'],
    ];
    for (const [status, text, kind] of expected) {
      const { channel } = scripted([{ status, text }]);
      const error = await call(query, channel, signal).catch((reason: unknown) => reason);
      assert.ok(error instanceof UpstreamError, text);
      assert.equal(error.kind, kind, `${status} ${text}`);
    }
  });
});
