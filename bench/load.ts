/**
 * The load: keep-alive connections that each send the same request again as soon as it is answered. Written on bare
 * sockets, because on two cores every microsecond spent here is taken from the servers. It runs in the bench's own
 * process, which serves nothing.
 */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

export interface LoadRequest {
  /** Of the server, without a path. */
  url: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  /** Absent: POST. */
  method?: 'GET';
  /** Instead of the one path, each of these in turn. */
  paths?: string[];
}

export interface LoadResult {
  /** Answers 200 within the time. */
  answered: number;
  seconds: number;
  /** What this process itself spent, in microseconds of processor time. */
  cpuMicros: number;
}

/** Loads a server for `durationMs` over `connections`; rejects at the first answer that is not 200. */
export async function load(
  request: LoadRequest,
  options: { connections: number; durationMs: number },
): Promise<LoadResult> {
  const { hostname, port } = new URL(request.url);
  const wire = (request.paths ?? [request.path]).map((path) => wireBytes({ ...request, path }));
  let sent = 0;
  const next = (): Buffer => wire[sent++ % wire.length]!;
  const clients = await Promise.all(
    Array.from({ length: options.connections }, () => open(hostname, Number(port), next)),
  );
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const work = Promise.all(clients.map((client) => client.run()));
  const time = new Promise((resolve) => setTimeout(resolve, options.durationMs));
  try {
    await Promise.race([time, work]);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const answered = clients.reduce((sum, client) => sum + client.answered, 0);
    // What is under way is waited for, so that the next turn meets an idle server.
    for (const client of clients) client.finish();
    await work;
    return { answered, seconds, cpuMicros: user + system };
  } finally {
    for (const client of clients) client.socket.destroy();
  }
}

function wireBytes({ url, path, headers, body, method }: LoadRequest): Buffer {
  const lines = [
    `${method ?? 'POST'} ${path} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    ...(method === 'GET'
      ? []
      : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${method === 'GET' ? '' : body}`);
}

interface Client {
  socket: Socket;
  answered: number;
  /** Sends, and sends again, until finished. */
  run(): Promise<void>;
  /** No further request after the one under way. */
  finish(): void;
}

function open(host: string, port: number, next: () => Buffer): Promise<Client> {
  const done = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Client>();
  let head = '';
  let bodyLeft = 0;
  let finished = false;
  const fail = (reason: string): void => {
    const error = new Error(reason);
    opened.reject(error);
    done.reject(error);
    client.socket.destroy();
  };

  /** One answer at a time: nothing is pipelined. */
  const take = (size: number, chunk: Uint8Array): boolean => {
    if (bodyLeft > 0) {
      bodyLeft -= size;
      if (bodyLeft === 0) answered();
      return true;
    }
    head += (chunk as Buffer).toString('latin1', 0, size);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return true;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
      fail(`unexpected answer: ${head.slice(0, 2000)}`);
      return false;
    }
    bodyLeft = Number(length) - (head.length - end - 4);
    head = '';
    if (bodyLeft === 0) answered();
    return true;
  };

  const answered = (): void => {
    client.answered++;
    if (finished) done.resolve();
    else client.socket.write(next());
  };

  const socket = connect({
    host,
    port,
    noDelay: true,
    // All bytes of a chunk are used before the next one comes, so a single buffer does.
    onread: { buffer: Buffer.allocUnsafe(64 * 1024), callback: take },
  });
  const client: Client = {
    socket,
    answered: 0,
    run() {
      socket.write(next());
      return done.promise;
    },
    finish() {
      finished = true;
    },
  };
  socket.once('connect', () => opened.resolve(client));
  socket.once('error', (error) => fail(error.message));
  socket.once('close', () => fail('the server closed a connection'));
  // Whoever runs the client hears of it; a client that never ran has nobody to tell.
  done.promise.catch(() => {});
  return opened.promise;
}
