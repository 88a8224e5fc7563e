import assert from 'node:assert/strict';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { privateIPv4, privateUrls } from '../../test/helpers/private-urls.ts';
import { createGuardedHttp, TransferFailed, UrlRefused, type GuardedRequest } from './guarded-http.ts';

const limits = { timeoutMs: 5000, bytesMax: 1 << 20 };

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof UrlRefused || error instanceof TransferFailed) return error.reason;
    throw error;
  }
  return 'done';
}

async function serve(listener: RequestListener): Promise<{ server: Server; port: number; origin: string }> {
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, port, origin: `http://127.0.0.1:${port}` };
}

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}

describe('no form of a private URL makes a connection', () => {
  let connections = 0;
  const trap = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  let port = 0;
  let names: Record<string, string[]> = {};
  const http = createGuardedHttp({
    allow: ['redirector.example'],
    userAgent: 'test',
    resolve: async (name) => names[name] ?? [],
  });

  before(async () => {
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    port = (trap.address() as AddressInfo).port;
  });
  after(async () => {
    await http.close();
    trap.close();
  });

  test('the table holds more than 300 forms, none passes the check or the client', async () => {
    const urls = privateUrls(port);
    assert.ok(new Set(urls).size > 300, String(new Set(urls).size));
    for (const url of urls) {
      assert.throws(() => http.checkUrl(url), UrlRefused, url);
      assert.match(await reasonOf(http.request({ url, ...limits })), /^(address|malformed)$/, url);
    }
    assert.equal(connections, 0);
  });

  test('nor as the target of a redirect', async () => {
    let target = '';
    const redirector = await serve((_request, response) => {
      response.writeHead(302, { location: Buffer.from(target, 'utf8').toString('latin1') }).end();
    });
    names = { 'redirector.example': ['127.0.0.1'] };
    const url = `http://redirector.example:${redirector.port}/`;
    for (target of privateUrls(port).filter((each) => !/[\r\n]/.test(each))) {
      // "http:127.0.0.1" is a path when the base is http, so that one leads back to the redirector.
      const reason = await reasonOf(http.request({ url, ...limits }));
      assert.match(reason, /^(address|malformed|redirects)$/, target);
    }
    target = `//127.0.0.1:${port}/`;
    assert.equal(await reasonOf(http.request({ url, ...limits })), 'address');
    stop(redirector.server);
    assert.equal(connections, 0);
  });

  test('nor as what a name resolves to', async () => {
    const addresses = [
      ...privateIPv4,
      ...privateIPv4.map((each) => `::ffff:${each}`),
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
    ];
    for (const address of addresses) {
      for (const answer of [[address], ['93.184.216.34', address]]) {
        names = { 'name.example': answer };
        assert.equal(
          await reasonOf(http.request({ url: `http://name.example:${port}/`, ...limits })),
          'address',
          address,
        );
      }
    }
    assert.equal(connections, 0);
  });

  test('the trap itself works', async () => {
    const open = createGuardedHttp({ allow: ['127.0.0.1'], userAgent: 'test' });
    assert.equal(await reasonOf(open.request({ url: `http://0x7f.1:${port}/`, ...limits })), 'reset');
    assert.equal(connections, 1);
    await open.close();
  });
});

test('form alone is judged at create time: scheme, credentials, https, syntax', () => {
  const http = createGuardedHttp({ allow: [], userAgent: 'test', resolve: () => assert.fail('looked up') });
  const cases: [string, string][] = [
    ['ftp://example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/plain,x', 'scheme'],
    ['gopher://example.com:70/', 'scheme'],
    ['http://user@example.com/', 'credentials'],
    ['http://:secret@example.com/', 'credentials'],
    ['http://127.0.0.1@example.com/', 'credentials'],
    ['http://example.com:80@127.0.0.1/', 'credentials'],
    ['', 'malformed'],
    ['example.com/a.png', 'malformed'],
    ['/a.png', 'malformed'],
    ['//example.com/a.png', 'malformed'],
    ['http://', 'malformed'],
    ['http://exa mple.com/', 'malformed'],
    ['http://example.com:99999/', 'malformed'],
    ['http://[fe80::1%25lo]/', 'malformed'],
    ['http://1.2.3.4.5/', 'malformed'],
    ['http://256.1.1.1/', 'malformed'],
  ];
  for (const [url, reason] of cases) {
    assert.throws(() => http.checkUrl(url), { name: 'UrlRefused', reason }, url);
  }
  assert.throws(() => http.checkUrl('http://example.com/', { httpsOnly: true }), { reason: 'scheme' });
  for (const url of [
    'http://example.com/',
    'https://例え.jp/絵.png?x=1#y',
    'https://8.8.8.8:8443/',
    'https://[2606:4700::1]/',
  ]) {
    http.checkUrl(url);
  }
  http.checkUrl('https://example.com/', { httpsOnly: true });
});

