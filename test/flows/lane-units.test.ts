/** What a lane counts is what its upstream counts: units, in each pool apart. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFeature, type TaskRequest } from '../../src/core/request/feature.ts';
import { CHANNEL_ID, story, type World } from './harness.ts';
import { png, sends } from './local-server.ts';

/** As the official platform counts: films one, pictures one each. */
const weigh = (request: TaskRequest) =>
  isFeature(request) ? { pool: 'image', units: request.count } : { pool: 'video', units: 1 };

const pictures = (world: World, n: number) =>
  world.feature('text-to-image', { prompt: `${n} cats`, n, model_name: 'kling-v2-1' });

/** Units of what runs at the upstream, by pool, and the most there ever were. */
function countUnits(world: World): { now: () => Record<string, number>; most: Record<string, number> } {
  const running = new Map<string, { pool: string; units: number }>();
  const most: Record<string, number> = {};
  const now = () => {
    const sums: Record<string, number> = { image: 0, video: 0 };
    for (const [id, { pool, units }] of running) {
      const status = world.upstream.tasks.get(id)?.status;
      if (status === 'succeeded' || status === 'failed') running.delete(id);
      else sums[pool] = (sums[pool] ?? 0) + units;
    }
    return sums;
  };
  world.upstream.answer = ({ taskId, request }) => {
    running.set(taskId, weigh(request));
    for (const [pool, units] of Object.entries(now())) most[pool] = Math.max(most[pool] ?? 0, units);
    return 'accept';
  };
  return { now, most };
}

function makePictures(world: World, id: string, count: number): void {
  world.server.answers.set('/p.png', sends(png(), 'image/png'));
  const outputs = Array.from({ length: count }, (_, index) => ({
    role: 'image' as const,
    index,
    path: '/p.png',
  }));
  world.upstream.set(id, world.made(outputs));
}

describe('a lane whose upstream counts units', () => {
  test(
    'lets pictures and films wait apart: neither keeps a place from the other',
    story(
      async (world) => {
        world.upstream.weigh = weigh;
        const units = countUnits(world);
        await pictures(world, 3);
        const waits = (await pictures(world, 2)).task.id;
        const film = (await world.create()).task.id;
        await world.settle();
        assert.deepEqual(units.now(), { image: 3, video: 1 });
        assert.equal(world.upstream.submitsOf(film), 1);
        assert.equal(world.upstream.submitsOf(waits), 0);
        assert.deepEqual(await world.store.waitingPools(CHANNEL_ID), ['image']);
        const films = await Promise.all(Array.from({ length: 5 }, () => world.create()));
        assert.equal(units.now()['video'], 4);
        const places = await Promise.all(films.map(async ({ task }) => (await world.find(task.id)).place));
        const positions = places.flatMap((place) => place?.position ?? []);
        assert.deepEqual(positions.toSorted(), [1, 2]);
        assert.equal((await world.find(waits)).place?.position, 1);
      },
      { channel: { concurrency: 4 } },
    ),
  );

  test(
    'is never exceeded, and nobody is overtaken for good because they need more room',
    story(
      async (world) => {
        world.upstream.weigh = weigh;
        const units = countUnits(world);
        const sizes = [3, 1, 4, 2, 5, 1, 1, 3, 9, 2, 1, 4];
        const ids = new Map<string, number>();
        for (const size of sizes) {
          ids.set((await pictures(world, size)).task.id, size);
          await world.advance(1);
        }
        for (let round = 0; round < 30 && world.upstream.submits.length < sizes.length; round++) {
          const oldest = world.upstream.submits.find(
            ({ taskId }) => world.upstream.tasks.get(taskId)?.status === 'submitted',
          )!;
          makePictures(world, oldest.taskId, ids.get(oldest.taskId)!);
          await world.advance(20_000);
        }
        assert.deepEqual(
          world.upstream.submits.map(({ taskId }) => ids.get(taskId)),
          sizes,
        );
        // What is larger than the whole pool goes alone.
        assert.equal(units.most['image'], 9);
        assert.equal(Math.max(...sizes.filter((size) => size <= 5)), 5);
      },
      { channel: { concurrency: 5 }, balance: 10_000 },
    ),
  );

  test(
    'counts them again after a restart',
    story(
      async (world) => {
        world.upstream.weigh = weigh;
        const units = countUnits(world);
        await pictures(world, 3);
        const waits = (await pictures(world, 2)).task.id;
        await world.restart();
        await world.advance(10_000);
        assert.equal(world.upstream.submitsOf(waits), 0);
        const small = (await pictures(world, 1)).task.id;
        await world.advance(10_000);
        assert.equal(world.upstream.submitsOf(small), 0, 'it does not overtake who waits');
        makePictures(world, world.upstream.submits[0]!.taskId, 3);
        await world.advance(20_000);
        assert.deepEqual(units.now(), { image: 3, video: 0 });
        assert.equal(units.most['image'], 3);
      },
      { channel: { concurrency: 4 }, balance: 1_000 },
    ),
  );

  test(
    'is busy in one pool only, where the upstream says so',
    story(async (world) => {
      world.upstream.weigh = weigh;
      world.upstream.answer = ({ request }) =>
        isFeature(request) ? { refuse: 'busy', retryAfterMs: 60_000 } : 'accept';
      await pictures(world, 1);
      const film = (await world.create()).task.id;
      await world.settle();
      assert.equal(world.upstream.submitsOf(film), 1);
      await world.advance(30_000);
      assert.equal(world.upstream.submits.length, 2);
    }),
  );
});
