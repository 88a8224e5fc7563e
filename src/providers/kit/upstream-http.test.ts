import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { UpstreamError } from '../../core/errors.ts';
import type { Exchange } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { createUpstreamHttp, createUpstreamPools } from './upstream-http.ts';

describe('upstream HTTP', () => {
  const pools = createUpstreamPools();
  const servers: Server[] = [];
  after(async () => {
    await pools.close();
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function client() {
    const exchanges: Exchange[] = [];
    const http = createUpstreamHttp({ pools, clock: systemClock, onExchange: (one) => exchanges.push(one) });
    return { exchanges, http };
  }

  async function kindOf(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => assert.fail('expected a refusal'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof UpstreamError, String(error));
    return error.kind;
  }

  test('answers are given whole, whatever their status', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => response.writeHead(418, { 'x-made': 'tea' }).end(`got ${body}`));
    });
    const { http, exchanges } = client();
    const headers = { authorization: 'Bearer very-secret-key', 'content-type': 'application/json' };
    const answer = await http.request({
      method: 'POST',
      url: `${url}/a/b?c=d`,
      headers,
      body: '{"x":1}',
      timeoutMs: 5000,
    });
    assert.equal(answer.status, 418);
    assert.equal(answer.headers['x-made'], 'tea');
    assert.equal(answer.text, 'got {"x":1}');
    const [exchange] = exchanges;
    assert.deepEqual(
      { ...exchange, at: 0, durationMs: 0 },
      {
        at: 0,
        method: 'POST',
        path: '/a/b?c=d',
        request: '{"x":1}',
        status: 418,
        response: 'got {"x":1}',
        durationMs: 0,
        error: null,
      },
    );
  });

  test('a credential the upstream echoes is not kept', async () => {
    const url = await serve((request, response) => response.end(`who is ${request.headers.authorization}?`));
    const { http, exchanges } = client();
    await http.request({
      method: 'GET',
      url: `${url}/`,
      headers: { authorization: 'Bearer very-secret-key' },
      timeoutMs: 5000,
    });
    assert.equal(exchanges[0]?.response, 'who is Bearer [redacted]?');
  });

  test('a refused connection and an unknown name are "unavailable"', async () => {
    const url = await serve(() => {});
    const server = servers.pop()!;
    await new Promise((resolve) => server.close(resolve));
    const { http, exchanges } = client();
    const get = (target: string) =>
      kindOf(http.request({ method: 'GET', url: target, headers: {}, timeoutMs: 5000 }));
    assert.equal(await get(`${url}/x`), 'unavailable');
    assert.equal(await get('http://nobody.invalid/x'), 'unavailable');
    assert.equal(await get('no url'), 'unavailable');
    assert.match(exchanges[0]?.error ?? '', /^unavailable: ECONNREFUSED$/);
  });

  test('a cut connection, silence and a flood are "ambiguous"', async () => {
    const cut = await serve((request) => request.socket.destroy());
    const silent = await serve(() => {});
    const flood = await serve((_request, response) => {
      response.on('error', () => {});
      response.end(Buffer.alloc(9 * 1024 * 1024, 'x'));
    });
    const { http } = client();
    const post = (url: string, timeoutMs: number) =>
      kindOf(http.request({ method: 'POST', url, headers: {}, body: '{}', timeoutMs }));
    assert.equal(await post(`${cut}/`, 5000), 'ambiguous');
    assert.equal(await post(`${silent}/`, 50), 'ambiguous');
    assert.equal(await post(`${flood}/`, 5000), 'ambiguous');
  });

  test('the caller’s signal ends an exchange', async () => {
    const silent = await serve(() => {});
    const { http } = client();
    const controller = new AbortController();
    const request = { method: 'POST' as const, url: `${silent}/`, headers: {}, body: '', timeoutMs: 5000 };
    const work = kindOf(http.request({ ...request, signal: controller.signal }));
    setImmediate(() => controller.abort());
    assert.equal(await work, 'ambiguous');
    assert.equal(await kindOf(http.request({ ...request, signal: AbortSignal.abort() })), 'unavailable');
  });
});
