import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import * as dialectRegistry from '../dialects/index.ts';
import { createFakeGateway } from '../dialects/kit/fake-gateway.ts';
import { startFixture, type Fixture } from './server.fixture.ts';

const browserPath = '/usr/bin/chromium';

let fixture: Fixture;
before(async () => {
  fixture = await startFixture({ gateway: createFakeGateway(), dialects: Object.values(dialectRegistry) });
});
after(() => fixture.server.close());

type Schema = { [key: string]: unknown };

describe('the API description', () => {
  test('is OpenAPI 3.1 with callers’ and admin routes, each with its own key', async () => {
    const document = (await fixture.server.inject('/openapi.json')).json();
    assert.equal(document.openapi, '3.1.0');
    assert.ok(document.paths['/v1/videos'].post);
    assert.ok(document.paths['/kling/v1/videos/text2video'].post);
    assert.equal(document.paths['/v1/videos'].post.security, undefined);
    assert.deepEqual(document.paths['/admin/v1/channels'].get.security, [{ admin_token: [] }]);
    assert.equal(document.paths['/healthz'], undefined);
    assert.equal(document.paths['/content/{taskId}/{file}'], undefined);
    assert.equal(document.servers[0].url, 'http://127.0.0.1:8787');
  });

  test('has no reference that leads nowhere', async () => {
    const document = (await fixture.server.inject('/openapi.json')).json() as Schema;
    const dangling: string[] = [];
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { $ref: reference } = node as Schema;
      if (typeof reference === 'string') {
        let found: unknown = document;
        for (const segment of reference.slice(2).split('/')) found = (found as Schema | undefined)?.[segment];
        if (found === undefined) dangling.push(reference);
      }
      Object.values(node).forEach(visit);
    };
    visit(document);
    assert.deepEqual(dangling, []);
  });
});

describe('the reference page', () => {
  test('is ours alone: its scripts are named in its policy', async () => {
    for (const url of ['/', '/docs']) {
      assert.equal((await fixture.server.inject(url)).headers.location, '/docs/');
    }
    const page = await fixture.server.inject('/docs/');
    const policy = String(page.headers['content-security-policy']);
    const inline = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? '';
    assert.ok(policy.includes(`'sha256-${createHash('sha256').update(inline).digest('base64')}'`));
    assert.ok(!/script-src[^;]*unsafe/.test(policy));
    assert.ok(!/https?:\/\//.test(page.body));
  });

  test('sends its script compressed and once', async () => {
    const url = '/docs/js/scalar.js';
    const plain = await fixture.server.inject(url);
    const packed = await fixture.server.inject({ url, headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(gunzipSync(packed.rawPayload).equals(plain.rawPayload));
    const again = await fixture.server.inject({
      url,
      headers: { 'if-none-match': String(plain.headers.etag) },
    });
    assert.equal(again.statusCode, 304);
  });

  test(
    'renders in a browser without asking anybody else',
    { skip: existsSync(browserPath) ? false : 'no Chromium on this machine', timeout: 60_000 },
    async () => {
      await fixture.server.listen({ host: '127.0.0.1', port: 0 });
      const origin = `http://127.0.0.1:${(fixture.server.server.address() as AddressInfo).port}`;
      const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const asked: string[] = [];
        const broken: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        page.on('pageerror', (error) => broken.push(error.message));
        page.on('console', (line) => {
          if (/Content Security Policy/.test(line.text())) broken.push(line.text());
        });
        await page.goto(`${origin}/docs`);
        await page.getByText('Text to video').first().waitFor();
        await page.evaluate('new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 }))');
        assert.deepEqual(
          asked.filter((url) => !url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)),
          [],
        );
        assert.deepEqual(broken, []);
        const text = await page.locator('body').innerText();
        assert.ok(!/Ask AI|Generate MCP|Share/.test(text));
      } finally {
        await browser.close();
      }
    },
  );
});
