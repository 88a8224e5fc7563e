/**
 * The gateway without its HTTP edges, wired as `app.ts` wires it: the real store and disk under a temporary directory,
 * the real lanes, jobs and sweep, a clock that is moved by hand and upstreams that do as they are told.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { createCatalogue } from '../../src/core/catalogue.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type {
  ChannelRow,
  Dialect,
  Duties,
  FileRow,
  Estimate,
  FeatureEstimate,
  Gateway,
  Json,
  MediaStore,
  Observation,
  Principal,
  Store,
  TaskRecord,
  TaskView,
  UpstreamOutput,
  UpstreamResource,
} from '../../src/core/ports.ts';
import { createPriceBook } from '../../src/core/pricing.ts';
import type { LooseFeature } from '../../src/core/request/feature.ts';
import type { SurfaceDefaults } from '../../src/core/request/types.ts';
import type { Task } from '../../src/core/task.ts';
import * as dialects from '../../src/dialects/index.ts';
import { looseVideo } from '../../src/dialects/kit/video-loose.ts';
import * as families from '../../src/families/index.ts';
import type { FaultStep, FlowContext } from '../../src/flows/context.ts';
import { createGateway } from '../../src/flows/gateway.ts';
import { createChannelDirectory, credentialContext } from '../../src/flows/open-channel.ts';
import { createEmbeddedJobs } from '../../src/jobs/embedded.ts';
import { createSoleDuties } from '../../src/jobs/sole-duties.ts';
import { createGuardedHttp } from '../../src/lib/guarded-http.ts';
import { decimalId, newId, newTaskId } from '../../src/lib/ids.ts';
import { deriveKey, seal } from '../../src/lib/seal.ts';
import { openLocalDisk } from '../../src/media/local-disk.ts';
import { openStore } from '../../src/store/index.ts';
import { startDeliveries } from '../../src/workers/deliver.ts';
import { LaneSet } from '../../src/workers/lanes.ts';
import { workPersist } from '../../src/workers/persist.ts';
import { startSweep } from '../../src/workers/sweep.ts';
import { borrowTestSchema, type TestDatabase } from '../helpers/test-database.ts';
import { FakeUpstream, type FakeUpstreamOptions } from './fake-upstream.ts';
import { film, sends, startLocalServer, type LocalServer } from './local-server.ts';
import { createSteppedClock, type SteppedClock } from './stepped-clock.ts';

const START_MS = Date.UTC(2026, 10, 20);
export const ACCOUNT_ID = 'acct_story';
export const CHANNEL_ID = 'chan_first';
/** 5 s of kling-1.6-720p at 0.056 USD. */
export const PRICE_MICROS = 280_000n;

const sealKey = deriveKey('a root secret of thirty-two characters', 'seal');
export const principal: Principal = { accountId: ACCOUNT_ID, keyId: 'key_story', responseStyle: 'superset' };
/** Somebody else, with money of their own. */
export const stranger: Principal = { ...principal, accountId: 'acct_stranger', keyId: 'key_stranger' };
const surface: SurfaceDefaults = {
  surface: 'kling.text2video',
  model: 'kling-v1-6',
  mode: null,
  operation: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 3,
};

export interface WorldOptions {
  /** Where only a process that is alone can do what is told. */
  embeddedOnly?: boolean;
  /** Balance of the account, in tasks of `PRICE_MICROS`. */
  balance?: number;
  channel?: Partial<ChannelRow>;
  upstream?: Partial<Omit<FakeUpstreamOptions, 'clock'>>;
  settings?: Partial<FlowContext['settings']>;
}

/** What a running gateway consists of; a restart replaces all of it. */
interface Running {
  store: Store;
  ctx: FlowContext;
  gateway: Gateway;
  lanes: LaneSet;
  duties: Duties;
  jobs: ReturnType<typeof createEmbeddedJobs>;
  deliveries: ReturnType<typeof startDeliveries>;
  sweep: { stop(): Promise<void> };
  /** The process is gone: whatever it still tries comes to nothing. */
  isDead: boolean;
}

