/** What is promised of files: an account's own, usable wherever a picture, film or sound is wanted, and kept no longer. */
import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { Content } from '../../src/core/ports.ts';
import { isFeature } from '../../src/core/request/feature.ts';
import type { VideoRequest } from '../../src/core/request/types.ts';
import { PRICE_MICROS, principal, refusal, story, stranger, type World } from './harness.ts';
import { film, mp3, png } from './local-server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

async function told(
  work: Promise<unknown>,
): Promise<{ code: string; param: string | null; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GatewayError) {
      return { code: error.code, param: error.param, message: error.publicMessage };
    }
    throw error;
  }
  throw new Error('it was not refused');
}

async function bytesOf(content: Content, range?: { start: number; end: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await content.open(range)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const list = (world: World, query: { after?: string; purpose?: string } = {}, by = principal) =>
  world.gateway.listFiles(by, { order: 'desc', limit: 2, ...query });

const named = (id: string) => ({ file_id: id });

const identify = (world: World, fileId: string, by = principal) =>
  world.feature('identify-face', { video_url: named(fileId) }, by);

const recognize = (world: World, image: string) => world.feature('image-recognize', { image: named(image) });

/** Keys of the stored media of the last submit. */
function sentKeys(world: World): (string | null)[] {
  const { request } = world.upstream.submits.at(-1)!;
  assert.ok(isFeature(request));
  return request.media.map(({ media }) => (media.kind === 'stored' ? media.key : null));
}

/** Stored bytes look as if they had been put so long ago. */
async function age(world: World, key: string, ms: number): Promise<void> {
  const at = (world.clock.now() - ms) / 1000;
  await utimes(world.ctx.media.localPath(key)!, at, at);
}

describe('a file', () => {
  test(
    'is told of by what its bytes are, whatever it was called, and read back whole or in part',
    story(async (world) => {
      const row = await world.gateway.createFile(principal, {
        bytes: png(200, 100),
        filename: 'cat.mp4',
        purpose: 'vision',
        contentType: 'video/mp4',
        expiresAt: null,
      });
      assert.match(row.id, /^file_/);
      assert.deepEqual(
        [row.filename, row.contentType, row.width, row.height, row.bytes],
        ['cat.mp4', 'image/png', 200, 100, png().length],
      );
      assert.deepEqual(await world.gateway.findFile(principal, row.id), row);
      await world.restart();
      const content = await world.gateway.fileContent(principal, row.id);
      assert.deepEqual(await bytesOf(content), png(200, 100));
      assert.deepEqual(await bytesOf(content, { start: 1, end: 3 }), Buffer.from('PNG'));
    }),
  );

  test(
    'is given back as no type that a header cannot hold, whatever was claimed',
    story(async (world) => {
      for (const [claimed, kept] of [
        ['text/plain', 'text/plain'],
        ['application/vnd.a-b+json', 'application/vnd.a-b+json'],
        ['text/plain\u0001x', 'application/octet-stream'],
        ['text/plain\r\nx-evil: 1', 'application/octet-stream'],
        ['application/x-中', 'application/octet-stream'],
        ['__proto__', 'application/octet-stream'],
        [`text/${'x'.repeat(5_000)}`, 'application/octet-stream'],
      ] as const) {
        const bytes = Buffer.from('hello');
        const input = { bytes, filename: 'a', purpose: 'vision', contentType: claimed, expiresAt: null };
        assert.equal((await world.gateway.createFile(principal, input)).contentType, kept);
      }
    }),
  );

  test(
    'is listed newest first, page by page, by purpose where one is given, to its account only',
    story(async (world) => {
      const ids: string[] = [];
      for (let count = 0; count < 3; count++) {
        ids.unshift((await world.upload(png())).id);
        await world.advance(10);
      }
      const first = await list(world);
      assert.deepEqual([first.files.map(({ id }) => id), first.hasMore], [ids.slice(0, 2), true]);
      const second = await list(world, { after: ids[1]! });
      assert.deepEqual([second.files.map(({ id }) => id), second.hasMore], [ids.slice(2), false]);
      assert.deepEqual((await list(world, { purpose: 'batch' })).files, []);
      assert.deepEqual((await list(world, {}, stranger)).files, []);
    }),
  );

  test(
    'is gone once deleted, row and bytes',
    story(async (world) => {
      const { id } = await world.upload(png());
      assert.equal(await refusal(world.gateway.deleteFile(stranger, id)), 'file_not_found');
      await world.gateway.deleteFile(principal, id);
      assert.deepEqual(await world.stored('files/'), []);
      for (const work of [
        () => world.gateway.findFile(principal, id),
        () => world.gateway.fileContent(principal, id),
        () => world.gateway.deleteFile(principal, id),
      ]) {
        assert.equal(await refusal(work()), 'file_not_found');
      }
    }),
  );

  test(
    'that is empty is refused, and leaves nothing',
    story(async (world) => {
      assert.equal((await told(world.upload(Buffer.alloc(0)))).param, 'file');
      assert.deepEqual(await world.stored('files/'), []);
    }),
  );

  test(
    'leaves no bytes behind when its row cannot be written',
    story(async (world) => {
      world.storeFails = (method) => method === 'createFile';
      assert.equal(await refusal(world.upload(png())), 'unavailable');
      world.storeFails = () => false;
      const kept = await world.upload(png());
      for (const key of await world.stored('files/')) await age(world, key, 2 * HOUR_MS);
      await world.advance(7 * HOUR_MS);
      assert.deepEqual(await world.stored('files/'), [kept.mediaKey]);
    }),
  );

  test(
    'is there until its time is over; then it is neither found, listed, usable nor stored',
    story(async (world) => {
      const { id } = await world.upload(png(), world.clock.now() + HOUR_MS);
      const other = await world.upload(png());
      await world.advance(HOUR_MS - 1);
      assert.equal((await world.gateway.findFile(principal, id)).id, id);
      await world.advance(1);
      assert.equal(await refusal(world.gateway.findFile(principal, id)), 'file_not_found');
      assert.equal(await refusal(recognize(world, id)), 'file_not_found');
      assert.deepEqual(
        (await list(world)).files.map((file) => file.id),
        [other.id],
      );
      await world.advance(60_000);
      assert.deepEqual(await world.stored('files/'), [other.mediaKey]);
    }),
  );
});

describe('a file of one’s own', () => {
  test(
    'is a first frame and a last one',
    story(async (world) => {
      const row = await world.upload(png());
      await world.create({ image: named(row.id) });
      const { firstFrame } = world.upstream.submits.at(-1)!.request as VideoRequest;
      assert.deepEqual(firstFrame, {
        kind: 'stored',
        key: row.mediaKey,
        contentType: 'image/png',
        bytes: row.bytes,
        width: 320,
        height: 320,
        source: 'image.file_id',
      });
    }),
  );

  test(
    'is a film to work from, and a sound to speak with',
    story(async (world) => {
      const video = await world.upload(film);
      const sound = await world.upload(mp3);
      const picture = await world.upload(png());
      await world.create({
        model_name: 'kling-v3-omni',
        prompt: 'the same at night',
        metadata: { video_url: named(video.id) },
      });
      const edit = world.upstream.submits.at(-1)!.request as VideoRequest;
      assert.ok(edit.referenceVideo?.media.kind === 'stored');
      assert.equal(edit.referenceVideo.media.key, video.mediaKey);
      await world.create({
        model_name: undefined,
        prompt: 'she speaks',
        image: named(picture.id),
        sound_file: named(sound.id),
        metadata: { scene_type: 'avatar_i2v' },
      });
      const avatar = world.upstream.submits.at(-1)!.request as VideoRequest;
      assert.ok(avatar.audio?.kind === 'stored');
      assert.equal(avatar.audio.key, sound.mediaKey);
    }),
  );

  test(
    'is a picture, a film or a sound of a feature',
    story(async (world) => {
      const picture = await world.upload(png());
      const video = await world.upload(film);
      const sound = await world.upload(mp3);
      await recognize(world, picture.id);
      assert.deepEqual(sentKeys(world), [picture.mediaKey]);
      await identify(world, video.id);
      assert.deepEqual(sentKeys(world), [video.mediaKey]);
      await world.feature('custom-voice', { voice_name: 'me', voice_url: named(sound.id) });
      assert.deepEqual(sentKeys(world), [sound.mediaKey]);
    }),
  );

  test(
    'is used in a dry run like in a create, and nothing is written',
    story(async (world) => {
      const { id } = await world.upload(png());
      const before = world.changes.length;
      await world.estimate({ image: named(id) });
      await world.estimateFeature('image-recognize', { image: named(id) });
      assert.equal((await told(world.estimate({ image: named('file_unknown') }))).code, 'file_not_found');
      assert.equal(world.changes.length, before);
    }),
  );

  test(
    'is refused by the field that names it where it is of another kind, too small, or not one’s own',
    story(async (world) => {
      const picture = await world.upload(png());
      const small = await world.upload(png(8));
      const video = await world.upload(film);
      const refused = async (work: Promise<unknown>) => {
        const { code, param } = await told(work);
        return [code, param];
      };
      assert.deepEqual(await refused(world.create({ image: named(video.id) })), [
        'invalid_value',
        'image.file_id',
      ]);
      assert.deepEqual(await refused(world.create({ image: named(small.id) })), [
        'invalid_value',
        'image.file_id',
      ]);
      assert.deepEqual(await refused(identify(world, picture.id)), ['invalid_value', 'video_url.file_id']);
      assert.deepEqual(await refused(identify(world, video.id, stranger)), [
        'file_not_found',
        'video_url.file_id',
      ]);
      assert.deepEqual(await refused(world.create({ image: named('file_unknown') })), [
        'file_not_found',
        'image.file_id',
      ]);
      assert.deepEqual(await world.money(), [100n * PRICE_MICROS, 0n]);
      assert.equal(world.upstream.submits.length, 0);
    }),
  );

  for (const [what, remove] of [
    ['deleted', (world: World, id: string) => world.gateway.deleteFile(principal, id)],
    ['over', (world: World) => world.advance(2 * HOUR_MS)],
  ] as const) {
    test(
      `that is ${what} while its task waits ends the task, free, with the reason`,
      story(
        async (world) => {
          const { id } = await world.upload(png(), world.clock.now() + HOUR_MS);
          const filler = (await world.create()).task.id;
          const waiting = (await world.create({ image: named(id) })).task.id;
          const feature = await world.feature('ai-multi-shot', { element_frontal_image: named(id) });
          await remove(world, id);
          world.make(filler);
          await world.advance(60_000);
          for (const [taskId, field] of [
            [waiting, 'image'],
            [feature.task.id, 'element_frontal_image'],
          ] as const) {
            const task = await world.task(taskId);
            assert.deepEqual([task.state, task.error?.code], ['failed', 'task_failed']);
            assert.match(task.error!.message, new RegExp(`^${field}\\.file_id: its file is no longer kept`));
          }
          assert.deepEqual(await world.money(), [99n * PRICE_MICROS, 0n]);
          assert.equal(world.upstream.submits.length, 1);
          assert.deepEqual(world.errors, []);
        },
        { channel: { concurrency: 1 } },
      ),
    );
  }

  test(
    'whose bytes are lost is refused where the answer comes at once',
    story(async (world) => {
      const { id, mediaKey } = await world.upload(png());
      await world.ctx.media.delete(mediaKey);
      const { code, message } = await told(recognize(world, id));
      assert.equal(code, 'invalid_value');
      assert.match(message, /^image\.file_id: its file is no longer kept/);
      assert.deepEqual(await world.money(), [100n * PRICE_MICROS, 0n]);
    }),
  );
});

describe('what came with a request', () => {
  const image = png().toString('base64');

  test(
    'is kept while a task may need it, then deleted, also when the request was refused after all',
    story(async (world) => {
      await world.create({ image, external_task_id: 'mine' });
      const other = png(400).toString('base64');
      assert.equal(
        await refusal(world.create({ image: other, external_task_id: 'mine' })),
        'duplicate_external_task_id',
      );
      const keys = await world.stored('inputs/');
      assert.equal(keys.length, 2);
      for (const key of keys) await age(world, key, 30 * DAY_MS - HOUR_MS);
      await world.restart();
      await world.advance(60_000);
      assert.deepEqual(await world.stored('inputs/'), keys);
      await world.advance(7 * HOUR_MS);
      assert.deepEqual(await world.stored('inputs/'), []);
    }),
  );

  test(
    'and is used again is as good as new',
    story(async (world) => {
      await world.create({ image });
      const [key] = await world.stored('inputs/');
      await age(world, key!, 20 * DAY_MS);
      await world.create({ image });
      const { modifiedAt } = (await world.ctx.media.stat(key!))!;
      assert.ok(modifiedAt > world.clock.now() - DAY_MS);
    }),
  );

  test(
    'outlives the longest task where files are kept for a moment only',
    story(
      async (world) => {
        const { task } = await world.create({ image });
        for (const key of await world.stored('inputs/')) await age(world, key, 24 * HOUR_MS);
        await world.restart();
        await world.advance(60_000);
        assert.equal((await world.stored('inputs/')).length, 1);
        assert.equal(await world.state(task.id), 'queued');
      },
      { settings: { retentionMs: HOUR_MS } },
    ),
  );
});

describe('an account', () => {
  test(
    'sees what was put into it, what is left and what is held',
    story(async (world) => {
      await world.create();
      const wallet = await world.gateway.wallet(principal);
      assert.deepEqual(
        [wallet.toppedUpMicros, wallet.availableMicros, wallet.heldMicros, wallet.currency],
        [100n * PRICE_MICROS, 99n * PRICE_MICROS, PRICE_MICROS, 'USD'],
      );
    }),
  );
});

describe('the page of a model', () => {
  test(
    'tells what validation and pricing go by',
    story(async (world) => {
      const model = world.gateway.findModel(principal, 'kling-v2-6')!;
      assert.deepEqual(model.spec.durations, [5, 10]);
      const tiers = new Set(model.prices.map(({ tier }) => tier));
      const { quote } = await world.estimate({ model_name: 'kling-v2-6', duration: '10' });
      assert.ok(tiers.has(quote.tier), `${quote.tier} is among ${[...tiers].join()}`);
      const price = model.prices.find(({ tier, surcharge }) => tier === quote.tier && !surcharge)!;
      assert.equal(quote.amountMicros, 10n * price.unitPriceMicros);
      assert.equal(
        (await told(world.estimate({ model_name: 'kling-v2-6', duration: '7' }))).code,
        'invalid_value',
      );
      const pictures = world.gateway.findModel(principal, 'kling-v2-1')!;
      assert.ok(pictures.features.some(({ operation }) => operation === 'text-to-image'));
      assert.equal(world.gateway.findModel(principal, 'no-such-model'), null);
    }),
  );
});
