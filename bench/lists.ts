/** Lists: pages and filters over very many tasks, each asked for many times; how long the slowest twentieth takes. */
import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';
import { startServer, type RunningServer } from './child.ts';
import { fillFinished, type Filled } from './filled.ts';
import { ADMIN_TOKEN, gatewayEnvironment } from './gateway.ts';
import type { Report } from './report.ts';

const AIM_MS = 100;
/** Pages followed from each list's beginning, then from its beginning again. */
const PAGES = 5;

interface List {
  path: string;
  /** As the operator, else as the caller. */
  admin: boolean;
  /** Further pages by number instead of by cursor. */
  numbered?: boolean;
}

export async function lists(
  scratch: string,
  { tasks, times, filled }: { tasks: number; times: number; filled?: Promise<Filled> },
): Promise<Report> {
  const prepared = await (filled ?? fillFinished(scratch, tasks));
  await using server = await startServer({
    script: 'src/main.ts',
    cwd: prepared.directory,
    env: gatewayEnvironment(prepared.directory),
  });
  const rows: string[] = [];
  let missed = 0;
  for (const list of listsOf(prepared)) {
    const took: number[] = [];
    let shown = 0;
    for (let time = 0; time < times; time++) {
      const { ms, tasks: found } = await follow(server, prepared, list);
      took.push(...ms);
      shown = found;
    }
    took.sort((left, right) => left - right);
    const at = (share: number): string => took[Math.ceil(took.length * share) - 1]!.toFixed(1);
    if (Number(at(0.95)) > AIM_MS) missed++;
    rows.push(
      `${list.path.padEnd(84)}${at(0.5).padStart(8)} ${at(0.95).padStart(8)} ${at(1).padStart(8)} ms, ${shown} shown`,
    );
  }
  const verdict = missed === 0 ? 'met' : `missed by ${missed} lists`;
  return {
    title: `Lists: ${tasks.toLocaleString('en')} tasks, median, p95 and slowest; aim p95 ${AIM_MS} ms: ${verdict}`,
    lines: rows,
    ratios: [],
  };
}

function listsOf({ accounts: [caller, other] }: Filled): List[] {
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
    `created_from=${ago(2)}`,
    `created_to=${ago(20)}`,
    `created_from=${ago(21)}&created_to=${ago(20)}`,
    `account_id=${caller}&state=failed`,
    `account_id=${other}&state=cancelled`,
    `account_id=${other}&model=kling-v3-omni`,
    `account_id=${other}&tier=rare`,
    `account_id=${caller}&tier=rare`,
    'state=failed&model=kling-v2-1',
    'state=cancelled&tier=rare',
    'state=failed&channel_id=chan_sandbox_kling',
    `state=failed&created_from=${ago(21)}&created_to=${ago(20)}`,
    `model=kling-v3-omni&created_to=${ago(20)}`,
    `account_id=${other}&created_from=${ago(21)}&created_to=${ago(20)}`,
  ];
  return [
    ...filters.map((filter) => ({ path: `/admin/v1/tasks?limit=50&${filter}`, admin: true })),
    { path: '/v1/videos?limit=100', admin: false },
    { path: '/v1/videos?limit=100&order=asc', admin: false },
    { path: '/kling/v1/videos/text2video?pageSize=500&pageNum=1', admin: false, numbered: true },
    { path: '/kling/v1/videos/text2video?pageSize=30&pageNum=900', admin: false, numbered: true },
    { path: `/admin/v1/accounts/${caller}/ledger?limit=100`, admin: true },
    { path: `/admin/v1/accounts?limit=50`, admin: true },
  ];
}

const agent = new Agent({ connections: 1 });

/** Asks for a list's first pages, one after the other. */
async function follow(
  server: RunningServer,
  { caller }: Filled,
  list: List,
): Promise<{ ms: number[]; tasks: number }> {
  const ms: number[] = [];
  let tasks = 0;
  let path: string | null = list.path;
  for (let page = 0; page < PAGES && path !== null; page++) {
    const startedAt = performance.now();
    const answer = await request(server.url + path, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${list.admin ? ADMIN_TOKEN : caller.apiKey}` },
    });
    const text = await answer.body.text();
    ms.push(performance.now() - startedAt);
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
    const body = JSON.parse(text) as { data: unknown[]; next_cursor?: string | null; last_id?: string };
    tasks += body.data.length;
    path = nextPath(list, path, body);
  }
  return { ms, tasks };
}

function nextPath(
  list: List,
  path: string,
  {
    data,
    next_cursor: cursor,
    last_id: lastId,
  }: { data: unknown[]; next_cursor?: string | null; last_id?: string },
): string | null {
  if (data.length === 0) return null;
  if (list.numbered === true)
    return path.replace(/pageNum=(\d+)/, (_, page) => `pageNum=${Number(page) + 1}`);
  if (cursor) return `${list.path}&cursor=${cursor}`;
  return lastId ? `${list.path}&after=${lastId}` : null;
}
