/** What is promised of a task that runs: only its upstream's verdict or its deadline ends it, and it is paid once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation } from '../../src/core/ports.ts';
import { CHANNEL_ID, refusal, story, type World } from './harness.ts';

const HOUR_MS = 3_600_000;
const failure = (code: 'task_failed' | 'content_policy'): Observation => ({
  status: 'failed',
  code,
  message: 'Not this one.',
  upstreamCode: '1',
});

async function ledgerOf(world: World, id: string): Promise<string[]> {
  const { ledger } = await world.record(id);
  return ledger
    .filter(({ book }) => book === 'held')
    .map(({ kind, amountMicros }) => `${kind} ${amountMicros}`);
}

async function eventsOf(world: World, id: string): Promise<string[]> {
  const { events } = await world.record(id);
  return events.map(({ type }) => type).filter((type) => type.startsWith('task.'));
}

describe('a running task', () => {
  test(
    'goes queued, in progress, completed; is charged once and recorded once',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(2_000);
      assert.equal(await world.state(task.id), 'queued');
      world.upstream.set(task.id, { status: 'processing' });
      await world.advance(5_000);
      assert.equal(await world.state(task.id), 'in_progress');
      world.make(task.id);
      await world.advance(10_000);
      const record = await world.record(task.id);
      assert.equal(record.task.state, 'completed');
      assert.equal(record.task.chargeMicros, 280_000n);
      assert.deepEqual(await eventsOf(world, task.id), ['task.queued', 'task.started', 'task.completed']);
      assert.deepEqual(await ledgerOf(world, task.id), ['hold 280000', 'settle -280000']);
      assert.deepEqual(
        record.usage.map(({ quantity, cost }) => ({ quantity, cost })),
        [{ quantity: 5, cost: { amount: '1', unit: 'unit' } }],
      );
      assert.deepEqual(world.errors, []);
    }),
  );

  test(
    'writes nothing while nothing changes',
    story(async (world) => {
      const { task } = await world.create();
      world.upstream.set(task.id, { status: 'processing' });
      await world.advance(10_000);
      const before = world.changes.length;
      await world.advance(HOUR_MS);
      assert.equal(world.changes.length, before);
    }),
  );

  test(
    'leaves its upstream in peace between two rounds, however many more are created meanwhile',
    story(
      async (world) => {
        for (let count = 0; count < 60; count++) {
          await world.create();
          await world.advance(100);
        }
        await world.advance(5_000);
        const rounds = [...new Set(world.upstream.polls.map(({ at }) => at))];
        assert.ok(rounds.length > 5);
        const gaps = rounds.slice(1).map((at, index) => at - rounds[index]!);
        assert.ok(Math.min(...gaps) >= 500, `the shortest rest was ${Math.min(...gaps)} ms`);
      },
      { upstream: { hasLists: true }, balance: 100 },
    ),
  );

  for (const hasLists of [false, true]) {
    test(
      `survives 30 minutes of outage (${hasLists ? 'lists' : 'single polls'}), asked ever more seldom, and recovers by itself`,
      story(
        async (world) => {
          const ids = await Promise.all([1, 2, 3].map(async () => (await world.create()).task.id));
          await world.advance(5_000);
          world.upstream.isOut = true;
          const before = world.upstream.polls.length;
          await world.advance(30 * 60_000);
          const polls = (world.upstream.polls.length - before) / ids.length;
          assert.ok(polls >= 20 && polls <= 40, `${polls} polls each in half an hour`);
          for (const id of ids) assert.equal(await world.state(id), 'queued');
          world.upstream.isOut = false;
          for (const id of ids) world.make(id);
          await world.advance(90_000);
          for (const id of ids) assert.equal(await world.state(id), 'completed');
          assert.deepEqual(world.errors, []);
        },
        { upstream: { hasLists } },
      ),
    );
  }

  test(
    'is not slowed down by another one whose polls break',
    story(async (world) => {
      const sick = (await world.create()).task.id;
      const sound = (await world.create()).task.id;
      await world.advance(5_000);
      const get = world.upstream.tasks.get.bind(world.upstream.tasks);
      world.upstream.tasks.get = (id) => {
        if (id === sick) throw new Error('a bug in the provider');
        return get(id);
      };
      await world.advance(60_000);
      assert.ok(world.upstream.pollsOf(sick) < 12, `${world.upstream.pollsOf(sick)} polls of the sick one`);
      world.make(sound);
      await world.advance(8_000);
      assert.equal(await world.state(sound), 'completed');
      world.upstream.tasks.get = get;
      world.make(sick);
      await world.advance(90_000);
      assert.equal(await world.state(sick), 'completed');
    }),
  );

  test(
    'goes on when a list says nothing of it',
    story(
      async (world) => {
        const ids = await Promise.all([1, 2].map(async () => (await world.create()).task.id));
        world.upstream.tasks.delete(ids[0]!);
        world.make(ids[1]!);
        await world.advance(5_000);
        assert.equal(await world.state(ids[0]!), 'queued');
        assert.equal(await world.state(ids[1]!), 'completed');
        world.make(ids[0]!);
        await world.advance(10_000);
        assert.equal(await world.state(ids[0]!), 'completed');
        assert.deepEqual(world.errors, []);
      },
      { upstream: { hasLists: true } },
    ),
  );

  test(
    'never goes back, whatever its upstream says',
    story(async (world) => {
      const { task } = await world.create();
      for (const status of ['processing', 'submitted', 'unknown', 'processing', 'submitted'] as const) {
        world.upstream.set(task.id, { status });
        await world.advance(5_000);
        assert.equal(await world.state(task.id), 'in_progress');
      }
      assert.deepEqual(await eventsOf(world, task.id), ['task.queued', 'task.started']);
    }),
  );

  test(
    'that is reported made again and again is fetched and charged once',
    story(async (world) => {
      const { task } = await world.create();
      world.make(task.id);
      for (let push = 0; push < 5; push++) world.lanes.hint(CHANNEL_ID, task.id);
      await world.advance(2_000);
      const attempt = (await world.record(task.id)).attempts[0]!;
      const again = { attemptId: attempt.id, at: world.clock.now(), outputs: [], cost: null, exchanges: [] };
      assert.equal(await world.store.madeAttempt(again), false);
      world.lanes.hint(CHANNEL_ID, task.id);
      await world.restart();
      await world.advance(60_000);
      assert.deepEqual(await ledgerOf(world, task.id), ['hold 280000', 'settle -280000']);
      assert.equal(world.server.requests.length, 1);
    }),
  );

  test(
    'that somebody else polled until now is asked about at once, however seldom its age asks for',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(10 * 60_000);
      await world.restart();
      const before = world.upstream.pollsOf(task.id);
      await world.advance(1_500);
      assert.equal(world.upstream.pollsOf(task.id), before + 1);
      await world.advance(10_000);
      assert.equal(world.upstream.pollsOf(task.id), before + 1, 'then as seldom as before');
    }),
  );

  for (const code of ['task_failed', 'content_policy'] as const) {
    test(
      `that its upstream fails (${code}) is free, with the reason`,
      story(async (world) => {
        const { task } = await world.create();
        world.upstream.set(task.id, failure(code));
        await world.advance(5_000);
        assert.deepEqual((await world.task(task.id)).error, { code, message: 'Not this one.' });
        assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
        assert.deepEqual(await eventsOf(world, task.id), ['task.queued', 'task.failed']);
        world.make(task.id);
        await world.advance(HOUR_MS);
        assert.equal(await world.state(task.id), 'failed');
      }),
    );
  }

  test(
    'expires at its deadline and is free; its place in the lane is free as well',
    story(
      async (world) => {
        const { task } = await world.create();
        const { task: waiting } = await world.create();
        world.upstream.set(task.id, { status: 'unknown' });
        await world.advance(25 * HOUR_MS);
        for (const id of [task.id, waiting.id]) {
          assert.equal((await world.task(id)).error?.code, 'expired');
        }
        assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
        const polls = world.upstream.polls.length;
        const { task: next } = await world.create();
        assert.equal(world.upstream.submitsOf(next.id), 1);
        assert.equal(world.upstream.submitsOf(waiting.id), 0);
        await world.advance(60_000);
        assert.equal(world.upstream.pollsOf(task.id), polls);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'expires at its deadline although the upstream has been silent all along',
    story(
      async (world) => {
        const { task } = await world.create();
        world.upstream.isOut = true;
        await world.advance(600_000);
        assert.equal((await world.task(task.id)).error?.code, 'expired');
        assert.equal(await world.lanes.running(CHANNEL_ID), 0);
      },
      { settings: { taskDeadlineMs: 300_000 } },
    ),
  );
});

describe('a refusal', () => {
  for (const [refuse, code] of [
    ['rejected', 'task_failed'],
    ['content_policy', 'content_policy'],
  ] as const) {
    test(
      `that is final (${refuse}) fails the task and releases the hold at once; nobody else is asked`,
      story(async (world) => {
        await world.addChannel({ id: 'chan_second', provider: 'other', priority: -1 });
        world.upstream.answer = () => ({ refuse });
        const { task } = await world.create();
        await world.settle();
        assert.equal((await world.task(task.id)).error?.code, code);
        assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
        assert.deepEqual(await ledgerOf(world, task.id), ['hold 280000', 'release -280000']);
        assert.equal(world.other.submits.length, 0);
        assert.deepEqual(world.changes, ['acceptTask', 'finishTask']);
      }),
    );
  }

  for (const refuse of ['channel', 'unavailable'] as const) {
    test(
      `that is trouble of the channel (${refuse}) sends the task to another that can make it`,
      story(async (world) => {
        await world.addChannel({ id: 'chan_second', provider: 'other', priority: -1 });
        world.upstream.answer = () => ({ refuse });
        const { task } = await world.create();
        await world.settle();
        assert.equal(world.other.submitsOf(task.id), 1);
        world.make(task.id, '/film.mp4', world.other);
        await world.advance(10_000);
        const record = await world.record(task.id);
        assert.deepEqual(
          record.attempts.map(({ channelId, state }) => [channelId, state]),
          [
            [CHANNEL_ID, 'refused'],
            ['chan_second', 'made'],
          ],
        );
        assert.equal(record.task.state, 'completed');
        assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      }),
    );

    test(
      `that is trouble of the channel (${refuse}) makes the task wait where nobody else can make it`,
      story(async (world) => {
        await world.addChannel({ id: 'chan_second', provider: 'other', priority: -1 });
        world.other.missing = () => 'no cats here';
        world.upstream.answer = () => ({ refuse });
        const { task } = await world.create();
        await world.advance(10 * 60_000);
        assert.equal(await world.state(task.id), 'queued');
        const tries = world.upstream.submitsOf(task.id);
        assert.ok(tries >= 10 && tries <= 20, `${tries} tries in ten minutes`);
        world.upstream.answer = () => 'accept';
        await world.advance(90_000);
        assert.equal(world.upstream.submitsOf(task.id), tries + 1);
      }),
    );
  }

  test(
    'of two channels at once is no reason to run in circles',
    story(async (world) => {
      await world.addChannel({ id: 'chan_second', provider: 'other', priority: -1 });
      world.upstream.answer = () => ({ refuse: 'unavailable' });
      world.other.answer = () => ({ refuse: 'unavailable' });
      await world.create();
      await world.advance(10 * 60_000);
      const tries = world.upstream.submits.length + world.other.submits.length;
      assert.ok(tries <= 45, `${tries} tries in ten minutes`);
    }),
  );

  test(
    'because the credential cannot be opened sends nothing and leaves no doubt',
    story(async (world) => {
      await world.updateChannel(CHANNEL_ID, { credentialSealed: 'damaged' });
      const { task } = await world.create();
      await world.advance(60_000);
      assert.equal(world.upstream.lookups.length + world.upstream.submits.length, 0);
      assert.ok((await world.record(task.id)).attempts.some(({ state }) => state === 'refused'));
      assert.equal(await world.state(task.id), 'queued');
    }),
  );

  test(
    'to open the credential while a task runs is no news of the task',
    story(async (world) => {
      const { task } = await world.create();
      const { credentialSealed } = (await world.store.getChannel(CHANNEL_ID))!;
      await world.updateChannel(CHANNEL_ID, { credentialSealed: 'damaged' });
      await world.advance(60_000);
      await world.updateChannel(CHANNEL_ID, { credentialSealed });
      world.make(task.id);
      await world.advance(90_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );
});

describe('a delete', () => {
  test(
    'cancels a task that waits, and it is free',
    story(
      async (world) => {
        await world.create();
        const { task } = await world.create();
        await world.delete(task.id);
        const { state, error } = await world.task(task.id);
        assert.deepEqual([state, error?.code], ['cancelled', 'cancelled']);
        assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
        await world.advance(60_000);
        assert.equal(world.upstream.submitsOf(task.id), 0);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'is refused while the upstream has the task, or may have it',
    story(async (world) => {
      const { task } = await world.create();
      assert.equal(await refusal(world.delete(task.id)), 'task_running');
      world.upstream.answer = () => 'reset';
      const { task: doubtful } = await world.create();
      assert.equal(await refusal(world.delete(doubtful.id)), 'task_running');
      assert.deepEqual(await world.wallet(), { available: 98, held: 2 });
    }),
  );

  test(
    'of a finished task hides it and removes its files; the ledger is untouched',
    story(async (world) => {
      const { task } = await world.create({ external_task_id: 'mine' });
      world.make(task.id);
      await world.advance(5_000);
      await world.delete('mine');
      assert.equal(await refusal(world.find(task.id)), 'task_not_found');
      assert.equal(await refusal(world.find('mine')), 'task_not_found');
      for await (const entry of world.ctx.media.list('outputs/')) assert.fail(`kept ${entry.key}`);
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      assert.ok(await world.ledgerIsSound());
    }),
  );
});
