import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeAnswer, readRetryAfter, retryDelayMs, signedHeaders, toldAs } from './webhook.ts';

test("signs as Kling's own documentation does", () => {
  // The vector of specs/kling.md §2.7.
  const body =
    '{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}';
  const secret = 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=';
  assert.deepEqual(signedHeaders({ id: '9876543210', body }, [secret], 1_781_080_794_999), {
    'webhook-id': '9876543210',
    'webhook-timestamp': '1781080794',
    'webhook-signature': 'v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=',
  });
  const both = signedHeaders({ id: '1', body }, [secret, secret], 0)['webhook-signature']!.split(' ');
  assert.equal(both.length, 2);
});

test('tries for at least 72 hours, whatever the jitter, and a dozen times in all', () => {
  for (const random of [0, 0.999]) {
    const delays: number[] = [];
    for (let tries = 1, delay = retryDelayMs(1, random, null); delay !== null;) {
      delays.push(delay);
      delay = retryDelayMs(++tries, random, null);
    }
    const hours = delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000;
    assert.ok(hours >= 72 && hours < 90, `${hours} hours`);
    assert.equal(delays.length, 11);
    assert.deepEqual(
      delays,
      delays.toSorted((a, b) => a - b),
    );
  }
});

test('waits as long as the receiver asks, but no longer than a day, and never less than the schedule', () => {
  assert.equal(retryDelayMs(1, 0, 90_000), 90_000);
  assert.equal(retryDelayMs(1, 0, 1_000), 5_000);
  assert.equal(retryDelayMs(1, 0, 1e12), 86_400_000);
  assert.equal(retryDelayMs(12, 0, 90_000), null);
  assert.equal(readRetryAfter('120', 0), 120_000);
  assert.equal(readRetryAfter('Fri, 20 Nov 2026 00:01:00 GMT', Date.UTC(2026, 10, 20)), 60_000);
  assert.equal(readRetryAfter('Fri, 20 Nov 2020 00:01:00 GMT', Date.UTC(2026, 10, 20)), 0);
  assert.equal(readRetryAfter('soon', 0), null);
  assert.equal(readRetryAfter(null, 0), null);
});

test("tells the end of a task in our words and in OpenAI's, and keeps the operator's facts back", () => {
  assert.deepEqual(toldAs('task.completed'), ['task.completed', 'video.completed']);
  assert.deepEqual(toldAs('task.cancelled'), ['task.cancelled', 'video.failed']);
  assert.deepEqual(toldAs('task.started'), ['task.started']);
  assert.deepEqual(toldAs('attempt.refused'), []);
});

test('any 2xx is received, except a consumption event with an error inside', () => {
  const consumed = (status: number, body = '') => judgeAnswer('consume.settled', { status, body });
  assert.equal(judgeAnswer('task.failed', { status: 204, body: '' }), null);
  assert.equal(judgeAnswer('task.failed', { status: 200, body: '{"code":1}' }), null);
  assert.match(judgeAnswer('task.failed', { status: 302, body: '' })!, /redirects/);
  assert.match(judgeAnswer('task.failed', { status: 409, body: '' })!, /409/);
  assert.equal(consumed(409), null);
  for (const body of ['', 'ok', 'null', '[]', '{"code":0}', '{"code":"E1"}', '{"success":true}']) {
    assert.equal(consumed(200, body), null, body);
  }
  for (const body of ['{"code":1}', '{"code":-1}', '{"success":false}']) assert.ok(consumed(200, body), body);
  assert.ok(consumed(500));
});
