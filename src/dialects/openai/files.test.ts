import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createFakeGateway, testPrincipal } from '../kit/fake-gateway.ts';
import { createTestApp } from '../kit/test-app.ts';
import { openai } from './dialect.ts';

const part = {
  bytes: Buffer.from('0123456789'),
  filename: 'C:\\pictures\\cat.png',
  contentType: 'image/png',
};

function start(t: TestContext) {
  const gateway = createFakeGateway();
  const app = createTestApp(openai, gateway, () => testPrincipal);
  let form: Record<string, unknown> | null = null;
  // The shell hands over forms as objects.
  app.addHook('preValidation', (request, _reply, done) => {
    if (form !== null) request.body = form;
    form = null;
    done();
  });
  t.after(() => app.close());
  const upload = (fields: Record<string, unknown>) => {
    form = fields;
    return app.inject({ method: 'POST', url: '/v1/files', payload: {} });
  };
  return { gateway, app, upload };
}

describe('POST /v1/files', () => {
  it('keeps the bytes and answers what the SDK expects', async (t) => {
    const { gateway, upload } = start(t);
    const answer = await upload({ file: part, purpose: 'vision' });
    assert.equal(answer.statusCode, 200, answer.body);
    assert.deepEqual(answer.json(), {
      id: 'file-1',
      object: 'file',
      bytes: 10,
      created_at: 1780891541,
      filename: 'cat.png',
      purpose: 'vision',
      status: 'processed',
      content_type: 'image/png',
    });
    assert.deepEqual(gateway.files[0]?.content, part.bytes);
  });

  it('takes a lifetime from the form or as JSON text', async (t) => {
    const { gateway, upload } = start(t);
    const before = Date.now();
    for (const expiresAfter of [
      { anchor: 'created_at', seconds: '3600' },
      '{"anchor":"created_at","seconds":3600}',
    ]) {
      const answer = await upload({ file: part, expires_after: expiresAfter });
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.json().purpose, 'user_data');
      const { expiresAt } = gateway.files.at(-1)!;
      assert.ok(expiresAt! >= before + 3_600_000 && expiresAt! <= Date.now() + 3_600_000);
      assert.equal(answer.json().expires_at, Math.floor(expiresAt! / 1000));
    }
  });

  it('refuses by name what is no upload', async (t) => {
    const { upload } = start(t);
    const expires = (anchor: unknown, seconds: unknown) => ({
      file: part,
      expires_after: { anchor, seconds },
    });
    const wrong: [Record<string, unknown>, string][] = [
      [{}, 'file'],
      [{ file: 'https://a.test/a.png' }, 'file'],
      [{ file: part, purpose: 'fun' }, 'purpose'],
      [expires('last_active_at', 3600), 'expires_after[anchor]'],
      [expires('created_at', 3599), 'expires_after[seconds]'],
      [expires('created_at', 2_592_001), 'expires_after[seconds]'],
      [expires('created_at', 'soon'), 'expires_after[seconds]'],
    ];
    for (const [fields, param] of wrong) {
      const answer = await upload(fields);
      assert.deepEqual([answer.statusCode, answer.json().error.param], [400, param], answer.body);
    }
  });

  it('gives a nameless file a name', async (t) => {
    const { upload } = start(t);
    for (const filename of [null, '', '/tmp/', 'a\nb.png']) {
      const answer = await upload({ file: { ...part, filename } });
      assert.equal(answer.json().filename, filename === 'a\nb.png' ? 'ab.png' : 'file');
    }
  });
});

describe('files of the account', () => {
  it('are listed page by page, by purpose, in either order', async (t) => {
    const { app, upload } = start(t);
    for (const purpose of ['vision', 'user_data', 'vision']) await upload({ file: part, purpose });
    const ids = async (query: string) => {
      const answer = await app.inject({ url: `/v1/files${query}` });
      assert.equal(answer.statusCode, 200, answer.body);
      return answer.json().data.map((file: { id: string }) => file.id);
    };
    assert.deepEqual(await ids(''), ['file-3', 'file-2', 'file-1']);
    assert.deepEqual(await ids('?order=asc&purpose=vision'), ['file-1', 'file-3']);
    const page = (await app.inject({ url: '/v1/files?limit=2' })).json();
    assert.deepEqual([page.first_id, page.last_id, page.has_more], ['file-3', 'file-2', true]);
    assert.deepEqual(await ids(`?after=${page.last_id}`), ['file-1']);
    for (const query of ['?limit=0', '?limit=10001', '?order=up', '?after=a&after=b']) {
      assert.equal((await app.inject({ url: `/v1/files${query}` })).statusCode, 400, query);
    }
  });

  it('are shown, sent and deleted; then they are nowhere', async (t) => {
    const { app, upload } = start(t);
    const { id } = (await upload({ file: part })).json();
    assert.equal((await app.inject({ url: `/v1/files/${id}` })).json().id, id);
    const content = await app.inject({ url: `/v1/files/${id}/content`, headers: { range: 'bytes=2-4' } });
    assert.deepEqual([content.statusCode, content.body], [206, '234']);
    assert.equal(content.headers['content-disposition'], 'attachment; filename="cat.png"');
    const gone = await app.inject({ method: 'DELETE', url: `/v1/files/${id}` });
    assert.deepEqual(gone.json(), { id, object: 'file', deleted: true });
    for (const path of [`/v1/files/${id}`, `/v1/files/${id}/content`]) {
      const answer = await app.inject({ url: path });
      assert.deepEqual([answer.statusCode, answer.json().error.code], [404, 'file_not_found']);
    }
    assert.equal((await app.inject({ method: 'DELETE', url: `/v1/files/${id}` })).statusCode, 404);
  });

  it("are not found with another account's key", async (t) => {
    const { app, upload, gateway } = start(t);
    const { id } = (await upload({ file: part })).json();
    gateway.files[0]!.accountId = 'acct_2';
    assert.equal((await app.inject({ url: `/v1/files/${id}` })).statusCode, 404);
    assert.deepEqual((await app.inject({ url: '/v1/files' })).json().data, []);
  });
});
