import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext as NodeTest } from 'node:test';
import { runCli } from './main.ts';
import { createTestContext, refusal, startTestGateway, type TestContext } from './test-gateway.ts';

const root = mkdtempSync(join(tmpdir(), 'reelay-generate-'));
after(() => rmSync(root, { recursive: true }));

const id = 'task_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue';
const film = Buffer.from('....ftypisom-not-really-a-film');

const estimate = {
  object: 'estimate',
  model: 'kling-1.6-720p',
  requested_model: 'kling-v1-6',
  unit: 'second',
  quantity: 5,
  unit_price: '0.056',
  amount: '0.28',
  currency: 'USD',
  balance_after: '9999.72',
  warnings: [
    { code: 'aspect_ratio_dropped', field: 'aspect_ratio', message: 'The picture decides the ratio.' },
  ],
  canonical: {
    operation: 'text-to-video',
    resolution: '720P',
    aspect_ratio: '16:9',
    seconds: 5,
    sound: false,
  },
};
const video = (status: string, progress: number, more: object = {}) => ({
  headers: { 'openai-poll-after-ms': '1' },
  json: {
    id,
    model: 'kling-1.6-720p',
    requested_model: 'kling-v1-6',
    status,
    progress,
    created_at: 1780891541,
    completed_at: null,
    expires_at: null,
    prompt: 'a cat',
    seconds: '5',
    size: '1280x720',
    error: null,
    metadata: {},
    ...more,
  },
});
const sendFilm = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': film.length });
  response.end(film);
};
const happy = {
  'POST /v1/videos?dry_run=true': { json: estimate },
  'POST /v1/videos': video('queued', 0),
  [`GET /v1/videos/${id}`]: [video('queued', 0), video('in_progress', 40), video('completed', 100)],
  [`GET /v1/videos/${id}/content`]: sendFilm,
};

/** A gateway, a folder of its own and a context that points at it. */
async function setUp(t: NodeTest, routes: Parameters<typeof startTestGateway>[0], isInteractive = false) {
  const gateway = await startTestGateway(routes);
  t.after(() => gateway.close());
  const cwd = mkdtempSync(join(root, 'work-'));
  const context: TestContext = createTestContext({
    cwd,
    env: { REELAY_URL: gateway.url, REELAY_API_KEY: 'rk-test' },
    isInteractive,
  });
  return { gateway, cwd, context };
}

test('shows the price, waits, saves the file, says what it cost', async (t) => {
  const { gateway, cwd, context } = await setUp(t, happy);
  const code = await runCli(
    [
      'generate',
      'a cat',
      '--model',
      'kling-v1-6',
      '-d',
      '5',
      '--resolution',
      '720P',
      '--ratio',
      '16:9',
      '--sound',
      '-o',
      'cat.mp4',
    ],
    context,
  );
  const { out, err } = context.output();
  assert.equal(code, 0, err);
  assert.deepEqual(readFileSync(join(cwd, 'cat.mp4')), film);
  assert.deepEqual(readdirSync(cwd), ['cat.mp4']);
  assert.match(err, /0\.28 USD, kling-1\.6-720p; 9999\.72 USD left/);
  assert.match(err, /The picture decides the ratio/);
  assert.match(out, /^file {2}cat\.mp4$/m);
  assert.match(out, /^cost {2}0\.28 USD/m);
  assert.ok(out.includes(id));

  assert.deepEqual(gateway.bodiesOf('POST /v1/videos'), [
    {
      model: 'kling-v1-6',
      prompt: 'a cat',
      seconds: '5',
      metadata: { output_config: { resolution: '720P', aspect_ratio: '16:9', audio_generation: 'Enabled' } },
    },
  ]);
  const create = gateway.received.find((each) => each.method === 'POST' && each.path === '/v1/videos')!;
  assert.equal(create.headers['reelay-max-cost'], '0.28', 'never more than the price that was shown');
  assert.equal(create.headers.authorization, 'Bearer rk-test');
});

