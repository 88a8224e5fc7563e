/**
 * The `openai` package, unmodified, in two majors, against `/v1/videos` and `/v1/models`. `videos.create` of both
 * always sends multipart; `client.post` of the same clients sends JSON.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OpenAI as OpenAI6, toFile as toFile6 } from 'openai-6';
import { OpenAI, toFile } from 'openai-7';
import type { LooseJson } from '../test/helpers/processes.ts';
import { assertColourNear, assertFilm, firstFrameColour, noFfmpeg } from './support/film.ts';
import { finished, openAccount, startGateway, type TestGateway } from './support/gateway.ts';
import { dataUri, plainPicture } from './support/picture.ts';

/** Both majors have the same calls; the types of the newer one serve for both. */
const clients = [
  { version: '6.49.0', Client: OpenAI6 as unknown as typeof OpenAI, toFile: toFile6 as typeof toFile },
  { version: '7.55.0', Client: OpenAI, toFile },
];

const GREEN = { red: 20, green: 160, blue: 60 };
const PICTURE_SIZE = { width: 640, height: 360 };
const PICTURE_URL = 'https://example.com/first.png';
/** Never ends at the sandbox, so that nothing is rendered for it. */
const ENDLESS = '[[expire]] only the list is looked at';

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway('full');
});
after(() => gateway.stop());

