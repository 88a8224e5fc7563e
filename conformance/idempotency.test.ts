/**
 * Every operation that creates something or moves money honours Idempotency-Key. The operations are read from the API
 * description: a new POST has to be named here, with a request of it or with the reason why it needs no key.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { request } from 'undici';
import { call, eventually, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { klingFeatures, type Made } from './support/kling-features.ts';
import { readOpenapi } from './support/openapi.ts';
import { dataUri, plainPicture } from './support/picture.ts';

const ROOT = '/kling/v1';
const PROMPT = '[[expire]] only the create is looked at';

/** POSTs that create nothing and move no money: sent twice they do what they did. */
const NEED_NO_KEY: Record<string, string> = {
  '/kling/tasks': 'a query',
  '/kling/v1/general/delete-voices': 'deletes',
  '/kling/v1/general/delete-elements': 'deletes',
  '/v1/webhook_endpoints/{id}': 'changes what is there',
  '/admin/v1/channels/{id}/probe': 'asks an upstream whether it is there',
  '/admin/v1/secrets/rotate': 'goes on where it was broken off; rotating once more does no harm',
};

interface Sample {
  /** Where the path has parameters: the path itself. */
  path?: (made: Ready) => string;
  body?: (made: Ready) => LooseJson;
  isAdmin?: true;
  /** Sent as a form with one file. */
  isUpload?: true;
  /** Makes another request of it; null where its body has nothing to vary. `{ prompt }` when absent. */
  other?: LooseJson | null;
  /** What tells one effect from another. */
  idOf?: (answer: Answer) => unknown;
}

interface Ready extends Made {
  account: TestAccount;
  endpoint: string;
  delivery: string;
  adminEndpoint: string;
  completed: string;
  failed: string;
  open: string;
}

const taskId = ({ body }: Answer): unknown => body.id ?? body.data?.task_id ?? body.data?.id;

const video = { model: 'kling-v1-6', prompt: PROMPT };
const point = ({ selection }: Made): LooseJson => ({
  session_id: selection,
  frame_index: 0,
  points: [{ x: 0.5, y: 0.5 }],
});
const operator = { note: 'as the caller asked', author: 'li.na' };

