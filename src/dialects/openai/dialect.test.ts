import assert from 'node:assert/strict';
import { testDialect } from '../kit/contract.ts';
import { errorWords } from '../kit/error-shape.ts';
import { openai } from './dialect.ts';

testDialect('openai', {
  dialect: openai,
  doors: ['/v1/videos'],
  request: { model: 'kling-2.5', prompt: 'a cat with a ball of yarn', seconds: '5' },
  list: {
    path: '/v1/videos',
    idsOf: (body) => (body.data as { id: string }[]).map((video) => video.id),
  },
  removePath: (id) => `/v1/videos/${id}`,
  words: {
    queued: 'queued',
    in_progress: 'in_progress',
    completed: 'completed',
    failed: 'failed',
    cancelled: 'failed',
  },
  wordOf: (body) => body.status,
  idOf: (body) => body.id,
  callback: { wordOf: (body) => body.status, idOf: (body) => body.id },
  urlOf: (body) => body.video_url,
  assertError(answer, { code, message, param }) {
    const words = errorWords[code];
    assert.equal(answer.statusCode, words.status);
    const { error, request_id: _requestId, ...rest } = answer.json();
    assert.deepEqual(error, { message, type: words.type, param, code: words.code ?? code });
    assert.deepEqual(rest, {});
    assert.equal(answer.headers['x-should-retry'], words.retryIsFutile ? 'false' : undefined);
  },
  fixtures: new URL('./fixtures/', import.meta.url),
});
