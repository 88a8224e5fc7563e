/**
 * What the gateway answers against what it says it answers: every operation of /openapi.json is called for real, its
 * answers (refusals too) are validated by ajv against the document, and no answer has a key the document does not know.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { request } from 'undici';
import { eventually, type LooseJson } from '../test/helpers/processes.ts';
import {
  completed,
  finished,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { klingFeatures } from './support/kling-features.ts';
import { readOpenapi, resolved, type Operation } from './support/openapi.ts';
import { plainPicture } from './support/picture.ts';

const PICTURE = 'https://example.com/first.png';

let gateway: TestGateway;
let receiver: Server;
let document: LooseJson;
let operations: Operation[];
let ajv: Ajv2020;
let account: TestAccount;
let strict: TestAccount;
/** `METHOD path` of every operation that has answered well, or was refused where nothing better was to be had. */
const seen = new Set<string>();
/** `METHOD path status key` of every key in an answer that its schema does not name. */
const unknown = new Set<string>();

before(async () => {
  // A receiver of webhooks on this machine, which wants nothing any more.
  receiver = createServer((_request, response) => response.writeHead(410).end());
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway('tiny', { REELAY_ALLOW_PRIVATE: '127.0.0.1' });
  ({ document, operations } = await readOpenapi(gateway.url));
  // `strict: false`: an OpenAPI document is full of keywords that JSON Schema does not know.
  ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'openapi' });
  account = await openAccount(gateway, '100');
  strict = await openAccount(gateway, '100', 'strict');
});
after(async () => {
  await gateway.stop();
  receiver.close();
});

const pointer = (...keys: string[]): string =>
  keys.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** Keys of an answer that no branch of its schema names. */
function unknownKeys(schema: LooseJson, value: unknown, path = ''): string[] {
  const branches = flatten(schema);
  if (Array.isArray(value)) {
    const items = branches.flatMap((branch) => (branch.items === undefined ? [] : [branch.items]));
    if (items.length === 0) return [];
    return value.flatMap((entry, index) => unknownKeys({ anyOf: items }, entry, `${path}[${index}]`));
  }
  if (value === null || typeof value !== 'object') return [];
  // A map of anything is documented as such: an object without named properties.
  const named = branches.filter((branch) => branch.properties !== undefined);
  if (named.length === 0) return [];
  return Object.entries(value).flatMap(([key, entry]) => {
    const schemas = named.flatMap((branch) =>
      branch.properties[key] === undefined ? [] : [branch.properties[key]],
    );
    return schemas.length === 0
      ? [`${path}.${key}`]
      : unknownKeys({ anyOf: schemas }, entry, `${path}.${key}`);
  });
}

function flatten(schema: LooseJson): LooseJson[] {
  const found = resolved(document, schema);
  const parts = [...(found?.anyOf ?? []), ...(found?.oneOf ?? []), ...(found?.allOf ?? [])];
  return parts.length > 0 ? [found, ...parts.flatMap(flatten)] : [found];
}

interface Sending {
  path?: Record<string, string>;
  query?: string;
  key?: string;
  json?: unknown;
  /** Parts of a multipart form: a text, or a file's bytes. */
  form?: Record<string, string | Buffer>;
  headers?: Record<string, string>;
  /** What the answer must be; 200 unless said otherwise, null for anything but a 5xx. */
  status?: number | null;
}

/** Calls an operation by its name in the document and holds the answer against its schema; answers the body. */
const BOUNDARY = 'part-of-a-conformance-test';

