/**
 * The `kling-api` package, unmodified, with an AK/SK pair of ours and nothing changed but its base URL. What it saves to
 * disk it downloads only from public https hosts, so the link is fetched here instead.
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { temporaryDirectory, type LooseJson } from '../test/helpers/processes.ts';
import { assertColourNear, assertFilm, firstFrameColour, noFfmpeg } from './support/film.ts';
import { openAccount, startGateway, type TestAccount, type TestGateway } from './support/gateway.ts';
import type { KlingAnswer, KlingCall } from './support/kling-client.ts';
import { dataUri, plainPicture } from './support/picture.ts';
import { certificatePath, startTlsProxy } from './support/tls-proxy.ts';

const RED = { red: 190, green: 30, blue: 40 };

let gateway: TestGateway;
let proxy: Awaited<ReturnType<typeof startTlsProxy>>;
let child: ChildProcess;
let account: TestAccount;
const files = temporaryDirectory();

before(async () => {
  gateway = await startGateway('full');
  account = await openAccount(gateway, '100');
  proxy = await startTlsProxy(gateway.url);
  child = fork(fileURLToPath(new URL('support/kling-client.ts', import.meta.url)), [], {
    // A home without a .kling folder, and none of this machine's own Kling credentials.
    env: { PATH: process.env.PATH ?? '', HOME: files.path, NODE_EXTRA_CA_CERTS: certificatePath },
    execArgv: [],
  });
  await once(child, 'message');
});
after(async () => {
  child.disconnect();
  await once(child, 'exit');
  await proxy.stop();
  await gateway.stop();
  files.dispose();
});

/** Whose keys, and at what address. */
type Caller = Pick<TestAccount, 'accessKey' | 'secretKey'> & { baseUrl: string };

let lastCall = 0;
async function ask(method: string, parameters: unknown[], who: Partial<Caller> = {}): Promise<KlingAnswer> {
  const id = ++lastCall;
  const answered = new Promise<KlingAnswer>((resolve) => {
    const listen = (message: KlingAnswer): void => {
      if (message.id !== id) return;
      child.off('message', listen);
      resolve(message);
    };
    child.on('message', listen);
  });
  const { accessKey, secretKey, baseUrl } = { ...account, baseUrl: `${proxy.url}/kling`, ...who };
  const call: KlingCall = { id, accessKey, secretKey, baseUrl, method, parameters };
  child.send(call);
  return answered;
}

async function ok(method: string, ...parameters: unknown[]): Promise<LooseJson> {
  const { error, result } = await ask(method, parameters);
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}

async function refused(
  method: string,
  parameters: unknown[],
  who?: Partial<Caller>,
): Promise<NonNullable<KlingAnswer['error']>> {
  const { error, result } = await ask(method, parameters, who);
  assert.ok(error, `a refusal was expected: ${JSON.stringify(result)}`);
  assert.equal(error.name, 'KlingAPIError', error.message);
  assert.match(error.requestId ?? '', /\S/, 'the refusal names its request');
  return error;
}

async function download(url: string): Promise<Buffer> {
  const answer = await request(url);
  assert.equal(answer.statusCode, 200, 'the link needs no key');
  assert.equal(answer.headers['content-type'], 'video/mp4');
  return Buffer.from(await answer.body.arrayBuffer());
}

