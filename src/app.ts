/**
 * The composition root: knows every module, builds each once, starts them in order and stops them in reverse.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { ConfigError, type Config } from './config.ts';
import { createCatalogue } from './core/catalogue.ts';
import { UpstreamError } from './core/errors.ts';
import type {
  ChannelRow,
  Clock,
  Dialect,
  Duties,
  Family,
  Json,
  Provider,
  TaskView,
  UpstreamHttp,
} from './core/ports.ts';
import { createPriceBook, type PriceBook } from './core/pricing.ts';
import * as dialectRegistry from './dialects/index.ts';
import * as familyRegistry from './families/index.ts';
import { deferredJobWriter, openCounters, openJobEngine, openMedia, openSandbox } from './engines.ts';
import { makeSandboxChannels, prepareFirstRun, type FirstRun } from './first-run.ts';
import { createAdmin } from './flows/admin/index.ts';
import { createAuthenticator } from './flows/authenticate.ts';
import type { Faults, FlowContext } from './flows/context.ts';
import { createGateway } from './flows/gateway.ts';
import { createSecretKeeper, rootKeyFault } from './flows/secret-keeper.ts';
import { createChannelDirectory } from './flows/open-channel.ts';
import { readLinkedContent, readLinkedInput } from './flows/read-content.ts';
import { routeFor } from './flows/route.ts';
import { buildServer } from './http/server.ts';
import { systemClock } from './lib/clock.ts';
import { createGuardedHttp } from './lib/guarded-http.ts';
import { decimalId, newId, newTaskId } from './lib/ids.ts';
import { signUrl } from './lib/signed-url.ts';
import * as providerRegistry from './providers/index.ts';
import { createUpstreamHttp, createUpstreamPools } from './providers/kit/upstream-http.ts';
import { Measures } from './measures.ts';
import { loadSecrets } from './secrets.ts';
import { openStore } from './store/index.ts';
import { VERSION } from './version.ts';
import { startDeliveries } from './workers/deliver.ts';
import { startAttention } from './workers/attention.ts';
import { LaneSet } from './workers/lanes.ts';
import { workPersist } from './workers/persist.ts';
import { startRetention } from './workers/retention.ts';
import { startSweep } from './workers/sweep.ts';

export interface GatewayHandle {
  /** Where it listens, with the real port. */
  url: string;
  firstRun: FirstRun;
  /** Made just now: to be shown once. */
  isFirstRun: boolean;
  server: FastifyInstance;
  /** Drains: no new requests, requests and submits in hand finish, the store is closed. */
  close(): Promise<void>;
}

/** What tests may replace; the product passes nothing. */
export interface GatewayParts {
  clock?: Clock;
  faults?: Faults;
  /** For the benchmark: one commit per request instead of group commit. */
  store?: { groupCommit: boolean };
  /** Changes to the settings, e.g. shorter waits. */
  settings?: Partial<FlowContext['settings']>;
}