test('where nobody watches, each state is one line', async (t) => {
  const { context } = await setUp(t, happy);
  await runCli(['generate', 'a cat'], context);
  const states = context.output().err.match(/^\d+:\d\d {2}.+$/gm);
  assert.deepEqual(
    states?.map((line) => line.replace(/^\S+ +/, '')),
    ['queued', 'in progress', 'completed'],
  );
});

test('a terminal gets one live line with bar, state and time', async (t) => {
  const { context } = await setUp(t, happy, true);
  await runCli(['generate', 'a cat'], context);
  const { err } = context.output();
  assert.match(err, /\r\u001b\[2K█+░+ {2}40 % {2}in progress {2}0:0\d/);
  assert.ok(err.endsWith('\r\u001b[2K'), 'the line is cleared at the end');
});

test('a dry run prices and makes nothing', async (t) => {
  const { gateway, context } = await setUp(t, happy);
  assert.equal(await runCli(['generate', 'a cat', '--dry-run'], context), 0);
  assert.equal(gateway.received.length, 1);
  assert.match(context.output().out, /^cost +0\.28 USD \(5 × 0\.056 per second\)$/m);
});

test('a local first frame travels as a form, a link as a field', async (t) => {
  const { gateway, cwd, context } = await setUp(t, happy);
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
    'base64',
  );
  writeFileSync(join(cwd, 'beach "1".png'), png);
  const args = [
    'generate',
    'waves',
    '--image',
    'beach "1".png',
    '--last-frame',
    'https://example.com/end.png',
    '--ratio',
    '1:1',
  ];
  assert.equal(await runCli(args, context), 0, context.output().err);
  const create = gateway.received.find((each) => each.method === 'POST' && each.path === '/v1/videos')!;
  assert.match(create.headers['content-type']!, /^multipart\/form-data; boundary=/);
  assert.match(create.text, /name="metadata\[output_config\]\[aspect_ratio\]"\r\n\r\n1:1\r\n/);
  assert.match(create.text, /name="metadata\[last_frame_url\]"\r\n\r\nhttps:\/\/example\.com\/end\.png\r\n/);
  assert.match(
    create.text,
    /name="input_reference"; filename="beach %221%22\.png"\r\nContent-Type: image\/png\r\n\r\n/,
  );
  assert.ok(create.text.includes(png.toString('latin1')));

  await runCli(['generate', 'waves', '--image', 'https://example.com/a.png'], context);
  assert.equal(gateway.bodiesOf('POST /v1/videos?dry_run=true').at(-1)?.image, 'https://example.com/a.png');
});

test("a refusal is the gateway's sentence, nothing else", async (t) => {
  const { context } = await setUp(t, {
    'POST /v1/videos?dry_run=true': refusal(400, 'invalid_value', 'seconds must be 5 or 10.'),
  });
  assert.equal(await runCli(['generate', 'a cat', '-d', '7'], context), 1);
  assert.equal(context.output().err, 'Error: seconds must be 5 or 10.\n');
});

