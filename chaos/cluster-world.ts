/** Several nodes on one database behind a dumb round-robin, a sandbox in its own process, and a tap at every node. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type FirstRunFile,
  type Running,
} from '../test/helpers/processes.ts';
import { Installation } from './installation.ts';
import { PollBook } from './poll-book.ts';
import { RoundRobin } from './round-robin.ts';
import { UpstreamTap } from './upstream-tap.ts';

const GATEWAY = 'test/helpers/gateway-process.ts';
/** How long a dead node stays in the round. */
const NOTICED_MS = 1_000;

export interface ClusterOptions {
  /** `postgres://…`, an empty database. */
  databaseUrl: string;
  /** How many times faster than real time the upstream works. */
  speed: number;
  env?: Record<string, string>;
}

export interface Node {
  name: string;
  process: Running;
  tap: UpstreamTap;
}

export class ClusterWorld extends Installation implements AsyncDisposable {
  readonly book = new PollBook();
  readonly balancer = new RoundRobin();
  readonly nodes: Node[] = [];
  readonly #options: ClusterOptions;
  readonly #directory = temporaryDirectory();
  readonly #gone: Node[] = [];
  readonly #noticing: Promise<void>[] = [];
  #sandbox!: Running;
  #started = 0;
  readonly #secrets = {
    REELAY_SECRET: randomBytes(32).toString('hex'),
    REELAY_ADMIN_TOKEN: randomBytes(24).toString('hex'),
  };
  readonly #end = (): void => {
    for (const { process: running } of this.nodes) running.child.kill('SIGKILL');
    this.#sandbox?.child.kill('SIGKILL');
    this.#directory.dispose();
  };

  private constructor(options: ClusterOptions) {
    super();
    this.#options = options;
    process.on('exit', this.#end);
  }

  /** `nodes` of them start at once, on an empty database. */
  static async open(nodes: number, options: ClusterOptions): Promise<ClusterWorld> {
    const world = new ClusterWorld(options);
    await world.balancer.listen();
    world.#sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: world.#directory.path,
      REELAY_SANDBOX_SPEED: String(options.speed),
      REELAY_SANDBOX_RENDER: 'tiny',
    });
    // A second submit with a known handle is accepted: the upstream hides no mistake of ours.
    await world.behave({ slots: 1_000_000, duplicates: 'accept' });
    await Promise.all(Array.from({ length: nodes }, () => world.addNode()));
    return world;
  }

  get url(): string {
    return this.balancer.url;
  }

  get keys(): FirstRunFile {
    return firstRunOf(this.#dataDirectory);
  }

  protected get sandboxUrl(): string {
    return this.#sandbox.url;
  }

  get #dataDirectory(): string {
    return join(this.#directory.path, 'nodes');
  }

  async addNode(): Promise<Node> {
    const name = `node ${++this.#started}`;
    const tap = new UpstreamTap({ node: name, upstream: this.sandboxUrl, book: this.book });
    const upstream = await tap.listen();
    const running = await startProcess(GATEWAY, ['-'], {
      PORT: '0',
      REELAY_DATA: this.#dataDirectory,
      DATABASE_URL: this.#options.databaseUrl,
      REELAY_PUBLIC_URL: this.balancer.url,
      REELAY_SANDBOX: upstream,
      REELAY_SANDBOX_SPEED: String(this.#options.speed),
      // The upstream's files lie on this machine, too.
      REELAY_ALLOW_PRIVATE: '127.0.0.1',
      ...this.#secrets,
      ...this.#options.env,
    });
    const node = { name, process: running, tap };
    this.nodes.push(node);
    this.balancer.add(running.url);
    return node;
  }

  /** SIGKILL; callers meet the dead node for a while. */
  async kill(node: Node): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#gone.push(node);
    await node.process.kill();
    this.book.died(node.name);
    this.#noticing.push(sleep(NOTICED_MS).then(() => this.balancer.remove(node.process.url)));
  }

  /** Resolves when no dead node is left in the round. */
  async noticed(): Promise<void> {
    await Promise.all(this.#noticing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#end);
    for (const node of this.nodes) await node.process.kill();
    for (const node of [...this.nodes, ...this.#gone]) await node.tap[Symbol.asyncDispose]();
    await this.#sandbox.kill();
    await this.balancer[Symbol.asyncDispose]();
    this.#directory.dispose();
  }
}
