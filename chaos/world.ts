/**
 * A sandbox and a gateway, each in a process of its own, over one temporary directory. The gateway can be killed and
 * started again over the same data; the sandbox stays and counts what was ever sent to it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type FirstRunFile,
  type Running,
} from '../test/helpers/processes.ts';
import { Installation } from './installation.ts';

export type { Account } from './installation.ts';

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

export class World extends Installation implements AsyncDisposable {
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
    super();
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

  protected get sandboxUrl(): string {
    return this.#sandbox.url;
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

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#end);
    await this.#gateway?.kill();
    await this.#sandbox.kill();
    this.#directory.dispose();
  }
}
