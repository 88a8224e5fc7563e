/** What the queue of a lane promises: accounts take turns, priority counts among one's own, and everybody sees where they stand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Principal } from '../../src/core/ports.ts';
import { principal, story, stranger, type World } from './harness.ts';

/** Creates as many as are asked for, each in a millisecond of its own, so that their order is known. */
async function createAs(
  world: World,
  by: Principal,
  count: number,
  fields: Record<string, unknown> = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const { task } = await world.gateway.createVideo(by, world.body(fields), { dryRun: false });
    ids.push(task.id);
    await world.advance(1);
  }
  return ids;
}

const priority = (value: unknown) => ({ metadata: { priority: value } });

/** Lets one running task after the other end, until nothing waits. */
async function runDry(world: World): Promise<string[]> {
  for (let done = 0; done < world.upstream.submits.length; done++) {
    world.make(world.upstream.submits[done]!.taskId);
    await world.advance(20_000);
  }
  return world.upstream.submits.map(({ taskId }) => taskId);
}

describe('accounts that wait for the same channel', () => {
  test(
    'take turns, whoever came first and however many they brought',
    story(
      async (world) => {
        const mine = await createAs(world, principal, 6);
        const theirs = await createAs(world, stranger, 2);
        assert.deepEqual(await runDry(world), [
          mine[0],
          // Who was never taken up comes first.
          mine[1],
          theirs[0],
          mine[2],
          theirs[1],
          mine[3],
          mine[4],
          mine[5],
        ]);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'go on where they were after the process was killed',
    story(
      async (world) => {
        const mine = await createAs(world, principal, 4);
        const theirs = await createAs(world, stranger, 3);
        world.make(mine[0]!);
        await world.advance(10_000);
        const second = world.upstream.submits[1]!.taskId;
        await world.restart();
        await world.advance(40_000);
        const order = await runDry(world);
        const turns = order.slice(1).map((id) => (mine.includes(id) ? 'mine' : 'theirs'));
        assert.equal(order[1], second);
        for (let turn = 1; turn < 6; turn++) assert.notEqual(turns[turn], turns[turn - 1]);
        assert.equal(new Set(order).size, mine.length + theirs.length);
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('priority', () => {
  test(
    'decides among the tasks of one account, and takes nothing from others',
    story(
      async (world) => {
        const first = await createAs(world, principal, 1);
        const plain = await createAs(world, principal, 2);
        const low = await createAs(world, principal, 1, priority(-5));
        const high = await createAs(world, principal, 1, priority('10'));
        const theirs = await createAs(world, stranger, 2, priority(-10));
        assert.deepEqual(await runDry(world), [
          first[0],
          high[0],
          theirs[0],
          plain[0],
          theirs[1],
          plain[1],
          low[0],
        ]);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  for (const value of [11, -11, 1.5, 'high', true]) {
    test(
      `is refused as ${JSON.stringify(value)}`,
      story(async (world) => {
        await assert.rejects(world.create(priority(value)), {
          code: 'invalid_value',
          param: 'metadata.priority',
        });
        assert.equal(world.upstream.submits.length, 0);
      }),
    );
  }
});

describe('a waiting task', () => {
  test(
    'shows its place and how long it will be about, until it is submitted',
    story(
      async (world) => {
        const [running, ...mine] = await createAs(world, principal, 4);
        const [theirs] = await createAs(world, stranger, 1);
        await world.advance(2_000);
        const places = async () =>
          Promise.all(mine.map(async (id) => (await world.find(id)).place?.position ?? null));
        assert.deepEqual(await places(), [1, 3, 4]);
        assert.equal((await world.find(mine[0]!)).place!.estimatedSeconds, null);
        assert.equal((await world.find(running!)).place, undefined);
        const other = await world.gateway.findTask(stranger, theirs!);
        assert.equal(other.place?.position, 2);

        world.make(running!);
        await world.advance(10_000);
        assert.deepEqual(await places(), [null, 2, 3]);
        const place = (await world.find(mine[2]!)).place!;
        const first = (await world.record(running!)).attempts[0]!;
        const keptMs = first.endedAt! - first.acceptedAt!;
        assert.equal(place.estimatedSeconds, Math.ceil((3 * keptMs) / 1000));
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'shows it in the answer to the create and in lists, and to nobody who wants strict answers',
    story(
      async (world) => {
        await createAs(world, principal, 2);
        const { place } = await world.create();
        assert.equal(place?.position, 2);
        const { tasks } = await world.gateway.listTasks(principal, { order: 'desc', limit: 10 });
        assert.deepEqual(
          tasks.map((view) => view.place?.position ?? null),
          [2, 1, null],
        );
        const strict: Principal = { ...principal, responseStyle: 'strict' };
        assert.equal((await world.gateway.findTask(strict, tasks[0]!.task.id)).place, undefined);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'stands behind those that came before it, also while what was read is kept',
    story(
      async (world) => {
        await createAs(world, principal, 2);
        const positions: (number | null)[] = [];
        for (let count = 0; count < 3; count++) {
          await world.advance(1);
          positions.push((await world.create()).place?.position ?? null);
        }
        assert.deepEqual(positions, [2, 3, 4]);
        const [theirs] = await createAs(world, stranger, 1);
        assert.equal((await world.gateway.findTask(stranger, theirs!)).place?.position, 2);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'is found among a thousand without reading them for every look',
    story(
      async (world) => {
        await createAs(world, principal, 1);
        const { task } = await world.create();
        const template = await world.task(task.id);
        await Promise.all(
          Array.from({ length: 1_000 }, (_, index) =>
            world.store.acceptTask({
              task: { ...template, id: `${template.id}-${String(index).padStart(4, '0')}` },
              attempt: null,
            }),
          ),
        );
        await world.advance(2_000);
        const last = await world.find(`${template.id}-0999`);
        assert.equal(last.place?.position, 1_001);
        const { waitingPlaces } = world.store;
        let reads = 0;
        world.store.waitingPlaces = (...args) => {
          reads++;
          return waitingPlaces(...args);
        };
        for (let look = 0; look < 50; look++) {
          assert.equal((await world.find(`${template.id}-0500`)).place?.position, 502);
        }
        assert.equal(reads, 0);
      },
      { channel: { concurrency: 1 }, balance: 2_000 },
    ),
  );
});
