import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { request } from 'undici';
import { createTestClock } from '../lib/clock.ts';
import type { TestClock } from '../lib/clock.ts';
import type { VideoJob } from './render/index.ts';
import { startSandbox } from './server.ts';
import type { Sandbox } from './server.ts';

const startMs = Date.UTC(2026, 10, 20);
const text = '/kling/v1/videos/text2video';
const image = '/kling/v1/videos/image2video';
const film = { model_name: 'kling-v1', prompt: 'a cat' };
const authorization = 'Bearer api-key-kling-sandbox';

interface WireTask {
  task_id: string;
  task_status: string;
  task_result?: { videos: { url: string }[] };
}

describe('the sandbox', () => {
  let dataDir: string;
  let filmPath: string;
  let clock: TestClock;
  let sandbox: Sandbox;
  let jobs: VideoJob[];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'reelay-sandbox-'));
    filmPath = join(dataDir, 'film.mp4');
    await writeFile(filmPath, '0123456789');
    clock = createTestClock(startMs);
    await open();
  });
  after(async () => {
    await sandbox.close();
    await rm(dataDir, { recursive: true });
  });
  beforeEach(async () => {
    jobs = [];
    await control('DELETE', '/_control/behaviour');
  });

  async function open(options: { speed?: number } = {}): Promise<void> {
    sandbox = await startSandbox({
      dataDir,
      host: '127.0.0.1',
      port: 0,
      speed: options.speed ?? 1,
      render: 'tiny',
      clock,
      renderer: {
        async video(job) {
          jobs.push(job);
          return { path: filmPath, bytes: 10 };
        },
      },
    });
  }

  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, headers: object = {}) {
    const answer = await request(sandbox.url + path, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const parsed = (await answer.body.json()) as { code: number; message: string; data: unknown };
    return { ...parsed, httpStatus: answer.statusCode };
  }
  const create = async (path: string, body: object) => (await ask('POST', path, body)).data as WireTask;
  const find = async (path: string, id: string) => (await ask('GET', `${path}/${id}`)).data as WireTask;
  const control = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => {
    const answer = await ask(method, path, body);
    return answer as unknown as Record<string, unknown> & { httpStatus: number };
  };

  test('simulators answer under their prefix and on bare paths', async () => {
    const task = await create(text, film);
    assert.equal((await find('/v1/videos/text2video', task.task_id)).task_id, task.task_id);
    assert.equal((await ask('GET', '/nowhere')).httpStatus, 404);
  });

  test('a task outlives the process, its links too', async () => {
    const { task_id: id } = await create(text, { ...film, external_task_id: 'survivor' });
    await clock.advance(60_000);
    const before = (await find(text, id)).task_result!.videos[0]!.url;
    await sandbox.close();
    await open();
    const after = (await find(text, 'survivor')).task_result!.videos[0]!.url;
    assert.equal(
      new URL(after).pathname + new URL(after).search,
      before.slice(new URL(before).origin.length),
    );
    const { task_id: next } = await create(text, film);
    assert.notEqual(next, id);
  });

  test('speed divides every wait', async () => {
    await sandbox.close();
    await open({ speed: 10 });
    const { task_id: id } = await create(text, film);
    await clock.advance(2099);
    assert.equal((await find(text, id)).task_status, 'processing');
    await clock.advance(1);
    assert.equal((await find(text, id)).task_status, 'succeed');
    await sandbox.close();
    await open();
  });

  describe('films', () => {
    test('are served by link, in ranges, and only with the token', async () => {
      const { task_id: id } = await create(text, film);
      const early = (await request(`${sandbox.url}/_files/${id}.mp4?token=x`)).statusCode;
      assert.equal(early, 404);
      await clock.advance(60_000);
      const { url } = (await find(text, id)).task_result!.videos[0]!;
      assert.ok(url.startsWith(sandbox.url));
      const whole = await request(url);
      assert.equal(whole.headers['content-type'], 'video/mp4');
      assert.equal(await whole.body.text(), '0123456789');
      const part = await request(url, { headers: { range: 'bytes=2-4' } });
      assert.equal(part.statusCode, 206);
      assert.equal(part.headers['content-range'], 'bytes 2-4/10');
      assert.equal(await part.body.text(), '234');
      const wrong = await request(`${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`);
      assert.equal(wrong.statusCode, 404);
      await wrong.body.dump();
    });

    test('are rendered as asked, once accepted', async () => {
      await create(text, { ...film, aspect_ratio: '9:16', prompt: 'tall' });
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(jobs, [
        {
          width: 720,
          height: 1280,
          seconds: 5.04,
          sound: false,
          prompt: 'tall',
          title: 'kling-v1 · text2video · 720x1280 · 5 s',
        },
      ]);
    });

    test('follow the first frame’s own ratio, and begin with it', async () => {
      const { default: sharp } = await import('sharp');
      const picture = await sharp({ create: { width: 400, height: 390, channels: 3, background: '#c33' } })
        .png()
        .toBuffer();
      const { task_id: id } = await create(image, {
        model_name: 'kling-v1',
        image: picture.toString('base64'),
      });
      await clock.advance(60_000);
      const { url } = (await find(image, id)).task_result!.videos[0]!;
      await (await request(url)).body.dump();
      assert.deepEqual([jobs.at(-1)!.width, jobs.at(-1)!.height], [720, 720]);
      assert.deepEqual(Buffer.from(jobs.at(-1)!.firstFrame!), picture);
    });

    test('get a placeholder for a picture on a private address, which is never asked for', async () => {
      let asked = 0;
      const server = createServer((_request, response) => response.end(String(++asked)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const address = `http://127.0.0.1:${port}/a.png`;
      const { task_id: id } = await create(image, { model_name: 'kling-v1', image: address });
      await clock.advance(60_000);
      const { url } = (await find(image, id)).task_result!.videos[0]!;
      await (await request(url)).body.dump();
      assert.equal(jobs.at(-1)!.firstFrame!.length, 0);
      assert.equal(asked, 0);
      await new Promise((resolve) => server.close(resolve));
    });
  });

  describe('callbacks', () => {
    type Push = { task_id: string; task_status: string };

    /** A receiver on loopback; `until` resolves when so many pushes have come. */
    async function receive() {
      const pushes: Push[] = [];
      let failures = 0;
      const arrived = new Set<() => void>();
      const server = createServer((incoming, response) => {
        let body = '';
        incoming.on('data', (chunk) => (body += chunk));
        incoming.on('end', () => {
          const fails = failures > 0;
          if (fails) failures--;
          else pushes.push(JSON.parse(body) as Push);
          response.writeHead(fails ? 500 : 200).end();
          for (const check of arrived) check();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`,
        pushes,
        failNext: (count: number) => (failures = count),
        until: (count: number) =>
          new Promise<string[]>((resolve) => {
            const check = () => {
              if (pushes.length < count) return;
              arrived.delete(check);
              resolve(pushes.map((push) => push.task_status));
            };
            arrived.add(check);
            check();
          }),
        untilFailed: () =>
          new Promise<void>((resolve) => {
            const check = () => {
              if (failures > 0) return;
              arrived.delete(check);
              resolve();
            };
            arrived.add(check);
            check();
          }),
        close: () => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        },
      };
    }

    test('tell every change of status', async () => {
      const receiver = await receive();
      const { task_id: id } = await create(text, { ...film, callback_url: receiver.url });
      await clock.advance(1000);
      assert.deepEqual(await receiver.until(1), ['processing']);
      await untilTimersWait(1);
      await clock.advance(60_000);
      assert.deepEqual(await receiver.until(2), ['processing', 'succeed']);
      assert.ok(receiver.pushes.every((push) => push.task_id === id));
      await receiver.close();
    });

    test('are tried again when the receiver fails', async () => {
      const receiver = await receive();
      receiver.failNext(1);
      await create(text, { ...film, callback_url: receiver.url });
      await clock.advance(1000);
      await receiver.untilFailed();
      await untilTimersWait(1);
      await clock.advance(5000);
      assert.deepEqual(await receiver.until(1), ['processing']);
      await receiver.close();
    });

    test('go on after a restart', async () => {
      const receiver = await receive();
      await create(text, { ...film, callback_url: receiver.url, prompt: '[[fail]]' });
      await sandbox.close();
      await open();
      await clock.advance(1000);
      await receiver.until(1);
      await untilTimersWait(1);
      await clock.advance(60_000);
      assert.deepEqual(await receiver.until(2), ['processing', 'failed']);
      await receiver.close();
    });

    test('can be doubled, forged and switched off', async () => {
      const receiver = await receive();
      await control('POST', '/_control/behaviour', { callbacks: 'duplicate' });
      await create(text, { ...film, callback_url: receiver.url });
      await clock.advance(1000);
      assert.deepEqual(await receiver.until(2), ['processing', 'processing']);
      await untilTimersWait(1);
      await control('POST', '/_control/behaviour', { callbacks: 'off' });
      await clock.advance(60_000);
      await control('POST', '/_control/behaviour', { callbacks: 'forged' });
      await create(text, { ...film, callback_url: receiver.url });
      await clock.advance(0);
      assert.deepEqual(await receiver.until(3), ['processing', 'processing', 'succeed']);
      await receiver.close();
    });

    /** The next push is planned once the last one is through; until then there is nothing to advance to. */
    async function untilTimersWait(count: number): Promise<void> {
      while (clock.pending() < count) await new Promise((resolve) => setImmediate(resolve));
    }
  });

  describe('the control API', () => {
    test('lists every task ever accepted', async () => {
      const { task_id: id } = await create(text, { ...film, external_task_id: 'listed' });
      const { tasks } = (await control('GET', '/_control/tasks')) as unknown as {
        tasks: { task_id: string }[];
      };
      assert.deepEqual(
        tasks.find((task) => task.task_id === id),
        {
          upstream: 'kling',
          task_id: id,
          dedup_handle: 'listed',
          account: 'sandbox',
          status: 'submitted',
          submits: 1,
          created_at: clock.now(),
        },
      );
    });

    test('changes only the fields it is given, and shows the result', async () => {
      await control('POST', '/_control/behaviour', { slots: 0, error_code: 1303 });
      const { httpStatus, ...shown } = await control('POST', '/_control/behaviour', { slots: 3 });
      assert.equal(httpStatus, 200);
      assert.deepEqual(shown, {
        latency_ms: 0,
        error_rate: 0,
        error_code: '1303',
        reset_rate: 0,
        reset_when: 'after',
        outage: 'none',
        applies_to: 'all',
        duplicates: 'refuse',
        status: 'honest',
        callbacks: 'on',
        slots: 3,
      });
    });

    test('refuses what it does not understand', async () => {
      for (const body of [{ latency: 5 }, { error_rate: 2 }, { outage: 'yes' }, { slots: 1.5 }, [], '{']) {
        const answer = await control('POST', '/_control/behaviour', body);
        assert.equal(answer.httpStatus, 400, JSON.stringify(body));
      }
      assert.equal((await control('GET', '/_control/nothing')).httpStatus, 404);
    });

    test('is not for pages in a browser', async () => {
      const headers = { origin: 'https://evil.example' };
      assert.equal((await ask('POST', '/_control/behaviour', { slots: 0 }, headers)).httpStatus, 404);
    });

    test('refuses by code, for creates or queries alone', async () => {
      await control('POST', '/_control/behaviour', {
        error_rate: 1,
        error_code: '1302',
        applies_to: 'create',
      });
      assert.equal((await ask('POST', text, film)).code, 1302);
      assert.equal((await ask('GET', text)).code, 0);
      await control('POST', '/_control/behaviour', { outage: 'maintenance', applies_to: 'query' });
      assert.deepEqual((await ask('GET', text)).code, 5001);
    });

    test('lies about a status on demand', async () => {
      const { task_id: id } = await create(text, film);
      await clock.advance(2000);
      await control('POST', '/_control/behaviour', { status: 'backwards' });
      const seen = [await find(text, id), await find(text, id), await find(text, id)];
      assert.deepEqual(
        seen.map((task) => task.task_status),
        ['processing', 'submitted', 'processing'],
      );
      await clock.advance(60_000);
      await control('POST', '/_control/behaviour', { status: 'twice' });
      const done = [await find(text, id), await find(text, id), await find(text, id)];
      const words = done.map((task) => task.task_status);
      assert.deepEqual(words, ['processing', 'succeed', 'processing']);
    });
  });

  test('bodies beyond any measure are refused and leave the sandbox standing', async () => {
    const answer = await ask('POST', text, 'x'.repeat(97 * 1024 * 1024));
    assert.equal(answer.httpStatus, 413);
    assert.equal((await ask('GET', text)).httpStatus, 200);
  });
});