export class World {
  readonly clock: SteppedClock;
  readonly upstream: FakeUpstream;
  /** A second provider, for channels that some request cannot use or that take over. */
  readonly other: FakeUpstream;
  readonly server: LocalServer;
  /** What was reported to the operator's log. */
  readonly errors: { error: unknown; where: string }[] = [];
  /** Decides which changes the store cannot commit just now (the disk is full). */
  storeFails: (method: string) => boolean = () => false;
  /** Decides which changes are committed without our hearing of it (the writer died in between). */
  storeBreaksOff: (method: string) => boolean = () => false;
  /** The process dies at this step, once. */
  diesAt: FaultStep | null = null;
  /** Whether the sandbox runs. */
  sandboxUrl: string | null = null;
  /** Store changes in the order they were asked for. */
  readonly changes: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'reelay-story-'));
  readonly #options: WorldOptions;
  /** Null: the embedded one. */
  readonly #database: TestDatabase | null;
  #running: Running | null = null;
  /** Ends what has been opened, also when the rest could not be. */
  #close: () => Promise<void> = async () => {};
  #busy = 0;

  constructor(options: WorldOptions, server: LocalServer, database: TestDatabase | null) {
    this.#options = options;
    this.#database = database;
    this.server = server;
    this.clock = createSteppedClock(START_MS, () => this.settle());
    this.upstream = new FakeUpstream({ id: 'fake', clock: this.clock, ...options.upstream });
    this.other = new FakeUpstream({ id: 'other', clock: this.clock });
    server.answers.set('/film.mp4', sends(film));
  }

  get #now(): Running {
    if (this.#running === null) throw new Error('the gateway is not running');
    return this.#running;
  }
  get store(): Store {
    return this.#now.store;
  }
  get ctx(): FlowContext {
    return this.#now.ctx;
  }
  get gateway(): Gateway {
    return this.#now.gateway;
  }
  get lanes(): LaneSet {
    return this.#now.lanes;
  }

  // ------------------------------------------------------------------------------------ what a caller does

  body(fields: Record<string, unknown> = {}) {
    return looseVideo({ model_name: 'kling-v1-6', prompt: 'a cat', duration: '5', ...fields }, surface);
  }

  create(fields: Record<string, unknown> = {}): Promise<TaskView> {
    return this.gateway.createVideo(principal, this.body(fields), { dryRun: false });
  }

  estimate(fields: Record<string, unknown> = {}): Promise<Estimate> {
    return this.gateway.createVideo(principal, this.body(fields), { dryRun: true });
  }

  feature(operation: string, fields: Record<string, unknown>, by = principal): Promise<TaskView> {
    return this.gateway.createFeature(by, looseFeature(operation, fields), { dryRun: false });
  }

  estimateFeature(operation: string, fields: Record<string, unknown>): Promise<FeatureEstimate> {
    return this.gateway.createFeature(principal, looseFeature(operation, fields), { dryRun: true });
  }

  upload(bytes: Buffer, expiresAt: number | null = null): Promise<FileRow> {
    const input = { bytes, filename: 'mine', purpose: 'vision', contentType: null, expiresAt };
    return this.gateway.createFile(principal, input);
  }

  async find(id: string): Promise<TaskView> {
    return this.gateway.findTask(principal, id);
  }

  async task(id: string): Promise<Task> {
    return (await this.store.getTask(id))!;
  }

  async state(id: string): Promise<Task['state']> {
    return (await this.task(id)).state;
  }

  delete(id: string): Promise<void> {
    return this.gateway.deleteTask(principal, id);
  }

  content(id: string) {
    return this.gateway.content(principal, id, 'video');
  }

  // ------------------------------------------------------------------------------------ what the operator sees

  async record(id: string): Promise<TaskRecord> {
    return (await this.store.taskRecord(id))!;
  }

  /** Available and held, in tasks of `PRICE_MICROS`. */
  async wallet(): Promise<{ available: number; held: number }> {
    const { availableMicros, heldMicros } = await this.store.getWallet(ACCOUNT_ID);
    return {
      available: Number(availableMicros) / Number(PRICE_MICROS),
      held: Number(heldMicros) / Number(PRICE_MICROS),
    };
  }

  /** Available and held, in micro-units. */
  async money(): Promise<[available: bigint, held: bigint]> {
    const { availableMicros, heldMicros } = await this.store.getWallet(ACCOUNT_ID);
    return [availableMicros, heldMicros];
  }

  /** Keys of stored bytes. */
  async stored(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.ctx.media.list(prefix)) keys.push(key);
    return keys;
  }

  async ledgerIsSound(): Promise<boolean> {
    return (await this.store.verifyLedger()).ok;
  }

  async addChannel(row: Partial<ChannelRow> & { id: string }): Promise<void> {
    await this.store.createChannel(this.#channelRow(row));
    await this.settle();
  }

  async updateChannel(id: string, patch: Partial<Omit<ChannelRow, 'id' | 'createdAt'>>): Promise<void> {
    await this.store.updateChannel(id, { ...patch, updatedAt: this.clock.now() });
    await this.settle();
  }

  async deleteChannel(id: string): Promise<void> {
    await this.store.deleteChannel(id, this.clock.now());
    await this.settle();
  }

  // ------------------------------------------------------------------------------------ what the upstream does

  /** What a poll says of a film that is made and lies on the local server. */
  film(path = '/film.mp4'): Observation {
    const url = this.server.origin + path;
    return {
      status: 'succeeded',
      outputs: [{ role: 'video', url, upstreamId: 'film-1', durationSeconds: 5.1 }],
      cost: { amount: '1', unit: 'unit' },
    };
  }

  /** The upstream has made the film of this task. */
  make(id: string, path = '/film.mp4', upstream = this.upstream): void {
    upstream.set(id, this.film(path));
  }

  /** What a poll says of a feature whose files lie on the local server. */
  made(outputs: Made[], found: { data?: Json; resources?: UpstreamResource[] } = {}): Observation {
    return {
      status: 'succeeded',
      outputs: outputs.map(({ path, at, ...output }) => ({
        upstreamId: null,
        durationSeconds: null,
        ...output,
        url: this.server.origin + path,
        ...(at !== undefined && { path: at }),
      })),
      cost: { amount: '1', unit: 'unit' },
      ...found,
    };
  }

  // ------------------------------------------------------------------------------------ time

  /** Moves time and waits until everything it set off has come to rest. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** The gateway is off for so long, then starts again and looks around for a minute. */
  async sleepThrough(ms: number): Promise<void> {
    await this.crash();
    await this.clock.advance(ms);
    await this.start();
    await this.advance(60_000);
  }

  /** Waits until no store, disk or socket is at work. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#busy > 0) quiet = -1;
    }
  }

  // ------------------------------------------------------------------------------------ start and stop

  async start(): Promise<void> {
    this.#running = await this.#open();
    await this.settle();
  }

  /** The process dies here and now: what it has not committed is gone, what it still does comes to nothing. */
  async crash(): Promise<void> {
    const old = this.#now;
    old.isDead = true;
    await this.#end(old);
  }

  async restart(): Promise<void> {
    await this.crash();
    await this.start();
  }

  /** Like SIGTERM: what is in hand finishes. */
  async drain(): Promise<void> {
    const { sweep, lanes, duties, jobs, deliveries } = this.#now;
    await sweep.stop();
    await duties.stop();
    await lanes.stop();
    await deliveries.stop();
    await jobs.stop();
  }

  async dispose(): Promise<void> {
    if (this.#running !== null) await this.crash();
    else await this.#close();
    await this.server.close();
    await this.#database?.drop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #end(old: Running): Promise<void> {
    this.#running = null;
    void old.sweep.stop();
    void old.duties.stop();
    void old.lanes.stop();
    void old.jobs.stop();
    void old.deliveries.stop();
    await this.settle();
    await this.#close();
    await this.settle();
  }

  async #open(): Promise<Running> {
    const { clock } = this;
    const life = { isDead: false };
    const databaseUrl = this.#database?.url ?? null;
    if (databaseUrl !== null) await endLeases(databaseUrl, clock.now());
    const opened = await openStore({ directory: join(this.#directory, 'data'), databaseUrl, clock });
    const guarded = createGuardedHttp({ allow: ['127.0.0.1'], userAgent: 'Reelay' });
    this.#close = async () => {
      await guarded.close();
      await opened.close();
    };
    const store = this.#watched(opened, life);
    await this.#prepare(store);
    const media = this.#counted(await openLocalDisk(join(this.#directory, 'media')));
    const providers = new Map([this.upstream, this.other].map(({ provider }) => [provider.id, provider]));
    const onError = (error: unknown, where: string): void => void this.errors.push({ error, where });
    const duties = createSoleDuties();
    const lanes = new LaneSet({ speedOf: () => 1, duties, onError });
    const registry: Dialect<never>[] = Object.values(dialects);
    const ctx: FlowContext = {
      store,
      catalogue: createCatalogue(Object.values(families)),
      priceBook: createPriceBook(Object.values(families), 'USD'),
      providers,
      channels: await createChannelDirectory({
        store,
        providers,
        keyring: [sealKey],
        media,
        clock,
        sandboxUrl: () => this.sandboxUrl,
        createHttp: () => ({ request: () => Promise.reject(new Error('the fake upstream uses no HTTP')) }),
        callbackUrl: () => null,
        mediaUrl: (row, key) => (row.sandbox ? null : `https://gateway.example/inputs/${key}`),
      }),
      lanes,
      media,
      guarded: this.#counted(guarded),
      clock,
      faults: (step) => {
        if (life.isDead) throw new Error('the process is dead');
        if (step !== this.diesAt) return;
        this.diesAt = null;
        life.isDead = true;
        throw new Error(`the process dies at ${step}`);
      },
      random: () => 0.5,
      newId: (prefix) => newId(prefix, clock.now()),
      newTaskId: () => newTaskId(clock.now()),
      newDecimalId: () => decimalId(clock.now()),
      owner: 'story',
      signedLink: (path, expiresAt) => `https://reelay.test${path}?expires=${expiresAt}`,
      keyring: [sealKey],
      renderTask: (view) => dialects.openai.renderCallback?.(view) ?? null,
      renderCallback: (view) =>
        registry.find(({ id }) => view.task.surface.startsWith(`${id}.`))?.renderCallback?.(view) ?? null,
      settings: {
        sandboxAlways: false,
        submitWaitMs: 10_000,
        submitTimeoutMs: 30_000,
        taskDeadlineMs: 24 * 3_600_000,
        retentionMs: 30 * 86_400_000,
        linkLifetimeSeconds: 86_400,
        imageBytesMax: 20 * 1024 * 1024,
        outputBytesMax: 10 * 1024 * 1024,
        ...this.#options.settings,
      },
    };
    const jobs = createEmbeddedJobs({ store, clock, random: ctx.random, onError });
    workPersist(ctx, jobs);
    const deliveries = startDeliveries(ctx, onError);
    await lanes.start(ctx);
    const sweep = startSweep(ctx, (error) => onError(error, 'sweep'));
    return Object.assign(life, {
      store,
      ctx,
      gateway: createGateway(ctx),
      lanes,
      duties,
      jobs,
      deliveries,
      sweep,
    });
  }

  async #prepare(store: Store): Promise<void> {
    if ((await store.getAccount(ACCOUNT_ID)) !== null) return;
    const at = this.clock.now();
    for (const { accountId } of [principal, stranger]) {
      await store.createAccount({ id: accountId, name: accountId, status: 'active', createdAt: at });
      const amountMicros = PRICE_MICROS * BigInt(this.#options.balance ?? 100);
      if (amountMicros > 0n) await store.post({ accountId, kind: 'top_up', amountMicros, note: null, at });
    }
    await store.createChannel(this.#channelRow({ id: CHANNEL_ID, ...this.#options.channel }));
  }

  #channelRow(row: Partial<ChannelRow> & { id: string }): ChannelRow {
    const at = this.clock.now();
    return {
      name: row.id,
      provider: 'fake',
      credentialSealed: seal(sealKey, '{}', credentialContext(row.id)),
      baseUrl: this.server.origin,
      priority: 0,
      weight: 1,
      concurrency: null,
      requestsPerSecond: null,
      enabled: true,
      sandbox: false,
      createdAt: at,
      updatedAt: at,
      ...row,
    };
  }

  /** Counts calls under way, notes changes, and refuses them when told to or when the process is dead. */
  #watched(store: Store, life: { isDead: boolean }): Store {
    const refuses = (method: string): boolean => life.isDead || this.storeFails(method);
    const unavailable = () => Promise.reject(new GatewayError('unavailable', 'The disk is full.'));
    const watch = <T extends object>(target: T, prefix: string): T =>
      new Proxy(target, {
        get: (object, name: string) => {
          const member = object[name as keyof T] as unknown;
          if (name === 'jobs' || name === 'webhooks') return watch(member as object, `${name}.`);
          if (typeof member !== 'function' || name === 'onCommit') return member;
          return (...args: unknown[]) => {
            const method = prefix + name;
            if (refuses(method)) return unavailable();
            if (CHANGES.has(method)) this.changes.push(method);
            const work = this.#count(member.apply(object, args) as Promise<unknown>);
            return this.storeBreaksOff(method) ? work.then(unavailable) : work;
          };
        },
      });
    return watch(store, '');
  }

  /** Counts the promises of a port's methods, so that `settle` knows when all is quiet. */
  #counted<T extends MediaStore | FlowContext['guarded']>(port: T): T {
    return new Proxy(port, {
      get: (object, name: string) => {
        const member = object[name as keyof T] as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const result = member.apply(object, args) as unknown;
          if (name === 'list') return this.#countWalk(result as AsyncIterable<unknown>);
          if (!(result instanceof Promise)) return result;
          return this.#count(name === 'open' ? this.#countStream(result) : result);
        };
      },
    });
  }

  /** A walk is under way until its last step. */
  async *#countWalk(entries: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    this.#busy++;
    try {
      yield* entries;
    } finally {
      this.#busy--;
    }
  }

  /** Reading goes on after the file is open. */
  async #countStream(opening: Promise<{ stream: Readable } | null>): Promise<unknown> {
    const opened = await opening;
    if (opened !== null) void this.#count(new Promise((resolve) => opened.stream.once('close', resolve)));
    return opened;
  }

  async #count<T>(work: Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work;
    } finally {
      this.#busy--;
    }
  }
}

