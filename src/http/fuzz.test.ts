import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import * as dialectRegistry from '../dialects/index.ts';
import { createFakeGateway } from '../dialects/kit/fake-gateway.ts';
import { createAdmin } from '../flows/admin/index.ts';
import { createSecretKeeper, type RunningSecretKeeper } from '../flows/secret-keeper.ts';
import { createTestClock } from '../lib/clock.ts';
import { createGuardedHttp } from '../lib/guarded-http.ts';
import { createIds } from '../lib/ids.ts';
import { deriveKey } from '../lib/seal.ts';
import { signUrl } from '../lib/signed-url.ts';
import type { Provider, Store } from '../core/ports.ts';
import { loadSecrets } from '../secrets.ts';
import { openStore } from '../store/index.ts';
import { linkKey, startFixture, testAdminToken, testApiKey, type Fixture } from './server.fixture.ts';

const requestsMin = 2_500;

let directory: string;
let store: Store;
let keeper: RunningSecretKeeper;
let fixture: Fixture;
const routes: { method: string; url: string }[] = [];

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reelay-fuzz-'));
  const clock = createTestClock(1_800_000_000_000);
  store = await openStore({ directory, clock });
  const ids = createIds();
  const provider = {
    id: 'maker',
    parseCredential: (value: unknown) => value,
    probe: async () => ({ ok: true, message: '' }),
  } as unknown as Provider;
  keeper = createSecretKeeper({
    store: store.sealed,
    rootKeys: loadSecrets({
      dataDir: directory,
      secret: null,
      secretsAlso: [],
      adminToken: testAdminToken,
    }).rootKeys,
    clock,
    isShared: false,
    onError: (error) => assert.fail(error as Error),
  });
  fixture = await startFixture({
    clock,
    gateway: createFakeGateway(),
    secrets: keeper,
    dialects: Object.values(dialectRegistry),
    admin: createAdmin({
      store,
      providers: new Map([['maker', provider]]),
      keyring: [deriveKey('a root secret of thirty-two characters', 'test')],
      clock,
      newId: (prefix) => ids.newId(prefix, clock.now()),
      priceBook: { currency: 'USD', version: 'test', prices: new Map() },
      channels: { open: (row) => ({ id: row.id }) as never, asItCounts: (row) => row },
      lanes: { running: async () => 0, lookAfter: () => {} },
      route: async (_request, pinned) => pinned ?? 'chan_none',
      owner: 'test',
      settings: { taskDeadlineMs: 86_400_000, retentionMs: 86_400_000 },
      guarded: createGuardedHttp({ allow: [], userAgent: 'test' }),
    }),
  });
  const { paths } = (await fixture.server.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
  for (const [url, item] of Object.entries(paths)) {
    for (const method of Object.keys(item)) routes.push({ method: method.toUpperCase(), url });
  }
  for (const url of ['/healthz', '/readyz', '/openapi.json', '/content/{id}/{file}', '/nowhere']) {
    routes.push({ method: 'GET', url });
  }
  routes.push({ method: 'POST', url: '/callbacks/{provider}/{channel}/{id}' });
});

