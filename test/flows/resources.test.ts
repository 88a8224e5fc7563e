/** What is promised of things that live on: they belong to who made them, and stay with the channel that knows them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { Observation } from '../../src/core/ports.ts';
import { isFeature, type ResourceKind } from '../../src/core/request/feature.ts';
import type { VideoRequest } from '../../src/core/request/types.ts';
import { CHANNEL_ID, principal, refusal, story, stranger, type World } from './harness.ts';
import { mp3, sends } from './local-server.ts';

const DAY_MS = 86_400_000;
const SOUND_URL = 'https://sounds.example.com/me.mp3';

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

/** The account makes a voice; answers its public id. */
async function makeVoice(world: World, upstreamId = 'upstream-voice', by = principal): Promise<string> {
  const fields = { voice_name: 'me', voice_url: SOUND_URL };
  const { task } = await world.feature('custom-voice', fields, by);
  world.upstream.set(task.id, voice(world, upstreamId));
  await world.advance(5_000);
  const done = await world.task(task.id);
  assert.equal(done.state, 'completed');
  return (done.result!.data as { voices: { voice_id: string }[] }).voices[0]!.voice_id;
}

function voice(world: World, upstreamId: string): Observation {
  return world.made([], {
    data: { voices: [{ voice_id: upstreamId, voice_name: 'me' }] },
    resources: [
      {
        kind: 'voice',
        upstreamId,
        name: 'me',
        paths: ['voices.0.voice_id'],
        data: { voice_name: 'me' },
        expiresAt: null,
      },
    ],
  });
}

/** A session at the upstream, answered at once; answers its public id. */
async function openSession(world: World): Promise<string> {
  world.upstream.finding = () =>
    world.made([], {
      data: { session_id: 'upstream-session', face_data: [] },
      resources: [
        {
          kind: 'session',
          upstreamId: 'upstream-session',
          name: null,
          paths: ['session_id'],
          data: {},
          expiresAt: world.clock.now() + DAY_MS,
        },
      ],
    });
  const { task } = await world.feature('identify-face', { video_url: 'https://films.example.com/one.mp4' });
  return (task.result!.data as { session_id: string }).session_id;
}

async function makeFilm(world: World): Promise<string> {
  const { task } = await world.create();
  world.make(task.id);
  await world.advance(5_000);
  assert.equal(await world.state(task.id), 'completed');
  return task.id;
}

const speak = (world: World, voiceId: string, by = principal) =>
  world.feature('lip-sync-classic', lipSync({ voice_id: voiceId }), by);

const lipSync = (input: Record<string, unknown>) => ({
  input: { video_url: 'https://films.example.com/one.mp4', mode: 'text2video', text: 'Hello', ...input },
});

const syncWith = (world: World, sessionId: string, audio: Record<string, unknown>) =>
  world.feature('lip-sync-advanced', {
    session_id: sessionId,
    face_choose: [
      { face_id: '0', sound_start_time: 0, sound_end_time: 2500, sound_insert_time: 0, ...audio },
    ],
  });

const extend = (world: World, videoId: string, by = principal) =>
  world.feature('video-extend', { video_id: videoId, prompt: 'more' }, by);

/** What the upstream was told last: places of resources by path, or the ids of a film's request. */
function upstreamIds(world: World): Record<string, string | null> {
  const { request } = world.upstream.submits.at(-1)!;
  assert.ok(isFeature(request));
  return Object.fromEntries(request.resources.map(({ path, upstreamId }) => [path, upstreamId]));
}

const filmWith = (world: World, fields: Record<string, unknown>) =>
  world.create({ model_name: 'kling-v2-6', sound: 'on', mode: 'pro', duration: '5', ...fields });

const find = (world: World, kind: ResourceKind, id: string, by = principal) =>
  world.gateway.findResource(by, kind, id);

