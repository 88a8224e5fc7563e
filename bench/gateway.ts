/** A gateway under load: its own process and data directory, one real channel that leads to the stub upstream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { startServer, type RunningServer } from './child.ts';
import { load, type LoadRequest } from './load.ts';
import type { Turn } from './rounds.ts';
import { newDataDirectory } from './scratch.ts';

export const ADMIN_TOKEN = 'bench-admin-token-0123456789';
/** Enough for any number of tasks. */
const TOP_UP = '100000000';

/** The create of the first founding document, unchanged. */
export const CREATE_PATH = '/kling/v1/videos/text2video';
export const CREATE_BODY = JSON.stringify({
  model_name: 'kling-v1-6',
  prompt: 'A cat playing with a ball of yarn in a sunny room',
  mode: 'std',
  duration: '5',
  aspect_ratio: '16:9',
});

/** Who calls. */
export interface Caller {
  accountId: string;
  apiKey: string;
}

export interface LoadedGateway extends RunningServer {
  caller: Caller;
  /** The create as this gateway's caller sends it. */
  create: LoadRequest;
  /** Asks as the operator; rejects when the answer is not 200. */
  admin<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>;
  /** How many tasks run upstream and how many wait for a place there. */
  channel(): Promise<{ running: number; waiting: number }>;
  /** Recomputes the whole ledger; rejects when a figure does not agree. */
  verifyLedger(): Promise<void>;
}

export interface GatewayOptions {
  scratch: string;
  upstreamUrl: string;
  /** Most tasks at the upstream; null: no cap. */
  concurrency: number | null;
  /** Where its data lies; absent: an empty directory. */
  directory?: string;
  /** Who has credit there; absent: somebody new. */
  caller?: Caller;
  /** More settings, by environment. */
  env?: Record<string, string>;
  /** The product's own entry point unless a reference is wanted. */
  script?: 'src/main.ts' | 'bench/references/one-commit-gateway.ts';
}

/** The settings of a gateway whose only channels are real ones; everything else is left at its default. */
export function gatewayEnvironment(dataDirectory: string): Record<string, string> {
  return { PORT: '0', REELAY_DATA: dataDirectory, REELAY_ADMIN_TOKEN: ADMIN_TOKEN, REELAY_SANDBOX: 'off' };
}

/** Starts it and prepares an account with a key, credit and the channel. */
export async function startLoadedGateway(options: GatewayOptions): Promise<LoadedGateway> {
  const directory = options.directory ?? newDataDirectory(options.scratch);
  const server = await startServer({
    script: options.script ?? 'src/main.ts',
    env: { ...gatewayEnvironment(directory), ...options.env },
    // Away from any reelay.yaml of the caller's.
    cwd: directory,
  });
  try {
    return await prepare(server, options);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function prepare(server: RunningServer, options: GatewayOptions): Promise<LoadedGateway> {
  const admin = adminOf(server.url);
  const caller = options.caller ?? (await newCaller(admin));
  const channel = await admin<{ id: string }>('POST', '/channels', {
    name: 'bench',
    provider: 'kling',
    credential: { api_key: 'bench-upstream-key' },
    base_url: options.upstreamUrl,
    concurrency: options.concurrency,
  });
  // The channel's lane looks once whether anybody waits before a request may submit by itself.
  await sleep(500);
  return {
    ...server,
    caller,
    create: {
      url: server.url,
      path: CREATE_PATH,
      headers: { authorization: `Bearer ${caller.apiKey}` },
      body: CREATE_BODY,
    },
    admin,
    channel: () => admin('GET', `/channels/${channel.id}`),
    async verifyLedger() {
      const verdict = await admin<{ ok: boolean }>('GET', '/ledger/verify');
      if (!verdict.ok) throw new Error(`the ledger does not agree: ${JSON.stringify(verdict)}`);
    },
  };
}

type Admin = LoadedGateway['admin'];

/** An account with credit for any number of tasks, and its key. */
export async function newCaller(admin: Admin): Promise<Caller> {
  const account = await admin<{ id: string }>('POST', '/accounts', { name: 'bench' });
  await admin('POST', `/accounts/${account.id}/top-ups`, { amount: TOP_UP, note: 'bench' });
  const key = await admin<{ api_key: string }>('POST', `/accounts/${account.id}/keys`, { name: 'bench' });
  return { accountId: account.id, apiKey: key.api_key };
}

/** The operator's way in to a server. */
export function adminOf(url: string): Admin {
  return async <Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> => {
    const response = await request(`${url}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as Answer;
  };
}

/** One turn of a server under `connections` callers. */
export async function turnOf(
  server: RunningServer,
  create: LoadRequest,
  options: { connections: number; durationMs: number },
): Promise<Turn> {
  const before = server.cpuMicros();
  const { answered, seconds } = await load(create, options);
  const spent = server.cpuMicros() - before;
  return {
    perSecond: answered / seconds,
    cpuMicros: spent / answered,
    cores: spent / 1e6 / seconds,
    residentBytes: server.residentBytes(),
  };
}
