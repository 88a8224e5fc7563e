/** What is promised of features: made like films, or answered at once; never charged for nothing, never left hanging. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { Admin, Json, Observation } from '../../src/core/ports.ts';
import type { FaultStep } from '../../src/flows/context.ts';
import { startFixture, testAdminToken } from '../../src/http/server.fixture.ts';
import { CHANNEL_ID, refusal, story, type World } from './harness.ts';
import { mp3, png, sends, wav } from './local-server.ts';

const DAY_MS = 86_400_000;
const BALANCE = 28_000_000n;
/** Micro-units of USD per call or picture. */
const FACES_PRICE = 7_000n;
const PICTURE_PRICE = 14_000n;
const SPEECH_PRICE = 7_000n;
const FILM_URL = 'https://films.example.com/one.mp4';

/** Two faces in a film, as the family tells of them; the upstream's own ids and no links. */
function faces(world: World): Observation {
  world.server.answers.set('/face-0.png', sends(png(64), 'image/png'));
  world.server.answers.set('/face-1.png', sends(png(48), 'image/png'));
  return world.made(
    [
      { role: 'image', index: 0, path: '/face-0.png', at: 'face_data.0.face_image' },
      { role: 'image', index: 1, path: '/face-1.png', at: 'face_data.1.face_image' },
    ],
    {
      data: {
        session_id: 'upstream-session',
        face_data: [
          { face_id: '0', face_image: null },
          { face_id: '1', face_image: null },
        ],
      },
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
    },
  );
}

const identify = (world: World, fields: Record<string, unknown> = {}) =>
  world.feature('identify-face', { video_url: FILM_URL, ...fields });

const speak = (world: World, fields: Record<string, unknown> = {}) =>
  world.feature('text-to-speech', { text: 'Hello', voice_id: 'preset', ...fields });

/** Speech that is answered at once, its sound on the local server. */
function speaks(world: World): void {
  world.server.answers.set('/speech.mp3', sends(mp3, 'audio/mpeg'));
  world.upstream.finding = () =>
    world.made([{ role: 'audio', path: '/speech.mp3', upstreamId: 'sound-7', durationSeconds: 2.5 }]);
}