describe('a voice of one’s own', () => {
  test(
    'has a public decimal id, is listed, and the upstream’s id shows nowhere',
    story(async (world) => {
      const id = await makeVoice(world);
      assert.match(id, /^\d{18}$/);
      const row = await find(world, 'voice', id);
      assert.deepEqual([row.name, row.channelId, row.upstreamId], ['me', CHANNEL_ID, 'upstream-voice']);
      const page = await world.gateway.listResources(principal, 'voice', { page: 1, pageSize: 10 });
      assert.deepEqual(
        page.map((one) => one.id),
        [id],
      );
      const task = await world.task(row.taskId!);
      assert.doesNotMatch(JSON.stringify(task.result), /upstream-voice/);
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'is named to its upstream by the upstream’s id, also after a restart, and the task keeps the public one',
    story(async (world) => {
      const id = await makeVoice(world);
      await world.restart();
      const { task } = await speak(world, id);
      assert.deepEqual(upstreamIds(world), { 'input.voice_id': 'upstream-voice' });
      const kept = await world.task(task.id);
      assert.ok(isFeature(kept.request));
      assert.equal(kept.request.resources[0]!.id, id);
    }),
  );

  test(
    'is used in films: the upstream is told its own id, the task keeps the public one',
    story(async (world) => {
      const id = await makeVoice(world);
      const { task } = await filmWith(world, {
        prompt: 'He says <<<voice_1>>>',
        voice_list: [{ voice_id: id }],
      });
      const sent = world.upstream.submits.at(-1)!.request as VideoRequest;
      assert.deepEqual(sent.voiceIds, ['upstream-voice']);
      assert.deepEqual(((await world.task(task.id)).request as VideoRequest).voiceIds, [id]);
    }),
  );

  test(
    'is charged as a voice in films, and somebody else’s is refused there too',
    story(async (world) => {
      const id = await makeVoice(world);
      const fields = { prompt: '<<<voice_1>>>', voice_list: [{ voice_id: id }] };
      const plain = await world.estimate({
        model_name: 'kling-v2-6',
        sound: 'on',
        mode: 'pro',
        duration: '5',
      });
      const { task } = await filmWith(world, fields);
      assert.ok(task.quote.amountMicros > plain.quote.amountMicros);
      const body = world.body({
        model_name: 'kling-v2-6',
        sound: 'on',
        mode: 'pro',
        duration: '5',
        ...fields,
      });
      const { code, param } = await told(world.gateway.createVideo(stranger, body, { dryRun: false }));
      assert.deepEqual([code, param], ['not_found', 'voice_list']);
    }),
  );

  test(
    'does not exist for another account, neither by its public id nor by the upstream’s',
    story(async (world) => {
      const id = await makeVoice(world);
      const asked = world.upstream.submits.length;
      for (const name of [id, 'upstream-voice']) {
        const { code, param } = await told(speak(world, name, stranger));
        assert.deepEqual([code, param], ['not_found', 'input.voice_id']);
      }
      assert.equal(await refusal(find(world, 'voice', id, stranger)), 'not_found');
      assert.equal(await refusal(world.gateway.deleteResource(stranger, 'voice', id)), 'not_found');
      assert.deepEqual(await world.gateway.listResources(stranger, 'voice', { page: 1, pageSize: 10 }), []);
      assert.equal(world.upstream.submits.length, asked);
      assert.equal((await world.store.getWallet(stranger.accountId)).heldMicros, 0n);
    }),
  );

  test(
    'is deleted at its upstream and here, and cannot be used any more',
    story(async (world) => {
      const id = await makeVoice(world);
      await world.gateway.deleteResource(principal, 'voice', id);
      assert.deepEqual(world.upstream.removed, [
        { kind: 'voice', upstreamId: 'upstream-voice', channelId: CHANNEL_ID },
      ]);
      assert.equal(await refusal(find(world, 'voice', id)), 'not_found');
      assert.equal(await refusal(world.gateway.deleteResource(principal, 'voice', id)), 'not_found');
      assert.equal((await told(speak(world, id))).param, 'input.voice_id');
    }),
  );

  test(
    'stays while its upstream cannot be told that it is deleted',
    story(async (world) => {
      const id = await makeVoice(world);
      world.upstream.isOut = true;
      assert.equal(
        await refusal(world.gateway.deleteResource(principal, 'voice', id)),
        'upstream_unavailable',
      );
      assert.equal((await find(world, 'voice', id)).id, id);
      world.upstream.isOut = false;
      await world.gateway.deleteResource(principal, 'voice', id);
      assert.equal(world.upstream.removed.length, 1);
    }),
  );

  test(
    'is deleted here even when the operator has deleted its channel and nobody can be told',
    story(async (world) => {
      const id = await makeVoice(world);
      await world.deleteChannel(CHANNEL_ID);
      world.upstream.isOut = true;
      await world.gateway.deleteResource(principal, 'voice', id);
      assert.equal(await refusal(find(world, 'voice', id)), 'not_found');
    }),
  );

  test(
    'and whose channel’s credential cannot be opened is refused in words, not by a fault',
    story(async (world) => {
      const id = await makeVoice(world);
      await world.updateChannel(CHANNEL_ID, { credentialSealed: 'broken' });
      assert.equal(
        await refusal(world.gateway.deleteResource(principal, 'voice', id)),
        'upstream_unavailable',
      );
    }),
  );

  test(
    'comes once although the process dies when its task completes',
    story(async (world) => {
      const fields = { voice_name: 'me', voice_url: SOUND_URL };
      const { task } = await world.feature('custom-voice', fields);
      world.upstream.set(task.id, voice(world, 'upstream-voice'));
      world.storeBreaksOff = (method) => method === 'finishTask';
      await world.advance(3_000);
      world.storeBreaksOff = () => false;
      await world.restart();
      await world.advance(60_000);
      assert.equal(await world.state(task.id), 'completed');
      const page = await world.gateway.listResources(principal, 'voice', { page: 1, pageSize: 10 });
      assert.equal(page.length, 1);
      assert.ok(await world.ledgerIsSound());
    }),
  );
});

describe('an element of one’s own', () => {
  test(
    'is used in films and pictures under its public id, a number or its digits, beside presets',
    story(async (world) => {
      const { task } = await world.feature('custom-element', {
        element_name: 'cat',
        element_description: 'my cat',
        reference_type: 'image_refer',
        element_image_list: {
          frontal_image: 'https://pictures.example.com/1.png',
          refer_images: [{ image_url: 'https://pictures.example.com/2.png' }],
        },
      });
      const elements = [{ element_id: '829836802793406551', element_name: 'cat' }];
      world.upstream.set(
        task.id,
        world.made([], {
          data: { elements },
          resources: [
            {
              kind: 'element',
              upstreamId: '829836802793406551',
              name: 'cat',
              paths: ['elements.0.element_id'],
              data: {},
              expiresAt: null,
            },
          ],
        }),
      );
      await world.advance(5_000);
      const [row] = await world.gateway.listResources(principal, 'element', { page: 1, pageSize: 10 });
      const id = row!.id;
      assert.deepEqual((await world.task(task.id)).result!.data, {
        elements: [{ element_id: id, element_name: 'cat' }],
      });
      const film = (fields: Record<string, unknown>) =>
        world.create({ model_name: 'kling-v3-omni', prompt: 'x <<<element_1>>>', duration: '5', ...fields });
      await film({ element_list: [{ element_id: BigInt(id) }, { element_id: 155_829 }] });
      const sent = world.upstream.submits.at(-1)!.request as VideoRequest;
      assert.deepEqual(sent.elementIds, ['829836802793406551', '155829']);
      const raw = film({ element_list: [{ element_id: '829836802793406551' }] });
      assert.deepEqual((await told(raw)).code, 'not_found');
    }),
  );
});

describe('a preset', () => {
  test(
    'passes under its own name, to any channel',
    story(async (world) => {
      await speak(world, 'genshin_vindi2');
      assert.deepEqual(upstreamIds(world), { 'input.voice_id': 'genshin_vindi2' });
      const { task } = await filmWith(world, {
        prompt: 'He says <<<voice_1>>>',
        voice_list: [{ voice_id: 'genshin_vindi2' }],
      });
      assert.deepEqual((world.upstream.submits.at(-1)!.request as VideoRequest).voiceIds, ['genshin_vindi2']);
      assert.equal(await world.state(task.id), 'queued');
    }),
  );

  test(
    'is told of by a real channel, and by the sandbox only while there is no real one',
    story(async (world) => {
      world.sandboxUrl = 'http://sandbox.test';
      await world.addChannel({ id: 'chan_sandbox', provider: 'other', sandbox: true, priority: 9 });
      const list = () => world.gateway.listPresets(principal, 'kling', 'voice', { page: 1, pageSize: 10 });
      assert.deepEqual(await list(), [{ voice_id: 'preset-of-fake' }]);
      await world.updateChannel(CHANNEL_ID, { enabled: false });
      assert.deepEqual(await list(), [{ voice_id: 'preset-of-other' }]);
    }),
  );
});

describe('what only one channel knows', () => {
  test(
    'is asked of that channel, whatever others would be preferred',
    story(async (world) => {
      const voiceId = await makeVoice(world);
      const filmId = await makeFilm(world);
      await world.addChannel({ id: 'chan_preferred', provider: 'other', priority: 100 });
      await speak(world, voiceId);
      await extend(world, filmId);
      await filmWith(world, { prompt: '<<<voice_1>>>', voice_list: [{ voice_id: voiceId }] });
      assert.deepEqual(
        world.upstream.submits.slice(-3).map(({ channelId }) => channelId),
        [CHANNEL_ID, CHANNEL_ID, CHANNEL_ID],
      );
      assert.equal(world.other.submits.length, 0);
    }),
  );

  for (const [what, switchOff] of [
    ['switched off', (world: World) => world.updateChannel(CHANNEL_ID, { enabled: false })],
    ['deleted', (world: World) => world.deleteChannel(CHANNEL_ID)],
  ] as const) {
    test(
      `is refused with no_channel once its channel is ${what}, in words that tell why`,
      story(async (world) => {
        const voiceId = await makeVoice(world);
        await world.addChannel({ id: 'chan_other', provider: 'other' });
        await switchOff(world);
        const before = await world.money();
        const { code, message } = await told(speak(world, voiceId));
        assert.equal(code, 'no_channel');
        assert.match(message, /switched off or deleted/);
        const { warnings } = await world.estimateFeature('lip-sync-classic', lipSync({ voice_id: voiceId }));
        assert.deepEqual(
          warnings.map((warning) => warning.code),
          ['no_channel'],
        );
        assert.deepEqual(await world.money(), before);
        assert.equal(world.other.submits.length, 0);
      }),
    );

    test(
      `waits where it was accepted already when its channel is ${what}, and is never moved`,
      story(
        async (world) => {
          const voiceId = await makeVoice(world);
          await world.addChannel({ id: 'chan_other', provider: 'other' });
          await world.updateChannel('chan_other', { enabled: false });
          const filler = await world.create();
          const pinned = (await speak(world, voiceId)).task.id;
          const film = await filmWith(world, {
            prompt: '<<<voice_1>>>',
            voice_list: [{ voice_id: voiceId }],
          });
          const free = (await world.create()).task.id;
          await world.updateChannel('chan_other', { enabled: true });
          await switchOff(world);
          world.make(filler.task.id);
          await world.advance(60_000);
          assert.deepEqual(
            world.other.submits.map(({ taskId }) => taskId),
            [free],
          );
          assert.deepEqual(
            [await world.state(pinned), await world.state(film.task.id)],
            ['queued', 'queued'],
          );
          assert.equal(world.upstream.submitsOf(pinned), 0);
          await world.advance(600_000);
          assert.equal((await world.task(pinned)).error?.code, 'expired');
          assert.ok(await world.ledgerIsSound());
        },
        { channel: { concurrency: 1 }, settings: { taskDeadlineMs: 600_000 } },
      ),
    );
  }

  test(
    'is refused in words of its own where that channel cannot do what another could',
    story(async (world) => {
      const filmId = await makeFilm(world);
      await world.addChannel({ id: 'chan_other', provider: 'other' });
      world.upstream.missing = () => 'it extends no films';
      const { code, message } = await told(extend(world, filmId));
      assert.equal(code, 'no_channel');
      assert.match(message, /^What this request names .* it extends no films/);
      assert.equal(world.other.submits.length, 0);
    }),
  );

  test(
    'is not sent to another channel when its own refuses for the moment',
    story(async (world) => {
      const voiceId = await makeVoice(world);
      await world.addChannel({ id: 'chan_other', provider: 'other' });
      world.upstream.answer = () => ({ refuse: 'unavailable' });
      const { task } = await speak(world, voiceId);
      await world.advance(30_000);
      assert.equal(world.other.submits.length, 0);
      world.upstream.answer = () => 'accept';
      await world.advance(60_000);
      assert.ok(world.upstream.tasks.has(task.id));
    }),
  );

  test(
    'cannot be combined with what another channel knows',
    story(async (world) => {
      const first = await makeVoice(world, 'voice-1');
      await world.addChannel({ id: 'chan_second', priority: 9 });
      const second = await makeVoice(world, 'voice-2');
      const voices = [{ voice_id: first }, { voice_id: second }];
      const { code, param } = await told(
        filmWith(world, { prompt: '<<<voice_1>>> <<<voice_2>>>', voice_list: voices }),
      );
      assert.deepEqual([code, param], ['invalid_value', 'voice_list']);
    }),
  );
});

describe('a session', () => {
  test(
    'is used under its public id within its day, at the channel that opened it',
    story(async (world) => {
      const id = await openSession(world);
      await world.addChannel({ id: 'chan_preferred', provider: 'other', priority: 100 });
      const { task } = await syncWith(world, id, { sound_file: SOUND_URL });
      assert.equal(task.channelId, CHANNEL_ID);
      assert.equal(upstreamIds(world)['session_id'], 'upstream-session');
    }),
  );

  test(
    'is over after its day, is nobody else’s, and cannot be named by the upstream’s id',
    story(async (world) => {
      const id = await openSession(world);
      const { code, param } = await told(syncWith(world, 'upstream-session', { sound_file: SOUND_URL }));
      assert.deepEqual([code, param], ['not_found', 'session_id']);
      await world.sleepThrough(DAY_MS);
      assert.equal((await told(syncWith(world, id, { sound_file: SOUND_URL }))).code, 'not_found');
      const [, held] = await world.money();
      assert.equal(held, 0n);
    }),
  );
});

describe('a film or sound that was made', () => {
  test(
    'is built upon by the id of its task, which the upstream knows by its own',
    story(async (world) => {
      const id = await makeFilm(world);
      const { task } = await extend(world, id);
      assert.deepEqual(upstreamIds(world), { video_id: 'film-1' });
      assert.equal(task.channelId, CHANNEL_ID);
    }),
  );

  test(
    'counts as well when it is a sound',
    story(async (world) => {
      world.server.answers.set('/rain.mp3', sends(mp3, 'audio/mpeg'));
      const { task } = await world.feature('text-to-audio', { prompt: 'rain', duration: 5 });
      world.upstream.set(task.id, world.made([{ role: 'audio', path: '/rain.mp3', upstreamId: 'sound-7' }]));
      await world.advance(5_000);
      const sessionId = await openSession(world);
      await syncWith(world, sessionId, { audio_id: task.id });
      assert.deepEqual(upstreamIds(world), {
        session_id: 'upstream-session',
        'face_choose.0.audio_id': 'sound-7',
      });
      const film = await makeFilm(world);
      const { code, param } = await told(syncWith(world, sessionId, { audio_id: film }));
      assert.deepEqual([code, param], ['not_found', 'face_choose[0].audio_id']);
    }),
  );

  test(
    'is refused by the field that named it when it is unknown, somebody else’s, deleted or not done',
    story(async (world) => {
      const id = await makeFilm(world);
      const gone = await makeFilm(world);
      await world.delete(gone);
      const running = (await world.create()).task.id;
      const before = await world.money();
      const refused = async (work: Promise<unknown>) => {
        const { code, param } = await told(work);
        return [code, param];
      };
      assert.deepEqual(await refused(extend(world, 'task_unknown')), ['not_found', 'video_id']);
      assert.deepEqual(await refused(extend(world, 'film-1')), ['not_found', 'video_id']);
      assert.deepEqual(await refused(extend(world, id, stranger)), ['not_found', 'video_id']);
      assert.deepEqual(await refused(extend(world, gone)), ['not_found', 'video_id']);
      assert.deepEqual(await refused(extend(world, running)), ['invalid_value', 'video_id']);
      assert.deepEqual(await world.money(), before);
    }),
  );

  test(
    'is built upon for 30 days, also when our own copy went before; then it is too old',
    story(
      async (world) => {
        const id = await makeFilm(world);
        await world.sleepThrough(29 * DAY_MS);
        assert.deepEqual((await world.task(id)).result!.outputs, []);
        await extend(world, id);
        assert.deepEqual(upstreamIds(world), { video_id: 'film-1' });
        await world.sleepThrough(DAY_MS);
        const { code, param, message } = await told(extend(world, id));
        assert.deepEqual([code, param], ['invalid_value', 'video_id']);
        assert.match(message, /30 days/);
      },
      { settings: { retentionMs: 7 * DAY_MS } },
    ),
  );

  test(
    'cannot be built upon when its upstream gave it no id, and that is said',
    story(async (world) => {
      const { task } = await world.create();
      world.server.answers.set('/film.mp4', world.server.answers.get('/film.mp4')!);
      world.upstream.set(task.id, world.made([{ role: 'video', path: '/film.mp4', durationSeconds: 5 }]));
      await world.advance(5_000);
      const { code, param, message } = await told(extend(world, task.id));
      assert.deepEqual([code, param], ['invalid_value', 'video_id']);
      assert.match(message, /gave no id/);
    }),
  );
});

describe('a channel of the sandbox', () => {
  test(
    'counts as switched off while there is no sandbox: nothing is sent to it, and what waits goes elsewhere',
    story(
      async (world) => {
        world.sandboxUrl = 'http://sandbox.test';
        await world.addChannel({ id: 'chan_sandbox', sandbox: true, priority: 9, concurrency: 1 });
        const running = (await world.create()).task.id;
        const waiting = (await world.create()).task.id;
        assert.deepEqual(
          world.upstream.submits.map(({ channelId }) => channelId),
          ['chan_sandbox'],
        );
        world.sandboxUrl = null;
        await world.restart();
        await world.advance(10_000);
        assert.equal((await world.task(waiting)).channelId, CHANNEL_ID);
        assert.equal((await world.create()).task.channelId, CHANNEL_ID);
        assert.equal(world.upstream.submitsOf(running), 1);
        // What an operator set stays as it is.
        assert.equal((await world.store.getChannel('chan_sandbox'))!.enabled, true);
      },
      { settings: { sandboxAlways: true } },
    ),
  );

  test(
    'that an operator switched off gets nothing although the sandbox runs',
    story(
      async (world) => {
        world.sandboxUrl = 'http://sandbox.test';
        await world.addChannel({ id: 'chan_sandbox', sandbox: true, priority: 9, enabled: false });
        await world.restart();
        assert.equal((await world.create()).task.channelId, CHANNEL_ID);
      },
      { settings: { sandboxAlways: true } },
    ),
  );
});
