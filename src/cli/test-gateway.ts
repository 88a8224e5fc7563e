/** For tests: a gateway on loopback that answers what it is told, and a terminal whose words can be read. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from './command.ts';

export interface Received {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
}

type Reply =
  | { status?: number; headers?: Record<string, string>; json: unknown }
  | ((response: ServerResponse, received: Received) => void);

export interface TestGateway {
  url: string;
  received: Received[];
  /** The JSON bodies sent to a route. */
  bodiesOf(route: string): Record<string, unknown>[];
  close(): Promise<void>;
}

/**
 * `routes`: `GET /v1/videos/a` -> what is answered; a list is answered one by one, its last entry for ever. What has
 * no route gets the gateway's own 404.
 */
export async function startTestGateway(routes: Record<string, Reply | Reply[]>): Promise<TestGateway> {
  const received: Received[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url!;
      const text = Buffer.concat(chunks).toString('latin1');
      const entry = { method: request.method!, path, headers: request.headers, text };
      received.push(entry);
      const route = [`${request.method} ${path}`, `${request.method} ${path.split('?')[0]}`].find(
        (each) => each in routes,
      );
      const replies: Reply[] = route === undefined ? [notFound] : [routes[route]!].flat();
      const count = counts.get(route ?? '') ?? 0;
      counts.set(route ?? '', count + 1);
      const reply = replies[Math.min(count, replies.length - 1)]!;
      if (typeof reply === 'function') reply(response, entry);
      else {
        response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
        response.end(JSON.stringify(reply.json));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    bodiesOf: (route) =>
      received
        .filter((each) => `${each.method} ${each.path}` === route && isJson(each))
        .map((each) => JSON.parse(Buffer.from(each.text, 'latin1').toString()) as Record<string, unknown>),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isJson({ headers }: Received): boolean {
  return headers['content-type'] === 'application/json';
}

const notFound: Reply = refusal(404, 'not_found', 'There is no such route.');

/** A refusal as the gateway words it. */
export function refusal(status: number, code: string, message: string): { status: number; json: unknown } {
  return { status, json: { error: { message, type: 'invalid_request_error', param: null, code } } };
}

export interface TestContext extends Context {
  /** What was written so far. */
  output(): { out: string; err: string };
  interrupt(): void;
}

export function createTestContext(options: {
  cwd: string;
  env?: Record<string, string>;
  isInteractive?: boolean;
  onErr?: (text: string) => void;
}): TestContext {
  const controller = new AbortController();
  let out = '';
  let err = '';
  return {
    env: options.env ?? {},
    cwd: options.cwd,
    signal: controller.signal,
    catchSignals() {},
    terminal: {
      out: (text) => void (out += text),
      err(text) {
        err += text;
        options.onErr?.(text);
      },
      isInteractive: options.isInteractive ?? false,
      columns: () => 80,
      paint: (_colour, text) => text,
    },
    output: () => ({ out, err }),
    interrupt: () => controller.abort(),
  };
}
