/** The line between one node and the upstream: passes everything on and tells the book what was asked. */
import { Agent, createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { PollBook } from './poll-book.ts';

export class UpstreamTap implements AsyncDisposable {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: { node: string; upstream: string; book: PollBook }) {
    const { node, book } = options;
    const upstream = new URL(options.upstream);
    this.#server = createServer((incoming, outgoing) => {
      const { method = 'GET', url = '/', headers } = incoming;
      const end = book.begin(node, method, url);
      // Over when it is answered, and when the node that asked is gone.
      outgoing.once('close', () => end?.());
      const passed = request(
        {
          agent: this.#agent,
          host: upstream.hostname,
          port: upstream.port,
          method,
          path: url,
          // Files are then linked to by the upstream's own address, whichever node was told of them.
          headers: { ...headers, host: upstream.host },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
          answer.on('error', () => outgoing.destroy());
        },
      );
      passed.on('error', () => outgoing.destroy());
      outgoing.on('close', () => passed.destroy());
      incoming.on('error', () => passed.destroy());
      incoming.pipe(passed);
    });
  }

  /** Listens on a loopback port; answers its URL. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