for (const { version, Client, toFile } of clients) {
  describe(`openai ${version}`, { concurrency: 2 }, () => {
    let apiKey: string;
    let openai: OpenAI;
    /** A request that left the client: shows what it retries by itself. */
    interface Sent {
      method: string;
      path: string;
      isForm: boolean;
    }

    const connect = (key: string, log: Sent[] = []): OpenAI =>
      new Client({
        baseURL: `${gateway.url}/v1`,
        apiKey: key,
        fetch: (url, options) => {
          const { protocol, pathname } = new URL(String(url));
          // The client first asks `data:,` whether this fetch can send forms at all.
          if (protocol !== 'data:')
            log.push({
              method: options?.method ?? 'GET',
              path: pathname,
              isForm: options?.body instanceof FormData,
            });
          return fetch(url, options);
        },
      });
    /** Fields that are not in OpenAI's own list travel too, as users of gateways send them. */
    const create = (body: Record<string, unknown>, options?: OpenAI.RequestOptions, client = openai) =>
      client.videos.create(body as unknown as OpenAI.VideoCreateParams, options);
    const estimate = async (body: Record<string, unknown>): Promise<LooseJson> =>
      create(body, { query: { dry_run: 'true' } });
    const poll = async (id: string): Promise<LooseJson> => {
      for (;;) {
        const { data, response } = await openai.videos.retrieve(id).withResponse();
        if (data.status !== 'queued' && data.status !== 'in_progress') return data;
        const pollAfterMs = Number(response.headers.get('openai-poll-after-ms'));
        assert.ok(pollAfterMs >= 100 && pollAfterMs <= 60_000, `openai-poll-after-ms is ${pollAfterMs}`);
        await new Promise((resolve) => setTimeout(resolve, Math.min(pollAfterMs, 200)));
      }
    };
    const download = async (id: string, query?: OpenAI.VideoDownloadContentParams) => {
      const response = await openai.videos.downloadContent(id, query);
      return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
    };

    before(async () => {
      apiKey = (await openAccount(gateway, '100')).key;
      openai = connect(apiKey);
    });

    test('create sends a form, answers a queued video with every field OpenAI promises', async () => {
      const log: Sent[] = [];
      const video: LooseJson = await create(
        { model: 'kling-2.5', prompt: ENDLESS, seconds: '5' },
        undefined,
        connect(apiKey, log),
      );
      assert.deepEqual(log, [{ method: 'POST', path: '/v1/videos', isForm: true }]);
      assert.match(video.id, /^task_[0-9A-Za-z]{32}$/);
      const { id, created_at: createdAt, ...rest } = video;
      assert.equal(video.task_id, id);
      assert.ok(Math.abs(createdAt - Date.now() / 1000) < 30, 'created_at is in seconds');
      const { task_id: _taskId, ...fields } = rest;
      assert.deepEqual(fields, {
        object: 'video',
        model: 'kling-2.5-720p-mute',
        requested_model: 'kling-2.5',
        status: 'queued',
        progress: 0,
        completed_at: null,
        expires_at: null,
        prompt: ENDLESS,
        seconds: '5',
        size: '1280x720',
        remixed_from_video_id: null,
        error: null,
        metadata: {},
      });
    });

    test('every answer carries the request id that its header names', async () => {
      const { data, response } = await create({
        model: 'kling-2.5',
        prompt: ENDLESS,
      }).withResponse();
      const requestId = (data as LooseJson)._request_id;
      assert.ok(requestId);
      assert.equal(requestId, response.headers.get('x-request-id'));
      const error = await refusal(openai.videos.retrieve('task_nobody_made'), Client.NotFoundError);
      assert.match(error.requestID ?? '', /\S/);
    });

    test('nested metadata of a form counts, and numbers in a prompt stay text', async () => {
      const quote = await estimate({
        model: 'kling-3.0',
        prompt: '5',
        metadata: {
          output_config: {
            duration: 10,
            resolution: '1080P',
            aspect_ratio: '9:16',
            audio_generation: 'Enabled',
          },
          negative_prompt: '0',
        },
      });
      assert.equal(quote.model, 'kling-3.0-1080p-sound');
      assert.equal(quote.quantity, 10);
      const { prompt, negative_prompt, aspect_ratio, resolution, sound } = quote.canonical;
      assert.deepEqual(
        { prompt, negative_prompt, aspect_ratio, resolution, sound },
        { prompt: '5', negative_prompt: '0', aspect_ratio: '9:16', resolution: '1080P', sound: true },
      );
    });

    test('arrays and arrays of objects of a form arrive as they were', async () => {
      const quote = await estimate({
        model: 'kling-3.0-omni',
        prompt: 'two pictures',
        images: ['https://example.com/role.png', 'https://example.com/scene.png'],
        seconds: '5',
      });
      assert.equal(quote.model, 'kling-3.0-omni-720p-ref-mute');
      assert.equal(quote.canonical.references.length, 2);
      const film = await estimate({
        model: 'kling-3.0-omni',
        prompt: 'a film',
        seconds: '5',
        metadata: {
          file_infos: [
            { type: 'Url', category: 'Video', url: 'https://example.com/ref.mp4', reference_type: 'feature' },
          ],
        },
      });
      assert.equal(film.model, 'kling-3.0-omni-720p-ref-mute');
      assert.ok(film.canonical.reference_video);
    });

    test('a dry run by query or by header makes nothing and costs nothing', async () => {
      const { key, wallet } = await openAccount(gateway, '1');
      const client = connect(key);
      const body = { model: 'kling-2.5', prompt: 'a lake', seconds: '10' };
      for (const options of [
        { query: { dry_run: 'true' } },
        { headers: { 'Reelay-Dry-Run': 'true' } },
      ] satisfies OpenAI.RequestOptions[]) {
        const quote: LooseJson = await create(body, options, client);
        assert.equal(quote.object, 'estimate');
        // 10 s at 0.042 USD.
        assert.deepEqual([quote.unit_price, quote.amount, quote.currency], ['0.042', '0.42', 'USD']);
      }
      assert.deepEqual((await client.videos.list()).data, []);
      assert.equal((await wallet()).available, '1.00');
    });

    for (const film of [
      {
        what: '720P, 16:9, mute',
        body: { model: 'kling-2.5', prompt: 'a lake at dawn', seconds: '5' },
        expected: { width: 1280, height: 720, seconds: 5, sound: false },
      },
      {
        what: '1080P, 9:16, with sound',
        body: {
          model: 'kling-3.0',
          prompt: 'a lake at noon',
          seconds: '3',
          metadata: {
            output_config: { resolution: '1080P', aspect_ratio: '9:16', audio_generation: 'Enabled' },
          },
        },
        expected: { width: 1080, height: 1920, seconds: 3, sound: true },
      },
      {
        what: '720P, 1:1, mute',
        body: {
          model: 'kling-3.0',
          prompt: 'a lake at dusk',
          seconds: '3',
          metadata: { aspect_ratio: '1:1' },
        },
        expected: { width: 720, height: 720, seconds: 3, sound: false },
      },
    ]) {
      test(`create, retrieve until completed, download: ${film.what}`, async () => {
        const { id } = await create(film.body);
        const video = await poll(id);
        assert.equal(video.status, 'completed', JSON.stringify(video.error));
        assert.equal(video.progress, 100);
        assert.equal(video.size, `${film.expected.width}x${film.expected.height}`);
        assert.equal(video.seconds, String(film.expected.seconds));
        assert.ok(video.completed_at >= video.created_at);
        assert.equal(video.video_url, video.metadata.url);
        const { response, bytes } = await download(id);
        assert.equal(response.headers.get('content-type'), 'video/mp4');
        assert.equal(Number(response.headers.get('content-length')), bytes.length);
        await assertFilm(bytes, film.expected);

        const thumbnail = await download(id, { variant: 'thumbnail' });
        assert.equal(thumbnail.response.headers.get('content-type'), 'image/jpeg');
        assert.deepEqual([...thumbnail.bytes.subarray(0, 2)], [0xff, 0xd8]);
      });
    }

    describe('input_reference', () => {
      const body = { model: 'kling-3.0', prompt: 'it moves', seconds: '3' };
      const firstFrameOf = async (inputReference: unknown): Promise<LooseJson> => {
        const quote = await estimate({ ...body, input_reference: inputReference });
        assert.equal(quote.canonical.operation, 'image-to-video');
        assert.ok(quote.canonical.first_frame, 'the picture is the first frame');
        return quote.canonical.first_frame;
      };
      const assertFirstFrame = async (id: string): Promise<void> => {
        assert.equal((await poll(id)).status, 'completed');
        assertColourNear(await firstFrameColour((await download(id)).bytes), GREEN);
      };

      test('an uploaded file is the first frame', { skip: noFfmpeg }, async () => {
        const file = await toFile(await plainPicture(GREEN, PICTURE_SIZE), 'first.png', {
          type: 'image/png',
        });
        const { id } = await create({ ...body, input_reference: file });
        await assertFirstFrame(id);
      });

      test('an uploaded file without a type is told by its bytes', async () => {
        await firstFrameOf(await toFile(await plainPicture(GREEN, PICTURE_SIZE, 'jpeg'), 'picture'));
      });

      test('an object with image_url may hold the picture itself', { skip: noFfmpeg }, async () => {
        const imageUrl = dataUri(await plainPicture(GREEN, PICTURE_SIZE));
        const { id } = await create({ ...body, input_reference: { image_url: imageUrl } });
        await assertFirstFrame(id);
      });

      test('an object with image_url may hold a link', async () => {
        await firstFrameOf({ image_url: PICTURE_URL });
      });

      test('a link may be the whole value', async () => {
        await firstFrameOf(PICTURE_URL);
      });

      test('JSON carries the object and the plain link too', async () => {
        for (const inputReference of [{ image_url: PICTURE_URL }, PICTURE_URL]) {
          const quote = await openai.post<LooseJson>('/videos', {
            query: { dry_run: 'true' },
            body: { ...body, input_reference: inputReference },
          });
          assert.equal(quote.canonical.operation, 'image-to-video');
        }
      });

      test('a file id that is not ours is not found, and the field is named', async () => {
        const error = await refusal(
          create({ ...body, input_reference: { file_id: 'file-somebody-elses' } }),
          Client.NotFoundError,
        );
        assert.equal(error.code, 'file_not_found');
        assert.match(error.param ?? '', /^input_reference/);
      });
    });

    test('the same client sends JSON with post', async () => {
      const log: Sent[] = [];
      const video = await connect(apiKey, log).post<LooseJson>('/videos', {
        body: { model: 'KLING-2.5', prompt: ENDLESS, metadata: { output_config: { duration: 10 } } },
      });
      assert.deepEqual(log, [{ method: 'POST', path: '/v1/videos', isForm: false }]);
      assert.equal(video.status, 'queued');
      assert.equal(video.seconds, '10');
      assert.equal(video.requested_model, 'KLING-2.5');
    });

    test('list walks over every page in both orders', async () => {
      const client = connect((await openAccount(gateway, '100')).key);
      const made: string[] = [];
      for (let index = 0; index < 7; index++)
        made.push((await create({ model: 'kling-2.5', prompt: ENDLESS }, undefined, client)).id);
      for (const [order, expected] of [
        ['desc', made.toReversed()],
        ['asc', made],
      ] as const) {
        const seen: string[] = [];
        let pages = 0;
        for await (const page of (await client.videos.list({ limit: 3, order })).iterPages()) {
          pages++;
          assert.ok(page.data.length <= 3);
        }
        for await (const video of client.videos.list({ limit: 3, order })) seen.push(video.id);
        assert.deepEqual(seen, expected, order);
        assert.equal(pages, 3);
      }
      const first: LooseJson = await client.videos.list({ limit: 3 });
      assert.deepEqual(
        [first.object ?? 'list', first.data.length, first.has_more, first.last_id],
        ['list', 3, true, first.data[2].id],
      );
      assert.deepEqual((await client.videos.list({ limit: 0 } as OpenAI.VideoListParams)).data, []);
    });

    test('a deleted video is gone from retrieve, list and content', async () => {
      const client = connect((await openAccount(gateway, '10')).key);
      const { id } = await create({ model: 'kling-2.5', prompt: '[[fail]] short' }, undefined, client);
      const failed = await finished(gateway, client.apiKey as string, id);
      assert.equal(failed.error.code, 'task_failed');
      const gone = await client.videos.delete(id);
      assert.deepEqual(
        { id: gone.id, object: gone.object, deleted: gone.deleted },
        { id, object: 'video.deleted', deleted: true },
      );
      await refusal(client.videos.retrieve(id), Client.NotFoundError);
      await refusal(client.videos.delete(id), Client.NotFoundError);
      await refusal(client.videos.downloadContent(id), Client.NotFoundError);
      assert.deepEqual((await client.videos.list()).data, []);
    });

    describe('errors are of the class that callers catch', () => {
      test('a wrong key: AuthenticationError', async () => {
        const error = await refusal(connect('rl-wrong').videos.list(), Client.AuthenticationError);
        assert.equal(error.code, 'invalid_api_key');
        assert.equal(error.type, 'invalid_request_error');
      });

      test('a bad value: BadRequestError that names the field', async () => {
        for (const [body, param, code] of [
          [{ model: 'kling-2.5', prompt: 'x', seconds: '7' }, 'seconds', 'invalid_value'],
          [{ prompt: 'x' }, 'model', 'missing_required_parameter'],
          [
            { model: 'kling-3.0', prompt: 'x', metadata: { output_config: { aspect_ratio: '5:4' } } },
            'metadata.output_config.aspect_ratio',
            'invalid_value',
          ],
        ] as const) {
          const error = await refusal(create(body), Client.BadRequestError);
          assert.deepEqual([error.param, error.code], [param, code]);
          assert.ok(error.message.startsWith('400 '), error.message);
        }
      });

      test('an unknown model and an unknown task: NotFoundError', async () => {
        const noModel = await refusal(create({ model: 'kling-9', prompt: 'x' }), Client.NotFoundError);
        assert.deepEqual([noModel.code, noModel.param], ['model_not_found', 'model']);
        const noTask = await refusal(openai.videos.retrieve('video_123'), Client.NotFoundError);
        assert.equal(noTask.code, 'video_not_found');
      });

      test("another account's task: NotFoundError on every call", async () => {
        const { id } = await create({ model: 'kling-2.5', prompt: ENDLESS });
        const stranger = connect((await openAccount(gateway, '1')).key);
        await refusal(stranger.videos.retrieve(id), Client.NotFoundError);
        await refusal(stranger.videos.delete(id), Client.NotFoundError);
        await refusal(stranger.videos.downloadContent(id), Client.NotFoundError);
        assert.deepEqual((await stranger.videos.list({ limit: 100 })).data, []);
      });

      test('no money: RateLimitError with insufficient_quota, and the client does not try again', async () => {
        const log: Sent[] = [];
        const poor = await openAccount(gateway, '0.2');
        const client = connect(poor.key, log);
        const error = await refusal(
          create({ model: 'kling-2.5', prompt: 'x' }, undefined, client),
          Client.RateLimitError,
        );
        assert.deepEqual([error.code, error.type], ['insufficient_quota', 'insufficient_quota']);
        assert.equal(log.length, 1, 'one request for one call');
        assert.equal((await poor.wallet()).available, '0.20');
      });

      test('deleting a running task: ConflictError task_running, and the client does not try again', async () => {
        const { id } = await create({ model: 'kling-2.5', prompt: ENDLESS });
        for (let status = ''; status !== 'in_progress';) ({ status } = await openai.videos.retrieve(id));
        const log: Sent[] = [];
        const error = await refusal(connect(apiKey, log).videos.delete(id), Client.ConflictError);
        assert.equal(error.code, 'task_running');
        assert.equal(log.length, 1, 'one request for one call');
      });

      test('the content of an unfinished task: BadRequestError that tells its status', async () => {
        const { id } = await create({ model: 'kling-2.5', prompt: ENDLESS });
        const error = await refusal(openai.videos.downloadContent(id), Client.BadRequestError);
        assert.match(error.message, /queued|in_progress/);
      });
    });

    test('models are listed and retrieved', async () => {
      const ids: string[] = [];
      for await (const model of openai.models.list()) {
        assert.equal(model.object, 'model');
        assert.equal(typeof model.owned_by, 'string');
        assert.ok(Number.isInteger(model.created));
        ids.push(model.id);
      }
      for (const name of ['kling-2.5', 'kling-3.0-omni', 'kling-o1', 'kling-v1-6', 'kling-video-o1'])
        assert.ok(ids.includes(name), `${name} is missing from ${ids.join(', ')}`);
      assert.equal((await openai.models.retrieve('kling-v1-6')).id, 'kling-v1-6');
      const error = await refusal(openai.models.retrieve('sora-2'), Client.NotFoundError);
      assert.equal(error.code, 'model_not_found');
    });
  });
}

/** The error that a call ends with, which must be of this class. */
async function refusal<E extends Error>(
  call: PromiseLike<unknown>,
  kind: abstract new (...parameters: never[]) => E,
): Promise<E & { code: string; param: string | null; type: string; requestID: string }> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof kind, `${kind.name} expected, not ${String(error)}`);
    return error as E & { code: string; param: string | null; type: string; requestID: string };
  }
  return assert.fail(`${kind.name} expected, but the call succeeded`);
}
