/** What a lane promises: caps and paces are kept, whoever waits comes in order, and nobody is forgotten. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation } from '../../src/core/ports.ts';
import { CHANNEL_ID, story, type World } from './harness.ts';

/** Creates one after the other, each in a millisecond of its own, so that their order is known. */
async function createInOrder(world: World, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    ids.push((await world.create()).task.id);
    await world.advance(1);
  }
  return ids;
}

const refused: Observation = { status: 'failed', code: 'task_failed', message: 'no', upstreamCode: null };
const submitted = (world: World): string[] => world.upstream.submits.map(({ taskId }) => taskId);

describe('a lane at its cap', () => {
  test(
    'lets the others wait and submits them first come, first served, as places come free',
    story(
      async (world) => {
        const ids = await createInOrder(world, 5);
        assert.deepEqual(submitted(world), ids.slice(0, 2));
        world.make(ids[0]!);
        await world.advance(5_000);
        assert.deepEqual(submitted(world), ids.slice(0, 3));
        world.make(ids[1]!);
        world.make(ids[2]!);
        await world.advance(5_000);
        assert.deepEqual(submitted(world), ids);
        assert.equal(world.upstream.runningMost, 2);
      },
      { channel: { concurrency: 2 } },
    ),
  );

  test(
    'is never exceeded, however many requests arrive while places come free',
    story(
      async (world) => {
        const firsts = await createInOrder(world, 6);
        for (const id of firsts.slice(0, 3)) world.make(id);
        const more: Promise<unknown>[] = [];
        const stop = world.store.onCommit(`lane:${CHANNEL_ID}`, () => {
          if (more.length < 40) more.push(world.create());
        });
        await world.advance(5_000);
        await Promise.all(more);
        stop();
        for (let round = 0; round < 30; round++) {
          for (const id of submitted(world)) world.make(id);
          await world.advance(3_000);
        }
        assert.equal(world.upstream.submits.length, 6 + more.length);
        assert.equal(world.upstream.runningMost, 3);
      },
      { channel: { concurrency: 3 } },
    ),
  );

  test(
    'takes more at once when the operator raises it',
    story(
      async (world) => {
        const ids = await createInOrder(world, 3);
        await world.updateChannel(CHANNEL_ID, { concurrency: 3 });
        assert.deepEqual(submitted(world), ids);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'gives the place of a waiting task that was cancelled to the next',
    story(
      async (world) => {
        const ids = await createInOrder(world, 3);
        await world.delete(ids[1]!);
        world.make(ids[0]!);
        await world.advance(5_000);
        assert.deepEqual(submitted(world), [ids[0], ids[2]]);
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('an upstream that is busy', () => {
  test(
    'gets the task again later, and the caller sees queued meanwhile',
    story(async (world) => {
      let refusals = 3;
      world.upstream.answer = () => (refusals-- > 0 ? { refuse: 'busy' } : 'accept');
      const { task } = await world.create();
      assert.equal(await world.state(task.id), 'queued');
      await world.advance(30_000);
      assert.equal(world.upstream.submitsOf(task.id), 4);
      world.make(task.id);
      await world.advance(10_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.deepEqual(
        (await world.record(task.id)).attempts.map(({ state }) => state),
        ['refused', 'refused', 'refused', 'made'],
      );
    }),
  );

  test(
    'is passed over by new requests while it rests after trouble of its own, and comes back after',
    story(async (world) => {
      await world.addChannel({ id: 'chan_second', provider: 'other', priority: -1 });
      let isDown = true;
      world.upstream.answer = () => (isDown ? { refuse: 'channel' } : 'accept');
      await world.create();
      const { task } = await world.create();
      // The first one may just be moving in there: then the second waits for a moment.
      await world.settle();
      assert.equal(world.upstream.submits.length, 1, 'it is not asked again while it rests');
      assert.equal(world.other.submitsOf(task.id), 1);
      isDown = false;
      await world.advance(5_000);
      const later = await world.create();
      assert.equal(world.upstream.submitsOf(later.task.id), 1);
    }),
  );

  test(
    'is left alone for as long as its Retry-After says, and other changes do not shorten that',
    story(async (world) => {
      world.upstream.answer = ({ at }) =>
        at < startedAt + 20_000 ? { refuse: 'busy', retryAfterMs: 20_000 } : 'accept';
      const startedAt = world.clock.now();
      await world.create();
      assert.equal(world.upstream.submits.length, 1);
      await world.advance(10_000);
      await world.addChannel({ id: 'chan_unrelated', provider: 'other', enabled: false });
      await world.create();
      await world.advance(9_999);
      assert.equal(world.upstream.submits.length, 1);
      await world.advance(1);
      assert.equal(world.upstream.submits[1]!.at, startedAt + 20_000);
    }),
  );

  test(
    'is tried with one task first, not with all that wait',
    story(async (world) => {
      let isBusy = true;
      world.upstream.answer = () => (isBusy ? { refuse: 'busy', retryAfterMs: 1_000 } : 'accept');
      await Promise.all(Array.from({ length: 40 }, () => world.create()));
      await world.advance(1);
      const first = world.upstream.submits.length;
      await world.advance(10_000);
      assert.ok(
        world.upstream.submits.length - first <= 11,
        `${world.upstream.submits.length - first} tries`,
      );
      isBusy = false;
      await world.advance(2_000);
      assert.equal(world.upstream.tasks.size, 40);
    }),
  );

  test(
    'gets its tasks in order of arrival all the same',
    story(async (world) => {
      let isBusy = true;
      world.upstream.answer = () => (isBusy ? { refuse: 'busy', retryAfterMs: 1_000 } : 'accept');
      const ids = await createInOrder(world, 6);
      isBusy = false;
      await world.advance(5_000);
      assert.deepEqual([...world.upstream.tasks.keys()], ids);
    }),
  );
});

describe('requests_per_second', () => {
  test(
    'spaces out submits of requests and of the lane alike',
    story(
      async (world) => {
        await Promise.all(Array.from({ length: 7 }, () => world.create()));
        await world.advance(3_000);
        const times = world.upstream.submits.map(({ at }) => at);
        assert.equal(times.length, 7);
        for (let next = 1; next < times.length; next++) {
          assert.ok(times[next]! - times[next - 1]! >= 500, `${times[next]! - times[next - 1]!} ms apart`);
        }
      },
      { channel: { requestsPerSecond: 2 } },
    ),
  );
});

describe('a channel that was taken away', () => {
  test(
    'is polled to the end of its running tasks',
    story(async (world) => {
      const { task } = await world.create();
      await world.deleteChannel(CHANNEL_ID);
      await world.restart();
      world.make(task.id);
      await world.advance(10_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  for (const [how, take] of [
    ['deleted', (world: World) => world.deleteChannel(CHANNEL_ID)],
    ['switched off', (world: World) => world.updateChannel(CHANNEL_ID, { enabled: false })],
  ] as const) {
    test(
      `(${how}) hands its waiting tasks to another that can make them`,
      story(
        async (world) => {
          const ids = await createInOrder(world, 4);
          await world.addChannel({ id: 'chan_second', provider: 'other' });
          await take(world);
          assert.deepEqual(
            world.other.submits.map(({ taskId }) => taskId),
            ids.slice(1),
          );
          for (const id of ids.slice(1)) world.make(id, '/film.mp4', world.other);
          await world.advance(10_000);
          for (const id of ids.slice(1)) assert.equal(await world.state(id), 'completed');
          assert.deepEqual(submitted(world), ids.slice(0, 1));
          assert.ok(await world.ledgerIsSound());
        },
        { channel: { concurrency: 1 } },
      ),
    );
  }

  test(
    'keeps its waiting tasks while no other can make them, until one comes',
    story(
      async (world) => {
        const ids = await createInOrder(world, 2);
        await world.updateChannel(CHANNEL_ID, { enabled: false });
        world.other.missing = () => 'no cats here';
        await world.addChannel({ id: 'chan_second', provider: 'other' });
        await world.advance(600_000);
        assert.equal(await world.state(ids[1]!), 'queued');
        assert.equal(world.other.submits.length, 0);
        await world.addChannel({ id: 'chan_third' });
        assert.deepEqual(
          world.upstream.submits.map(({ channelId }) => channelId),
          [CHANNEL_ID, 'chan_third'],
        );
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'resumes its own waiting tasks when it is switched on again',
    story(
      async (world) => {
        const ids = await createInOrder(world, 2);
        await world.updateChannel(CHANNEL_ID, { enabled: false });
        world.make(ids[0]!);
        await world.advance(60_000);
        assert.equal(world.upstream.submitsOf(ids[1]!), 0);
        await world.updateChannel(CHANNEL_ID, { enabled: true });
        assert.equal(world.upstream.submitsOf(ids[1]!), 1);
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('a lane', () => {
  test(
    'polls at once when the upstream pushes',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(600_000);
      world.make(task.id);
      world.lanes.hint(CHANNEL_ID, task.id);
      await world.settle();
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'that gets a push while it polls polls once more: that answer may have been older',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(600_000);
      const before = world.upstream.pollsOf(task.id);
      const news = world.upstream.tasks;
      const poll = news.get.bind(news);
      news.get = () => {
        news.get = poll;
        world.make(task.id);
        world.lanes.hint(CHANNEL_ID, task.id);
        return { status: 'processing' };
      };
      world.lanes.hint(CHANNEL_ID, task.id);
      await world.settle();
      await world.advance(1);
      assert.equal(world.upstream.pollsOf(task.id), before + 2);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'asks seldom for tasks that take long',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(3_600_000);
      const polls = world.upstream.pollsOf(task.id);
      assert.ok(polls > 200 && polls < 320, `${polls} polls in an hour`);
    }),
  );

  test(
    'keeps nothing of tasks that have ended',
    story(
      async (world) => {
        let number = 0;
        world.upstream.answer = () => {
          world.upstream.firstNews = number++ % 10 === 0 ? refused : world.film();
          return number % 7 === 0 ? { refuse: 'rejected' } : 'accept';
        };
        for (let round = 0; round < 6; round++) {
          await Promise.all(Array.from({ length: 50 }, () => world.create()));
          await world.advance(5_000);
        }
        await world.advance(20_000);
        const counts = await world.store.taskCounts();
        assert.deepEqual(counts, {});
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
        const polls = world.upstream.polls.length;
        await world.advance(600_000);
        assert.equal(world.upstream.polls.length, polls);
      },
      { balance: 1_000, channel: { concurrency: 20 } },
    ),
  );

  test(
    'finishes submits in hand when it is stopped, and begins no new ones',
    story(
      async (world) => {
        world.upstream.answer = () => 'slow';
        const creating = Promise.all([world.create(), world.create(), world.create()]);
        await world.settle();
        assert.equal(world.upstream.submits.length, 2);
        let isDrained = false;
        const draining = world.drain().then(() => {
          isDrained = true;
        });
        await world.advance(12_000);
        const late = world.create();
        await world.settle();
        assert.equal(isDrained, false);
        world.upstream.release();
        await draining;
        await Promise.all([creating, late]);
        assert.equal(world.upstream.submits.length, 2);
        const states = await Promise.all(
          world.upstream.submits.map(async ({ taskId }) => (await world.record(taskId)).attempts[0]!.state),
        );
        assert.deepEqual(states, ['accepted', 'accepted']);
        await world.restart();
        world.upstream.answer = () => 'accept';
        await world.updateChannel(CHANNEL_ID, { concurrency: 10 });
        assert.equal(world.upstream.submits.length, 4);
      },
      { channel: { concurrency: 2 } },
    ),
  );
});
