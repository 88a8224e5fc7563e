/**
 * Lists: pages and filters over very many tasks, on both engines, each asked for many times; how long the slowest
 * twentieth takes.
 */
import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';
import { startServer, type RunningServer } from './child.ts';
import type { FinishedTasks } from './filled.ts';
import { ADMIN_TOKEN, gatewayEnvironment } from './gateway.ts';
import type { Report } from './report.ts';
import type { SharedDatabases } from './to-postgres.ts';

const AIM_MS = 100;
/** Pages followed from each list's beginning, then from its beginning again. */
const PAGES = 5;

interface List {
  path: string;
  /** Else as the caller. */
  as?: 'operator' | 'tidy';
  /** Further pages by number instead of by cursor. */
  numbered?: true;
  /** Asked for by POST. */
  body?: object;
}

interface Measured {
  lines: string[];
  missed: number;
}

export interface ListsOptions {
  tasks: number;
  /** How often the pages of each list are asked for. */
  times: number;
  filled: Promise<FinishedTasks>;
  shared: Promise<SharedDatabases>;
}

export async function lists({ tasks, times, filled, shared }: ListsOptions): Promise<Report> {
  const prepared = await filled;
  // Its rows are read from the directory: only then a gateway may have it.
  const { full } = await shared;
  const asked = listsOf(prepared);
  const embedded = await measure(prepared, asked, times, {});
  const postgres = await measure(prepared, asked, times, { DATABASE_URL: full });
  const verdict = ({ missed }: Measured): string => (missed === 0 ? 'met' : `missed by ${missed} lists`);
  return {
    title: `Lists: ${tasks.toLocaleString('en')} tasks, median, p95 and slowest; aim p95 ${AIM_MS} ms`,
    lines: [
      `SQLite: ${verdict(embedded)}`,
      ...embedded.lines,
      `PostgreSQL: ${verdict(postgres)}`,
      ...postgres.lines,
    ],
    ratios: [],
  };
}

/** Every list at a gateway with these settings. */
async function measure(
  prepared: FinishedTasks,
  asked: List[],
  times: number,
  env: Record<string, string>,
): Promise<Measured> {
  await using server = await startServer({
    script: 'src/main.ts',
    cwd: prepared.directory,
    env: { ...gatewayEnvironment(prepared.directory), ...env },
  });
  const lines: string[] = [];
  let missed = 0;
  for (const list of asked) {
    const took: number[] = [];
    let shown = 0;
    const before = server.cpuMicros();
    // A list of one page is asked for as often as the five pages of another.
    while (took.length < times * PAGES) {
      const { ms, tasks: found } = await follow(server, prepared, list);
      took.push(...ms);
      shown = found;
    }
    const cpuMs = (server.cpuMicros() - before) / 1_000 / took.length;
    took.sort((left, right) => left - right);
    const at = (share: number): number => took[Math.ceil(took.length * share) - 1]!;
    if (at(0.95) > AIM_MS) missed++;
    const figures = [at(0.5), at(0.95), at(1)].map((ms) => ms.toFixed(1).padStart(8)).join('');
    lines.push(`${nameOf(list).padEnd(100)}${figures} ms, ${cpuMs.toFixed(1)} ms CPU, ${shown} shown`);
  }
  return { lines, missed };
}

function nameOf({ path, body, as }: List): string {
  return [
    path,
    ...(body ? [JSON.stringify(body)] : []),
    ...(as === 'tidy' ? ['(nearly all hidden)'] : []),
  ].join(' ');
}

