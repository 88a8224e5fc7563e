/**
 * Several nodes on one PostgreSQL database, each a process of its own, and a sandbox beside them. Between every node and
 * the sandbox stands a wire of its own, which notes what the node asks the upstream.
 */
import { createServer, request as ask, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  call,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Answer,
  type LooseJson,
  type Running,
} from './processes.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** One request of a node to the upstream. Times are of one clock. */
export interface Asked {
  node: string;
  method: string;
  /** The upstream, as the sandbox names it. */
  upstream: string;
  path: string;
  from: number;
  until: number;
}

export interface ClusterNode extends Running {
  name: string;
}

export interface ClusterOptions {
  /** How many times faster than real time the upstream works. */
  speed: number;
  env?: Record<string, string>;
}

export class Cluster implements AsyncDisposable {
  /** What was asked of the upstream so far, in order of the answers. */
  readonly asked: Asked[] = [];
  readonly nodes: ClusterNode[] = [];
  readonly #options: ClusterOptions;
  readonly #directory = temporaryDirectory();
  readonly #wires: Server[] = [];
  #database!: TestDatabase;
  #sandbox!: Running;
  #turn = 0;
  readonly #end = (): void => {
    for (const node of this.nodes) node.child.kill('SIGKILL');
    this.#sandbox?.child.kill('SIGKILL');
    this.#directory.dispose();
  };

  private constructor(options: ClusterOptions) {
    this.#options = options;
    process.on('exit', this.#end);
  }

  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    cluster.#database = await createTestDatabase();
    cluster.#sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: cluster.#directory.path,
      REELAY_SANDBOX_SPEED: String(options.speed),
      REELAY_SANDBOX_RENDER: 'tiny',
    });
    return cluster;
  }

  get databaseUrl(): string {
    return this.#database.url;
  }

  get dataDirectory(): string {
    return join(this.#directory.path, 'nodes');
  }

  get adminToken(): string {
    return firstRunOf(this.dataDirectory).admin_token;
  }

  async startNode(name: string, env: Record<string, string> = {}): Promise<ClusterNode> {
    const running = await startProcess('src/main.ts', [], {
      PORT: '0',
      REELAY_DATA: this.dataDirectory,
      DATABASE_URL: this.#database.url,
      REELAY_SANDBOX: await this.#wire(name),
      REELAY_SANDBOX_SPEED: String(this.#options.speed),
      REELAY_ALLOW_PRIVATE: '127.0.0.1',
      ...this.#options.env,
      ...env,
    });
    const node = { ...running, name };
    this.nodes.push(node);
    return node;
  }

  /** One request to the nodes in turn, past those that do not answer. */
  async call(path: string, options: { json?: unknown; method?: string; key?: string } = {}): Promise<Answer> {
    const key = options.key ?? firstRunOf(this.dataDirectory).api_key;
    for (let tries = 1; ; tries++) {
      const node = this.nodes[this.#turn++ % this.nodes.length]!;
      try {
        return await call(node.url + path, { ...options, key });
      } catch (error) {
        if (tries > 2 * this.nodes.length) throw error;
      }
    }
  }

  /** Takes a node off the list of those that are called. */
  forget(node: ClusterNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Every task the upstreams ever accepted. */
  async upstreamTasks(): Promise<LooseJson[]> {
    return (await call(`${this.#sandbox.url}/_control/tasks`)).body.tasks as LooseJson[];
  }

  /** The node that asked an upstream about its tasks last. */
  lastPoller(upstream: string): string | null {
    return this.polls(upstream).at(-1)?.node ?? null;
  }

  /** Questions about tasks, by the moment they were asked. */
  polls(upstream: string): Asked[] {
    return this.asked
      .filter((one) => one.upstream === upstream && one.method === 'GET' && !/\.[a-z0-9]+$/.test(one.path))
      .sort((a, b) => a.from - b.from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#end);
    for (const node of [...this.nodes]) await node.kill();
    await this.#sandbox.kill();
    for (const wire of this.#wires) {
      wire.closeAllConnections();
      wire.close();
    }
    await this.#database.drop();
    this.#directory.dispose();
  }

  /** Passes everything on to the sandbox and notes it; answers its own address. */
  async #wire(node: string): Promise<string> {
    const target = new URL(this.#sandbox.url);
    const server = createServer((near, answer) => {
      const [path] = near.url!.split('?');
      const asked = {
        node,
        method: near.method!,
        upstream: path!.split('/')[1]!,
        path: path!,
        from: performance.now(),
      };
      const { method, url } = near;
      // The sandbox names itself in its links, not the wire: any node may fetch what another was told of.
      const headers = { ...near.headers, host: target.host };
      const far = ask(
        { host: target.hostname, port: target.port, method, path: url, headers },
        (response) => {
          answer.writeHead(response.statusCode!, response.headers);
          response.pipe(answer);
          response.once('end', () => this.asked.push({ ...asked, until: performance.now() }));
        },
      );
      far.on('error', () => answer.destroy());
      near.pipe(far);
    });
    this.#wires.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}
