/**
 * A sandbox and a gateway, each in a process of its own, over one temporary directory. The gateway can be killed and
 * started again over the same data; the sandbox stays and counts what was ever sent to it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  call,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Answer,
  type FirstRunFile,
  type LooseJson,
  type Running,
} from '../test/helpers/processes.ts';

/** The gateway as tests start it: it dies at the step it is given, and gives up on a submit after 1.5 s. */
const GATEWAY = 'test/helpers/gateway-process.ts';
export const NO_STEP = '-';

export interface WorldOptions {
  /** How many times faster than real time the upstream works. */
  speed: number;
  /** What the sandbox shall do from the beginning, in the words of its control API. */
  behaviour?: Record<string, unknown>;
  /** Another script to run the gateway with. */
  script?: string;
  env?: Record<string, string>;
  /** Something to stand between gateway and sandbox; answers the URL that the gateway is given. */
  between?: (sandboxUrl: string) => Promise<string>;
}

export interface Account {
  id: string;
  key: string;
}

export class World implements AsyncDisposable {
  readonly #options: WorldOptions;
  readonly #directory = temporaryDirectory();
  #sandbox!: Running;
  #upstreamUrl!: string;
  #gateway: Running | null = null;
  readonly #end = () => {
    this.#gateway?.child.kill('SIGKILL');
    this.#sandbox?.child.kill('SIGKILL');
    this.#directory.dispose();
  };

  private constructor(options: WorldOptions) {
    this.#options = options;
    process.on('exit', this.#end);
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    world.#sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: world.#directory.path,
      REELAY_SANDBOX_SPEED: String(options.speed),
      REELAY_SANDBOX_RENDER: 'tiny',
    });
    world.#upstreamUrl = (await options.between?.(world.#sandbox.url)) ?? world.#sandbox.url;
    await world.behave({ slots: 1_000_000, ...options.behaviour });
    await world.startGateway();
    return world;
  }

  /** Data directory of the gateway. */
  get dataDirectory(): string {
    return join(this.#directory.path, 'gateway');
  }

  get keys(): FirstRunFile {
    return firstRunOf(this.dataDirectory);
  }

  /** The gateway's address, another one after each start. */
  get url(): string {
    return this.gateway.url;
  }

  get gateway(): Running {
    assert.ok(this.#gateway !== null, 'a gateway has been started');
    return this.#gateway;
  }

  /** Starts the gateway; it will die at the step. Answers false when it died there before it was ready. */
  async startGateway(step: string = NO_STEP): Promise<boolean> {
    try {
      this.#gateway = await startProcess(this.#options.script ?? GATEWAY, [step], {
        PORT: '0',
        REELAY_DATA: this.dataDirectory,
        REELAY_SANDBOX: this.#upstreamUrl,
        REELAY_SANDBOX_SPEED: String(this.#options.speed),
        ...this.#options.env,
      });
      return true;
    } catch (error) {
      if (step !== NO_STEP && String(error).includes('ended (SIGKILL)')) return false;
      throw error;
    }
  }

  /** One admin request; rejects unless it succeeds. */
  async admin(path: string, json?: unknown, method?: string): Promise<LooseJson> {
    const answer = await call(`${this.url}/admin/v1${path}`, {
      key: this.keys.admin_token,
      ...(json !== undefined && { json }),
      ...(method !== undefined && { method }),
    });
    assert.ok(answer.status < 300, `admin ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** All pages of an admin list. */
  async list(path: string): Promise<LooseJson[]> {
    const rows: LooseJson[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: LooseJson = await this.admin(`${path}${path.includes('?') ? '&' : '?'}limit=200${query}`);
      rows.push(...page.data);
      cursor = page.next_cursor;
    }
    return rows;
  }

  /** An account with this much money (a decimal string) and one key. */
  async openAccount(credit: string): Promise<Account> {
    const { id } = await this.admin('/accounts', { name: 'chaos' });
    await this.admin(`/accounts/${id}/top-ups`, { amount: credit, note: 'chaos' });
    const { api_key: key } = await this.admin(`/accounts/${id}/keys`, { name: 'chaos' });
    return { id, key };
  }

  /** Switches every other channel off, until the next start: what is refused here cannot be made elsewhere. */
  async useOnly(provider: string): Promise<void> {
    for (const channel of await this.list('/channels'))
      if (channel.provider !== provider)
        await this.admin(`/channels/${channel.id}`, { enabled: false }, 'PATCH');
  }

  /** Tasks that are not final, as `/metrics` counts them. */
  async openTasks(): Promise<number> {
    const { text } = await call(`${this.url}/metrics`);
    const counts = text.matchAll(/^reelay_tasks\{state="(?:queued|in_progress)"\} (\d+)$/gm);
    return counts.reduce((sum, match) => sum + Number(match[1]), 0);
  }

  /** Changes what the sandbox does. */
  async behave(change: Record<string, unknown>): Promise<void> {
    const answer: Answer = await call(`${this.#sandbox.url}/_control/behaviour`, { json: change });
    assert.equal(answer.status, 200, answer.text);
  }

  /** Everything the sandbox ever accepted. */
  async upstreamTasks(): Promise<
    { task_id: string; dedup_handle: string; status: string; submits: number }[]
  > {
    return (await call(`${this.#sandbox.url}/_control/tasks`)).body.tasks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#end);
    await this.#gateway?.kill();
    await this.#sandbox.kill();
    this.#directory.dispose();
  }
}
