import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import { readRefusal, relayError, saysUnknownTask } from './errors.ts';
import type { WireObject } from './wire.ts';

const channel = {
  baseUrl: 'https://far.example/relay',
  credential: { api_key: 'sk-0123456789' },
} as unknown as Channel;

function errorOf(status: number, body: WireObject | null, headers: Record<string, string> = {}) {
  const refusal = readRefusal({ status, headers }, body);
  assert.ok(refusal, 'no refusal');
  return relayError(refusal, channel);
}

const openai = (code: string, type = 'invalid_request_error'): WireObject => ({
  error: { message: 'Because.', type, param: null, code },
});
const numbered = (code: number, message = 'because'): WireObject => ({ code, message, request_id: 'r' });
const worded = (code: string): WireObject => ({ code, message: 'because', data: null });

describe('a refusal is understood', () => {
  const cases: [string, number, WireObject | null, UpstreamErrorKind, string][] = [
    ['OpenAI: a wrong field', 400, openai('invalid_value'), 'rejected', 'invalid_value'],
    ['OpenAI: content', 400, openai('content_policy'), 'content_policy', 'content_policy'],
    ['OpenAI: a wrong key', 401, openai('invalid_api_key'), 'channel', 'invalid_api_key'],
    ['OpenAI: no credit', 429, openai('insufficient_quota'), 'channel', 'insufficient_quota'],
    ['OpenAI: too fast', 429, openai('rate_limit_exceeded'), 'busy', 'rate_limit_exceeded'],
    [
      'OpenAI: only a type',
      429,
      { error: { message: '', type: 'insufficient_quota' } },
      'channel',
      'insufficient_quota',
    ],
    ['Reelay: nobody there makes it', 400, openai('no_channel'), 'channel', 'no_channel'],
    [
      'Reelay: our handle is known',
      400,
      openai('duplicate_external_task_id'),
      'duplicate',
      'duplicate_external_task_id',
    ],
    ['Reelay: its store is down', 503, openai('unavailable'), 'unavailable', 'unavailable'],
    [
      'Reelay at Kling’s doors: the word counts',
      400,
      { ...numbered(1200), ...openai('no_channel') },
      'channel',
      'no_channel',
    ],
    ['Kling: a wrong field', 400, numbered(1201), 'rejected', '1201'],
    [
      'Kling: our handle is known',
      400,
      numbered(1201, 'external_task_id exists already'),
      'duplicate',
      '1201',
    ],
    ['Kling: content', 400, numbered(1301), 'content_policy', '1301'],
    ['Kling: no units', 429, numbered(1102), 'channel', '1102'],
    ['Kling: no slot', 429, numbered(1303), 'busy', '1303'],
    ['Kling: maintenance', 503, numbered(5001), 'unavailable', '5001'],
    ['Kling: an internal error', 500, numbered(5000), 'ambiguous', '5000'],
    ['a refusal with status 200', 200, numbered(1303), 'busy', '1303'],
    ['new-api: no credit', 403, worded('insufficient_user_quota'), 'channel', 'insufficient_user_quota'],
    ['new-api: a model it does not sell', 503, worded('model_not_found'), 'channel', 'model_not_found'],
    ['new-api: a wrong field', 400, worded('invalid_request'), 'rejected', 'invalid_request'],
    ['new-api: its upstream broke off', 500, worded('do_request_failed'), 'ambiguous', 'do_request_failed'],
    ['a proxy that knows nobody', 502, null, 'ambiguous', 'http_502'],
    ['a page', 404, null, 'channel', 'http_404'],
    ['a page with status 200', 200, null, 'channel', 'http_200'],
    ['too many, says a proxy', 429, null, 'busy', 'http_429'],
    ['too large, says a proxy', 413, null, 'rejected', 'http_413'],
  ];
  for (const [name, status, body, kind, code] of cases) {
    test(name, () => {
      const error = errorOf(status, body);
      assert.deepEqual([error.kind, error.upstreamCode], [kind, code]);
    });
  }

  test('a busy gateway says when to come again', () => {
    assert.equal(errorOf(429, null, { 'retry-after': '7' }).retryAfterMs, 7000);
    assert.equal(errorOf(429, null).retryAfterMs, 1000);
  });

  test('an unknown task is told in four ways', () => {
    for (const body of [
      numbered(1203),
      openai('video_not_found'),
      openai('task_not_found'),
      worded('task_not_exist'),
    ]) {
      assert.ok(saysUnknownTask(errorOf(404, body)));
    }
    assert.ok(!saysUnknownTask(errorOf(404, null)));
  });

  test('its sentence reaches the caller without host, key or links', () => {
    const error = errorOf(400, {
      code: 'invalid_request',
      message: 'sk-0123456789 at far.example: see https://far.example/docs\n  at handler (x.go:1)',
    });
    assert.equal(error.publicMessage, '… at the upstream: see the upstream');
  });
});

describe('what is no refusal', () => {
  const bodies: WireObject[] = [
    { code: 0, message: 'SUCCEED', data: { task_id: 'x' } },
    { code: 'success', message: '', data: { task_id: 'x' } },
    { code: 200, message: 'ok', data: { task_id: 'x' } },
    { id: 'x', status: 'queued', error: null },
    { id: 'x', status: 'failed', error: { code: 'task_failed', message: 'no' } },
  ];
  for (const body of bodies) {
    test(JSON.stringify(body), () => assert.equal(readRefusal({ status: 200, headers: {} }, body), null));
  }
});