/** Opens everything and listens. Rejects with ConfigError for what an operator can mend. */
export async function startGateway(config: Config, parts: GatewayParts = {}): Promise<GatewayHandle> {
  const clock = parts.clock ?? systemClock;
  const log = pino({ level: config.logLevel, base: null });
  const onError = (error: unknown, where: string): void =>
    log.error({ err: error, where }, `${where} failed`);
  const closers: (() => Promise<unknown>)[] = [];
  let isDraining = false;
  const close = once(async () => {
    isDraining = true;
    for (const closer of closers.splice(0).reverse()) await closer();
  });

  try {
    // What is sold, made and asked for.
    const families = Object.values(familyRegistry);
    const catalogue = createCatalogue(families);
    const priceBook = priceBookOf(families, config);
    const providers = new Map<string, Provider>(Object.values(providerRegistry).map((one) => [one.id, one]));
    const dialects: Dialect<FastifyInstance>[] = Object.values(dialectRegistry);

    // What is kept.
    const { rootKeys, adminToken } = loadSecrets(config);
    const measures = new Measures();
    const { keyring, linkKeys } = rootKeys;
    const works = config.role !== 'api';
    const written = deferredJobWriter();
    const store = await openStore({
      directory: config.dataDir,
      databaseUrl: config.databaseUrl,
      jobWriter: config.databaseUrl === null ? null : written.writer,
      clock,
      watch: measures,
      onUpgrade: (migrations) =>
        log.warn(
          { migrations },
          'the database is brought to this version; a million tasks take about two minutes',
        ),
      ...parts.store,
    }).catch((error: Error) => {
      // A server that is not there, or too old, is the operator's to mend; the embedded store says what it is itself.
      throw config.databaseUrl === null ? error : new ConfigError(error.message);
    });
    closers.push(() => store.close());
    const engine = await openJobEngine(config, { store, clock, onError, written });
    closers.push(() => engine.close());
    const { jobs, duties } = engine;
    const media = await openMedia(config, clock, closers);
    const { counters, countedAlone } = await openCounters(config, log, closers);

    // Whom we talk to.
    const guarded = createGuardedHttp({ allow: config.allowPrivate, userAgent: `Reelay/${VERSION}` });
    closers.push(() => guarded.close());
    const pools = createUpstreamPools();
    closers.push(() => pools.close());
    // A first start notes its root key: while the writer's thread is still loading for that, the sandbox can load too.
    const [keyFault, sandbox] = await Promise.all([
      rootKeyFault({ store: store.sealed, rootKeys, clock }),
      openSandbox(config, store, clock, closers),
    ]);
    if (keyFault !== null) throw new ConfigError(keyFault);
    if (sandbox.url !== null) await store.alone(() => makeSandboxChannels({ store, providers, clock }));

    // The flows, and whoever works in the background.
    let listening: string | null = config.publicUrl;
    const publicUrl = (): string => listening ?? `http://127.0.0.1:${config.port}`;
    /** A signed URL of ours for this channel's upstream. */
    const linkFor = (row: ChannelRow, path: string, seconds: number): string | null =>
      reaches(row, publicUrl())
        ? publicUrl() + signUrl(linkKeys[0]!, path, Math.floor(clock.now() / 1000) + seconds)
        : null;
    const channels = await createChannelDirectory({
      store,
      providers,
      keyring,
      media,
      clock,
      sandboxUrl: (providerId) => (sandbox.url === null ? null : `${sandbox.url}/${providerId}`),
      createHttp: (onExchange, row) =>
        timed(createUpstreamHttp({ pools, clock, onExchange }), row.provider, measures),
      callbackUrl: (row, taskId) =>
        linkFor(row, `/callbacks/${row.provider}/${row.id}/${taskId}`, 3 * 86_400),
      mediaUrl: (row, key) => linkFor(row, `/inputs/${Buffer.from(key).toString('base64url')}`, 86_400),
    });
    const lanes = new LaneSet({
      speedOf: (row) => (row.sandbox ? config.sandbox.speed : 1),
      duties: works ? duties : null,
      onError,
    });
    const ctx: FlowContext = {
      store,
      catalogue,
      priceBook,
      providers,
      channels,
      lanes,
      media,
      guarded,
      clock,
      faults: parts.faults ?? (() => {}),
      random: Math.random,
      newId: (prefix) => newId(prefix, clock.now()),
      newTaskId: () => newTaskId(clock.now()),
      newDecimalId: () => decimalId(clock.now()),
      owner: `${process.pid}-${randomBytes(6).toString('hex')}`,
      signedLink: (path, expiresAt) => publicUrl() + signUrl(linkKeys[0]!, path, expiresAt),
      keyring,
      renderTask: (view) => dialectRegistry.openai.renderCallback?.(view) ?? null,
      renderCallback: (view) => renderCallback(dialects, view),
      settings: {
        sandboxAlways: config.sandbox.explicit,
        submitWaitMs: 10_000,
        submitTimeoutMs: 30_000,
        taskDeadlineMs: 24 * 3_600_000,
        retentionMs: config.retentionMs,
        linkLifetimeSeconds: 24 * 3600,
        imageBytesMax: 20 * 1024 * 1024,
        outputBytesMax: 2 * 1024 * 1024 * 1024,
        ...parts.settings,
      },
    };

    const keeper = createSecretKeeper({
      store: store.sealed,
      rootKeys,
      clock,
      isShared: config.databaseUrl !== null,
      onError: (error) => onError(error, 'secrets'),
    });
    closers.push(() => keeper.stop());
    const server = await buildServer({
      answersCallers: config.role !== 'worker',
      gateway: createGateway(ctx),
      admin: createAdmin({
        store,
        providers,
        keyring,
        clock,
        newId: ctx.newId,
        priceBook,
        channels,
        lanes,
        guarded,
        route: (request, pinned) => routeFor(ctx, request, { pinned }),
        owner: ctx.owner,
        settings: ctx.settings,
      }),
      dialects,
      authenticate: createAuthenticator({ store, keyring, clock }),
      counters,
      trustProxy: config.trustProxy,
      isAdminToken: (token) => sameText(token, adminToken),
      openContent: (taskId, file) => readLinkedContent(ctx, taskId, file),
      openInput: (key) => readLinkedInput(ctx, key),
      async onPush(channelId, taskId) {
        lanes.hint(channelId, taskId);
      },
      linkKeys,
      secrets: keeper,
      publicUrl: config.publicUrl ?? '',
      currency: config.currency,
      version: VERSION,
      clock,
      logger: log,
      readiness: { store: () => store.ping(), jobs: () => engine.ping() },
      isDraining: () => isDraining,
      taskCounts: () => store.taskCounts(),
      attentionCounts: () => store.attentionCounts(),
      measures: measures.list({
        store,
        lanes,
        jobCounts: engine.counts,
        countedAlone,
        info: {
          version: VERSION,
          role: config.role,
          engine: config.databaseUrl === null ? 'sqlite' : 'postgres',
        },
      }),
    });
    closers.push(() => server.close());
    const url = await server.listen({ host: config.host, port: config.port });
    listening ??= localUrl(url);

    const first = await store.alone(() =>
      prepareFirstRun({
        dataDir: config.dataDir,
        store,
        keyring,
        clock,
        newId: ctx.newId,
        baseUrl: publicUrl(),
        adminToken,
        demo: config.demo && sandbox.url !== null,
      }),
    );

    if (works) {
      workPersist(ctx, jobs);
      closers.push(() => jobs.stop());
      const deliveries = startDeliveries(ctx, onError, config.keep.deliveriesMs);
      closers.push(() => deliveries.stop());
    }
    closers.push(
      () => lanes.stop(),
      // First of all, so that other nodes go on with what is left.
      () => duties.stop(),
    );
    await lanes.start(ctx);
    keeper.start();
    if (works) await startDuties(ctx, duties, config, log);

    return { url, firstRun: first.content, isFirstRun: first.isNew, server, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** What one node does for all of them, besides the lanes. */
async function startDuties(ctx: FlowContext, duties: Duties, { keep }: Config, log: Logger): Promise<void> {
  const onError = (where: string) => (error: unknown) => log.error({ err: error, where }, `${where} failed`);
  await duties.want('sweep', async () => startSweep(ctx, onError('sweep')));
  await duties.want('retention', async () =>
    startRetention({ store: ctx.store.retention, keep, clock: ctx.clock, onError: onError('retention') }),
  );
  await duties.want('attention', async () =>
    startAttention(ctx, {
      tell: ({ id, accountId, channelId }) =>
        log.warn(
          { task: id, account: accountId, channel: channelId },
          'an attempt was lost: it may exist upstream. Look at GET /admin/v1/tasks/{id}, then retry it or mark it failed',
        ),
      onError: onError('attention'),
    }),
  );
}

/** Tells how long every exchange took, and how it ended. */
function timed(http: UpstreamHttp, provider: string, measures: Measures): UpstreamHttp {
  return {
    async request(request) {
      const from = performance.now();
      let status = 'failed';
      try {
        const answer = await http.request(request);
        status = String(answer.status);
        return answer;
      } catch (error) {
        if (error instanceof UpstreamError) status = error.kind;
        throw error;
      } finally {
        measures.asked(provider, request.method, status, (performance.now() - from) / 1000);
      }
    },
  };
}

/** A price override that names nothing is the operator's to mend. */
function priceBookOf(families: Family[], config: Config): PriceBook {
  try {
    return createPriceBook(families, config.currency, config.prices);
  } catch (error) {
    throw new ConfigError(`prices: ${(error as Error).message}`);
  }
}

/** Whether an upstream can reach us: not while we are on loopback and it is not. */
function reaches(row: ChannelRow, base: string): boolean {
  return row.sandbox || !/^https?:\/\/(localhost|127\.|\[::1\])/.test(base);
}

/** A task in the words of the dialect whose surface created it. */
function renderCallback(dialects: Dialect<FastifyInstance>[], view: TaskView): Json | null {
  const id = view.task.surface.slice(0, view.task.surface.indexOf('.'));
  return dialects.find((dialect) => dialect.id === id)?.renderCallback?.(view) ?? null;
}

/** `http://[::]:8787` and `http://0.0.0.0:8787` are no addresses to call: this machine's own is. */
function localUrl(listening: string): string {
  return listening.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//127.0.0.1');
}

function sameText(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | null = null;
  return () => (result ??= work());
}