function formBody(form: Record<string, string | Buffer>): Buffer {
  const parts = Object.entries(form).flatMap(([name, value]) => {
    const file = typeof value === 'string' ? '' : '; filename="a.png"\r\nContent-Type: image/png';
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return [Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')];
  });
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

async function exchange(method: string, path: string, sending: Sending = {}): Promise<LooseJson> {
  const { query = '', json, form, headers = {} } = sending;
  const expected = sending.status === undefined ? 200 : sending.status;
  const operation = operations.find((candidate) => candidate.method === method && candidate.path === path);
  assert.ok(operation, `${method} ${path} is documented`);
  const about = `${method} ${path}${query} -> `;

  if (json !== undefined && expected === 200) {
    const check = ajv.getSchema(
      `openapi#${pointer('paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema')}`,
    );
    assert.ok(check, `${about}the body is documented`);
    assert.ok(check(json), `${about}the request: ${ajv.errorsText(check.errors)}`);
  }
  const key = sending.key ?? (operation.isAdmin ? gateway.keys.admin_token : account.key);
  const url = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(sending.path![name]!));
  const answer = await request(gateway.url + url + query, {
    method: method as 'GET',
    headers: {
      authorization: `Bearer ${key}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(form !== undefined && { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }),
      ...headers,
    },
    body: form === undefined ? (json === undefined ? null : JSON.stringify(json)) : formBody(form),
  });
  const text = Buffer.from(await answer.body.arrayBuffer()).toString();
  const seenAnswer = `${about}${answer.statusCode} ${text.slice(0, 600)}`;
  const status = answer.statusCode;
  assert.ok(expected === null ? status < 500 : status === expected, `${seenAnswer}: not ${expected}`);
  const documented = [String(status), `${String(status)[0]}XX`, 'default'].find(
    (name) => operation.responses[name] !== undefined,
  );
  assert.ok(documented, `${seenAnswer}: this status is not documented`);
  if (status < 300 || expected === null) seen.add(`${method} ${path}`);

  const type = String(answer.headers['content-type'] ?? '').split(';')[0]!;
  const content = operation.responses[documented].content;
  if (method === 'HEAD') return null;
  assert.ok(content?.[type], `${about}${status}: ${type} is documented`);
  if (type !== 'application/json') return text;
  const body = JSON.parse(text);
  const check = ajv.getSchema(
    `openapi#${pointer('paths', path, method.toLowerCase(), 'responses', documented, 'content', type, 'schema')}`,
  );
  assert.ok(check, `${about}the answer is documented`);
  assert.ok(check(body), `${seenAnswer}: ${ajv.errorsText(check.errors)}`);
  for (const name of unknownKeys(content[type].schema, body))
    unknown.add(`${method} ${path} ${status} ${name}`);
  return body;
}

describe('the document', () => {
  test('is OpenAPI 3.1, every reference leads somewhere, every name of an operation is its own', () => {
    assert.match(document.openapi, /^3\.1\./);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(references.length > 50);
    for (const reference of new Set(references))
      assert.ok(resolved(document, { $ref: reference }), reference);
    const ids = Object.values<LooseJson>(document.paths)
      .flatMap((item) => Object.values<LooseJson>(item))
      .flatMap((operation) => operation.operationId ?? []);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('every schema in it is a schema', () => {
    for (const name of Object.keys(document.components.schemas))
      assert.ok(ajv.getSchema(`openapi#${pointer('components', 'schemas', name)}`), name);
  });

  test("components carry the founding documents' names", () => {
    for (const name of [
      'KlingVideoRequest',
      'VideoGenerationRequest',
      'VideoTaskResponse',
      'ErrorResponse',
      'TaskErrorResponse',
      'ModelsListResponse',
      'ModelItem',
    ])
      assert.ok(document.components.schemas[name], name);
  });

  test('every example in it is valid', () => {
    for (const [name, schema] of Object.entries<LooseJson>(document.components.schemas)) {
      const check = ajv.getSchema(`openapi#${pointer('components', 'schemas', name)}`)!;
      for (const example of schema.examples ?? [])
        assert.ok(check(example), `${name}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(example)}`);
    }
  });

  test('parameters of a path are declared, and every operation tells how it refuses', () => {
    const faults: string[] = [];
    for (const { method, path, parameters, responses } of operations) {
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      const needed = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
      if (declared.sort().join() !== needed.sort().join()) faults.push(`${method} ${path}: parameters`);
      if (responses['4XX'] === undefined && responses.default === undefined)
        faults.push(`${method} ${path}: no 4XX is documented`);
    }
    assert.deepEqual(faults, []);
  });
});

describe("answers of the callers' routes", () => {
  const doors = [
    { path: '/v1/videos', body: { model: 'kling-2.5', prompt: 'x', seconds: '5' } },
    { path: '/v1/video/generations', body: { model: 'kling-v1-6', prompt: 'x', duration: 5 } },
    { path: '/kling/v1/videos/text2video', body: { model_name: 'kling-v1-6', prompt: 'x', duration: '5' } },
    {
      path: '/kling/v1/videos/image2video',
      body: { model_name: 'kling-v1-6', image: PICTURE, duration: '5' },
    },
    { path: '/kling/v1/videos/omni-video', body: { prompt: 'x', aspect_ratio: '16:9', duration: '5' } },
  ];
  for (const { path, body } of doors) {
    test(`${path}: create, dry run, query in every state, refusals; strict keys too`, async () => {
      const one = `${path}/{id}`;
      const idOf = (answer: LooseJson): string => answer.id ?? answer.data.task_id;
      for (const { key } of [account, strict]) {
        await exchange('POST', path, { key, query: '?dry_run=true', json: body });
        const running = idOf(await exchange('POST', path, { key, json: { ...body, prompt: '[[expire]]' } }));
        await exchange('GET', one, { key, path: { id: running } });
        const failing = idOf(await exchange('POST', path, { key, json: { ...body, prompt: '[[fail]]' } }));
        const id = idOf(
          await exchange('POST', path, { key, json: { ...body, external_task_id: `own ${path}` } }),
        );
        await completed(gateway, key, id);
        await finished(gateway, key, failing);
        for (const task of [id, `own ${path}`, failing])
          await exchange('GET', one, { key, path: { id: task } });
        await exchange('GET', one, { key, path: { id: 'none' }, status: 404 });
        await exchange('POST', path, { key, json: { ...body, duration: 'x', seconds: 'x' }, status: 400 });
        await exchange('POST', path, {
          key,
          json: { ...body, model: 'none', model_name: 'none' },
          status: 404,
        });
      }
      await exchange('POST', path, { key: 'wrong', json: body, status: 401 });
      await exchange('POST', path, { key: (await openAccount(gateway, '0')).key, json: body, status: 429 });
    });
  }

  test('lists, models, content and deletion', async () => {
    const { id } = await exchange('POST', '/v1/videos', { json: { model: 'kling-2.5', prompt: 'y' } });
    await completed(gateway, account.key, id);
    for (const query of ['', '?limit=1', '?limit=0', '?order=asc', `?after=${id}`])
      await exchange('GET', '/v1/videos', { query });
    await exchange('GET', '/v1/videos', { query: '?limit=x', status: 400 });
    for (const feature of ['text2video', 'image2video', 'omni-video']) {
      for (const { key } of [account, strict])
        await exchange('GET', `/kling/v1/videos/${feature}`, { key, query: '?pageNum=1&pageSize=2' });
      await exchange('GET', `/kling/v1/videos/${feature}`, { query: '?pageNum=0', status: 400 });
    }
    await exchange('GET', '/v1/models');
    await exchange('GET', '/v1/models/{id}', { path: { id: 'kling-2.5' } });
    await exchange('GET', '/v1/models/{id}', { path: { id: 'none' }, status: 404 });
    const content = '/v1/videos/{id}/content';
    await exchange('GET', content, { path: { id } });
    await exchange('GET', content, { path: { id }, headers: { range: 'bytes=0-9' }, status: 206 });
    await exchange('GET', content, { path: { id }, query: '?variant=thumbnail' });
    await exchange('GET', content, { path: { id }, query: '?variant=x', status: 400 });
    await exchange('GET', content, { path: { id }, headers: { range: 'bytes=99999999-' }, status: 416 });
    await exchange('GET', content, { path: { id: 'none' }, status: 404 });
    if (operations.some(({ method, path }) => method === 'HEAD' && path === content))
      await exchange('HEAD', content, { path: { id } });
    await exchange('DELETE', '/v1/videos/{id}', { path: { id } });
    await exchange('DELETE', '/v1/videos/{id}', { path: { id }, status: 404 });
  });
});

test('answers of the admin routes', async () => {
  const made = await exchange('POST', '/admin/v1/accounts', { json: { name: 'documented' } });
  const path = { id: made.id };
  await exchange('GET', '/admin/v1/accounts', { query: '?limit=2' });
  await exchange('GET', '/admin/v1/accounts/{id}', { path });
  await exchange('PATCH', '/admin/v1/accounts/{id}', { path, json: { name: 'renamed' } });
  await exchange('POST', '/admin/v1/accounts/{id}/top-ups', { path, json: { amount: '5', note: 'a gift' } });
  await exchange('GET', '/admin/v1/accounts/{id}/wallet', { path });
  const key = await exchange('POST', '/admin/v1/accounts/{id}/keys', { path, json: { name: 'a key' } });
  await exchange('GET', '/admin/v1/accounts/{id}/keys', { path });
  const { id } = await exchange('POST', '/v1/videos', {
    key: key.api_key,
    json: { model: 'kling-2.5', prompt: 'z', image: PICTURE },
  });
  await completed(gateway, key.api_key, id);
  await exchange('GET', '/admin/v1/accounts/{id}/ledger', { path });
  await exchange('GET', '/admin/v1/ledger/verify');
  await exchange('GET', '/admin/v1/tasks', { query: '?limit=200' });
  const { data: tasks } = await exchange('GET', '/admin/v1/tasks', { query: '?limit=200' });
  for (const task of tasks) await exchange('GET', '/admin/v1/tasks/{id}', { path: { id: task.id } });
  const endless = { model: 'kling-2.5', prompt: '[[expire]]' };
  const stuck = { id: (await exchange('POST', '/v1/videos', { key: key.api_key, json: endless })).id };
  const by = { note: 'a test', author: 'conformance' };
  for (const [action, task] of [
    ['fail', stuck],
    ['retry', stuck],
    ['refund', { id }],
  ] as const) {
    const operation = `/admin/v1/tasks/{id}/${action}`;
    await exchange('POST', operation, { path: task, json: {}, status: 400 });
    await exchange('POST', operation, { path: { id: 'task_none' }, json: by, status: 404 });
    await exchange('POST', operation, { path: task, json: by });
    await exchange('GET', '/admin/v1/tasks/{id}', { path: task });
  }
  await exchange('POST', '/admin/v1/tasks/{id}/refund', { path: { id }, json: by, status: 409 });
  await exchange('GET', '/admin/v1/secrets');
  await exchange('POST', '/admin/v1/secrets/rotate');
  await exchange('GET', '/admin/v1/prices');
  const channels = await exchange('GET', '/admin/v1/channels');
  await exchange('GET', '/admin/v1/channels/{id}', { path: { id: channels.data[0].id } });
  await exchange('POST', '/admin/v1/channels/{id}/probe', { path: { id: channels.data[0].id } });
  // Nothing listens there, and it is switched off: no task goes to it.
  const channel = await exchange('POST', '/admin/v1/channels', {
    json: {
      name: 'documented',
      provider: 'kling',
      credential: { access_key: 'a', secret_key: 'b'.repeat(32) },
      base_url: 'http://127.0.0.1:1',
      enabled: false,
    },
  });
  assert.doesNotMatch(JSON.stringify(channel), /bbbb/, 'a credential is never shown again');
  const one = { id: channel.id };
  await exchange('PATCH', '/admin/v1/channels/{id}', { path: one, json: { priority: 3 } });
  await exchange('DELETE', '/admin/v1/channels/{id}', { path: one });
  await exchange('PATCH', '/admin/v1/accounts/{id}/keys/{key_id}', {
    path: { ...path, key_id: key.id },
    json: { limits: { requests_per_minute: 60 } },
  });
  await exchange('DELETE', '/admin/v1/accounts/{id}/keys/{key_id}', {
    path: { id: made.id, key_id: key.id },
  });
});

describe("answers of the platform's other doors", () => {
  const ROOT = '/kling/v1';

  /** One task at a legacy path: estimate, create, query, list, refusals. Answers its id. */
  async function story(key: string, path: string, json: unknown): Promise<string> {
    await exchange('POST', path, { key, query: '?dry_run=true', json });
    const { data } = await exchange('POST', path, { key, json });
    const id: string = data.task_id;
    await exchange('GET', `${path}/{id}`, { key, path: { id } });
    await completed(gateway, key, id);
    await exchange('GET', `${path}/{id}`, { key, path: { id } });
    await exchange('GET', path, { key, query: '?pageNum=1&pageSize=500' });
    await exchange('GET', `${path}/{id}`, { key, path: { id: 'none' }, status: 404 });
    await exchange('GET', path, { key, query: '?pageNum=0', status: 400 });
    await exchange('POST', path, { key, json: {}, status: 400 });
    return id;
  }

  test('every path of the legacy standard: tasks and what is answered at once; strict keys too', async () => {
    for (const { key } of [account, strict]) {
      const film = await story(key, `${ROOT}/videos/text2video`, {
        model_name: 'kling-v1-6',
        prompt: 'film',
      });
      const source = { video_id: film };
      const faces = await exchange('POST', `${ROOT}/videos/identify-face`, { key, json: source });
      const steps = `${ROOT}/videos/multi-elements`;
      const opened = await exchange('POST', `${steps}/init-selection`, { key, json: source });
      const { session_id: selection } = opened.data;
      const points = { session_id: selection, frame_index: 0, points: [{ x: 0.5, y: 0.5 }] };
      for (const [step, json] of [
        ['add', points],
        ['delete', points],
        ['clear', { session_id: selection }],
        ['add', points],
        ['preview', { session_id: selection }],
      ] as const)
        await exchange('POST', `${steps}/${step}-selection`, { key, json });
      for (const step of ['init', 'add', 'delete', 'clear', 'preview'])
        await exchange('POST', `${steps}/${step}-selection`, { key, json: {}, status: 400 });
      await exchange('POST', `${ROOT}/videos/identify-face`, { key, json: {}, status: 400 });

      const made = { film, faces: faces.data.session_id, selection, picture: PICTURE };
      await Promise.all(
        klingFeatures
          .filter(({ path }) => path !== '/videos/text2video')
          .map(({ path, body }) => story(key, ROOT + path, body(made))),
      );
    }
  });

  test('presets, deletion and account costs; strict keys too', async () => {
    for (const { key } of [account, strict]) {
      for (const path of ['presets-voices', 'advanced-presets-elements']) {
        await exchange('GET', `${ROOT}/general/${path}`, { key, query: '?pageNum=1&pageSize=2' });
        await exchange('GET', `${ROOT}/general/${path}`, { key, query: '?pageNum=0', status: 400 });
      }
      for (const [path, kind] of [
        ['custom-voices', 'voice'],
        ['advanced-custom-elements', 'element'],
      ] as const) {
        const { data } = await exchange('GET', `${ROOT}/general/${path}`, { key });
        const id = String(data[0].task_result[`${kind}s`][0][`${kind}_id`]);
        const gone = `${ROOT}/general/delete-${kind}s`;
        // An element's id is no double; this copy of it may have lost its last digits.
        await exchange('POST', gone, { key, json: { [`${kind}_id`]: id }, status: null });
        await exchange('POST', gone, { key, json: { [`${kind}_id`]: '1' }, status: 404 });
        await exchange('POST', gone, { key, json: {}, status: 400 });
      }
      for (const path of ['/kling/account/costs', '/kling/v1/account/costs']) {
        if (!operations.some((operation) => operation.path === path)) continue;
        await exchange('GET', path, { key, query: '?start_time=1&end_time=2' });
        await exchange('GET', path, { key, status: 400 });
      }
    }
  });

  test('the new standard: each route, queries and lists; strict keys too', async () => {
    const frame = { type: 'first_frame', url: PICTURE };
    const routes: [string, string, Record<string, unknown>][] = [
      ['text-to-video', 'kling-2.6', { prompt: 'x', settings: { duration: 5 } }],
      ['image-to-video', 'kling-3.0-turbo', { contents: [{ type: 'prompt', text: 'x' }, frame] }],
      [
        'omni-video',
        'kling-o1',
        { contents: [{ type: 'prompt', text: 'x' }, frame], settings: { audio: 'off' } },
      ],
      [
        'motion-control',
        'kling-2.6',
        {
          contents: [
            { type: 'image', url: PICTURE },
            { type: 'video', url: 'https://example.com/film.mp4' },
          ],
          settings: { character_orientation: 'image' },
        },
      ],
    ];
    for (const { key } of [account, strict]) {
      for (const [feature, model, body] of routes) {
        const path = `/kling/${feature}/{model}`;
        const at = { key, path: { model } };
        await exchange('POST', path, { ...at, query: '?dry_run=true', json: body });
        const json = { ...body, options: { external_task_id: `new ${feature}` } };
        const { id } = (await exchange('POST', path, { ...at, json })).data;
        await exchange('GET', '/kling/tasks', { key, query: `?task_ids=${id}` });
        await completed(gateway, key, id);
        await exchange('GET', '/kling/tasks', { key, query: `?external_task_ids=new%20${feature}` });
        await exchange('POST', path, { ...at, json: {}, status: 400 });
        await exchange('POST', path, { key, path: { model: 'none' }, json: body, status: 404 });
      }
      // Of every feature that was made above: films, pictures, sounds, voices, elements.
      const page = await exchange('POST', '/kling/tasks', { key, json: { limit: 500 } });
      assert.ok(page.data.count > 20);
      const filters = [{ key: 'status', values: ['failed'] }];
      await exchange('POST', '/kling/tasks', { key, json: { limit: 1, filters } });
      await exchange('POST', '/kling/tasks', { key, json: { limit: 0 }, status: 400 });
      await exchange('GET', '/kling/tasks', { key, status: 400 });
      await exchange('GET', '/kling/tasks', { key, query: '?task_ids=none', status: 404 });
    }
  });
});

test('answers about files', async () => {
  const bytes = await plainPicture({ red: 9, green: 9, blue: 9 }, { width: 320, height: 320 });
  const form = { file: bytes, purpose: 'vision' };
  const path = { id: (await exchange('POST', '/v1/files', { form })).id };
  await exchange('POST', '/v1/files', { form: {}, status: 400 });
  for (const query of ['', '?limit=1&order=asc&purpose=vision'])
    await exchange('GET', '/v1/files', { query });
  await exchange('GET', '/v1/files', { query: '?limit=x', status: 400 });
  await exchange('GET', '/v1/files/{id}', { path });
  const content = '/v1/files/{id}/content';
  const file = operations.find((operation) => operation.path === content)!;
  // Its type is the file's own, whatever the document has to say about bytes.
  assert.ok(file.responses['200'].content);
  const answer = await request(`${gateway.url}/v1/files/${path.id}/content`, {
    headers: { authorization: `Bearer ${account.key}` },
  });
  assert.deepEqual(Buffer.from(await answer.body.arrayBuffer()), bytes);
  await exchange('GET', content, { path: { id: 'none' }, status: 404 });
  seen.add(`GET ${content}`);
  await exchange('DELETE', '/v1/files/{id}', { path });
  for (const method of ['GET', 'DELETE']) await exchange(method, '/v1/files/{id}', { path, status: 404 });
});

test('answers about webhooks, by their owner and by an operator', async () => {
  const receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const json = { name: 'mine', url: receiverUrl, event_types: ['task.queued'] };
  const doors: { list: string; one: string; owner: Record<string, string>; id: string }[] = [
    { list: '/v1/webhook_endpoints', one: '/v1/webhook_endpoints/{id}', owner: {}, id: 'id' },
    {
      list: '/admin/v1/accounts/{id}/webhook-endpoints',
      one: '/admin/v1/accounts/{id}/webhook-endpoints/{endpoint_id}',
      owner: { id: account.id },
      id: 'endpoint_id',
    },
  ];
  for (const { list, one, owner, id } of doors) {
    const isAdmin = list.startsWith('/admin');
    const made = await exchange('POST', list, { path: owner, json });
    const path = { ...owner, [id]: made.id };
    await exchange('POST', list, { path: owner, json: { ...json, url: 'http://10.0.0.1/' }, status: 400 });
    await exchange('GET', list, { path: owner, query: '?limit=1' });
    await exchange('GET', one, { path });
    await exchange('GET', one, { path: { ...path, [id]: 'whe_none' }, status: 404 });
    await exchange(isAdmin ? 'PATCH' : 'POST', one, { path, json: { name: 'renamed' } });
    const rotate = `${one}/${isAdmin ? 'rotate-secret' : 'rotate_secret'}`;
    await exchange('POST', rotate, { path, json: { keep_old_secret_active_for_24_hours: true } });
    await exchange('POST', `${one}/test`, { path, json: { event_type: 'video.completed' } });
    await exchange('POST', '/v1/videos', { json: { model: 'kling-v1-6', prompt: '[[expire]]' } });
    const word = isAdmin ? 'state' : 'status';
    const dead = await eventually('a dead letter', 30_000, async () => {
      const page = await exchange('GET', `${one}/deliveries`, { path, query: `?${word}=dead` });
      return page.data[0];
    });
    const lane = isAdmin ? '/admin/v1/accounts/{id}/deliveries' : `${one}/deliveries`;
    const delivery = { ...path, delivery_id: dead.id };
    const detail = await exchange('GET', `${lane}/{delivery_id}`, { path: delivery });
    assert.equal(detail.attempt_log.length, 1);
    await exchange('POST', `${lane}/{delivery_id}/redeliver`, { path: delivery });
    await exchange('POST', `${one}/redeliver`, { path, json: { [word]: 'dead' } });
    await exchange('DELETE', one, { path });
  }
  await exchange('GET', '/v1/webhook_event_types');
  const secret = '/v1/webhook_endpoints/signing_secret';
  await exchange('GET', secret);
  await exchange('POST', `${secret}/rotate_secret`, { json: {} });
  const events = await exchange('GET', '/v1/billing/events', { query: '?after_sequence=0&limit=5' });
  assert.ok(events.data.length > 0);
  await exchange('GET', '/v1/billing/events', { query: '?after_sequence=-1', status: 400 });
  const alert = { path: { id: account.id } };
  await exchange('PUT', '/admin/v1/accounts/{id}/wallet-alert', { ...alert, json: { low_threshold: '5' } });
  await exchange('GET', '/admin/v1/accounts/{id}/wallet-alert', alert);
});

test('every documented operation was called', () => {
  const missing = operations.map(({ method, path }) => `${method} ${path}`).filter((name) => !seen.has(name));
  assert.deepEqual(missing, []);
});

test('no answer had a key that the document does not name', () => {
  assert.deepEqual([...unknown].sort(), []);
});
