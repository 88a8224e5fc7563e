/** What limits promise: no overshoot, room again when something ends, and nothing for those who have none. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Limits } from '../../src/core/limits.ts';
import type { Principal } from '../../src/core/ports.ts';
import { PRICE_MICROS, refusal, story, type World } from './harness.ts';

const principal: Principal = { accountId: 'acct_story', keyId: 'key_story', responseStyle: 'superset' };

async function limit(world: World, limits: Limits | null): Promise<void> {
  await world.store.updateAccount('acct_story', { limits }, world.clock.now());
}

describe('a limit of tasks at once', () => {
  test(
    'holds among fifty at once, through a crash, and makes room when one ends',
    story(async (world) => {
      await limit(world, { concurrentTasks: 3 });
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => world.create()));
      const tasks = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value.task] : []));
      assert.equal(tasks.length, 3);
      assert.equal(world.upstream.submits.length, 3);
      await world.restart();
      assert.equal(await refusal(world.create()), 'concurrency_limit_exceeded');
      world.make(tasks[0]!.id);
      await world.advance(10_000);
      assert.equal(await world.state(tasks[0]!.id), 'completed');
      await world.create();
      assert.equal(await refusal(world.create()), 'concurrency_limit_exceeded');
      assert.deepEqual(await world.wallet(), { available: 96, held: 3 });
    }),
  );

  test(
    'that is set later counts what runs already, and taken away lets everything through',
    story(async (world) => {
      await world.create();
      await limit(world, { concurrentTasks: 1 });
      assert.equal(await refusal(world.create()), 'concurrency_limit_exceeded');
      await limit(world, null);
      await world.create();
    }),
  );
});

describe('a limit of spend', () => {
  test(
    'holds among fifty at once, and failed tasks do not count',
    story(async (world) => {
      await limit(world, { spendPerDayMicros: 4n * PRICE_MICROS });
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => world.create()));
      const tasks = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value.task] : []));
      assert.equal(tasks.length, 4);
      world.upstream.set(tasks[0]!.id, {
        status: 'failed',
        code: 'task_failed',
        message: 'no',
        upstreamCode: null,
      });
      world.make(tasks[1]!.id);
      await world.advance(10_000);
      await world.create();
      assert.equal(await refusal(world.create()), 'spend_limit_exceeded');
      await world.sleepThrough(24 * 3_600_000);
      await world.create();
    }),
  );
});

describe('a list of models', () => {
  const create = (world: World, models: string[], dryRun: boolean) => {
    const caller = { ...principal, limits: [{ owner: 'key' as const, ownerId: 'key_story', models }] };
    return dryRun
      ? world.gateway.createVideo(caller, world.body(), { dryRun })
      : world.gateway.createVideo(caller, world.body(), { dryRun });
  };

  test(
    'lets through what it names and refuses all else, dry runs too',
    story(async (world) => {
      await create(world, ['kling-v2-1', 'Kling-V1-6'], false);
      for (const dryRun of [true, false]) {
        assert.equal(await refusal(create(world, ['kling-v2-1'], dryRun)), 'model_not_allowed');
        assert.equal(await refusal(create(world, [], dryRun)), 'model_not_allowed');
      }
      assert.equal(world.upstream.submits.length, 1);
    }),
  );

  test(
    'hides all others from the list, and from whoever asks for one by name',
    story(async (world) => {
      const by = (models: string[]) => ({
        ...principal,
        limits: [{ owner: 'key' as const, ownerId: 'key_story', models }],
      });
      const all = world.gateway.listModelCards(principal).map(({ id }) => id);
      const seen = (models: string[]) => world.gateway.listModelCards(by(models)).map(({ id }) => id);
      assert.ok(all.includes('kling-2.1'));
      assert.deepEqual(seen(['Kling-2.1']), ['kling-2.1']);
      // A name that may settle on the model is of use as well.
      const shown = seen(['kling-v2-1-master']);
      assert.ok(shown.includes('kling-v2-1-master') && shown.includes('kling-2.1'), shown.join());
      assert.ok(shown.length < all.length);
      assert.deepEqual(seen([]), []);
      assert.equal(world.gateway.findModel(by(['kling-2.1']), 'kling-v1'), null);
      assert.equal(world.gateway.findModel(by(['kling-2.1']), 'KLING-2.1')?.card.id, 'kling-2.1');
      assert.notEqual(world.gateway.findModel(principal, 'kling-v1'), null);
    }),
  );
});