const SAMPLES: Record<string, Sample> = {
  ...Object.fromEntries(klingFeatures.map(({ path, body }) => [ROOT + path, { body }])),
  [`${ROOT}/videos/identify-face`]: { body: ({ film }) => ({ video_id: film }) },
  [`${ROOT}/videos/multi-elements/init-selection`]: { body: ({ film }) => ({ video_id: film }) },
  [`${ROOT}/videos/multi-elements/add-selection`]: { body: point },
  [`${ROOT}/videos/multi-elements/preview-selection`]: {
    body: ({ selection }) => ({ session_id: selection }),
  },
  [`${ROOT}/videos/multi-elements/delete-selection`]: { body: point },
  [`${ROOT}/videos/multi-elements/clear-selection`]: { body: ({ selection }) => ({ session_id: selection }) },
  '/kling/text-to-video/{model}': {
    path: () => '/kling/text-to-video/kling-3.0',
    body: () => ({ prompt: PROMPT }),
  },
  '/kling/image-to-video/{model}': {
    path: () => '/kling/image-to-video/kling-3.0',
    body: () => ({
      contents: [
        { type: 'first_frame', url: 'https://example.com/a.png' },
        { type: 'prompt', text: PROMPT },
      ],
    }),
  },
  '/kling/omni-video/{model}': {
    path: () => '/kling/omni-video/kling-3.0-omni',
    body: () => ({ prompt: PROMPT, settings: { aspect_ratio: '16:9' } }),
  },
  '/kling/motion-control/{model}': {
    path: () => '/kling/motion-control/kling-3.0',
    body: () => ({
      contents: [
        { type: 'image', url: 'https://example.com/a.png' },
        { type: 'video', url: 'https://example.com/a.mp4' },
      ],
    }),
  },
  '/v1/videos': { body: () => video },
  '/v1/video/generations': { body: () => video },
  '/v1/files': { isUpload: true },
  '/v1/webhook_endpoints': {
    other: { name: 'another' },
    body: () => ({ name: 'mine', url: 'https://example.com/', event_types: ['task.completed'] }),
  },
  '/v1/webhook_endpoints/signing_secret/rotate_secret': {
    other: null,
    idOf: ({ body }) => body.signing_secret,
  },
  '/v1/webhook_endpoints/{id}/rotate_secret': {
    other: null,
    path: ({ endpoint }) => `/v1/webhook_endpoints/${endpoint}/rotate_secret`,
    idOf: ({ body }) => body.signing_secret,
  },
  '/v1/webhook_endpoints/{id}/test': {
    other: { event_type: 'task.failed' },
    path: ({ endpoint }) => `/v1/webhook_endpoints/${endpoint}/test`,
    body: () => ({ event_type: 'task.completed' }),
    idOf: ({ text }) => text,
  },
  '/v1/webhook_endpoints/{id}/redeliver': {
    other: null,
    path: ({ endpoint }) => `/v1/webhook_endpoints/${endpoint}/redeliver`,
    idOf: ({ text }) => text,
  },
  '/v1/webhook_endpoints/{id}/deliveries/{delivery_id}/redeliver': {
    other: null,
    path: ({ endpoint, delivery }) => `/v1/webhook_endpoints/${endpoint}/deliveries/${delivery}/redeliver`,
    idOf: ({ text }) => text,
  },
  '/admin/v1/accounts': {
    other: { name: 'another' },
    isAdmin: true,
    body: () => ({ name: 'mine' }),
  },
  '/admin/v1/accounts/{id}/keys': {
    other: { name: 'another' },
    isAdmin: true,
    path: ({ account }) => `/admin/v1/accounts/${account.id}/keys`,
    body: () => ({ name: 'mine' }),
  },
  '/admin/v1/accounts/{id}/top-ups': {
    other: { note: 'another request' },
    isAdmin: true,
    path: ({ account }) => `/admin/v1/accounts/${account.id}/top-ups`,
    body: () => ({ amount: '1', note: 'twice is too often' }),
    idOf: ({ body }) => body.balance,
  },
  '/admin/v1/accounts/{id}/webhook-endpoints': {
    other: { name: 'another' },
    isAdmin: true,
    path: ({ account }) => `/admin/v1/accounts/${account.id}/webhook-endpoints`,
    body: () => ({ name: 'mine', url: 'https://example.com/', event_types: ['task.completed'] }),
  },
  '/admin/v1/accounts/{id}/webhook-endpoints/{endpoint_id}/rotate-secret': {
    other: null,
    isAdmin: true,
    path: ({ account, endpoint }) =>
      `/admin/v1/accounts/${account.id}/webhook-endpoints/${endpoint}/rotate-secret`,
    idOf: ({ text }) => text,
  },
  '/admin/v1/accounts/{id}/webhook-endpoints/{endpoint_id}/test': {
    other: { event_type: 'task.failed' },
    isAdmin: true,
    path: ({ account, endpoint }) => `/admin/v1/accounts/${account.id}/webhook-endpoints/${endpoint}/test`,
    body: () => ({ event_type: 'task.completed' }),
    idOf: ({ text }) => text,
  },
  '/admin/v1/accounts/{id}/webhook-endpoints/{endpoint_id}/redeliver': {
    other: null,
    isAdmin: true,
    path: ({ account, endpoint }) =>
      `/admin/v1/accounts/${account.id}/webhook-endpoints/${endpoint}/redeliver`,
    idOf: ({ text }) => text,
  },
  '/admin/v1/accounts/{id}/deliveries/{delivery_id}/redeliver': {
    other: null,
    isAdmin: true,
    path: ({ account, delivery }) => `/admin/v1/accounts/${account.id}/deliveries/${delivery}/redeliver`,
    idOf: ({ text }) => text,
  },
  '/admin/v1/channels': {
    other: { name: 'another' },
    isAdmin: true,
    body: () => ({
      name: 'mine',
      provider: 'kling',
      base_url: 'http://127.0.0.1:1',
      enabled: false,
      credential: { access_key: 'a'.repeat(32), secret_key: 's'.repeat(32) },
    }),
  },
  '/admin/v1/tasks/{id}/retry': {
    other: { note: 'another request' },
    isAdmin: true,
    path: ({ failed }) => `/admin/v1/tasks/${failed}/retry`,
    body: () => operator,
  },
  '/admin/v1/tasks/{id}/refund': {
    other: { note: 'another request' },
    isAdmin: true,
    path: ({ completed }) => `/admin/v1/tasks/${completed}/refund`,
    body: () => ({ ...operator, amount: '0.01' }),
  },
  '/admin/v1/tasks/{id}/fail': {
    other: { note: 'another request' },
    isAdmin: true,
    path: ({ open }) => `/admin/v1/tasks/${open}/fail`,
    body: () => operator,
  },
};

let gateway: TestGateway;
let receiver: Server;
let ready: Ready;
let operations: string[];