describe('transfers', () => {
  let handler: RequestListener = (_request, response) => void response.end();
  let connections = 0;
  let site: Awaited<ReturnType<typeof serve>>;
  let other: Awaited<ReturnType<typeof serve>>;
  const http = createGuardedHttp({
    allow: ['site.example', 'other.example'],
    userAgent: 'Reelay test',
    resolve: async () => ['127.0.0.1'],
  });
  const ask = (path: string, more: Partial<GuardedRequest> = {}) =>
    http.request({ url: `http://site.example:${site.port}${path}`, ...limits, ...more });

  before(async () => {
    site = await serve((request, response) => handler(request, response));
    other = await serve((request, response) => {
      response.end(JSON.stringify(request.headers));
    });
    site.server.on('connection', () => connections++);
  });
  after(async () => {
    await http.close();
    stop(site.server);
    stop(other.server);
  });

  test('the pinned address is asked under the original name; the answer comes as it is', async () => {
    const zipped = gzipSync('hello');
    handler = (request, response) => {
      assert.equal(request.headers.host, `site.example:${site.port}`);
      assert.equal(request.headers['user-agent'], 'Reelay test');
      assert.equal(request.headers['accept-encoding'], 'identity');
      response.writeHead(201, { 'content-encoding': 'gzip', 'x-a': 'b' }).end(zipped);
    };
    const response = await ask('/a?b=%20c');
    assert.equal(response.status, 201);
    assert.equal(response.headers['x-a'], 'b');
    assert.equal(response.url, `http://site.example:${site.port}/a?b=%20c`);
    assert.deepEqual(await buffer(response.body), zipped);
  });

  test('a body that was read leaves its connection for the next request', async () => {
    handler = (_request, response) => void response.end('x');
    await text((await ask('/')).body);
    const opened = connections;
    for (let round = 0; round < 5; round++) await text((await ask('/')).body);
    assert.equal(connections, opened);
  });

  test('a POST carries its body and takes a redirect as the answer', async () => {
    let received = '';
    handler = async (request, response) => {
      received = await text(request);
      response.writeHead(307, { location: '/elsewhere' }).end('moved');
    };
    const response = await ask('/', {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(response.status, 307);
    assert.equal(await text(response.body), 'moved');
    assert.equal(received, '{"a":1}');
  });

  test('up to five redirects are followed, relative ones too', async () => {
    handler = (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(302, { location: `./${left - 1}` }).end('x'.repeat(100));
      else response.end('arrived');
    };
    assert.equal(await text((await ask('/5')).body), 'arrived');
    assert.equal(await reasonOf(ask('/6')), 'redirects');
  });

  test('a redirect to a stranger takes no credentials along and meets the same rules', async () => {
    handler = (_request, response) => {
      response.writeHead(301, { location: `http://other.example:${other.port}/` }).end();
    };
    const headers = { Authorization: 'Bearer secret', Cookie: 'a=b', 'X-Api-Key': 'k', Accept: 'image/*' };
    const seen = JSON.parse(await text((await ask('/', { headers })).body));
    assert.equal(seen.accept, 'image/*');
    for (const name of ['authorization', 'cookie', 'x-api-key']) assert.equal(seen[name], undefined, name);

    for (const [location, reason] of [
      ['ftp://other.example/', 'scheme'],
      [`http://u:p@other.example:${other.port}/`, 'credentials'],
      ['http://[', 'malformed'],
    ] as const) {
      handler = (_request, response) => void response.writeHead(302, { location }).end();
      assert.equal(await reasonOf(ask('/')), reason);
    }
  });

  test('a redirect without a target is an answer', async () => {
    handler = (_request, response) => void response.writeHead(304).end();
    assert.equal((await ask('/')).status, 304);
    handler = (_request, response) => void response.writeHead(302).end('nowhere');
    assert.equal(await text((await ask('/')).body), 'nowhere');
  });

  test('too large a body is refused, announced or not, and one of the exact size is not', async () => {
    for (const chunked of [false, true]) {
      handler = (_request, response) => {
        if (!chunked) response.setHeader('content-length', 1001);
        response.write('x'.repeat(500));
        response.end('x'.repeat(501));
      };
      const read = async (bytesMax: number) => (await buffer((await ask('/', { bytesMax })).body)).length;
      assert.equal(await reasonOf(read(1000)), 'too_large');
      assert.equal(await read(1001), 1001);
    }
  });

  test('a body too large or cut short harms nobody who only wants the status', async () => {
    for (const headers of [{ 'content-length': 5000 }, {}]) {
      handler = (_request, response) => {
        response.writeHead(200, headers);
        response.write('x'.repeat(3000));
        setImmediate(() => response.destroy());
      };
      const response = await ask('/', { bytesMax: 2000 });
      assert.equal(response.status, 200);
      const closed = new Promise((resolve) => response.body.once('close', resolve));
      response.body.resume();
      await closed;
    }
  });

  test('silence before the answer, within the body, and in all is bounded', async () => {
    handler = () => {};
    assert.equal(await reasonOf(ask('/', { timeoutMs: 100 })), 'timeout');

    handler = (_request, response) => void response.write('x');
    const silent = await ask('/', { idleTimeoutMs: 100 });
    assert.equal(await reasonOf(buffer(silent.body)), 'timeout');

    handler = (_request, response) => {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    };
    const dripping = await ask('/', { timeoutMs: 300, idleTimeoutMs: 200 });
    assert.equal(await reasonOf(buffer(dripping.body)), 'timeout');
  });

  test('a body cut short is a failure', async () => {
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setImmediate(() => response.destroy());
    };
    const response = await ask('/');
    assert.equal(await reasonOf(buffer(response.body)), 'reset');
  });

  test('nobody listening is told from a connection that broke later', async () => {
    const gone = await serve(() => {});
    stop(gone.server);
    assert.equal(
      await reasonOf(http.request({ url: `http://site.example:${gone.port}/`, ...limits })),
      'connect',
    );
  });

  test('a header that cannot be sent is not blamed on the network', async () => {
    await assert.rejects(ask('/', { headers: { 'x-a': 'b\r\nc: d' } }), { code: 'UND_ERR_INVALID_ARG' });
  });

  test('the signal ends a transfer at any stage, with its own reason', async () => {
    const reason = new Error('not needed any more');
    await assert.rejects(ask('/', { signal: AbortSignal.abort(reason) }), reason);
    const waiting = new AbortController();
    handler = () => waiting.abort(reason);
    await assert.rejects(ask('/', { signal: waiting.signal }), reason);
    const reading = new AbortController();
    handler = (_request, response) => void response.write('x');
    const response = await ask('/', { signal: reading.signal });
    const body = buffer(response.body);
    reading.abort(reason);
    await assert.rejects(body, reason);
  });

  test('an answer dropped unread closes its connection', async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => (closed = resolve));
    handler = (_request, response) => {
      response.on('close', closed);
      response.write('x');
    };
    (await ask('/')).body.destroy();
    await gone;
  });

  test('an answer dropped while it keeps us waiting closes its connection at once', async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => (closed = resolve));
    handler = (_request, response) => {
      response.on('close', closed);
      response.write('x');
    };
    const { body } = await ask('/');
    const started = performance.now();
    body.once('data', () => setImmediate(() => body.destroy()));
    await gone;
    assert.ok(performance.now() - started < 2000);
  });

  test('HEAD may announce more than the cap', async () => {
    handler = (_request, response) => void response.writeHead(200, { 'content-length': 5000 }).end();
    const response = await ask('/', { method: 'HEAD', bytesMax: 10 });
    assert.equal(response.headers['content-length'], '5000');
    assert.equal(await text(response.body), '');
  });

  test('a download hands over the body and counts it', async () => {
    const content = Buffer.alloc(300_000, 'abc');
    handler = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'video/mp4' }).end(content);
    const { result, bytes, response } = await http.download({
      url: `http://site.example:${site.port}/`,
      ...limits,
      to: buffer,
    });
    assert.deepEqual(result, content);
    assert.equal(bytes, content.length);
    assert.equal(response.headers['content-type'], 'video/mp4');
  });

  test('a download fails on another status, a slow sender, a cut body, and when its taker fails', async () => {
    const download = (more: object = {}) =>
      http.download({ url: `http://site.example:${site.port}/`, ...limits, to: buffer, ...more });
    handler = (_request, response) => void response.writeHead(404).end('no');
    await assert.rejects(download(), { reason: 'status', status: 404 });

    handler = (_request, response) => {
      const drip = setInterval(() => response.write('xx'), 20);
      response.on('close', () => clearInterval(drip));
    };
    await assert.rejects(download({ idleTimeoutMs: 200 }), {
      reason: 'timeout',
      message: /less than 1024 bytes/,
    });

    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setImmediate(() => response.destroy());
    };
    await assert.rejects(download(), { reason: 'reset' });

    handler = (_request, response) => void response.end('fine');
    await assert.rejects(download({ to: () => Promise.reject(new Error('disk full')) }), /disk full/);
  });

  test('a slow taker is not mistaken for a slow sender', async () => {
    const content = Buffer.alloc(600_000, 'x');
    handler = (_request, response) => void response.end(content);
    const { result } = await http.download({
      url: `http://site.example:${site.port}/`,
      ...limits,
      idleTimeoutMs: 50,
      bytesPerSecondMin: 1_000_000,
      async to(body) {
        let bytes = 0;
        for await (const chunk of body) {
          bytes += (chunk as Buffer).length;
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        return bytes;
      },
    });
    assert.equal(result, content.length);
  });
});

