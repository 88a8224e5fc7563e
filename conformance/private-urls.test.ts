/**
 * Every field of every request that takes a URL: none of them makes the gateway, or the sandbox behind it, reach for an
 * address that is not on the public internet. A trap counts connections; the fields are read from the API description.
 */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { hostname } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { privateUrls } from '../test/helpers/private-urls.ts';
import { call, eventually, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import { openAccount, startGateway, type TestAccount, type TestGateway } from './support/gateway.ts';
import { readOpenapi, resolved } from './support/openapi.ts';

const picture = 'https://example.com/a.png';
const film = 'https://example.com/a.mp4';
const prompt = 'a cat';

/** A request of each operation that would be taken, as far as its media go; a field under test is laid over it. */
const BASES: Record<string, LooseJson> = {
  '/kling/v1/videos/text2video': { model_name: 'kling-v1-6', prompt },
  '/kling/v1/videos/image2video': { model_name: 'kling-v1-6', prompt, image: picture },
  '/kling/v1/videos/omni-video': { prompt, aspect_ratio: '16:9' },
  '/kling/v1/videos/multi-image2video': { prompt, image_list: [{ image: picture }, { image: picture }] },
  '/kling/v1/videos/motion-control': {
    image_url: picture,
    video_url: film,
    character_orientation: 'image',
    mode: 'std',
  },
  '/kling/v1/videos/avatar/image2video': { image: picture, sound_file: 'https://example.com/a.mp3' },
  '/kling/v1/videos/video-extend': { video_id: '1' },
  '/kling/v1/videos/lip-sync': {
    input: {
      video_url: film,
      mode: 'audio2video',
      audio_type: 'url',
      audio_url: 'https://example.com/a.mp3',
    },
  },
  '/kling/v1/videos/identify-face': { video_url: film },
  '/kling/v1/videos/advanced-lip-sync': {
    session_id: '1',
    face_choose: [
      {
        face_id: '0',
        sound_file: 'https://example.com/a.mp3',
        sound_start_time: 0,
        sound_end_time: 3000,
        sound_insert_time: 0,
      },
    ],
  },
  '/kling/v1/videos/effects': {
    effect_scene: 'squish',
    input: { model_name: 'kling-v1-6', image: picture, duration: '5' },
  },
  '/kling/v1/videos/multi-elements/init-selection': { video_url: film },
  '/kling/v1/videos/multi-elements': { session_id: '1', edit_mode: 'swap', prompt, image_list: [] },
  '/kling/v1/videos/image-recognize': { image: picture },
  '/kling/v1/audio/text-to-audio': { prompt, duration: 5 },
  '/kling/v1/audio/video-to-audio': { video_url: film },
  '/kling/v1/audio/tts': { text: 'hello', voice_id: 'genshin_vindi2', voice_language: 'en' },
  '/kling/v1/images/generations': { model_name: 'kling-v1', prompt },
  '/kling/v1/images/multi-image2image': {
    model_name: 'kling-v2',
    prompt,
    subject_image_list: [{ subject_image: picture }, { subject_image: picture }],
  },
  '/kling/v1/images/omni-image': { model_name: 'kling-image-o1', prompt },
  '/kling/v1/images/editing/expand': {
    image: picture,
    up_expansion_ratio: 0.1,
    down_expansion_ratio: 0.1,
    left_expansion_ratio: 0.1,
    right_expansion_ratio: 0.1,
  },
  '/kling/v1/images/kolors-virtual-try-on': {
    model_name: 'kolors-virtual-try-on-v1',
    human_image: picture,
    cloth_image: picture,
  },
  '/kling/v1/general/ai-multi-shot': { element_frontal_image: picture },
  '/kling/v1/general/custom-voices': { voice_name: 'mine', voice_url: 'https://example.com/a.mp3' },
  '/kling/v1/general/advanced-custom-elements': {
    element_name: 'mine',
    element_description: 'a cat',
    reference_type: 'image_refer',
    element_image_list: { frontal_image: picture, refer_images: [{ image_url: picture }] },
  },
  '/kling/text-to-video/{model}': { prompt },
  '/kling/image-to-video/{model}': { contents: [{ type: 'first_frame', url: picture }] },
  '/kling/omni-video/{model}': { prompt },
  '/kling/motion-control/{model}': {
    contents: [
      { type: 'image', url: picture },
      { type: 'video', url: film },
    ],
  },
  '/v1/videos': { model: 'kling-v1-6', prompt },
  '/v1/video/generations': { model: 'kling-v1-6', prompt },
  '/v1/webhook_endpoints/{id}': { name: 'mine' },
  '/v1/webhook_endpoints': { name: 'mine', url: 'https://example.com/', event_types: ['task.completed'] },
};

/** What some fields need beside them, whatever the operation. */
const BESIDE: Record<string, LooseJson> = {
  image_tail: { model_name: 'kling-v1-6', mode: 'pro', image: picture },
  static_mask: { model_name: 'kling-v1', model: 'kling-v1', image: picture },
  'dynamic_masks.0.mask': {
    model_name: 'kling-v1',
    model: 'kling-v1',
    image: picture,
    dynamic_masks: [
      {
        trajectories: [
          { x: 1, y: 1 },
          { x: 2, y: 2 },
        ],
      },
    ],
  },
  'content.0.image_url': { image: null, content: [{ type: 'image_url' }] },
  'content.0.video_url': {
    model_name: 'kling-video-o1',
    model: 'kling-video-o1',
    content: [{ type: 'video_url' }],
  },
  'video_list.0.video_url': { model_name: 'kling-video-o1', model: 'kling-video-o1' },
  'metadata.video_url': { model_name: 'kling-video-o1', model: 'kling-video-o1' },
  'metadata.last_frame_url': { model_name: 'kling-v1-6', mode: 'pro', image: picture },
  'metadata.file_infos.0.url': {
    image: null,
    metadata: { file_infos: [{ type: 'Url', category: 'Image' }] },
  },
  'contents.0.url': { contents: [{ type: 'first_frame' }] },
  'input.images.0': {
    effect_scene: 'hug',
    input: { model_name: 'kling-v1-6', duration: '5', images: [null, picture], image: null },
  },
  'metadata.audio_url': { image: picture, metadata: { scene_type: 'avatar_i2v' } },
  input_reference: { image: null },
  images: { image: null },
  'image_list.0.image': { image: null },
  'image_list.0.image_url': { image: null },
  'element_video_list.refer_videos.0.video_url': {
    reference_type: 'video_refer',
    element_image_list: null,
  },
};

/** Fields that are not reached with a URL alone: they belong to a session, which has to be opened first. */
const NOT_REACHED = ['face_choose.0.sound_file'];

/** Places of a request body that take a URL, as `image_list.0.image`. */
function urlFields(document: LooseJson, schema: LooseJson, path: string[] = []): string[] {
  if (path.length > 8) return [];
  const variants: LooseJson[] = [];
  for (const todo = [schema]; todo.length > 0;) {
    const variant = resolved(document, todo.pop());
    if (variant === undefined) continue;
    variants.push(variant);
    todo.push(...(variant.anyOf ?? []), ...(variant.oneOf ?? []), ...(variant.allOf ?? []));
  }
  if (variants.some(({ format }) => format === 'binary') || /url$/i.test(path.at(-1) ?? ''))
    return [path.join('.')];
  const found = variants.flatMap(({ properties = {}, items }) => [
    ...Object.entries(properties).flatMap(([name, inner]) => urlFields(document, inner, [...path, name])),
    ...(items === undefined ? [] : urlFields(document, items, [...path, '0'])),
  ]);
  return [...new Set(found)];
}

/** A copy of the body in which the field holds the value. */
function withField(body: LooseJson, field: string, value: unknown): LooseJson {
  const copy = structuredClone(body);
  const names = field.split('.');
  for (const [name, other] of Object.entries(structuredClone(BESIDE[field] ?? {}))) {
    if (other === null) delete copy[name];
    else copy[name] = other;
  }
  let at = copy;
  for (const [index, name] of names.slice(0, -1).entries()) {
    const next = /^\d+$/.test(names[index + 1]!) ? [] : {};
    at = at[name] ??= next;
  }
  at[names.at(-1)!] = value;
  return copy;
}

describe('a URL that leads to a private address', { concurrency: 1 }, () => {
  let gateway: TestGateway;
  let account: TestAccount;
  let trap: Server;
  let port = 0;
  let connections = 0;
  let endpointId = '';
  const fields: { path: string; field: string }[] = [];
  const send = (path: string, json: unknown): Promise<Answer> =>
    call(
      gateway.url +
        path
          .replace('{model}', path.includes('/omni-') ? 'kling-3.0-omni' : 'kling-3.0')
          .replace('{id}', endpointId),
      { key: account.key, json },
    );

  before(async () => {
    gateway = await startGateway('full');
    account = await openAccount(gateway, '1000');
    trap = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    port = (trap.address() as AddressInfo).port;
    const { document, operations } = await readOpenapi(gateway.url);
    for (const { method, path, isAdmin, body } of operations)
      if (!isAdmin && method === 'POST' && body !== null)
        for (const field of urlFields(document, body)) fields.push({ path, field });
    const made = await send('/v1/webhook_endpoints', BASES['/v1/webhook_endpoints']);
    endpointId = made.body.id;
    assert.ok(endpointId, made.text);
  });
  after(async () => {
    trap.close();
    await gateway.stop();
  });

  test('is refused in every field of every operation, by that field’s name', async () => {
    const refused = new Set<string>();
    const taken: string[] = [];
    for (const { path, field } of fields) {
      const base = BASES[path];
      assert.ok(base !== undefined, `${path} takes a URL (${field}): name a request of it above`);
      // Films must be asked for by https; everything else may be.
      const answer = await send(path, withField(base, field, `https://127.0.0.1:${port}/x.png`));
      const { code, param } = answer.body.error ?? {};
      if (code === 'url_not_allowed') {
        refused.add(field);
        assert.ok(String(param).includes(field.split('.').at(-1)!), `${path} ${field}: ${param}`);
      } else if (answer.status < 400) taken.push(`${path} ${field} ${answer.text}`);
    }
    assert.deepEqual([], taken);
    const never = new Set(fields.map(({ field }) => field));
    for (const field of [...refused, ...NOT_REACHED]) never.delete(field);
    assert.deepEqual([...never], [], 'every field was refused for its URL somewhere');
    assert.equal(connections, 0);
  });

  test('is refused however it is spelled, wherever it is given', async () => {
    const spelled = privateUrls(port);
    assert.ok(new Set(spelled).size > 300);
    const places = ['image', 'callback_url'].map(
      (field) => (url: string) => send('/v1/videos', withField(BASES['/v1/videos'], field, url)),
    );
    places.push(
      (url) => send('/kling/v1/videos/identify-face', { video_url: url }),
      (url) => send('/kling/v1/images/generations', { model_name: 'kling-v1', prompt, image: url }),
      (url) => send('/v1/webhook_endpoints', { ...BASES['/v1/webhook_endpoints'], url }),
      (url) => send('/v1/webhook_endpoints/{id}', { url }),
      (url) =>
        call(`${gateway.url}/admin/v1/accounts/${account.id}/webhook-endpoints/${endpointId}`, {
          method: 'PATCH',
          key: gateway.keys.admin_token,
          json: { url },
        }),
    );
    for (const place of places) {
      const answers = await Promise.all(spelled.map(async (url) => ({ url, ...(await place(url)) })));
      for (const { url, status, body } of answers) {
        assert.ok(status === 400, `${url} -> ${status}`);
        assert.ok(
          ['url_not_allowed', 'invalid_value'].includes(body.error.code),
          `${url} -> ${body.error.code}`,
        );
      }
    }
    assert.equal(connections, 0);
  });

  test('is not reached under a name that leads there either, by gateway or sandbox', async (context) => {
    const name = hostname();
    const address = await lookup(name).then(
      (found) => found.address,
      () => null,
    );
    if (address === null) return context.skip('the name of this machine leads nowhere');
    let reached = 0;
    const own = createServer((socket) => {
      reached++;
      socket.destroy();
    }).listen(0, address);
    await once(own, 'listening');
    try {
      const origin = `http://${name}:${(own.address() as AddressInfo).port}`;
      const moved = await send('/v1/webhook_endpoints/{id}', { url: `${origin}/hook` });
      assert.equal(moved.status, 200, moved.text);
      const tested = await send('/v1/webhook_endpoints/{id}/test', {});
      assert.notEqual(tested.body.delivered, true, tested.text);
      const creates = [
        send('/v1/videos', {
          model: 'kling-v1-6',
          prompt,
          image: `${origin}/a.png`,
          callback_url: `${origin}/told`,
        }),
        send('/kling/v1/images/generations', { model_name: 'kling-v1', prompt, image: `${origin}/a.png` }),
      ];
      for (const answer of await Promise.all(creates)) {
        assert.equal(answer.status, 200, answer.text);
        const id = answer.body.task_id ?? answer.body.data.task_id;
        await eventually('the end of the task', 60_000, async () => {
          const { body } = await call(`${gateway.url}/admin/v1/tasks/${id}`, {
            key: gateway.keys.admin_token,
          });
          return body.task.state === 'completed';
        });
      }
      assert.equal(reached, 0);
      // It is there to be reached.
      const socket = connect((own.address() as AddressInfo).port, address);
      await once(socket, 'connect');
      socket.destroy();
      await eventually('the trap', 30_000, async () => reached === 1);
    } finally {
      own.close();
    }
  });
});