before(async () => {
  receiver = createServer((_request, response) => void response.end());
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  gateway = await startGateway('tiny', { REELAY_ALLOW_PRIVATE: '127.0.0.1' });
  const account = await openAccount(gateway, '1000');
  const post = async (path: string, json: unknown): Promise<LooseJson> => {
    const answer = await call(gateway.url + path, { key: account.key, json });
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
    return answer.body;
  };
  const ended = (id: string): Promise<LooseJson> =>
    eventually(`the end of ${id}`, 60_000, async () => {
      const { body } = await call(`${gateway.url}/v1/videos/${id}`, { key: account.key });
      return ['completed', 'failed'].includes(body.status) ? body : null;
    });
  const endpoint = await post('/v1/webhook_endpoints', {
    name: 'mine',
    url: `http://127.0.0.1:${port}/`,
    event_types: ['task.completed'],
  });
  const film = await post('/v1/videos', { model: 'kling-v1-6', prompt: 'film' });
  const bad = await post('/v1/videos', { model: 'kling-v1-6', prompt: '[[fail]] film' });
  const open = await post('/v1/videos', video);
  assert.equal((await ended(film.id)).status, 'completed');
  assert.equal((await ended(bad.id)).status, 'failed');
  const faces = await post(`${ROOT}/videos/identify-face`, { video_id: film.id });
  const { data: selection } = await post(`${ROOT}/videos/multi-elements/init-selection`, {
    video_id: film.id,
  });
  const colour = { red: 40, green: 90, blue: 160 };
  const picture = dataUri(await plainPicture(colour, { width: 640, height: 360 })).split(',')[1]!;
  const made = { film: film.id, faces: faces.data.session_id, selection: selection.session_id, picture };
  await post(`${ROOT}/videos/multi-elements/add-selection`, point(made));
  const delivery = await eventually('a delivery', 20_000, async () => {
    const { body } = await call(`${gateway.url}/v1/webhook_endpoints/${endpoint.id}/deliveries`, {
      key: account.key,
    });
    return body.data[0]?.status === 'delivered' ? body.data[0] : null;
  });
  ready = {
    ...made,
    account,
    endpoint: endpoint.id,
    delivery: delivery.id,
    adminEndpoint: endpoint.id,
    completed: film.id,
    failed: bad.id,
    open: open.id,
  };
  operations = (await readOpenapi(gateway.url)).operations
    .filter(({ method }) => method === 'POST')
    .map(({ path }) => path);
});
after(async () => {
  await gateway.stop();
  receiver.closeAllConnections();
  receiver.close();
});

async function send(path: string, sample: Sample, key: string, more: LooseJson = {}): Promise<Answer> {
  const url = gateway.url + (sample.path?.(ready) ?? path);
  const credential = sample.isAdmin ? gateway.keys.admin_token : ready.account.key;
  const headers = { 'idempotency-key': key };
  if (!sample.isUpload)
    return call(url, { key: credential, headers, json: { ...sample.body?.(ready), ...more } });
  const part = (head: string, value: string): string =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const answer = await request(url, {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `Bearer ${credential}`,
      'content-type': 'multipart/form-data; boundary=b',
    },
    body: `${part('name="purpose"', 'vision')}${part('name="file"; filename="a.txt"', `hello ${more.prompt ?? ''}`)}--b--\r\n`,
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, text, body: JSON.parse(text) };
}

test('every POST is named here, and nothing is named that is not there', () => {
  const named = new Set([...Object.keys(SAMPLES), ...Object.keys(NEED_NO_KEY)]);
  assert.deepEqual(
    operations.filter((path) => !named.has(path)),
    [],
  );
  assert.deepEqual(
    [...named].filter((path) => !operations.includes(path)),
    [],
  );
});

describe('an Idempotency-Key', () => {
  for (const [path, sample] of Object.entries(SAMPLES)) {
    const idOf = sample.idOf ?? taskId;
    test(`${path}: one effect, however often it is sent`, async () => {
      const key = `walk ${path}`;
      const together = await Promise.all(Array.from({ length: 6 }, () => send(path, sample, key)));
      const refused = together.filter(({ status }) => status >= 300);
      for (const { status, text, headers } of refused) {
        assert.equal(status, 409, text);
        assert.ok(headers['retry-after'] !== undefined, text);
      }
      // As a caller does who was told that the first is under way.
      const last = await eventually('the answer', 20_000, async () => {
        const answer = await send(path, sample, key);
        assert.ok(answer.status < 300 || answer.status === 409, answer.text);
        return answer.status < 300 ? answer : null;
      });
      assert.equal(last.headers['idempotent-replayed'], 'true', 'a replay is marked');
      const answers = [...together.filter(({ status }) => status < 300), last];
      assert.equal(
        new Set(answers.map(idOf)).size,
        1,
        answers.map(({ text }) => text.slice(0, 200)).join('\n'),
      );
      assert.notEqual(idOf(last), undefined);
      assert.equal(
        answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined).length <= 1,
        true,
      );

      if (sample.other === null) return;
      const other = await send(path, sample, key, sample.other ?? { prompt: 'another request' });
      assert.ok([400, 409, 422].includes(other.status), `${other.status} ${other.text}`);
      assert.match(other.text, /idempotency_conflict/);
    });
  }

  test('leaves the books in order', () => assertLedgerBalances(gateway));
});
