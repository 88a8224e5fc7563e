/**
 * A gateway of its own for one test file, reached only over HTTP, and the few admin calls that the tests need to see
 * money move. Nothing here knows how the gateway is made.
 */
import assert from 'node:assert/strict';
import {
  call,
  eventually,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Answer,
  type FirstRunFile,
  type LooseJson,
} from '../../test/helpers/processes.ts';
import { createTestDatabase } from '../../test/helpers/test-database.ts';

export interface TestGateway {
  url: string;
  keys: FirstRunFile;
  /** An admin request; rejects unless it succeeds. */
  admin(path: string, json?: unknown, method?: string): Promise<LooseJson>;
  /** Kills the process as a power cut would and starts it again on the same data; `url` is another one then. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestAccount {
  id: string;
  key: string;
  accessKey: string;
  secretKey: string;
  wallet(): Promise<{ balance: string; held: string; available: string; currency: string }>;
}

/** Fifty times faster than real time: a film of five seconds is there after half a second plus its rendering. */
const SPEED = '50';

/**
 * Starts `npm start`'s own process on an empty data directory, or with REELAY_CONFORMANCE_ENGINE=postgres on an empty
 * database with a sandbox beside it. `render` is the sandbox's: `tiny` where pictures are not the point.
 */
export async function startGateway(
  render: 'full' | 'tiny',
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const data = temporaryDirectory();
  const settings = {
    PORT: '0',
    REELAY_DATA: data.path,
    REELAY_SANDBOX_SPEED: SPEED,
    REELAY_SANDBOX_RENDER: render,
    ...environment,
  };
  const shared = process.env.REELAY_CONFORMANCE_ENGINE === 'postgres' ? await openShared(settings) : null;
  const start = () => startProcess('src/main.ts', [], { ...settings, ...shared?.environment });
  let running = await start();
  const keys = firstRunOf(data.path);
  return {
    get url() {
      return running.url;
    },
    keys,
    async admin(path, json, method) {
      const answer = await call(`${running.url}/admin/v1${path}`, {
        key: keys.admin_token,
        ...(json !== undefined && { json }),
        ...(method !== undefined && { method }),
      });
      assert.ok(answer.status < 300, `admin ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    },
    async restart() {
      await running.kill();
      running = await start();
    },
    async stop() {
      await running.stop();
      await shared?.close();
      data.dispose();
    },
  };
}

/** A database of its own and a sandbox that is a process of its own, as nodes that share them have. */
async function openShared(
  settings: Record<string, string>,
): Promise<{ environment: Record<string, string>; close(): Promise<void> }> {
  const database = await createTestDatabase();
  const sandbox = await startProcess('src/sandbox/main.ts', [], settings);
  return {
    environment: { DATABASE_URL: database.url, REELAY_SANDBOX: sandbox.url },
    async close() {
      await sandbox.stop();
      await database.drop();
    },
  };
}

/** An account with one key and this much money (a decimal string; `0` for none). */
export async function openAccount(
  gateway: TestGateway,
  credit: string,
  responseStyle?: 'strict',
): Promise<TestAccount> {
  const { id } = await gateway.admin('/accounts', { name: `conformance ${credit}` });
  if (credit !== '0') await gateway.admin(`/accounts/${id}/top-ups`, { amount: credit, note: 'conformance' });
  const issued = await gateway.admin(`/accounts/${id}/keys`, {
    name: 'conformance',
    ...(responseStyle !== undefined && { response_style: responseStyle }),
  });
  return {
    id,
    key: issued.api_key,
    accessKey: issued.access_key,
    secretKey: issued.secret_key,
    wallet: () => gateway.admin(`/accounts/${id}/wallet`),
  };
}

/** Every entry of an account's ledger, newest first. */
export async function ledgerOf(gateway: TestGateway, account: TestAccount): Promise<LooseJson[]> {
  const entries: LooseJson[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: string = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const page = await gateway.admin(`/accounts/${account.id}/ledger${query}`);
    entries.push(...page.data);
    cursor = page.next_cursor;
  }
  return entries;
}

/** What a task was held at and charged, in hundred-thousandths of the currency. */
export async function moneyOf(
  gateway: TestGateway,
  account: TestAccount,
  taskId: string,
): Promise<{ held: number; charged: number }> {
  const entries = (await ledgerOf(gateway, account)).filter((entry) => entry.task_id === taskId);
  const sum = (kind: string, book: string): number =>
    entries
      .filter((entry) => entry.kind === kind && entry.book === book)
      .reduce((total, entry) => total + Math.round(Number(entry.amount) * 100_000), 0);
  return { held: sum('hold', 'held'), charged: sum('settle', 'revenue') };
}

/** Recomputes every wallet from the entries and finds nothing amiss. */
export async function assertLedgerBalances(gateway: TestGateway): Promise<void> {
  const verdict = await gateway.admin('/ledger/verify');
  assert.deepEqual(
    { ok: verdict.ok, sum: Number(verdict.sum), mismatches: verdict.mismatches },
    { ok: true, sum: 0, mismatches: [] },
  );
}

/** Polls `GET /v1/videos/{id}` until the task is final; answers the video object. */
export async function finished(
  gateway: TestGateway,
  key: string,
  id: string,
  timeoutMs = 60_000,
): Promise<LooseJson> {
  return eventually(`the end of ${id}`, timeoutMs, async () => {
    const answer = await call(`${gateway.url}/v1/videos/${id}`, { key });
    assert.equal(answer.status, 200, answer.text);
    return ['completed', 'failed'].includes(answer.body.status) ? answer.body : null;
  });
}

/** The same, and it must have ended well. */
export async function completed(
  gateway: TestGateway,
  key: string,
  id: string,
  timeoutMs?: number,
): Promise<LooseJson> {
  const video = await finished(gateway, key, id, timeoutMs);
  assert.equal(video.status, 'completed', JSON.stringify(video.error));
  return video;
}

/** A refusal in the words of the dialect that the path belongs to; answers the OpenAI error object inside. */
export function assertRefused(
  answer: Answer,
  path: string,
  expected: { status?: number; code?: string; param?: string | null; number?: number } = {},
): LooseJson {
  const seen = `${path}: ${answer.status} ${answer.text.slice(0, 500)}`;
  assert.ok(answer.status >= 400 && answer.status < 500, seen);
  if (expected.status !== undefined) assert.equal(answer.status, expected.status, seen);
  const { body } = answer;
  const error = body.error;
  assert.equal(typeof error?.message, 'string', seen);
  assert.ok(error.message.length > 0 && error.message.length < 2000, seen);
  assert.equal(typeof error.type, 'string', seen);
  assert.match(error.code, /^[a-z_]+$/, seen);
  assert.ok(error.param === null || typeof error.param === 'string', seen);
  const requestId = answer.headers['x-request-id'];
  assert.ok(typeof requestId === 'string' && requestId.length > 0, `${seen}: no x-request-id`);
  if (path.startsWith('/kling')) {
    assert.ok(Number.isInteger(body.code) && body.code >= 1000, seen);
    assert.equal(body.message, error.message, seen);
    assert.equal(body.request_id, requestId, seen);
    if (expected.number !== undefined) assert.equal(body.code, expected.number, seen);
  } else if (path.startsWith('/v1/video/generations')) {
    assert.equal(body.code, error.code, seen);
    assert.equal(body.message, error.message, seen);
    assert.equal(body.data, null, seen);
  }
  if (expected.code !== undefined) assert.equal(error.code, expected.code, seen);
  if (expected.param !== undefined) assert.equal(error.param, expected.param, seen);
  return error;
}
