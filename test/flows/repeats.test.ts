/** What a repeat promises: one effect per Idempotency-Key and per create an SDK sends, also with a crash in between. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { Intent } from '../../src/core/intent.ts';
import type { Principal, TaskView } from '../../src/core/ports.ts';
import type { LooseFeature } from '../../src/core/request/feature.ts';
import type { TaskRequest } from '../../src/core/request/feature.ts';
import { createAdmin } from '../../src/flows/admin/index.ts';
import { routeFor } from '../../src/flows/route.ts';
import { refusal, story, type World } from './harness.ts';

const principal: Principal = { accountId: 'acct_story', keyId: 'key_story', responseStyle: 'superset' };

const keyed = (key: string, requestHash = 'hash'): Intent => ({ key, requestHash, retryCount: null });
const sent = (retryCount: number, requestHash = 'hash'): Intent => ({ key: null, requestHash, retryCount });

const create = (world: World, intent: Intent, fields: Record<string, unknown> = {}): Promise<TaskView> =>
  world.gateway.createVideo(principal, world.body(fields), { dryRun: false, intent });

function identify(world: World, intent: Intent): Promise<TaskView> {
  const loose: LooseFeature = {
    surface: 'kling.identify-face',
    operation: 'identify-face',
    model: null,
    fields: { video_url: 'https://films.example.com/a.mp4' },
    externalTaskId: undefined,
    callbackUrl: undefined,
    maxCost: undefined,
  };
  return world.gateway.createFeature(principal, loose, { dryRun: false, intent });
}

/** Ids of the tasks that were answered; everything else must be `request_in_progress`. */
async function answered(work: Promise<TaskView>[]): Promise<string[]> {
  const ids: string[] = [];
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'fulfilled') ids.push(outcome.value.task.id);
    else assert.equal((outcome.reason as GatewayError).code, 'request_in_progress');
  }
  return ids;
}

describe('a create with an Idempotency-Key', () => {
  test(
    'sent twice is one task, and the second answer says so',
    story(async (world) => {
      const first = await create(world, keyed('k'));
      await world.advance(5_000);
      const second = await create(world, keyed('k'));
      assert.equal(second.task.id, first.task.id);
      assert.deepEqual([first.replayed, second.replayed], [undefined, true]);
      assert.equal(world.upstream.submits.length, 1);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
    }),
  );

  test(
    'and another body is refused, and creates nothing',
    story(async (world) => {
      await create(world, keyed('k'));
      assert.equal(await refusal(create(world, keyed('k', 'other'))), 'idempotency_conflict');
      assert.equal(world.upstream.submits.length, 1);
    }),
  );

  test(
    'that is under way is answered "in progress", and with the task once that is accepted',
    story(async (world) => {
      world.upstream.answer = () => 'slow';
      const first = create(world, keyed('k'));
      assert.equal(await refusal(create(world, keyed('k'))), 'request_in_progress');
      assert.equal(await refusal(create(world, keyed('k', 'other'))), 'idempotency_conflict');
      // It waits for its upstream, but is accepted: that is enough to answer a repeat.
      await world.settle();
      const repeat = await create(world, keyed('k'));
      world.upstream.release();
      assert.equal((await first).task.id, repeat.task.id);
    }),
  );

  test(
    'that was refused may be corrected and sent again',
    story(async (world) => {
      assert.equal(await refusal(create(world, keyed('k'), { max_cost: '0.01' })), 'max_cost_exceeded');
      assert.equal((await create(world, keyed('k', 'corrected'))).replayed, undefined);
    }),
  );

  for (const step of ['submit:before-accept', 'submit:after-accept', 'attempt:after-upstream'] as const) {
    test(
      `is one task although the process dies at ${step}`,
      story(async (world) => {
        world.diesAt = step;
        const first = create(world, keyed('k')).catch(() => null);
        await world.settle();
        await world.restart();
        const repeats = await answered(Array.from({ length: 5 }, () => create(world, keyed('k'))));
        const again = await create(world, keyed('k'));
        await first;
        assert.deepEqual(new Set([...repeats, again.task.id]).size, 1);
        await world.advance(60_000);
        assert.equal(world.upstream.submits.length, 1);
        assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
        assert.ok(await world.ledgerIsSound());
      }),
    );
  }

  test(
    'is one task although its commit was never heard of',
    story(async (world) => {
      world.storeBreaksOff = (method) => method === 'acceptTask';
      assert.equal(await refusal(create(world, keyed('k'))), 'unavailable');
      world.storeBreaksOff = () => false;
      assert.equal((await create(world, keyed('k'))).replayed, true);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
    }),
  );

  test(
    'is remembered for a day, then forgotten',
    story(async (world) => {
      const first = await create(world, keyed('k'));
      await world.sleepThrough(23 * 3_600_000);
      assert.equal((await create(world, keyed('k'))).task.id, first.task.id);
      await world.sleepThrough(2 * 3_600_000);
      assert.equal(await world.store.findUsedKey('acct_story', 'k', 0), null);
      assert.notEqual((await create(world, keyed('k'))).task.id, first.task.id);
    }),
  );

  test(
    'replays what was deleted since',
    story(async (world) => {
      const { task } = await create(world, keyed('k'));
      world.make(task.id);
      await world.advance(5_000);
      await world.delete(task.id);
      assert.equal((await create(world, keyed('k'))).task.id, task.id);
    }),
  );

  test(
    'sent by 100 callers ten times at once, with a crash in the middle, has one effect each',
    story(
      async (world) => {
        const round = () =>
          Array.from({ length: 100 }, (_, key) =>
            Array.from({ length: 10 }, () => create(world, keyed(`k${key}`))),
          );
        const before = round().flat();
        for (const work of before) work.catch(() => {});
        // Some are committed, some are not.
        await new Promise((resolve) => setImmediate(resolve));
        await world.restart();
        await Promise.allSettled(before);
        for (const ids of await Promise.all(round().map(answered))) assert.ok(new Set(ids).size <= 1);
        await world.settle();
        const ids = await Promise.all(
          Array.from({ length: 100 }, async (_, key) => (await create(world, keyed(`k${key}`))).task.id),
        );
        assert.equal(new Set(ids).size, 100);
        const { rows } = await world.store.adminTasks({ cursor: null, limit: 200 });
        assert.equal(rows.length, 100);
        assert.deepEqual(await world.wallet(), { available: 400, held: 100 });
        assert.ok(await world.ledgerIsSound());
      },
      { balance: 500, channel: { concurrency: 1 } },
    ),
  );
});