function listsOf({ accounts: [caller, other] }: FinishedTasks): List[] {
  const day = 86_400_000;
  const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();
  const filters = [
    '',
    `account_id=${caller}`,
    `account_id=${other}`,
    'state=completed',
    'state=failed',
    'state=cancelled',
    'state=queued',
    'state=in_progress',
    'model=kling-v1-6',
    'model=kling-v2-1',
    'model=no-such-model',
    'tier=rare',
    'tier=tier-7',
    'channel_id=chan_sandbox_kling',
    'channel_id=chan_nobody',
    'attention=lost',
    `created_from=${ago(2)}`,
    `created_to=${ago(20)}`,
    `created_from=${ago(21)}&created_to=${ago(20)}`,
    `account_id=${caller}&state=failed`,
    `account_id=${caller}&state=in_progress`,
    `account_id=${other}&state=cancelled`,
    `account_id=${other}&state=queued`,
    `account_id=${other}&model=kling-v3-omni`,
    `account_id=${other}&tier=rare`,
    `account_id=${caller}&tier=rare`,
    `account_id=${caller}&model=kling-v2-1`,
    'state=failed&model=kling-v2-1',
    'state=queued&model=kling-v2-1',
    'state=cancelled&tier=rare',
    'state=failed&channel_id=chan_sandbox_kling',
    `state=failed&created_from=${ago(21)}&created_to=${ago(20)}`,
    `model=kling-v3-omni&created_to=${ago(20)}`,
    `account_id=${other}&created_from=${ago(21)}&created_to=${ago(20)}`,
  ];
  const kling = '/kling/v1/videos/text2video';
  const search = (body: object): List => ({ path: '/kling/tasks', body });
  const status = (...values: string[]) => [{ key: 'status', values }];
  return [
    ...filters.map((filter): List => ({ path: `/admin/v1/tasks?limit=50&${filter}`, as: 'operator' })),
    { path: '/admin/v1/tasks?limit=200', as: 'operator' },
    { path: '/v1/videos?limit=100' },
    { path: '/v1/videos?limit=100&order=asc' },
    { path: `${kling}?pageSize=30&pageNum=1`, numbered: true },
    { path: `${kling}?pageSize=30&pageNum=900`, numbered: true },
    { path: `${kling}?pageSize=500&pageNum=1`, numbered: true },
    { path: `${kling}?pageSize=500&pageNum=600`, numbered: true },
    { path: `${kling}?pageSize=500&pageNum=990`, numbered: true },
    { path: '/v1/videos?limit=100', as: 'tidy' },
    search({ limit: 100 }),
    search({ limit: 500 }),
    search({ limit: 100, filters: status('failed') }),
    search({ limit: 100, filters: status('submitted', 'processing') }),
    search({ limit: 100, filters: [{ key: 'product_type', values: ['image'] }] }),
    search({ limit: 100, start_time: Date.now() - 21 * day, end_time: Date.now() - 20 * day }),
    { path: `/admin/v1/accounts/${caller}/ledger?limit=100`, as: 'operator' },
    { path: `/admin/v1/accounts/${other}/ledger?limit=200`, as: 'operator' },
    { path: `/admin/v1/accounts?limit=50`, as: 'operator' },
  ];
}

const agent = new Agent({ connections: 1 });

interface Page {
  /** Of the new standard: `{ result, next_cursor }`. */
  data: unknown[] | { result: unknown[]; next_cursor: string };
  next_cursor?: string | null;
  last_id?: string;
}

/** Asks for a list's first pages, one after the other. */
async function follow(
  server: RunningServer,
  { caller, tidy }: FinishedTasks,
  list: List,
): Promise<{ ms: number[]; tasks: number }> {
  const ms: number[] = [];
  let tasks = 0;
  let next: List | null = list;
  const key = list.as === 'operator' ? ADMIN_TOKEN : list.as === 'tidy' ? tidy.apiKey : caller.apiKey;
  for (let page = 0; page < PAGES && next !== null; page++) {
    const startedAt = performance.now();
    const answer = await request(server.url + next.path, {
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${key}`,
        ...(next.body && { 'content-type': 'application/json' }),
      },
      ...(next.body && { method: 'POST', body: JSON.stringify(next.body) }),
    });
    const text = await answer.body.text();
    ms.push(performance.now() - startedAt);
    if (answer.statusCode !== 200) throw new Error(`${nameOf(next)}: ${answer.statusCode} ${text}`);
    const body = JSON.parse(text) as Page;
    tasks += Array.isArray(body.data) ? body.data.length : body.data.result.length;
    next = nextOf(next, list, body);
  }
  return { ms, tasks };
}

/** How the page after this one is asked for. */
function nextOf(asked: List, list: List, { data, next_cursor: cursor, last_id: lastId }: Page): List | null {
  if (!Array.isArray(data)) {
    return data.next_cursor === '' ? null : { ...list, body: { ...list.body, cursor: data.next_cursor } };
  }
  if (data.length === 0) return null;
  if (list.numbered) {
    const path = asked.path.replace(/pageNum=(\d+)/, (_, page) => `pageNum=${Number(page) + 1}`);
    return { ...list, path };
  }
  if (cursor) return { ...list, path: `${list.path}&cursor=${cursor}` };
  return lastId ? { ...list, path: `${list.path}&after=${lastId}` } : null;
}
