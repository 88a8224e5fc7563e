/**
 * Several nodes on one PostgreSQL database, each a process of its own, and a sandbox beside them. Between every node and
 * the sandbox stands a tap, which tells the book what the node asks the upstream.
 */
import { join } from 'node:path';
import { PollBook } from './poll-book.ts';
import {
  call,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Answer,
  type FirstRunFile,
  type Running,
} from './processes.ts';
import { UpstreamTap } from './upstream-tap.ts';

export interface ClusterNode extends Running {
  name: string;
}

export interface ClusterOptions {
  /** An empty database; dropped at the end by whoever knows how. */
  database: { url: string; drop?(): Promise<void> };
  /** How many times faster than real time the upstream works. */
  speed: number;
  env?: Record<string, string>;
  /** What runs as a node instead of the gateway, with its arguments. */
  script?: [path: string, ...args: string[]];
}

export class Cluster implements AsyncDisposable {
  readonly book = new PollBook();
  /** Those that live, and are called. */
  readonly nodes: ClusterNode[] = [];
  readonly #options: ClusterOptions;
  readonly #directory = temporaryDirectory();
  readonly #started: Running[] = [];
  readonly #starting: Promise<unknown>[] = [];
  readonly #taps: UpstreamTap[] = [];
  #sandbox!: Running;
  #turn = 0;
  readonly #end = (): void => {
    for (const { child } of this.#started) child.kill('SIGKILL');
    this.#directory.dispose();
  };

  private constructor(options: ClusterOptions) {
    this.#options = options;
    process.on('exit', this.#end);
  }

  /** The sandbox, and nodes of these names, which start at once. */
  static async open(names: string[], options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.#startSandbox();
      await Promise.all(names.map((name) => cluster.startNode(name)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get dataDirectory(): string {
    return join(this.#directory.path, 'nodes');
  }

  get sandboxUrl(): string {
    return this.#sandbox.url;
  }

  /** What the first node has made. */
  get keys(): FirstRunFile {
    return firstRunOf(this.dataDirectory);
  }

  async startNode(name: string, env: Record<string, string> = {}): Promise<ClusterNode> {
    const { script: [path, ...args] = ['src/main.ts'], database, speed } = this.#options;
    const tap = new UpstreamTap({ node: name, upstream: this.sandboxUrl, book: this.book });
    this.#taps.push(tap);
    const running = await this.#start(path, args, {
      PORT: '0',
      REELAY_DATA: this.dataDirectory,
      DATABASE_URL: database.url,
      REELAY_SANDBOX: await tap.listen(),
      REELAY_SANDBOX_SPEED: String(speed),
      // The upstream's files lie on this machine, too.
      REELAY_ALLOW_PRIVATE: '127.0.0.1',
      ...this.#options.env,
      ...env,
    });
    const node = { ...running, name };
    this.nodes.push(node);
    return node;
  }

  /** SIGKILL. */
  async kill(node: ClusterNode): Promise<void> {
    this.forget(node);
    await node.kill();
    this.book.died(node.name);
  }

  /** Takes a node off the list of those that are called. */
  forget(node: ClusterNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** One request to the nodes in turn, past those that do not answer. */
  async call(path: string, options: { json?: unknown; method?: string; key?: string } = {}): Promise<Answer> {
    const key = options.key ?? this.keys.api_key;
    for (let tries = 1; ; tries++) {
      const node = this.nodes[this.#turn++ % this.nodes.length]!;
      try {
        return await call(node.url + path, { ...options, key });
      } catch (error) {
        if (tries > 2 * this.nodes.length) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#end);
    // Of several that start at once one may have failed while others are still on their way.
    await Promise.allSettled(this.#starting);
    await Promise.all(this.#started.map((running) => running.kill()));
    await Promise.all(this.#taps.map((tap) => tap[Symbol.asyncDispose]()));
    await this.#options.database.drop?.();
    this.#directory.dispose();
  }

  async #startSandbox(): Promise<void> {
    this.#sandbox = await this.#start('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: this.#directory.path,
      REELAY_SANDBOX_SPEED: String(this.#options.speed),
      REELAY_SANDBOX_RENDER: 'tiny',
    });
  }

  async #start(...[script, args, env]: Parameters<typeof startProcess>): Promise<Running> {
    const starting = startProcess(script, args, env);
    this.#starting.push(starting);
    const running = await starting;
    this.#started.push(running);
    return running;
  }
}