test('a failed task ends with 1 and says that it was free', async (t) => {
  const { cwd, context } = await setUp(t, {
    ...happy,
    [`GET /v1/videos/${id}`]: video('failed', 100, {
      error: { code: 'content_policy', message: 'Refused for its content.' },
    }),
  });
  assert.equal(await runCli(['generate', 'a cat'], context), 1);
  assert.match(context.output().err, /Refused for its content\.\nNothing was charged/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('who came by npx is told npx commands', async (t) => {
  const { context } = await setUp(t, { ...happy, [`GET /v1/videos/${id}`]: video('failed', 100) });
  context.env = { ...context.env, npm_command: 'exec' };
  await runCli(['generate', 'a cat'], context);
  assert.ok(context.output().err.includes(`npx reelay tasks get ${id}`));
});

test('a gateway that restarts meanwhile is waited for', async (t) => {
  const { context } = await setUp(t, {
    ...happy,
    [`GET /v1/videos/${id}`]: [
      { ...refusal(503, 'unavailable', 'Starting.'), headers: { 'retry-after': '0' } },
      video('completed', 100),
    ],
  });
  assert.equal(await runCli(['generate', 'a cat'], context), 0);
  assert.match(context.output().err, /does not answer, trying again/);
});

test('Ctrl-C leaves the task alone and says how to come back', async (t) => {
  const gateway = await startTestGateway({ ...happy, [`GET /v1/videos/${id}`]: video('in_progress', 10) });
  t.after(() => gateway.close());
  const context: TestContext = createTestContext({
    cwd: mkdtempSync(join(root, 'work-')),
    env: { REELAY_URL: gateway.url, REELAY_API_KEY: 'rk-test' },
    onErr: (text) => {
      if (text.includes('in progress')) context.interrupt();
    },
  });
  assert.equal(await runCli(['generate', 'a cat', '-o', 'cat.mp4'], context), 130);
  assert.ok(context.output().err.includes(`reelay tasks get ${id}`));
  assert.ok(context.output().err.includes(`reelay download ${id} -o cat.mp4`));
});

test('a create whose answer was lost is never repeated blindly', async (t) => {
  const { gateway, context } = await setUp(t, {
    ...happy,
    'POST /v1/videos': (response) => response.destroy(),
  });
  assert.equal(await runCli(['generate', 'a cat'], context), 1);
  assert.match(context.output().err, /not known.*reelay tasks list/);
  assert.equal(gateway.received.filter((each) => each.path === '/v1/videos').length, 1);
});

test('a broken download leaves no half file', async (t) => {
  const { cwd, context } = await setUp(t, {
    ...happy,
    [`GET /v1/videos/${id}/content`]: (response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half');
      setImmediate(() => response.destroy());
    },
  });
  assert.equal(await runCli(['generate', 'a cat', '-o', 'cat.mp4'], context), 1);
  assert.match(context.output().err, /could not be saved.*reelay download/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('a target that cannot be written is refused before anything is asked or paid', async (t) => {
  const { gateway, context } = await setUp(t, happy);
  assert.equal(await runCli(['generate', 'a cat', '-o', 'no/such/folder/cat.mp4'], context), 1);
  assert.match(context.output().err, /There is no folder/);
  assert.equal(gateway.received.length, 0);
});

test('a picture that is not there is named', async (t) => {
  const { gateway, context } = await setUp(t, happy);
  assert.equal(await runCli(['generate', 'a cat', '--image', 'nope.png'], context), 1);
  assert.match(context.output().err, /nope\.png cannot be read/);
  assert.equal(gateway.received.length, 0);
});

test('without a gateway it says how to start one', async () => {
  const context = createTestContext({
    cwd: root,
    env: { REELAY_URL: 'http://127.0.0.1:1', REELAY_API_KEY: 'rk-test' },
  });
  assert.equal(await runCli(['generate', 'a cat'], context), 1);
  assert.match(context.output().err, /Is the gateway running\? Start it with: npm start/);
});

test('another program at that address is told apart from a refusal', async (t) => {
  const gateway = await startTestGateway({
    'POST /v1/videos': (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
  });
  t.after(() => gateway.close());
  const context = createTestContext({
    cwd: root,
    env: { REELAY_URL: gateway.url, REELAY_API_KEY: 'rk-test' },
  });
  assert.equal(await runCli(['generate', 'a cat'], context), 1);
  assert.match(context.output().err, /does not look like a Reelay gateway/);
});

test('download waits for the task and saves it into a folder', async (t) => {
  const { cwd, context } = await setUp(t, happy);
  assert.equal(await runCli(['download', id, '-o', '.'], context), 0);
  assert.deepEqual(readFileSync(join(cwd, `${id}.mp4`)), film);
});
