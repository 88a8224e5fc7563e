import assert from 'node:assert/strict';
import { testDialect } from '../kit/contract.ts';
import { errorWords } from '../kit/error-shape.ts';
import { videoGenerations } from './dialect.ts';

testDialect('video-generations', {
  dialect: videoGenerations,
  doors: ['/v1/video/generations'],
  request: { model: 'kling-v1-6', prompt: 'a cat with a ball of yarn', duration: 5 },
  words: {
    queued: 'queued',
    in_progress: 'in_progress',
    completed: 'completed',
    failed: 'failed',
    cancelled: 'failed',
  },
  wordOf: (body) => body.status,
  idOf: (body) => body.task_id,
  callback: { wordOf: (body) => body.status, idOf: (body) => body.id },
  urlOf: (body) => body.url,
  assertError(answer, { code, message, param }) {
    const words = errorWords[code];
    assert.equal(answer.statusCode, words.status);
    const word = words.code ?? code;
    const { error, request_id: _requestId, ...rest } = answer.json();
    assert.deepEqual(error, { message, type: words.type, param, code: word });
    assert.deepEqual(rest, { code: word, message, data: null });
  },
  fixtures: new URL('./fixtures/', import.meta.url),
});
