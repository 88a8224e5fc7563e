/** A channel whose upstream answers by action, for tests of this provider. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Channel, Json } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';

export interface AskedAction {
  action: string;
  body: { [key: string]: Json };
}

export function fixture(name: string): object {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as object;
}

/** `answer` is given what was asked; a text is sent as it is. */
export function fakeUpstream(
  answer: (asked: AskedAction) => { status?: number; body: object | string },
  changes: Partial<Channel> = {},
): { channel: Channel; asked: AskedAction[] } {
  const asked: AskedAction[] = [];
  const channel: Channel = {
    id: 'channel_1',
    provider: 'tencent-vod',
    baseUrl: 'https://vod.example',
    credential: { secret_id: 'AKID-of-the-test', secret_key: 'key-of-the-test', sub_app_id: 1500000001 },
    allowsComplianceSwitches: false,
    http: {
      async request({ url, method, headers, body }) {
        assert.deepEqual([method, URL.parse(url)?.pathname], ['POST', '/']);
        const exchange = { action: headers['x-tc-action']!, body: JSON.parse(body!) as AskedAction['body'] };
        asked.push(exchange);
        const { status = 200, body: answered } = answer(exchange);
        return {
          status,
          headers: {},
          text: typeof answered === 'string' ? answered : JSON.stringify(answered),
        };
      },
    },
    clock: createTestClock(Date.UTC(2026, 10, 20)),
    readMedia: async () => ({ bytes: Buffer.from('a picture'), contentType: 'image/png' }),
    callbackUrl: () => null,
    ...changes,
  };
  return { channel, asked };
}

export function errorAnswer(code: string, message = 'in their words'): { body: object } {
  return { body: { Response: { Error: { Code: code, Message: message }, RequestId: 'r' } } };
}
