/** Servers that break the protocol on purpose: whatever they send, the client ends in time, in memory and in our words. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createGuardedHttp, TransferFailed, UrlRefused } from './guarded-http.ts';

type Hostile = (socket: Socket) => void;

/** Repeats until the other side is gone, never faster than it takes the bytes. */
function forever(socket: Socket, bytes: () => Buffer | string, everyMs = 0): void {
  const more = (): void => {
    if (socket.destroyed) return;
    const flows = socket.write(bytes());
    if (everyMs > 0) setTimeout(more, everyMs);
    else if (flows) setImmediate(more);
    else socket.once('drain', more);
  };
  more();
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

describe('a hostile server', () => {
  let act: Hostile = () => {};
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections++;
    open.add(socket);
    socket.on('error', () => {});
    // Half-open on purpose: the client's end is not ours.
    for (const end of ['end', 'close']) socket.once(end, () => open.delete(socket));
    socket.once('data', () => act(socket));
    socket.resume();
  });
  const http = createGuardedHttp({ allow: ['127.0.0.1'], userAgent: 'test' });
  let url = '';

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(async () => {
    await http.close();
    for (const socket of open) socket.destroy();
    server.close();
  });

  /** How a download ends: a reason, or the number of bytes. */
  async function ends(
    limits: { bytesMax?: number; timeoutMs?: number; idleTimeoutMs?: number } = {},
  ): Promise<string | number> {
    try {
      const { bytes } = await http.download({
        url,
        timeoutMs: 2_000,
        bytesMax: 100_000,
        ...limits,
        to: (body) => count(body),
      });
      return bytes;
    } catch (error) {
      if (error instanceof TransferFailed || error instanceof UrlRefused) return error.reason;
      throw error;
    }
  }

  async function count(body: Readable): Promise<number> {
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    return bytes;
  }

  /** The client has hung up: nothing is left that a server could keep busy. */
  async function hungUp(): Promise<void> {
    for (const socket of open) {
      await new Promise<void>((resolve) => {
        for (const end of ['end', 'close']) socket.once(end, () => resolve());
      });
    }
  }

  const slow = { timeoutMs: 400 };
  const cases: [string, Hostile, string | number, object?][] = [
    ['that never says a word', () => {}, 'timeout', slow],
    ['whose head drips in, byte by byte', (socket) => forever(socket, () => 'H', 20), 'reset', slow],
    [
      'whose headers drip in, line by line',
      (socket) => {
        socket.write(ok);
        forever(socket, () => 'x-drip: 1\r\n', 20);
      },
      'timeout',
      slow,
    ],
    [
      'whose headers never end',
      (socket) => {
        socket.write(ok);
        forever(socket, () => `x-${'a'.repeat(1_000)}: ${'b'.repeat(1_000)}\r\n`);
      },
      'reset',
    ],
    [
      'that announces an answer and never gives it',
      (socket) => forever(socket, () => 'HTTP/1.1 102 Processing\r\n\r\n', 10),
      'timeout',
      slow,
    ],
    [
      'that gives hints without end',
      (socket) => forever(socket, () => 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 1),
      'timeout',
      slow,
    ],
    [
      'that switches protocols',
      (socket) => socket.write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      'reset',
    ],
    ['that speaks no HTTP', (socket) => socket.end('220 mail ready\r\n'), 'reset'],
    ['that sends noise', (socket) => forever(socket, () => Buffer.alloc(1_000, 0xfe)), 'reset'],
    [
      'whose body drips in',
      (socket) => {
        socket.write(`${ok}content-length: 50000\r\n\r\n`);
        forever(socket, () => 'x', 20);
      },
      'timeout',
      { idleTimeoutMs: 200 },
    ],
    [
      'whose body drips in, a little faster than it must',
      (socket) => {
        socket.write(chunked);
        forever(socket, () => `200\r\n${'x'.repeat(512)}\r\n`, 100);
      },
      'timeout',
      { timeoutMs: 900, idleTimeoutMs: 200 },
    ],
    [
      'whose chunks have one byte each, and never end',
      (socket) => {
        socket.write(chunked);
        forever(socket, () => '1\r\nx\r\n'.repeat(500));
      },
      'too_large',
      { bytesMax: 20_000 },
    ],
    [
      'whose chunks never end',
      (socket) => {
        socket.write(chunked);
        forever(socket, () => `10000\r\n${'x'.repeat(65_536)}\r\n`);
      },
      'too_large',
    ],
    [
      'whose body has no length and no end',
      (socket) => {
        socket.write(`${ok}connection: close\r\n\r\n`);
        forever(socket, () => Buffer.alloc(65_536));
      },
      'too_large',
    ],
    [
      'whose chunk is larger than numbers are',
      (socket) => socket.write(`${chunked}${'f'.repeat(20)}\r\nxxx`),
      'reset',
    ],
    [
      'whose chunk never gets its size',
      (socket) => {
        socket.write(chunked);
        forever(socket, () => '0', 20);
      },
      'timeout',
      slow,
    ],
    [
      'whose chunk has extensions without end',
      (socket) => {
        socket.write(`${chunked}5;a=`);
        forever(socket, () => 'b'.repeat(10_000));
      },
      'timeout',
      slow,
    ],
    [
      'whose trailers never end',
      (socket) => {
        socket.write(`${chunked}5\r\nhello\r\n0\r\n`);
        forever(socket, () => `x-${'a'.repeat(1_000)}: 1\r\n`);
      },
      'reset',
    ],
    [
      'that announces more than it sends',
      (socket) => socket.end(`${ok}content-length: 100\r\n\r\nhalf`),
      'reset',
    ],
    [
      'that announces more than we take',
      (socket) => socket.end(`${ok}content-length: 100001\r\n\r\nx`),
      'too_large',
    ],
    [
      'that announces an absurd length',
      (socket) => socket.end(`${ok}content-length: 99999999999999999999999\r\n\r\nx`),
      'reset',
    ],
    [
      'that announces a negative length',
      (socket) => socket.end(`${ok}content-length: -5\r\n\r\nhello`),
      'reset',
    ],
    ['that announces no number', (socket) => socket.end(`${ok}content-length: five\r\n\r\nhello`), 'reset'],
    [
      'that announces two lengths',
      (socket) => socket.end(`${ok}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`),
      'reset',
    ],
    [
      'that announces a length and chunks',
      (socket) =>
        socket.end(`${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`),
      'reset',
    ],
    [
      'that goes on after its answer',
      (socket) => {
        socket.write(`${ok}content-length: 5\r\n\r\nhello`);
        forever(socket, () => `${ok}content-length: 7\r\n\r\npoison!`, 5);
      },
      5,
    ],
    ['that closes its half within the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-a'), 'reset'],
    ['that closes its half within the body', (socket) => socket.end(`${chunked}5\r\nhel`), 'reset'],
    [
      'that closes its half after the body, and listens on',
      (socket) => socket.end(`${ok}content-length: 5\r\n\r\nhello`),
      5,
    ],
    [
      'that breaks off with a reset',
      (socket) => {
        socket.write(`${ok}content-length: 100\r\n\r\nhalf`);
        setTimeout(() => socket.resetAndDestroy(), 20);
      },
      'reset',
    ],
    [
      'that redirects, and never ends that answer',
      (socket) => {
        socket.write(`HTTP/1.1 302 Found\r\nlocation: /again\r\ntransfer-encoding: chunked\r\n\r\n`);
        forever(socket, () => `10000\r\n${'x'.repeat(65_536)}\r\n`);
      },
      'redirects',
    ],
    [
      'that redirects to a location without end',
      (socket) => {
        socket.write(`HTTP/1.1 302 Found\r\nlocation: /`);
        forever(socket, () => 'a'.repeat(10_000));
      },
      'reset',
    ],
    [
      'that redirects with several locations',
      (socket) =>
        socket.end(
          `HTTP/1.1 302 Found\r\nlocation: /a\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n`,
        ),
      'status',
    ],
    [
      'that refuses at length',
      (socket) => {
        socket.write(`HTTP/1.1 500 No\r\n\r\n`);
        forever(socket, () => Buffer.alloc(65_536));
      },
      'status',
    ],
  ];

  for (const [name, hostile, expected, limits] of cases) {
    test(`${name} is left with '${expected}'`, async () => {
      act = hostile;
      const startedAt = performance.now();
      assert.equal(await ends(limits), expected);
      // Far more than any limit above: a guard against waiting for ever, not a measurement.
      assert.ok(performance.now() - startedAt < 10_000);
      if (typeof expected === 'string') await hungUp();
    });
  }

  test('what comes after an answer is never taken for the next one', async () => {
    act = (socket) => {
      socket.write(`${ok}content-length: 5\r\n\r\nhello${ok}content-length: 7\r\n\r\npoison!`);
      socket.on('data', () => socket.write(`${ok}content-length: 5\r\n\r\nhello`));
    };
    for (let round = 0; round < 10; round++) {
      const answer = await http.request({ url, timeoutMs: 2_000, bytesMax: 100 }).catch(() => null);
      if (answer === null) continue;
      const body = await buffer(answer.body).catch(() => null);
      if (body !== null) assert.equal(body.toString(), 'hello');
    }
  });

  test('a body that claims to be packed is handed on packed: nothing is ever unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20));
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip, gzip']) {
      act = (socket) => {
        socket.write(`${ok}content-encoding: ${encoding}\r\ncontent-length: ${bomb.length}\r\n\r\n`);
        socket.end(bomb);
      };
      assert.equal(await ends(), bomb.length, encoding);
    }
  });

  test('hundreds of origins leave no connection behind', async () => {
    act = (socket) => socket.end(`${ok}connection: close\r\ncontent-length: 2\r\n\r\nok`);
    const { port } = server.address() as AddressInfo;
    const named = createGuardedHttp({
      allow: Array.from({ length: 300 }, (_, index) => `host-${index}.example`),
      userAgent: 'test',
      resolve: async () => ['127.0.0.1'],
    });
    const before = connections;
    for (let index = 0; index < 300; index++) {
      const answer = await named.request({
        url: `http://host-${index}.example:${port}/`,
        timeoutMs: 2_000,
        bytesMax: 100,
      });
      assert.equal((await buffer(answer.body)).toString(), 'ok');
    }
    assert.equal(connections - before, 300);
    await hungUp();
    await named.close();
  });

  test('memory stays flat while endless bodies come in, however slowly they are taken', async () => {
    act = (socket) => {
      socket.write(chunked);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      forever(socket, () => chunk);
    };
    const script = fileURLToPath(new URL('./guarded-http-memory.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, [script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = await buffer(child.stdout);
    const { reasons, grownBytes } = JSON.parse(output.toString()) as {
      reasons: string[];
      grownBytes: number;
    };
    assert.deepEqual(new Set(reasons), new Set(['too_large']));
    assert.equal(reasons.length, 20);
    // 20 bodies of 32 MiB each: 640 MiB came in.
    assert.ok(grownBytes < 200 * 2 ** 20, `grown by ${Math.round(grownBytes / 2 ** 20)} MiB`);
  });
});