describe('a feature that is answered at once, with a key', () => {
  test(
    'is asked for once and answered twice',
    story(async (world) => {
      world.upstream.finding = () => ({ status: 'succeeded', outputs: [], cost: null, data: { faces: 1 } });
      const first = await identify(world, keyed('k'));
      const second = await identify(world, keyed('k'));
      assert.deepEqual(second.task.result?.data, first.task.result?.data);
      assert.equal(second.replayed, true);
      assert.equal(world.upstream.submits.length, 1);
    }),
  );

  test(
    'may be tried again when the upstream refused it, and then has one effect',
    story(async (world) => {
      world.upstream.answer = () => ({ refuse: 'unavailable' });
      assert.equal(await refusal(identify(world, keyed('k'))), 'upstream_unavailable');
      world.upstream.answer = () => 'accept';
      const second = await identify(world, keyed('k'));
      assert.equal(second.replayed, undefined);
      assert.equal((await identify(world, keyed('k'))).task.id, second.task.id);
      assert.equal(world.upstream.submits.length, 2);
    }),
  );

  test(
    'is in progress while it is worked on, and after a crash until that is cleared up',
    story(async (world) => {
      world.diesAt = 'attempt:before-upstream';
      await assert.rejects(identify(world, keyed('k')));
      await world.restart();
      assert.equal(await refusal(identify(world, keyed('k'))), 'request_in_progress');
      await world.advance(10 * 60_000);
      assert.equal((await identify(world, keyed('k'))).task.state, 'completed');
      assert.ok(await world.ledgerIsSound());
    }),
  );
});

describe('what an SDK sends again', () => {
  test(
    'is the task of its first sending, also after a crash',
    story(async (world) => {
      const first = await create(world, sent(0));
      await world.restart();
      const second = await create(world, sent(1));
      const third = await create(world, sent(2));
      assert.deepEqual([second.task.id, third.task.id], [first.task.id, first.task.id]);
      assert.equal(second.replayed, true);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
    }),
  );

  test(
    'is a task of its own when the first sending made none, is long ago, or came from elsewhere',
    story(async (world) => {
      assert.equal(await refusal(create(world, sent(0), { max_cost: '0.01' })), 'max_cost_exceeded');
      const first = await create(world, sent(1));
      assert.equal(first.replayed, undefined);
      const other = { ...principal, keyId: 'key_other' };
      const elsewhere = await world.gateway.createVideo(other, world.body(), {
        dryRun: false,
        intent: sent(1),
      });
      assert.equal(elsewhere.replayed, undefined);
      assert.equal((await create(world, sent(1, 'other body'))).replayed, undefined);
      await world.advance(121_000);
      assert.equal((await create(world, sent(2))).replayed, undefined);
    }),
  );

  test(
    'waits for a first sending that is under way',
    story(async (world) => {
      const first = create(world, sent(0));
      const second = create(world, sent(1));
      assert.equal((await second).task.id, (await first).task.id);
      assert.equal(world.upstream.submits.length, 1);
    }),
  );

  test(
    'finds as many tasks as there were equal requests',
    story(async (world) => {
      const first = await Promise.all([0, 0, 0, 0, 0].map(() => create(world, sent(0))));
      const again = await Promise.all([1, 1, 1, 1, 1].map(() => create(world, sent(1))));
      const ids = (views: TaskView[]) => views.map(({ task }) => task.id).sort();
      assert.equal(new Set(ids(first)).size, 5);
      assert.deepEqual(ids(again), ids(first));
    }),
  );

  test(
    'after we refused it for now is no repeat of its sister',
    story(async (world) => {
      await world.store.updateAccount('acct_story', { limits: { concurrentTasks: 1 } }, world.clock.now());
      const { task } = await create(world, sent(0));
      assert.equal(await refusal(create(world, sent(0))), 'concurrency_limit_exceeded');
      world.make(task.id);
      await world.advance(5_000);
      const sister = await create(world, sent(1));
      assert.notEqual(sister.task.id, task.id);
    }),
  );
});