describe('trusted origins', () => {
  let hops: string[] = [];
  let trusted: Awaited<ReturnType<typeof serve>>;
  let stranger: Awaited<ReturnType<typeof serve>>;
  const http = createGuardedHttp({ allow: [], userAgent: 'test' });

  before(async () => {
    trusted = await serve((request, response) => {
      hops.push('trusted');
      if (request.url === '/away') response.writeHead(302, { location: `${stranger.origin}/` }).end();
      else if (request.url === '/here') response.writeHead(302, { location: '/' }).end();
      else response.end('ours');
    });
    stranger = await serve((_request, response) => {
      hops.push('stranger');
      response.writeHead(302, { location: `${trusted.origin}/` }).end();
    });
  });
  after(async () => {
    await http.close();
    stop(trusted.server);
    stop(stranger.server);
  });

  test('are reached without the check, by set or by function, for this request alone', async () => {
    for (const trustedOrigins of [new Set([trusted.origin]), (origin: string) => origin === trusted.origin]) {
      http.checkUrl(`${trusted.origin}/`, { trustedOrigins });
      const response = await http.request({ url: `${trusted.origin}/here`, trustedOrigins, ...limits });
      assert.equal(await text(response.body), 'ours');
    }
    assert.equal(await reasonOf(http.request({ url: `${trusted.origin}/`, ...limits })), 'address');
    assert.throws(() => http.checkUrl(`${trusted.origin}/`), UrlRefused);
  });

  test('a redirect away from them is checked', async () => {
    hops = [];
    const trustedOrigins = new Set([trusted.origin]);
    assert.equal(
      await reasonOf(http.request({ url: `${trusted.origin}/away`, trustedOrigins, ...limits })),
      'address',
    );
    assert.deepEqual(hops, ['trusted']);
  });

  test('a stranger cannot redirect into them', async () => {
    hops = [];
    const named = createGuardedHttp({
      allow: ['stranger.example'],
      userAgent: 'test',
      resolve: async () => ['127.0.0.1'],
    });
    const url = `http://stranger.example:${stranger.port}/`;
    assert.equal(
      await reasonOf(named.request({ url, trustedOrigins: new Set([trusted.origin]), ...limits })),
      'address',
    );
    assert.deepEqual(hops, ['stranger']);
    await named.close();
  });
});

test('over TLS the pinned address is greeted with the name of the URL', async () => {
  const greeted: string[] = [];
  // Without a certificate the handshake fails, but only after the client has named its host.
  const server = createTlsServer({
    SNICallback: (name, done) => {
      greeted.push(name);
      done(new Error('no certificate'));
    },
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const http = createGuardedHttp({
    allow: ['secure.example'],
    userAgent: 'test',
    resolve: async () => ['127.0.0.1'],
  });
  assert.equal(
    await reasonOf(http.request({ url: `https://secure.example:${port}/`, ...limits })),
    'connect',
  );
  assert.deepEqual(greeted, ['secure.example']);
  await http.close();
  server.close();
});

test('refusals tell nothing about the network', async () => {
  const http = createGuardedHttp({ allow: [], userAgent: 'test', resolve: async () => ['10.20.30.40'] });
  await assert.rejects(http.request({ url: 'http://intranet.example/', ...limits }), (error: Error) => {
    assert.equal(error.message.includes('10.20'), false);
    return error instanceof UrlRefused && error.reason === 'address';
  });
  await http.close();
});
