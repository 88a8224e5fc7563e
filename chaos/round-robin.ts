/** As dumb as a load balancer can be: every request goes to the next node, dead or alive. */
import { Agent, createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export class RoundRobin implements AsyncDisposable {
  url = '';
  /** Requests by node. */
  readonly served = new Map<string, number>();
  readonly #nodes: URL[] = [];
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  #next = 0;

  constructor() {
    this.#server = createServer((incoming, outgoing) => {
      const node = this.#nodes[this.#next++ % this.#nodes.length];
      if (node === undefined) return void outgoing.destroy();
      this.served.set(node.host, (this.served.get(node.host) ?? 0) + 1);
      const passed = request(
        {
          agent: this.#agent,
          host: node.hostname,
          port: node.port,
          method: incoming.method,
          path: incoming.url,
          headers: incoming.headers,
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
          answer.on('error', () => outgoing.destroy());
        },
      );
      // The caller sees what it would see without us: a connection that broke.
      passed.on('error', () => outgoing.destroy());
      incoming.on('error', () => passed.destroy());
      incoming.pipe(passed);
    });
  }

  async listen(): Promise<void> {
    // Longer than any caller keeps an idle connection: else one could be closed in the moment it is used again.
    this.#server.keepAliveTimeout = 60_000;
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(url: string): void {
    this.#nodes.push(new URL(url));
  }

  remove(url: string): void {
    const index = this.#nodes.findIndex(({ origin }) => origin === url);
    if (index >= 0) this.#nodes.splice(index, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
