/** Proof 5: requests made up from our own OpenAPI document, over all routes; half plausible, half hostile. */
import { Pool } from 'undici';
import { Fuzzer, type MadeUpRequest } from '../conformance/support/fuzzer.ts';
import { assertRefused } from '../conformance/support/gateway.ts';
import { readOpenapi, type Operation } from '../conformance/support/openapi.ts';
import { create, idOf } from './callers.ts';
import { Report } from './report.ts';
import { World } from './world.ts';

const CONNECTIONS = 16;
/** Enough of the money for many tasks to be made, so that refusals for want of it are not the only answer. */
const CREDIT = '50';

interface Tally {
  sent: number;
  statuses: Map<number, number>;
  /** 5xx, and refusals that are not in the dialect's shape. */
  faults: string[];
}

export async function malformed({ requests, seed }: { requests: number; seed: number }): Promise<Report> {
  const report = new Report(
    `5. ${requests.toLocaleString('en')} made-up requests over all routes (seed ${seed})`,
  );
  await using world = await World.open({ speed: 50 });
  const { document, operations } = await readOpenapi(world.url);
  const account = await world.openAccount(CREDIT);
  const made = idOf(await create(world, account, 0, 'exists'));
  const tally: Tally = { sent: 0, statuses: new Map(), faults: [] };
  const startedAt = performance.now();

  const ids = [made, 'chaos-0', account.id, 'none', 'kling-2.5'];
  const isAdmin = ({ isAdmin }: Operation) => isAdmin;
  const callers = operations.filter((operation) => !isAdmin(operation));
  const admin = operations.filter(isAdmin);
  const adminShare = Math.round((requests * admin.length) / operations.length / 2);
  await send(world, new Fuzzer(seed, document, callers, ids), account.key, requests - adminShare, tally);
  await send(world, new Fuzzer(seed + 1, document, admin, ids), world.keys.admin_token, adminShare, tally);

  const seconds = (performance.now() - startedAt) / 1000;
  report.figure('requests sent', tally.sent);
  report.figure('requests per second', Math.round(tally.sent / seconds));
  report.figure('operations in the document', operations.length);
  for (const [status, count] of [...tally.statuses].sort(([a], [b]) => a - b))
    report.figure(`answers ${status}`, count);
  report.demand(`${requests.toLocaleString('en')} requests were sent`, tally.sent >= requests);
  report.demand(
    '0 answers ≥ 500, each refusal in the shape of its dialect',
    tally.faults.length === 0,
    tally.faults.slice(0, 5).join('\n'),
  );
  const verdict = await world.admin('/ledger/verify');
  report.demand('the ledger verifies and its sum is 0', verdict.ok && Number(verdict.sum) === 0, verdict);
  return report;
}

async function send(
  world: World,
  fuzzer: Fuzzer,
  key: string,
  requests: number,
  tally: Tally,
): Promise<void> {
  const pool = new Pool(world.url, { connections: CONNECTIONS });
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const request = tamed(fuzzer.next());
      // Beside what a schema can express: broken before it reaches one.
      await sendOne(pool, left % 16 === 0 ? mangled(request, left / 16) : request, key, tally);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  await pool.close();
}

async function sendOne(pool: Pool, sent: MadeUpRequest, key: string, tally: Tally): Promise<void> {
  const answer = await pool.request({
    method: sent.method as 'GET',
    path: sent.path,
    headers: { authorization: `Bearer ${key}`, ...sent.headers },
    ...(sent.body !== undefined && { body: sent.body }),
  });
  const text = await answer.body.text();
  const { statusCode: status, headers } = answer;
  tally.sent++;
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  if (status < 400 || (status < 500 && sent.method === 'HEAD')) return;
  try {
    assertRefused({ status, headers, text, body: JSON.parse(text) }, sent.path);
  } catch (error) {
    const shown = JSON.stringify({ ...sent, body: sent.body?.toString() }).slice(0, 1_000);
    tally.faults.push(`${shown} -> ${status} ${text.slice(0, 300)} (${String(error).slice(0, 300)})`);
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
/** Faults of the wire, of HTTP and of JSON. */
const MANGLERS: ((request: MadeUpRequest) => MadeUpRequest)[] = [
  (request) => ({ ...request, path: `${request.path}%zz` }),
  (request) => ({ ...request, path: `${request.path}/../%2e%2e/%00` }),
  (request) => ({ ...request, path: `${request.path}?${'a=1&'.repeat(2_000)}` }),
  (request) => ({ ...request, headers: { ...request.headers, authorization: 'Bearer' } }),
  (request) => ({ ...request, headers: { ...request.headers, authorization: 'Basic eDp5' } }),
  (request) => ({ ...request, method: 'POST', headers: JSON_TYPE, body: '['.repeat(5_000) }),
  (request) => ({ ...request, method: 'POST', headers: JSON_TYPE, body: `{"a":${'1'.repeat(5_000)}}` }),
  (request) => ({
    ...request,
    method: 'POST',
    headers: JSON_TYPE,
    body: Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
  }),
  (request) => ({ ...request, method: 'POST', headers: JSON_TYPE, body: '\ufeff{}' }),
  (request) => ({ ...request, method: 'POST', headers: JSON_TYPE, body: '' }),
  (request) => ({ ...request, method: 'POST', headers: { 'content-type': ';;' }, body: 'a=b' }),
  (request) => ({
    ...request,
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data' },
    body: '--x',
  }),
  (request) => ({
    ...request,
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="a[b][__proto__]"\r\n\r\n1\r\n--x',
  }),
  (request) => ({
    ...request,
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=gbk' },
    body: '{}',
  }),
];

function mangled(request: MadeUpRequest, number: number): MadeUpRequest {
  return MANGLERS[number % MANGLERS.length]!(request);
}

/** Nothing leaves this machine: made-up names resolve to nothing, and channels that are made lead nowhere. */
function tamed(request: MadeUpRequest): MadeUpRequest {
  const path = request.path.replaceAll('example.com', 'example.invalid');
  let { body } = request;
  if (typeof body === 'string') body = body.replaceAll('example.com', 'example.invalid');
  if (path.startsWith('/admin/v1/channels') && body !== undefined) {
    try {
      const value: unknown = JSON.parse(body.toString());
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        body = JSON.stringify({ ...value, base_url: 'http://127.0.0.1:1' });
    } catch {
      // Not JSON, so no channel either.
    }
  }
  return { ...request, path, body };
}