/** A file that an upstream made, by its path on the local server. */
export type Made = Pick<UpstreamOutput, 'role'> &
  Partial<Pick<UpstreamOutput, 'index' | 'upstreamId' | 'durationSeconds'>> & {
    path: string;
    /** Where the link belongs in what was found. */
    at?: string;
  };

/** The envelope fields stand beside the others, as on the wire. */
function looseFeature(operation: string, body: Record<string, unknown>): LooseFeature {
  const { model_name: model = null, external_task_id, callback_url, max_cost, ...fields } = body;
  return {
    surface: `kling.${operation}`,
    operation,
    model: model as string | null,
    fields,
    externalTaskId: external_task_id,
    callbackUrl: callback_url,
    maxCost: max_cost,
  };
}

const CHANGES = new Set([
  'acceptTask',
  'openAttempts',
  'acceptAttempt',
  'refuseAttempt',
  'reopenAttempt',
  'startTask',
  'madeAttempt',
  'finishTask',
  'cancelTask',
  'hideTask',
  'forgetMedia',
  'deleteResource',
  'createFile',
  'deleteFile',
]);

/** Runs one story in a world of its own and cleans up after it; then the same on the other engine. */
export function story(
  tell: (world: World) => Promise<void>,
  options: WorldOptions = {},
): (t: TestContext) => Promise<void> {
  return async (t) => {
    await t.test('sqlite', () => tellOn(null));
    if (options.embeddedOnly) return;
    await t.test('postgres', async () => tellOn(await borrowTestSchema()));
  };

  async function tellOn(database: TestDatabase | null): Promise<void> {
    const world = new World(options, await startLocalServer(), database);
    try {
      await world.start();
      await tell(world);
    } finally {
      await world.dispose();
    }
  }
}

/**
 * A story has one node: when it starts, whoever held a lease is dead. The embedded engine knows that by itself; of several
 * nodes on one database each would wait for the leases to end.
 */
async function endLeases(databaseUrl: string, at: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ found: boolean }>(
      "select to_regclass('jobs') is not null as found",
    );
    if (!rows[0]?.found) return;
    await client.query('update jobs set run_at = $1, leased = 0 where leased = 1 and buried_at is null', [
      at,
    ]);
    await client.query(
      'update webhook_deliveries set next_at = $1, leased = 0 where leased = 1 and settled_at is null and next_at > $1',
      [at],
    );
  } finally {
    await client.end();
  }
}

/** The code of the refusal that a promise rejects with. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
  throw new Error('it was not refused');
}
