import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { ByteRange } from './http-range.ts';
import { serveBytes } from './serve-bytes.ts';

const content = 'abcdefghij';

function fileOf(changes: { filename?: string } = {}) {
  const opened: (ByteRange | undefined)[] = [];
  return {
    opened,
    bytes: content.length,
    contentType: 'video/mp4',
    etag: '"a1"',
    modifiedAt: Date.UTC(2026, 5, 8, 4, 5, 41),
    filename: 'cat.mp4',
    open: async (range?: ByteRange) => {
      opened.push(range);
      return Readable.from([content.slice(range?.start ?? 0, (range?.end ?? content.length) + 1)]);
    },
    ...changes,
  };
}

const get = (headers: Record<string, string> = {}) => ({ method: 'GET', headers });

describe('serving bytes', () => {
  it('sends the whole file with all that describes it', async () => {
    const answer = await serveBytes(get(), fileOf(), 'attachment');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.headers, {
      'accept-ranges': 'bytes',
      etag: '"a1"',
      'last-modified': 'Mon, 08 Jun 2026 04:05:41 GMT',
      'cache-control': 'private',
      'content-type': 'video/mp4',
      'content-disposition': 'attachment; filename="cat.mp4"',
      'content-length': '10',
    });
    assert.equal(await text(answer.stream!), content);
  });

  it('sends one range', async () => {
    const answer = await serveBytes(get({ range: 'bytes=2-4' }), fileOf(), 'inline');
    assert.equal(answer.status, 206);
    assert.equal(answer.headers['content-range'], 'bytes 2-4/10');
    assert.equal(answer.headers['content-length'], '3');
    assert.equal(await text(answer.stream!), 'cde');
  });

  it('sends the whole file where the range was meant for another state of it', async () => {
    const answer = await serveBytes(get({ range: 'bytes=2-4', 'if-range': '"b"' }), fileOf(), 'inline');
    assert.equal(answer.status, 200);
    assert.equal(await text(answer.stream!), content);
  });

  it('opens nothing for HEAD, for what the client has, and for a range beyond the end', async () => {
    const file = fileOf();
    const head = await serveBytes({ method: 'HEAD', headers: { range: 'bytes=0-1' } }, file, 'inline');
    assert.deepEqual([head.status, head.stream, head.headers['content-length']], [200, null, '10']);
    const known = await serveBytes(get({ 'if-none-match': '"a1"', range: 'bytes=90-' }), file, 'inline');
    assert.deepEqual([known.status, known.stream, known.headers.etag], [304, null, '"a1"']);
    const beyond = await serveBytes(get({ range: 'bytes=90-' }), file, 'inline');
    assert.deepEqual([beyond.status, beyond.stream], [416, null]);
    assert.equal(beyond.headers['content-range'], 'bytes */10');
    assert.deepEqual(file.opened, []);
  });

  it('names files in any script without breaking the header', async () => {
    const answer = await serveBytes(get(), fileOf({ filename: '猫"\r\n.mp4' }), 'attachment');
    assert.equal(
      answer.headers['content-disposition'],
      `attachment; filename="____.mp4"; filename*=UTF-8''%E7%8C%AB%22%0D%0A.mp4`,
    );
  });
});