after(async () => {
  await fixture.server.close();
  await keeper.stop();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A small fixed generator (mulberry32): a failure comes again with the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = createRandom(20261120);
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;

const words = [
  '', ' ', '0', '-1', '1e999', '99999999999999999999', 'null', 'true', 'NaN', '__proto__', 'constructor', '../../etc',
  '%00', '%2e%2e%2f', '\u0000', '\ud800', '𝔘', '中文', "' OR 1=1 --", 'task_', 'acct_x', 'a'.repeat(900), '[]', '{}',
  'https://u:p@10.0.0.1/x', 'data:image/png;base64,AAAA', '[[fail]]', '16:9', '720P', 'kling-v1-6', '2026-11-20T00:00:00Z',
]; // prettier-ignore
const names = [
  'prompt', 'model', 'seconds', 'duration', 'size', 'image', 'images', 'metadata', 'content', 'mode', 'name', 'amount',
  'credential', 'provider', 'base_url', 'priority', 'weight', 'enabled', 'status', 'note', 'max_cost', 'callback_url',
  'external_task_id', 'input_reference', 'cfg_scale', 'camera_control', 'limit', 'cursor', 'created_from', 'state',
  'pageNum', 'pageSize', 'order', 'after', 'variant', 'dry_run', 'model_name', 'aspect_ratio', '__proto__', 'toString',
]; // prettier-ignore

function value(depth: number): unknown {
  switch (Math.floor(random() * (depth > 3 ? 6 : 8))) {
    case 0:
      return pick(words);
    case 1:
      return pick([0, -1, 1.5, 1e308, -0, 2 ** 53]);
    case 2:
      return null;
    case 3:
      return random() < 0.5;
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
    default:
      return object(depth + 1);
  }
}

function object(depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Array.from({ length: Math.floor(random() * 6) }, () => [pick(names), value(depth)]),
  );
}

function form(): string {
  const parts = Array.from({ length: Math.floor(random() * 6) }, () => {
    const name = pick(names) + pick(['', '[]', '[a]', '[][b]', '[', ']', '[__proto__]']);
    const file = random() < 0.3 ? '; filename="x"\r\nContent-Type: image/png' : '';
    return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${JSON.stringify(value(3))}\r\n`;
  });
  return parts.join('') + pick(['--b--\r\n', '--b', '', '--b--']);
}

function malformedBody(): { payload?: string | Buffer; headers: Record<string, string> } {
  const json = { 'content-type': 'application/json' };
  switch (Math.floor(random() * 9)) {
    case 0:
      return { payload: JSON.stringify(value(0)) ?? '', headers: json };
    case 1:
    case 2:
      return { payload: JSON.stringify(object(0)), headers: json };
    case 3:
      return { payload: JSON.stringify(object(0)).slice(0, Math.floor(random() * 40)), headers: json };
    case 4:
      return {
        payload: Buffer.from(Array.from({ length: 60 }, () => Math.floor(random() * 256))),
        headers: json,
      };
    case 5:
      return {
        payload: form(),
        headers: {
          'content-type': pick([
            'multipart/form-data; boundary=b',
            'multipart/form-data',
            'multipart/form-data; boundary=',
          ]),
        },
      };
    case 6:
      return { payload: '['.repeat(Math.floor(random() * 5000)), headers: json };
    case 7:
      return {
        payload: 'a=b',
        headers: {
          'content-type': pick([
            'text/xml',
            'application/x-www-form-urlencoded',
            ';;',
            'application/json; charset=gbk',
          ]),
        },
      };
    default:
      return { headers: random() < 0.5 ? json : {} };
  }
}

function malformedRequest(route: { method: string; url: string }): InjectOptions {
  let url = route.url.replace(/\{[^}]+\}/g, () =>
    pick([encodeURIComponent(pick(words).toWellFormed()), 'x', '%zz', '%']),
  );
  const pairs = Array.from({ length: Math.floor(random() * 4) }, () => {
    const text = pick(words).toWellFormed();
    return `${pick(names)}=${random() < 0.9 ? encodeURIComponent(text) : '%zz'}`;
  });
  if (pairs.length > 0) url += `?${pairs.join('&')}`;
  if (/^\/(content|callbacks)\//.test(url) && random() < 0.5) {
    try {
      url = signUrl(linkKey, url, 1_800_000_060);
    } catch {
      // Some of these paths cannot be signed: they are asked for unsigned.
    }
  }
  const { payload, headers } = malformedBody();
  const token = pick([route.url.startsWith('/admin') ? testAdminToken : testApiKey, undefined, pick(words)]);
  const isHeader = token !== undefined && /^[\x21-\x7e]*$/.test(token);
  return {
    method: (random() < 0.9
      ? route.method
      : pick(['PUT', 'DELETE', 'PATCH', 'POST', 'HEAD', 'OPTIONS'])) as 'GET',
    url,
    headers: { ...headers, ...(isHeader ? { authorization: `Bearer ${token}` } : {}) },
    ...(payload === undefined ? {} : { payload }),
  };
}

test('no malformed request is ever answered with a 5xx', { timeout: 120_000 }, async () => {
  const requestsPerRoute = Math.ceil(requestsMin / routes.length);
  const failures: string[] = [];
  const seen = new Map<number, number>();
  let sent = 0;
  for (const route of routes) {
    for (let index = 0; index < requestsPerRoute; index++) {
      const request = malformedRequest(route);
      const answer = await fixture.server.inject(request);
      sent++;
      seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1);
      assert.ok(answer.headers['x-request-id'], `${request.method} ${String(request.url)} has no request id`);
      if (answer.statusCode >= 500) {
        const line = fixture.log.findLast((entry) => entry.msg === 'internal error');
        failures.push(
          `${request.method} ${String(request.url)}\n${String(request.payload)}\n${JSON.stringify(line?.err)}`,
        );
      } else if (answer.statusCode >= 400 && request.method !== 'HEAD') {
        assert.doesNotThrow(() => JSON.parse(answer.body), `${request.method} ${String(request.url)}`);
      }
    }
  }
  assert.deepEqual(failures, []);
  assert.ok(sent >= requestsMin, `only ${sent} requests`);
  assert.ok((seen.get(400) ?? 0) > 100 && (seen.get(200) ?? 0) > 20, JSON.stringify([...seen]));
});
