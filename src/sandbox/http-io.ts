/** What the sandbox's server needs of node:http: reading, answering, cutting, and where it is. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulatorAnswer } from '../providers/kit/simulator.ts';

/** Seven pictures of ten megabytes in base64; refused beyond. */
const bodyBytesMax = 96 * 1024 * 1024;

/** Under the name the caller used, so that links work through containers and proxies. */
export function originOf(request: IncomingMessage, listening: string): string {
  const host = request.headers.host;
  return host && /^[\w.:[\]-]{1,255}$/.test(host) ? `http://${host}` : listening;
}

export function isLoopback(origin: string): boolean {
  const name = URL.parse(origin)?.hostname ?? '';
  return name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

export function flatten(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Null when it is larger than any simulated upstream takes; the rest is drained, so that the answer arrives. */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > bodyBytesMax ? null : Buffer.concat(chunks).toString('utf8');
}

export function send(response: ServerResponse, answer: SimulatorAnswer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    ...answer.headers,
    'content-length': body.length,
  });
  response.end(body);
}

/** The caller sees a reset or a closed socket, and cannot know what was done. */
export function cut(response: ServerResponse): void {
  response.socket?.destroy();
}

export function notFound(): SimulatorAnswer {
  return { status: 404, body: '{"error":{"message":"There is nothing here."}}' };
}

export function tooLarge(): SimulatorAnswer {
  return { status: 413, body: '{"error":{"message":"The body is too large."}}' };
}

/** Rejects when the address is taken or not ours. */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export function addressOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  // An address to call, not to listen on.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