describe('a file and a top-up with a key', () => {
  test(
    'are kept once, and replayed even when the file is gone',
    story(async (world) => {
      const upload = () =>
        world.gateway.createFile(
          principal,
          {
            bytes: Buffer.from('bytes'),
            filename: 'a',
            purpose: 'vision',
            contentType: null,
            expiresAt: null,
          },
          keyed('k'),
        );
      const first = await upload();
      await world.gateway.deleteFile(principal, first.id);
      const second = await upload();
      assert.deepEqual(second, { ...first, replayed: true });
      assert.equal((await world.gateway.listFiles(principal, { order: 'desc', limit: 10 })).files.length, 0);
    }),
  );

  test(
    'are posted once, also after a crash',
    story(async (world) => {
      const topUp = () => {
        const { ctx, lanes } = world;
        const route = (request: TaskRequest, pinned: string | null) => routeFor(ctx, request, { pinned });
        const admin = createAdmin({ ...ctx, lanes, route });
        return admin.topUp('acct_story', { amountMicros: 280_000n, note: null }, keyed('k'));
      };
      world.storeBreaksOff = (method) => method === 'post';
      assert.equal(await refusal(topUp()), 'unavailable');
      world.storeBreaksOff = () => false;
      await world.restart();
      const replayed = await topUp();
      assert.equal(replayed.replayed, true);
      assert.deepEqual(await world.wallet(), { available: 101, held: 0 });
      assert.equal(replayed.availableMicros, 101n * 280_000n);
    }),
  );
});

describe('what is shown once', () => {
  const adminOf = ({ ctx, lanes }: World) =>
    createAdmin({ ...ctx, lanes, route: (request, pinned) => routeFor(ctx, request, { pinned }) });

  test(
    'a key, a signing secret: the repeat shows the same, also after a crash, and the store keeps them sealed',
    story(async (world) => {
      const makeKey = () =>
        adminOf(world).createKey('acct_story', { name: 'ci', responseStyle: 'superset' }, keyed('k'));
      const makeEndpoint = () => {
        const input = { name: 'mine', url: world.server.origin, eventTypes: ['wallet.low'], enabled: true };
        return world.gateway.webhooks.createEndpoint('acct_story', input, keyed('e'));
      };
      const [key, made] = [await makeKey(), await makeEndpoint()];
      const rotate = () =>
        world.gateway.webhooks.rotateSecret('acct_story', made.endpoint.id, { keepOld: true }, keyed('r'));
      const rotated = await rotate();
      await world.restart();
      assert.deepEqual(await makeKey(), { ...key, replayed: true });
      assert.equal((await makeEndpoint()).secret, made.secret);
      assert.equal((await rotate()).secret, rotated.secret);
      assert.equal((await world.store.listKeys('acct_story')).length, 1);
      for (const [scope, name] of [
        ['admin', 'k'],
        ['acct_story', 'e'],
        ['acct_story', 'r'],
      ] as const) {
        const kept = JSON.stringify(await world.store.findUsedKey(scope, name, world.clock.now()));
        for (const secret of [key.apiKey, key.secretKey, made.secret, rotated.secret]) {
          assert.ok(!kept.includes(secret), `${name} is kept in the clear`);
        }
      }
    }),
  );

  test(
    'accounts and channels are made once per key',
    story(async (world) => {
      const admin = adminOf(world);
      const account = await admin.createAccount({ name: 'studio' }, keyed('a'));
      assert.deepEqual(await admin.createAccount({ name: 'studio' }, keyed('a')), {
        ...account,
        replayed: true,
      });
      assert.equal(
        await refusal(admin.createAccount({ name: 'x' }, keyed('a', 'other'))),
        'idempotency_conflict',
      );
      const input = {
        name: 'second',
        provider: 'fake',
        credential: {},
        baseUrl: null,
        priority: 0,
        weight: 1,
        concurrency: null,
        requestsPerSecond: null,
        enabled: true,
      };
      const channel = await admin.createChannel(input, keyed('c'));
      assert.equal((await admin.createChannel(input, keyed('c'))).id, channel.id);
      assert.equal((await admin.listChannels()).filter(({ name }) => name === 'second').length, 1);
    }),
  );
});
