/** What happens when nobody knows whether the upstream has it: look first, never send twice, never lose. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHANNEL_ID, refusal, story, type World } from './harness.ts';

/** Submit deadline and grace: only then it is looked up. */
const DOUBT_MS = 35_000;

async function attemptsOf(world: World, id: string): Promise<string[]> {
  return (await world.record(id)).attempts.map(({ state }) => state);
}

describe('a submit without an answer', () => {
  test(
    'is looked up after its deadline and five seconds, found, and never sent again',
    story(async (world) => {
      world.upstream.answer = () => 'accept-then-reset';
      const startedAt = world.clock.now();
      const { task } = await world.create();
      await world.advance(DOUBT_MS - 1);
      assert.deepEqual([world.upstream.submits.length, world.upstream.lookups.length], [1, 0]);
      await world.advance(1);
      assert.deepEqual(
        world.upstream.lookups.map(({ at }) => at - startedAt),
        [DOUBT_MS],
      );
      world.make(task.id);
      await world.advance(60_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.equal(world.upstream.submits.length, 1);
      assert.deepEqual(await attemptsOf(world, task.id), ['made']);
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
    }),
  );

  test(
    'is sent again with the same handle when the upstream certainly has nothing',
    story(async (world) => {
      world.upstream.answer = () => (world.upstream.submits.length === 1 ? 'reset' : 'accept');
      const { task } = await world.create();
      await world.advance(DOUBT_MS);
      assert.deepEqual(
        world.upstream.submits.map(({ taskId }) => taskId),
        [task.id, task.id],
      );
      assert.deepEqual(await attemptsOf(world, task.id), ['accepted']);
    }),
  );

  test(
    'that is sent again and refused as a duplicate was accepted after all',
    story(async (world) => {
      world.upstream.answer = () => (world.upstream.submits.length === 1 ? 'reset' : 'duplicate');
      const { task } = await world.create();
      await world.advance(DOUBT_MS);
      assert.deepEqual(await attemptsOf(world, task.id), ['accepted']);
      world.make(task.id);
      await world.advance(20_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'keeps its place in the lane until it is settled',
    story(
      async (world) => {
        world.upstream.answer = ({ prompt }) => (prompt === 'lost' ? 'reset' : 'accept');
        await world.create({ prompt: 'lost' });
        const { task } = await world.create();
        await world.advance(DOUBT_MS - 1);
        assert.equal(world.upstream.submitsOf(task.id), 0);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'stays in doubt while the upstream cannot be asked, and is settled when it can',
    story(async (world) => {
      world.upstream.answer = () => 'accept-then-reset';
      const { task } = await world.create();
      world.upstream.isOut = true;
      await world.advance(30 * 60_000);
      assert.equal(await world.state(task.id), 'queued');
      world.upstream.isOut = false;
      await world.advance(DOUBT_MS);
      assert.deepEqual(await attemptsOf(world, task.id), ['accepted']);
      assert.equal(world.upstream.submits.length, 1);
      assert.deepEqual(world.errors, []);
    }),
  );

  test(
    'is lost where the upstream cannot be asked at all: the task fails and the hold is released',
    story(
      async (world) => {
        world.upstream.answer = () => 'accept-then-reset';
        const { task } = await world.create();
        await world.advance(DOUBT_MS);
        const { state, error } = await world.task(task.id);
        assert.deepEqual([state, error?.code], ['failed', 'lost']);
        assert.deepEqual(await attemptsOf(world, task.id), ['lost']);
        assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
        assert.equal(world.upstream.submits.length, 1);
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
      },
      { upstream: { hasLookup: false } },
    ),
  );

  test(
    'goes to another channel when its own was switched off and the upstream has nothing',
    story(async (world) => {
      world.upstream.answer = () => 'reset';
      const { task } = await world.create();
      await world.addChannel({ id: 'chan_second', provider: 'other' });
      await world.updateChannel(CHANNEL_ID, { enabled: false });
      await world.advance(DOUBT_MS);
      assert.equal(world.upstream.submits.length, 1);
      assert.equal(world.other.submitsOf(task.id), 1);
      assert.deepEqual(await attemptsOf(world, task.id), ['refused', 'accepted']);
    }),
  );

  test(
    'of a task that its deadline ended is forgotten',
    story(
      async (world) => {
        world.upstream.answer = () => 'reset';
        world.upstream.isOut = true;
        const { task } = await world.create();
        await world.advance(200_000);
        assert.equal((await world.task(task.id)).error?.code, 'expired');
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
        const asked = world.upstream.lookups.length;
        world.upstream.isOut = false;
        await world.advance(600_000);
        assert.equal(world.upstream.lookups.length, asked);
        assert.equal(world.upstream.submits.length, 1);
      },
      { settings: { taskDeadlineMs: 100_000 } },
    ),
  );
});

describe('a disk that is full when the upstream has accepted', () => {
  test(
    'leaves a doubt that is settled later: nothing is sent or charged twice',
    story(async (world) => {
      world.storeFails = (method) => method === 'acceptAttempt';
      const { task } = await world.create();
      assert.deepEqual(await attemptsOf(world, task.id), ['submitting']);
      await world.advance(10_000);
      world.storeFails = () => false;
      await world.advance(DOUBT_MS);
      world.make(task.id);
      await world.advance(20_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.equal(world.upstream.submits.length, 1);
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'at any change of a task: it is finished and charged once when there is room again',
    story(async (world) => {
      const methods = [
        'acceptAttempt',
        'startTask',
        'madeAttempt',
        'finishTask',
        'jobs.claim',
        'jobs.complete',
      ];
      world.upstream.firstNews = { status: 'processing' };
      for (const [index, failing] of methods.entries()) {
        world.storeFails = (method) => method === failing;
        const { task } = await world.create();
        await world.advance(5_000);
        if (world.upstream.tasks.has(task.id)) world.make(task.id);
        await world.advance(5_000);
        world.storeFails = () => false;
        await world.advance(60_000);
        world.make(task.id);
        await world.advance(700_000);
        assert.equal(await world.state(task.id), 'completed', failing);
        assert.equal(world.upstream.submitsOf(task.id), 1, failing);
        assert.deepEqual(await world.wallet(), { available: 99 - index, held: 0 }, failing);
      }
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'while a task waits: it is submitted when there is room again',
    story(
      async (world) => {
        const { task: first } = await world.create();
        const { task } = await world.create();
        world.make(first.id);
        world.storeFails = (method) => method === 'openAttempts' || method === 'waitingTasks';
        await world.advance(20_000);
        world.storeFails = () => false;
        await world.advance(2_000);
        assert.equal(world.upstream.submitsOf(task.id), 1);
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('a store that commits and breaks off before it says so', () => {
  test(
    'when a task is accepted: the caller is told to try again, and the task is looked after all the same',
    story(async (world) => {
      world.storeBreaksOff = (method) => method === 'acceptTask';
      assert.equal(await refusal(world.create({ external_task_id: 'mine' })), 'unavailable');
      world.storeBreaksOff = () => false;
      assert.equal(await refusal(world.create({ external_task_id: 'mine' })), 'duplicate_external_task_id');
      await world.advance(10_000);
      const { task } = await world.find('mine');
      assert.equal(world.upstream.submitsOf(task.id), 1);
      world.make(task.id);
      await world.advance(10_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
    }),
  );

  test(
    'at any later change: everything is finished and charged once',
    story(
      async (world) => {
        const methods = ['openAttempts', 'acceptAttempt', 'madeAttempt', 'finishTask', 'jobs.complete'];
        for (const [index, broken] of methods.entries()) {
          const first = (await world.create()).task.id;
          const second = (await world.create()).task.id;
          world.make(first);
          world.storeBreaksOff = (method) => method === broken;
          await world.advance(3_000);
          world.storeBreaksOff = () => false;
          for (let round = 0; round < 3; round++) {
            for (const id of world.upstream.tasks.keys()) world.make(id);
            await world.advance(250_000);
          }
          for (const id of [first, second]) {
            assert.equal(await world.state(id), 'completed', broken);
            assert.equal(world.upstream.submitsOf(id), 1, broken);
          }
          assert.deepEqual(await world.wallet(), { available: 98 - 2 * index, held: 0 }, broken);
          assert.equal(await world.lanes.running(CHANNEL_ID), 0, broken);
        }
        assert.ok(await world.ledgerIsSound());
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('a restart', () => {
  test(
    'finds what waits, what is in doubt, what runs and what is made, and finishes all of it once',
    story(
      async (world) => {
        const ids: Record<string, string> = {};
        const create = async (name: string): Promise<void> => {
          ids[name] = (await world.create({ prompt: name, external_task_id: name })).task.id;
          await world.advance(1);
        };
        world.upstream.answer = ({ prompt }) => (prompt === 'doubt' ? 'accept-then-reset' : 'accept');
        await create('made');
        world.storeFails = (method) => method === 'finishTask';
        world.make(ids.made!);
        await world.advance(3_000);
        world.storeFails = () => false;
        await create('doubt');
        await create('running');
        world.upstream.set(ids.running!, { status: 'processing' });
        await world.advance(3_000);
        await create('waiting');
        await create('cancelled');
        await world.delete('cancelled');
        assert.equal(await world.state(ids.running!), 'in_progress');
        assert.equal(world.upstream.submitsOf(ids.waiting!), 0);

        await world.restart();
        for (let round = 0; round < 4; round++) {
          for (const id of world.upstream.tasks.keys()) world.make(id);
          await world.advance(40_000);
          await world.restart();
        }
        for (const name of ['made', 'doubt', 'running', 'waiting']) {
          assert.equal(await world.state(ids[name]!), 'completed', name);
          assert.equal(world.upstream.submitsOf(ids[name]!), 1, name);
        }
        assert.equal(world.upstream.submitsOf(ids.cancelled!), 0);
        assert.deepEqual(await world.wallet(), { available: 96, held: 0 });
        assert.ok(await world.ledgerIsSound());
      },
      { channel: { concurrency: 2 } },
    ),
  );

  test(
    'in the middle of a submit leaves a doubt that is looked up, not sent again',
    story(async (world) => {
      world.upstream.answer = () => 'slow';
      const creating = world.create({ external_task_id: 'mine' }).catch(() => null);
      await world.settle();
      await world.restart();
      world.upstream.release();
      await world.advance(15_000);
      await creating;
      assert.equal(world.upstream.submits.length, 1);
      await world.advance(DOUBT_MS);
      assert.equal(world.upstream.submits.length, 1);
      const { task } = await world.find('mine');
      assert.deepEqual(await attemptsOf(world, task.id), ['accepted']);
    }),
  );

  test(
    'at the cap keeps the cap',
    story(
      async (world) => {
        for (let number = 0; number < 5; number++) await world.create();
        await world.restart();
        await world.create();
        await world.advance(60_000);
        assert.equal(world.upstream.submits.length, 2);
      },
      { channel: { concurrency: 2 } },
    ),
  );
});
