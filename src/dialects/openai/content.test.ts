import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createFakeGateway, testPrincipal } from '../kit/fake-gateway.ts';
import { createTestApp } from '../kit/test-app.ts';
import { openai } from './dialect.ts';

function start(t: TestContext) {
  const gateway = createFakeGateway();
  const app = createTestApp(openai, gateway, () => testPrincipal);
  t.after(() => app.close());
  return { gateway, app };
}

describe('GET /v1/videos/{id}/content', () => {
  it('sends the film, whatever the client says it accepts', async (t) => {
    const { gateway, app } = start(t);
    const task = gateway.seed('completed');
    const url = `/v1/videos/${task.id}/content`;
    const answer = await app.inject({ url, headers: { accept: 'application/binary' } });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.rawPayload, gateway.film);
    assert.equal(answer.headers['content-type'], 'video/mp4');
    assert.equal(answer.headers['content-length'], '20');
    assert.equal(answer.headers['accept-ranges'], 'bytes');
    assert.equal(answer.headers['cache-control'], 'private');
    assert.equal(answer.headers['content-disposition'], `attachment; filename="${task.id}.mp4"`);
    assert.equal(answer.headers['openai-version'], '2020-10-01');
  });

  it('sends ranges, and says how long the file is when one lies outside', async (t) => {
    const { gateway, app } = start(t);
    const url = `/v1/videos/${gateway.seed('completed').id}/content`;
    const part = await app.inject({ url, headers: { range: 'bytes=10-12' } });
    assert.equal(part.statusCode, 206);
    assert.equal(part.body, 'abc');
    assert.equal(part.headers['content-range'], 'bytes 10-12/20');
    const beyond = await app.inject({ url, headers: { range: 'bytes=20-' } });
    assert.equal(beyond.statusCode, 416);
    assert.equal(beyond.headers['content-range'], 'bytes */20');
    assert.equal(beyond.json().error.code, 'range_not_satisfiable');
  });

  it('answers HEAD with the headers alone, and 304 to who has the film', async (t) => {
    const { gateway, app } = start(t);
    const url = `/v1/videos/${gateway.seed('completed').id}/content`;
    const head = await app.inject({ method: 'HEAD', url });
    assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, '20', '']);
    const etag = String(head.headers.etag);
    const known = await app.inject({ url, headers: { 'if-none-match': etag } });
    assert.deepEqual([known.statusCode, known.body, known.headers.etag], [304, '', etag]);
  });

  it('refuses in JSON what is not there', async (t) => {
    const { gateway, app } = start(t);
    const done = gateway.seed('completed').id;
    const running = gateway.seed('in_progress').id;
    const cases: [string, number, string][] = [
      [`/v1/videos/${running}/content`, 400, 'task_not_completed'],
      [`/v1/videos/${done}/content?variant=thumbnail`, 404, 'variant_not_available'],
      [`/v1/videos/${done}/content?variant=poster`, 400, 'invalid_value'],
      [`/v1/videos/${done}/content?variant=video&variant=video`, 400, 'invalid_value'],
      ['/v1/videos/video_123/content', 404, 'video_not_found'],
    ];
    for (const [url, status, code] of cases) {
      const answer = await app.inject({ url });
      assert.deepEqual([answer.statusCode, answer.json().error.code], [status, code], url);
    }
  });
});
