import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startFixture, testApiKey, type Fixture } from './server.fixture.ts';

let fixture: Fixture;
let port: number;
before(async () => {
  fixture = await startFixture();
  await fixture.server.listen({ host: '127.0.0.1', port: 0 });
  port = (fixture.server.server.address() as AddressInfo).port;
});
after(() => fixture.server.close());

/** What comes back for raw bytes, until the other side closes. */
async function exchange(text: string): Promise<{ status: number; headers: string; body: string }> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  const end = answer.indexOf('\r\n\r\n');
  return {
    status: Number(answer.slice(9, 12)),
    headers: answer.slice(0, end).toLowerCase(),
    body: answer.slice(end + 4),
  };
}

describe('what is no HTTP', () => {
  test('is answered with a JSON 400 all the same', async () => {
    for (const text of [
      'rubbish\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /echo/things HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n',
      'POST /echo/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc',
    ]) {
      const answer = await exchange(text);
      assert.equal(answer.status, 400, text);
      assert.equal(JSON.parse(answer.body).error.code, 'invalid_request');
      assert.match(answer.headers, /x-request-id: [0-9a-f-]{36}/);
    }
  });

  test('or has headers without end is told so', async () => {
    const answer = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.equal(answer.status, 431);
    assert.match(JSON.parse(answer.body).error.message, /16 KiB/);
  });
});

describe('a caller that hangs up in the middle of its body', () => {
  test('does no harm', async () => {
    for (const type of ['application/json', 'multipart/form-data; boundary=b']) {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `POST /echo/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testApiKey}\r\n` +
          `Content-Type: ${type}\r\nContent-Length: 1000\r\n\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx`,
      );
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      await once(socket, 'close');
    }
    const alive = await exchange('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.equal(alive.status, 200);
    assert.deepEqual(
      fixture.log.filter((entry) => entry.msg === 'internal error'),
      [],
    );
  });

  test('or sends more than is allowed gets its refusal at once', async () => {
    const answer = await exchange(
      `POST /echo/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testApiKey}\r\n` +
        `Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`,
    );
    assert.match(answer.headers, /connection: close/);
    assert.equal(JSON.parse(answer.body).echo, 'payload_too_large');
  });
});
