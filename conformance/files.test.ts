/**
 * `/v1/files` with the `openai` package, unmodified, in two majors; then what is kept there used wherever a picture, a
 * sound or a film is wanted, by its owner alone.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OpenAI as OpenAI6, toFile as toFile6 } from 'openai-6';
import { OpenAI, toFile } from 'openai-7';
import { call, type LooseJson } from '../test/helpers/processes.ts';
import { assertColourNear, firstFrameColour, noFfmpeg } from './support/film.ts';
import {
  assertRefused,
  completed,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { download, plainSound } from './support/media.ts';
import { plainPicture } from './support/picture.ts';

/** Both majors have the same calls; the types of the newer one serve for both. */
const clients = [
  { version: '6.49.0', Client: OpenAI6 as unknown as typeof OpenAI, toFile: toFile6 as typeof toFile },
  { version: '7.55.0', Client: OpenAI, toFile },
];
const GREEN = { red: 20, green: 160, blue: 60 };
const LINK = 'https://example.com/one.png';

let gateway: TestGateway;
let account: TestAccount;
let stranger: TestAccount;
let picture: Buffer;
before(async () => {
  gateway = await startGateway('full');
  account = await openAccount(gateway, '100');
  stranger = await openAccount(gateway, '100');
  picture = await plainPicture(GREEN, { width: 640, height: 360 });
});
after(() => gateway.stop());

const connect = (Client: typeof OpenAI, apiKey: string): OpenAI =>
  new Client({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });

for (const { version, Client, toFile } of clients) {
  describe(`openai ${version}`, () => {
    test('create, retrieve, content, list, del', async () => {
      const own = await openAccount(gateway, '1');
      const openai = connect(Client, own.key);
      const made = await openai.files.create({
        file: await toFile(picture, 'cat.png', { type: 'image/png' }),
        purpose: 'vision',
      });
      assert.equal(made.object, 'file');
      assert.equal(made.bytes, picture.length);
      assert.equal(made.filename, 'cat.png');
      assert.equal(made.purpose, 'vision');
      assert.equal(made.status, 'processed');
      assert.ok(Math.abs(made.created_at - Date.now() / 1000) < 30, 'seconds');
      assert.equal(made.expires_at, undefined);
      assert.deepEqual(await openai.files.retrieve(made.id), made);
      const content = await openai.files.content(made.id);
      assert.deepEqual(Buffer.from(await content.arrayBuffer()), picture);
      assert.equal(content.headers.get('content-type'), 'image/png');

      const brief = await openai.files.create({
        // No type, no telling name: what it is shows in its bytes.
        file: await toFile(picture, 'unnamed'),
        purpose: 'user_data',
        expires_after: { anchor: 'created_at', seconds: 3600 },
      });
      assert.equal(brief.expires_at, brief.created_at + 3600);
      assert.equal((brief as unknown as LooseJson).content_type, 'image/png');

      const idsOf = async (query: OpenAI.FileListParams): Promise<string[]> => {
        const ids: string[] = [];
        for await (const file of openai.files.list(query)) ids.push(file.id);
        return ids;
      };
      assert.deepEqual(await idsOf({}), [brief.id, made.id]);
      assert.deepEqual(await idsOf({ order: 'asc', limit: 1 }), [made.id, brief.id]);
      assert.deepEqual(await idsOf({ purpose: 'vision' }), [made.id]);

      assert.deepEqual(await openai.files.delete(made.id), { id: made.id, object: 'file', deleted: true });
      await assert.rejects(openai.files.retrieve(made.id), Client.NotFoundError);
      await assert.rejects(openai.files.content(made.id), Client.NotFoundError);
      await assert.rejects(openai.files.delete(made.id), Client.NotFoundError);
      assert.deepEqual(await idsOf({}), [brief.id]);
    });

    test('refusals name the field, and nobody sees the files of somebody else', async () => {
      const openai = connect(Client, account.key);
      const file = await toFile(picture, 'x.png');
      const refused = async (body: unknown, param: string): Promise<void> => {
        await assert.rejects(openai.files.create(body as OpenAI.FileCreateParams), (error) => {
          assert.ok(error instanceof Client.BadRequestError);
          assert.equal(error.param, param);
          return true;
        });
      };
      await refused({ file, purpose: 'fun' }, 'purpose');
      await refused({ purpose: 'vision', file: 'text' }, 'file');
      const soon = { anchor: 'created_at', seconds: 60 };
      await refused({ file, purpose: 'vision', expires_after: soon }, 'expires_after[seconds]');

      const { id } = await openai.files.create({ file, purpose: 'vision' });
      const other = connect(Client, stranger.key);
      await assert.rejects(other.files.retrieve(id), Client.NotFoundError);
      await assert.rejects(other.files.content(id), Client.NotFoundError);
      await assert.rejects(other.files.delete(id), Client.NotFoundError);
      for await (const seen of other.files.list()) assert.notEqual(seen.id, id);
      await assert.rejects(connect(Client, 'wrong').files.list(), Client.AuthenticationError);
      await openai.files.delete(id);
    });

    test('an upload is the first frame of a film', { skip: noFfmpeg }, async () => {
      const openai = connect(Client, account.key);
      const { id } = await openai.files.create({
        file: await toFile(picture, 'first.png', { type: 'image/png' }),
        purpose: 'vision',
      });
      const video = await openai.videos.create({
        model: 'kling-3.0' as OpenAI.VideoModel,
        prompt: 'waves',
        seconds: '3' as OpenAI.VideoSeconds,
        input_reference: { file_id: id },
      });
      // The task keeps what it was given.
      await openai.files.delete(id);
      const { video_url: url } = await completed(gateway, account.key, video.id);
      assertColourNear(await firstFrameColour((await download(url)).bytes), GREEN);
    });
  });
}