describe('kling-api 1.0.0', () => {
  test('text to video: create, wait, and the link plays without a key', async () => {
    const created = await ok('textToVideo', {
      prompt: 'A cat playing with a ball of yarn in a sunny room',
      model_name: 'kling-v1-6',
      mode: 'std',
      duration: '5',
      aspect_ratio: '16:9',
      cfg_scale: 0.5,
      negative_prompt: 'blur',
      external_task_id: 'yarn-1',
    });
    assert.equal(created.code, 0);
    assert.equal(created.message, 'SUCCEED');
    assert.equal(created.data.task_status, 'submitted');
    assert.deepEqual(created.data.task_info, { external_task_id: 'yarn-1' });
    assert.ok(Math.abs(created.data.created_at - Date.now()) < 30_000, 'created_at is in milliseconds');

    const done = await ok('waitForTextToVideo', created.data.task_id);
    assert.equal(done.data.task_status, 'succeed');
    assert.equal(done.data.task_id, created.data.task_id);
    const [video] = done.data.task_result.videos;
    assert.match(video.id, /\S/);
    assert.ok(Math.abs(Number(video.duration) - 5) < 0.2, `duration ${video.duration}`);
    assert.equal(typeof video.duration, 'string');
    await assertFilm(await download(video.url), { width: 1280, height: 720, seconds: 5, sound: false });

    const byOwnName = await ok('queryTextToVideoTask', 'yarn-1');
    assert.equal(byOwnName.data.task_id, created.data.task_id);
  });

  test('sound on kling-v2-6 makes a film with an AAC track', async () => {
    const created = await ok('textToVideo', {
      prompt: 'a busker plays the accordion',
      model_name: 'kling-v2-6',
      mode: 'pro',
      sound: 'on',
      duration: '5',
    });
    const done = await ok('waitForTextToVideo', created.data.task_id);
    const bytes = await download(done.data.task_result.videos[0].url);
    await assertFilm(bytes, { width: 1920, height: 1080, seconds: 5, sound: true });
  });

  test(
    'image to video from a local file, which the client sends as bare base64',
    { skip: noFfmpeg },
    async () => {
      const path = join(files.path, 'first.png');
      writeFileSync(path, await plainPicture(RED, { width: 480, height: 480 }));
      const created = await ok('imageToVideo', {
        image: path,
        prompt: 'it turns',
        model_name: 'kling-v1-6',
        duration: '5',
      });
      const done = await ok('waitForImageToVideo', created.data.task_id);
      const bytes = await download(done.data.task_result.videos[0].url);
      assertColourNear(await firstFrameColour(bytes), RED);
      // A square picture makes a square film: the ratio follows the first frame.
      await assertFilm(bytes, { width: 720, height: 720, seconds: 5, sound: false });
    },
  );

  test('image to video from a link and from a data URI is accepted', async () => {
    for (const image of [
      'https://example.com/first.png',
      dataUri(await plainPicture(RED, { width: 320, height: 320 })),
    ]) {
      const created = await ok('imageToVideo', {
        image,
        prompt: '[[expire]] it turns',
        model_name: 'kling-v1',
      });
      assert.equal(created.data.task_status, 'submitted');
    }
  });

  test('omni video from words; on its own route the mode is pro unless said otherwise', async () => {
    const created = await ok('omniVideo', {
      model_name: 'kling-video-o1',
      prompt: 'a paper boat on a river',
      aspect_ratio: '9:16',
      duration: '5',
    });
    const done = await ok('waitForOmniVideo', created.data.task_id);
    const bytes = await download(done.data.task_result.videos[0].url);
    await assertFilm(bytes, { width: 1080, height: 1920, seconds: 5, sound: false });
  });

  test('a failed task says why, is free, and the client raises it', async () => {
    const { available } = await account.wallet();
    const created = await ok('textToVideo', {
      prompt: '[[fail]] nothing comes of it',
      model_name: 'kling-v1',
    });
    const { error } = await ask('waitForTextToVideo', [created.data.task_id]);
    assert.equal(error?.name, 'KlingAPIError');
    assert.match(error.message, /\S/);
    const query = await ok('queryTextToVideoTask', created.data.task_id);
    assert.equal(query.data.task_status, 'failed');
    assert.equal(query.data.task_status_msg, error.message);
    assert.equal(query.data.task_result, undefined);
    assert.equal((await account.wallet()).available, available, 'the hold was released');
  });

  test('account: the wallet is shown as a resource pack, and the health check is content', async () => {
    const costs = await ok('getAccountInfo', Date.now() - 3_600_000, Date.now());
    assert.equal(costs.code, 0);
    assert.ok(Array.isArray(costs.data.resource_pack_subscribe_infos));
    assert.equal(await ok('healthCheck'), true);
    const { result } = await ask('healthCheck', [], { secretKey: 'wrong' });
    assert.equal(result, false);
  });

  describe('error numbers', () => {
    const body = { prompt: 'x', model_name: 'kling-v1-6' };

    test('1002 for a wrong secret and for an unknown access key', async () => {
      for (const who of [{ secretKey: 'not-the-secret-of-this-access-key' }, { accessKey: 'ak-nobody' }]) {
        const error = await refused('textToVideo', [body], who);
        assert.deepEqual([error.code, error.httpStatus], [1002, 401]);
      }
    });

    test('1201 for a value outside the capability matrix', async () => {
      // The client lets this through; the platform knows camera control on kling-v1 in std mode at 5 s only.
      const error = await refused('textToVideo', [
        {
          prompt: 'x',
          model_name: 'kling-v1',
          duration: '10',
          camera_control: { type: 'simple', config: { zoom: 5 } },
        },
      ]);
      assert.deepEqual([error.code, error.httpStatus], [1201, 400]);
      assert.match(error.message, /camera_control|duration/);
    });

    test('1201 for an external task id that is taken', async () => {
      const twice = { ...body, prompt: '[[expire]] twice', external_task_id: 'only-once' };
      await ok('textToVideo', twice);
      const error = await refused('textToVideo', [twice]);
      assert.deepEqual([error.code, error.httpStatus], [1201, 400]);
      assert.match(error.message, /external_task_id/);
    });

    test('1203 for a task that does not exist', async () => {
      const error = await refused('queryTextToVideoTask', ['824000000000000000']);
      assert.deepEqual([error.code, error.httpStatus], [1203, 404]);
    });

    test('1102 when the wallet is empty', async () => {
      const error = await refused('textToVideo', [body], await openAccount(gateway, '0'));
      assert.deepEqual([error.code, error.httpStatus], [1102, 429]);
    });

    test('1202 for a route that is not there', async () => {
      const error = await refused('textToVideo', [body], { baseUrl: `${proxy.url}/kling/nowhere` });
      assert.deepEqual([error.code, error.httpStatus], [1202, 404]);
    });
  });
});
