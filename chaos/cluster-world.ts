/** Several nodes on one database behind a dumb round-robin, which are killed without anybody being told. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type ClusterNode } from '../test/helpers/cluster.ts';
import type { PollBook } from '../test/helpers/poll-book.ts';
import type { FirstRunFile } from '../test/helpers/processes.ts';
import { Installation } from './installation.ts';
import { RoundRobin } from './round-robin.ts';

const GATEWAY = 'test/helpers/gateway-process.ts';
/** How long a dead node stays in the round. */
const NOTICED_MS = 1_000;

export interface ClusterWorldOptions {
  /** `postgres://…`, an empty database. */
  databaseUrl: string;
  /** How many times faster than real time the upstream works. */
  speed: number;
  env?: Record<string, string>;
}

export class ClusterWorld extends Installation implements AsyncDisposable {
  readonly balancer: RoundRobin;
  readonly #cluster: Cluster;
  readonly #noticing: Promise<void>[] = [];
  #started = 0;

  private constructor(cluster: Cluster, balancer: RoundRobin) {
    super();
    this.#cluster = cluster;
    this.balancer = balancer;
  }

  /** `nodes` of them start at once, on an empty database. */
  static async open(nodes: number, { databaseUrl, speed, env }: ClusterWorldOptions): Promise<ClusterWorld> {
    const balancer = new RoundRobin();
    await balancer.listen();
    const cluster = await Cluster.open([], {
      database: { url: databaseUrl },
      speed,
      script: [GATEWAY, '-'],
      env: {
        REELAY_PUBLIC_URL: balancer.url,
        REELAY_SECRET: randomBytes(32).toString('hex'),
        REELAY_ADMIN_TOKEN: randomBytes(24).toString('hex'),
        ...env,
      },
    });
    const world = new ClusterWorld(cluster, balancer);
    try {
      // A second submit with a known handle is accepted: the upstream hides no mistake of ours.
      await world.behave({ slots: 1_000_000, duplicates: 'accept' });
      await Promise.all(Array.from({ length: nodes }, () => world.addNode()));
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.balancer.url;
  }

  get keys(): FirstRunFile {
    return this.#cluster.keys;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#cluster.nodes;
  }

  get book(): PollBook {
    return this.#cluster.book;
  }

  protected get sandboxUrl(): string {
    return this.#cluster.sandboxUrl;
  }

  async addNode(): Promise<ClusterNode> {
    const node = await this.#cluster.startNode(`node ${++this.#started}`);
    this.balancer.add(node.url);
    return node;
  }

  /** SIGKILL; callers meet the dead node for a while. */
  async kill(node: ClusterNode): Promise<void> {
    await this.#cluster.kill(node);
    this.#noticing.push(sleep(NOTICED_MS).then(() => this.balancer.remove(node.url)));
  }

  /** Resolves when no dead node is left in the round. */
  async noticed(): Promise<void> {
    await Promise.all(this.#noticing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    await this.balancer[Symbol.asyncDispose]();
  }
}