describe('wherever a file is wanted', () => {
  let image: string;
  let sound: string;
  const upload = async (bytes: Buffer, name: string): Promise<string> => {
    const openai = connect(OpenAI, account.key);
    return (await openai.files.create({ file: await toFile(bytes, name), purpose: 'user_data' })).id;
  };
  before(async () => {
    image = await upload(picture, 'a.png');
    sound = await upload(Buffer.from(plainSound(3).split(',')[1]!, 'base64'), 'a.wav');
  });

  const metadata = (more: Record<string, unknown>) => ({ prompt: 'x', seconds: '3', metadata: more });
  const file = (usage: string, id: string) => ({ type: 'File', category: 'Image', file_id: id, usage });
  const places: [string, string, (image: string, sound: string) => Record<string, unknown>, string][] = [
    [
      'input_reference',
      '/v1/videos',
      (id) => ({ model: 'kling-3.0', prompt: 'x', seconds: '3', input_reference: { file_id: id } }),
      'input_reference.file_id',
    ],
    [
      'last_frame_file_id',
      '/v1/videos',
      (id) => ({ ...metadata({ last_frame_file_id: id }), model: 'kling-3.0', image: LINK }),
      'metadata.last_frame_file_id',
    ],
    [
      'file_infos, the first frame',
      '/v1/videos',
      (id) => ({ ...metadata({ file_infos: [file('FirstFrame', id)] }), model: 'kling-3.0' }),
      'metadata.file_infos[0].file_id',
    ],
    [
      'file_infos, a reference',
      '/v1/videos',
      (id) => ({ ...metadata({ file_infos: [file('Reference', id)] }), model: 'kling-3.0-omni' }),
      'metadata.file_infos[0].file_id',
    ],
    [
      'image',
      '/v1/video/generations',
      (id) => ({ model: 'kling-v2-5-turbo', prompt: 'x', image: id }),
      'image',
    ],
    [
      'image_tail',
      '/kling/v1/videos/image2video',
      (id) => ({ model_name: 'kling-v3', duration: '3', prompt: 'x', image: LINK, image_tail: id }),
      'image_tail',
    ],
    [
      'an image of the new standard',
      '/kling/image-to-video/kling-3.0',
      (id) => ({
        contents: [
          { type: 'prompt', text: 'x' },
          { type: 'first_frame', url: id },
        ],
        settings: { duration: 3 },
      }),
      'contents[1].url',
    ],
    [
      'a picture for pictures',
      '/kling/v1/images/omni-image',
      (id) => ({ prompt: 'x', image_list: [{ image: id }] }),
      'image_list[0].image',
    ],
    ['a picture to be recognised', '/kling/v1/videos/image-recognize', (id) => ({ image: id }), 'image'],
    [
      'an avatar and its sound',
      '/kling/v1/videos/avatar/image2video',
      (id, voice) => ({ image: id, sound_file: voice }),
      'image',
    ],
  ];
  for (const [what, path, body, param] of places) {
    test(`${what} at ${path}: one's own is taken, a foreign or unknown one is a 404`, async () => {
      const dry = `${path}?dry_run=true`;
      const send = (url: string, json: unknown, key: string) => call(gateway.url + url, { key, json });
      const quote = await send(dry, body(image, sound), account.key);
      assert.equal(quote.status, 200, quote.text);
      for (const url of [path, dry]) {
        for (const [json, key] of [
          [body(image, sound), stranger.key],
          [body('file_00000000000000000000000000000000', sound), account.key],
        ] as const) {
          const answer = await send(url, json, key);
          const error = assertRefused(answer, path, { status: 404, number: 1203, param });
          assert.doesNotMatch(error.message, /upstream/i);
        }
      }
      assert.equal((await stranger.wallet()).held, '0.00');
    });
  }

  test('a film from a first frame, a last frame and references that are files is made', async () => {
    const bodies = [
      {
        ...metadata({ last_frame_file_id: image, file_infos: [file('FirstFrame', image)] }),
        model: 'kling-3.0',
      },
      { ...metadata({ file_infos: [file('Reference', image)] }), model: 'kling-3.0-omni' },
    ];
    for (const json of bodies) {
      const made = await call(`${gateway.url}/v1/videos`, { key: account.key, json });
      assert.equal(made.status, 200, made.text);
      await completed(gateway, account.key, made.body.id);
    }
  });

  test('a wrong kind of file is refused by the field that named it', async () => {
    const json = { model: 'kling-3.0', prompt: 'x', input_reference: { file_id: sound } };
    const answer = await call(`${gateway.url}/v1/videos`, { key: account.key, json });
    assertRefused(answer, '/v1/videos', { status: 400, param: 'input_reference.file_id' });
  });
});