async function told(work: Promise<unknown>): Promise<GatewayError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('pictures', () => {
  test(
    'come as many as were asked for, in order, with their type and size, and are paid by the picture',
    story(async (world) => {
      const { task } = await world.feature('text-to-image', {
        model_name: 'kling-v2-1',
        prompt: 'a cat',
        n: 3,
      });
      assert.equal(task.state, 'queued');
      const outputs = [0, 1, 2].map((index) => ({ role: 'image' as const, index, path: `/${index}.png` }));
      outputs.forEach(({ path }, index) =>
        world.server.answers.set(path, sends(png(320 + index, 200), 'binary/octet-stream')),
      );
      world.upstream.set(task.id, world.made(outputs));
      await world.advance(5_000);
      const done = await world.find(task.id);
      assert.deepEqual(
        done.task.result!.outputs.map(({ role, index, contentType }) => [role, index, contentType]),
        [0, 1, 2].map((index) => ['image', index, 'image/png']),
      );
      assert.deepEqual([done.task.result!.width, done.task.result!.height], [320, 200]);
      assert.deepEqual(
        done.links!.outputs.map((link) => new URL(link).pathname),
        ['image.png', 'image-1.png', 'image-2.png'].map((name) => `/content/${task.id}/${name}`),
      );
      assert.equal(done.task.chargeMicros, 3n * PICTURE_PRICE);
      assert.deepEqual(await world.money(), [BALANCE - done.task.chargeMicros!, 0n]);
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'are not complete while one of them is missing',
    story(async (world) => {
      const { task } = await world.feature('text-to-image', {
        model_name: 'kling-v2-1',
        prompt: 'a cat',
        n: 2,
      });
      world.server.answers.set('/0.png', sends(png(), 'image/png'));
      world.server.answers.set('/1.png', sends('<html>expired</html>', 'image/png'));
      const outputs = [0, 1].map((index) => ({ role: 'image' as const, index, path: `/${index}.png` }));
      world.upstream.set(task.id, world.made(outputs));
      await world.advance(5_000);
      assert.equal(await world.state(task.id), 'in_progress');
      world.server.answers.set('/1.png', sends(png(), 'image/png'));
      await world.advance(60_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );
});

describe('a sound', () => {
  test(
    'comes compressed and uncompressed, with its length',
    story(async (world) => {
      const { task } = await world.feature('text-to-audio', { prompt: 'rain', duration: 5 });
      world.server.answers.set('/rain.mp3', sends(mp3, 'audio/mpeg'));
      world.server.answers.set('/rain.wav', sends(wav, 'audio/wav'));
      world.upstream.set(
        task.id,
        world.made([
          { role: 'audio', path: '/rain.mp3', durationSeconds: 5.2 },
          { role: 'audio_wav', path: '/rain.wav', durationSeconds: 5.2 },
        ]),
      );
      await world.advance(5_000);
      const done = await world.find(task.id);
      assert.deepEqual(
        done.task.result!.outputs.map(({ role, contentType, durationSeconds }) => [
          role,
          contentType,
          durationSeconds,
        ]),
        [
          ['audio', 'audio/mpeg', 5.2],
          ['audio_wav', 'audio/wav', 5.2],
        ],
      );
      assert.equal(done.task.result!.durationSeconds, 5.2);
      assert.equal(done.task.result!.hasSound, true);
      assert.equal(done.links!.outputs.length, 2);
    }),
  );
});

describe('a feature', () => {
  test(
    'as a dry run writes nothing and asks nobody, also where it would be answered at once',
    story(async (world) => {
      const before = await world.stored('');
      const image = png().toString('base64');
      const { quote } = await world.estimateFeature('image-recognize', { image });
      assert.equal(quote.tier, 'kling-image-recognize');
      await world.estimateFeature('image-expand', {
        image,
        up_expansion_ratio: 0.1,
        down_expansion_ratio: 0.1,
        left_expansion_ratio: 0.1,
        right_expansion_ratio: 0.1,
      });
      assert.deepEqual(world.changes, []);
      assert.deepEqual(await world.stored(''), before);
      assert.equal(world.upstream.submits.length, 0);
    }),
  );

  test(
    'above max_cost, without money, or named like another is refused before the upstream hears of it',
    story(async (world) => {
      assert.equal(await refusal(identify(world, { max_cost: '0.001' })), 'max_cost_exceeded');
      await world.feature('text-to-audio', { prompt: 'rain', duration: 5, external_task_id: 'mine' });
      const before = await world.money();
      const asked = world.upstream.submits.length;
      assert.equal(
        await refusal(identify(world, { external_task_id: 'mine' })),
        'duplicate_external_task_id',
      );
      assert.equal(
        await refusal(
          world.feature('text-to-audio', { prompt: 'rain', duration: 5, external_task_id: 'mine' }),
        ),
        'duplicate_external_task_id',
      );
      assert.deepEqual(await world.money(), before);
      assert.equal(world.upstream.submits.length, asked);
    }),
  );

  test(
    'without money is refused, and leaves no picture on the disk',
    story(
      async (world) => {
        assert.equal(await refusal(identify(world)), 'insufficient_quota');
        const image = png().toString('base64');
        assert.equal(await refusal(world.feature('image-recognize', { image })), 'insufficient_quota');
        assert.deepEqual(await world.stored('inputs/'), []);
        assert.equal(world.upstream.submits.length, 0);
      },
      { balance: 0 },
    ),
  );

  test(
    'tells its callback of every change, as films do',
    story(async (world) => {
      world.server.answers.set('/hook', sends('', 'text/plain', 200));
      world.server.answers.set('/rain.mp3', sends(mp3, 'audio/mpeg'));
      const { task } = await world.feature('text-to-audio', {
        prompt: 'rain',
        duration: 5,
        callback_url: `${world.server.origin}/hook`,
      });
      await world.advance(1_000);
      world.upstream.set(task.id, world.made([{ role: 'audio', path: '/rain.mp3' }]));
      await world.advance(10_000);
      const told = world.server.requests.filter(({ path }) => path === '/hook');
      assert.deepEqual(
        told.map(({ body }) => [body.task_id, body.task_status]),
        [
          [task.id, 'submitted'],
          // Made before any poll saw it running: told all the same.
          [task.id, 'processing'],
          [task.id, 'succeed'],
        ],
      );
      assert.match(told[2]!.body.task_result.audios[0].url_mp3, /^https:\/\/reelay\.test\/content\//);
      assert.deepEqual(world.errors, []);
    }),
  );

  test(
    'stands in the operator’s list and flight recorder like any task',
    story(async (world) => {
      world.upstream.finding = () => faces(world);
      const { task } = await identify(world);
      const record = await world.record(task.id);
      const fixture = await startFixture({
        admin: {
          taskRecord: async () => record,
          listTasks: (query) => world.store.adminTasks(query),
        } as Partial<Admin> as Admin,
      });
      const headers = { authorization: `Bearer ${testAdminToken}` };
      const one = await fixture.server.inject({ url: `/admin/v1/tasks/${task.id}`, headers });
      const list = await fixture.server.inject({ url: '/admin/v1/tasks', headers });
      await fixture.server.close();
      assert.deepEqual([one.statusCode, list.statusCode], [200, 200]);
      assert.equal(one.json().request.operation, 'identify-face');
      assert.equal(list.json().data[0].operation, 'identify-face');
    }),
  );
});

describe('what is answered at once', () => {
  test(
    'is final when the create answers: public ids, pictures by links of ours, paid once',
    story(async (world) => {
      world.upstream.finding = () => faces(world);
      const { task, links } = await identify(world, { external_task_id: 'mine' });
      assert.equal(task.state, 'completed');
      assert.equal(task.chargeMicros, FACES_PRICE);
      const data = task.result!.data as { session_id: string; face_data: Json };
      assert.match(data.session_id, /^\d{18}$/);
      assert.deepEqual(data.face_data, [
        { face_id: '0', face_image: links!.outputs[0] },
        { face_id: '1', face_image: links!.outputs[1] },
      ]);
      assert.match(links!.outputs[1]!, /^https:\/\/reelay\.test\/content\/.*\/image-1\.png/);
      assert.doesNotMatch(JSON.stringify(task.result), /upstream-session|127\.0\.0\.1/);
      assert.deepEqual(await world.money(), [BALANCE - FACES_PRICE, 0n]);
      assert.deepEqual((await world.find('mine')).task.result!.data, data);

      // Nothing comes after it: neither a poll nor a second fetch.
      await world.advance(10 * 60_000);
      assert.equal(world.upstream.polls.length, 0);
      assert.equal(world.upstream.submits.length, 1);
      assert.equal(world.server.requests.length, 2);
      const record = await world.record(task.id);
      assert.equal(record.attempts[0]!.state, 'made');
      assert.deepEqual(
        record.usage.map(({ quantity, cost }) => ({ quantity, cost })),
        [{ quantity: 1, cost: { amount: '1', unit: 'unit' } }],
      );
      assert.ok(await world.ledgerIsSound());
      assert.deepEqual(world.errors, []);
    }),
  );

  test(
    'without files is final as well',
    story(async (world) => {
      world.upstream.finding = () => world.made([], { data: { face_data: [] } });
      const { task, links } = await identify(world);
      assert.deepEqual([task.state, task.result!.data, links], ['completed', { face_data: [] }, null]);
      assert.deepEqual((await world.record(task.id)).usage[0]!.cost, { amount: '1', unit: 'unit' });
      assert.deepEqual(await world.money(), [BALANCE - FACES_PRICE, 0n]);
    }),
  );

  for (const [kind, code, state] of [
    ['rejected', 'invalid_value', 'refused'],
    ['content_policy', 'content_policy', 'refused'],
    ['busy', 'upstream_unavailable', 'refused'],
    ['channel', 'upstream_unavailable', 'refused'],
    ['unavailable', 'upstream_unavailable', 'refused'],
  ] as const) {
    test(
      `and refused by the upstream (${kind}) is refused with ${code}, and free`,
      story(async (world) => {
        world.upstream.answer = () => ({ refuse: kind, retryAfterMs: 7_000 });
        const error = await told(identify(world, { external_task_id: 'mine' }));
        assert.equal(error.code, code);
        const { task } = await world.find('mine');
        assert.equal(task.state, 'failed');
        assert.equal(task.error!.code, kind === 'content_policy' ? 'content_policy' : 'task_failed');
        assert.equal((await world.record(task.id)).attempts[0]!.state, state);
        assert.deepEqual(await world.money(), [BALANCE, 0n]);
        await world.advance(120_000);
        assert.equal(world.upstream.submits.length, 1);
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
      }),
    );
  }

  for (const [what, prepare] of [
    ['breaks off', (world: World) => void (world.upstream.answer = () => 'reset')],
    [
      'says that it will answer later',
      (world: World) => void (world.upstream.finding = () => ({ status: 'processing' })),
    ],
    [
      'is spoken to by code with a bug',
      (world: World) =>
        void (world.upstream.finding = () => {
          throw new TypeError('undefined is not a function');
        }),
    ],
  ] as const) {
    test(
      `is free when the upstream ${what}: the attempt is lost and the caller may try again`,
      story(async (world) => {
        prepare(world);
        const error = await told(identify(world, { external_task_id: 'mine' }));
        assert.equal(error.code, 'upstream_unavailable');
        const { task } = await world.find('mine');
        assert.deepEqual([task.state, task.error!.code], ['failed', 'lost']);
        assert.equal((await world.record(task.id)).attempts[0]!.state, 'lost');
        assert.deepEqual(await world.money(), [BALANCE, 0n]);
        await world.advance(120_000);
        assert.equal(world.upstream.submits.length, 1);
        assert.equal(world.upstream.lookups.length, 0);
      }),
    );
  }

  test(
    'with a verdict against its content is refused as such',
    story(async (world) => {
      world.upstream.finding = () => ({
        status: 'failed',
        code: 'content_policy',
        message: 'Not this film.',
        upstreamCode: '1301',
      });
      const error = await told(identify(world));
      assert.deepEqual([error.code, error.publicMessage], ['content_policy', 'Not this film.']);
      assert.deepEqual(await world.money(), [BALANCE, 0n]);
    }),
  );

  test(
    'whose file cannot be fetched is free, now and later',
    story(async (world) => {
      speaks(world);
      world.server.answers.set('/speech.mp3', sends('', 'text/plain', 503));
      const error = await told(speak(world, { external_task_id: 'mine' }));
      assert.equal(error.code, 'upstream_unavailable');
      assert.match(error.publicMessage, /Nothing was charged/);
      world.server.answers.set('/speech.mp3', sends(mp3, 'audio/mpeg'));
      await world.advance(30 * 60_000);
      assert.equal((await world.find('mine')).task.state, 'failed');
      assert.deepEqual(await world.money(), [BALANCE, 0n]);
      assert.deepEqual(world.errors, []);
    }),
  );

  for (const method of ['acceptTask', 'madeAttempt', 'finishTask'] as const) {
    for (const isLost of [false, true]) {
      test(
        `is settled by itself when the store ${isLost ? 'breaks off after' : 'cannot commit'} ${method}`,
        story(async (world) => {
          speaks(world);
          const breaks = (name: string) => name === method;
          if (isLost) world.storeBreaksOff = breaks;
          else world.storeFails = breaks;
          assert.match(
            await refusal(speak(world, { external_task_id: 'mine' })),
            /^(upstream_)?unavailable$/,
          );
          world.storeFails = world.storeBreaksOff = () => false;
          await world.advance(20 * 60_000);
          const [, held] = await world.money();
          assert.equal(held, 0n);
          assert.ok(await world.ledgerIsSound());
          assert.equal(await world.lanes.running(CHANNEL_ID), 0);
          const task = await world.store.findTask('acct_story', 'mine');
          assert.ok(task === null || task.state === 'completed' || task.state === 'failed');
          assert.ok(world.upstream.submits.length <= 1);
        }),
      );
    }
  }

  const STEPS: FaultStep[] = [
    'submit:before-accept',
    'submit:after-accept',
    'attempt:before-upstream',
    'attempt:after-upstream',
    'advance:before-made',
    'advance:after-made',
    'attempt:after-record',
    'persist:before-download',
    'persist:after-download',
    'persist:before-finish',
    'persist:after-finish',
  ];
  for (const step of STEPS) {
    test(
      `is released or completed once when the process dies at ${step}`,
      story(async (world) => {
        speaks(world);
        world.diesAt = step;
        await assert.rejects(speak(world, { external_task_id: 'mine' }));
        await world.restart();
        await world.advance(5 * 60_000);
        const task = await world.store.findTask('acct_story', 'mine');
        const [available, held] = await world.money();
        assert.equal(held, 0n);
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
        assert.ok(await world.ledgerIsSound());
        assert.ok(world.upstream.submits.length <= 1);
        assert.equal(world.upstream.polls.length, 0);
        if (step === 'submit:before-accept') assert.equal(task, null);
        else {
          // What was made and recorded is brought home; what nobody knows of is free.
          const isMade = STEPS.indexOf(step) >= STEPS.indexOf('advance:after-made');
          assert.equal(task!.state, isMade ? 'completed' : 'failed');
          assert.equal(available, isMade ? BALANCE - SPEECH_PRICE : BALANCE);
          if (!isMade) assert.equal(task!.error!.code, 'lost');
        }
      }),
    );
  }

  test(
    'does not wait for a place among the films of its channel, and takes none',
    story(
      async (world) => {
        speaks(world);
        const film = await world.create();
        assert.equal((await speak(world)).task.state, 'completed');
        assert.equal(await world.lanes.running(CHANNEL_ID), 1);
        assert.equal(world.upstream.submitsOf(film.task.id), 1);
      },
      { channel: { concurrency: 1 } },
    ),
  );
});
