/** What happens around a channel in trouble: it is left alone, passed over, tried again, and what waits finds its way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChannelHealth } from '../../src/core/ports.ts';
import { CHANNEL_ID, story, type World } from './harness.ts';
import type { SubmitAnswer } from './fake-upstream.ts';

const SECOND = 'chan_second';
const DOWN: SubmitAnswer = { refuse: 'unavailable' };

/** Its breaker, as everybody may read it. */
async function healthOf(world: World, channelId = CHANNEL_ID): Promise<ChannelHealth | undefined> {
  await world.settle();
  return (await world.store.channelHealth()).find((health) => health.channelId === channelId);
}

/** Creates one after the other, each in a millisecond of its own, so that their order is known. */
async function createInOrder(world: World, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    ids.push((await world.create()).task.id);
    await world.advance(1);
  }
  return ids;
}

const channelsOf = async (world: World, ids: string[]): Promise<string[]> =>
  Promise.all(ids.map(async (id) => (await world.task(id)).channelId));

describe('a channel that refuses for reasons of its own', () => {
  test(
    'is left alone ever longer, tried by one at a time, and trusted again when one is accepted',
    story(async (world) => {
      world.upstream.answer = () => DOWN;
      await Promise.all(Array.from({ length: 10 }, () => world.create()));
      const first = world.upstream.submits.length;
      await world.advance(60_000);
      const gaps = world.upstream.submits.slice(first).map(({ at }) => at);
      assert.ok(gaps.length >= 4 && gaps.length <= 6, `${gaps.length} tries in a minute`);
      for (let next = 2; next < gaps.length; next++) {
        assert.ok(gaps[next]! - gaps[next - 1]! > 1.5 * (gaps[next - 1]! - gaps[next - 2]!));
      }
      const open = (await healthOf(world))!;
      assert.equal(open.state, 'open');
      assert.match(open.reason!, /refuses: unavailable\. \(1303\)/);
      assert.ok(open.retryAt! > world.clock.now());
      world.upstream.answer = () => 'accept';
      await world.advance(60_000);
      assert.equal(world.upstream.tasks.size, 10);
      const closed = (await healthOf(world))!;
      assert.deepEqual(
        [closed.state, closed.reason, closed.retryAt, closed.trips],
        ['closed', null, null, 0],
      );
    }),
  );

  test(
    'is left alone for the same time after the process was killed',
    story(async (world) => {
      world.upstream.answer = () => ({ refuse: 'channel', retryAfterMs: 50_000 });
      await world.create();
      const { retryAt } = (await healthOf(world))!;
      await world.advance(10_000);
      await world.restart();
      await world.advance(39_000);
      assert.equal(world.upstream.submits.length, 1);
      await world.advance(2_000);
      assert.equal(world.upstream.submits.length, 2);
      assert.equal(world.upstream.submits[1]!.at, retryAt);
    }),
  );

  test(
    'is tried by its probe when nobody waits for it, and takes new tasks when that works',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
      world.upstream.answer = () => ({ refuse: 'channel' });
      world.upstream.probe = { ok: false, message: 'The upstream account has no units left: buy some.' };
      const { task } = await world.create();
      await world.settle();
      assert.equal(world.other.submitsOf(task.id), 1);
      await world.advance(20_000);
      assert.ok(world.upstream.probes.length >= 3);
      assert.equal(world.upstream.submits.length, 1, 'no task is risked');
      assert.equal((await healthOf(world))!.reason, 'The upstream account has no units left: buy some.');
      assert.equal(world.other.submitsOf((await world.create()).task.id), 1);
      world.upstream.probe = { ok: true, message: 'It works.' };
      world.upstream.answer = () => 'accept';
      await world.advance(60_000);
      assert.equal(world.upstream.submitsOf((await world.create()).task.id), 1);
    }),
  );

  test(
    'is tried at once when the operator has changed it',
    story(async (world) => {
      world.upstream.answer = () => ({ refuse: 'channel', retryAfterMs: 3_600_000 });
      const { task } = await world.create();
      world.upstream.answer = () => 'accept';
      await world.updateChannel(CHANNEL_ID, {
        credentialSealed: (await world.store.getChannel(CHANNEL_ID))!.credentialSealed,
        weight: 2,
      });
      assert.equal(world.upstream.submitsOf(task.id), 2);
    }),
  );

  test(
    'gives what waits for it to those that can make it; what nobody else knows stays',
    story(
      async (world) => {
        const [running, ...waiting] = await createInOrder(world, 4);
        await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
        world.other.missing = (prompt) => (prompt.includes('dog') ? 'no dogs here' : null);
        const stays = (await world.create({ prompt: 'a dog' })).task.id;
        world.upstream.answer = () => DOWN;
        world.make(running!);
        await world.advance(10_000);
        assert.deepEqual(
          world.other.submits.map(({ taskId }) => taskId),
          waiting,
        );
        assert.deepEqual(await channelsOf(world, [stays]), [CHANNEL_ID]);
        const events = (await world.record(waiting[1]!)).events.filter(({ type }) => type === 'queue.moved');
        assert.deepEqual(
          events.map(({ data }) => data),
          [{ from: CHANNEL_ID, to: SECOND, reason: 'the channel is in trouble' }],
        );
        assert.ok(await world.ledgerIsSound());
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('a channel that does not answer', () => {
  test(
    'to polls is passed over by new tasks, and fails none of those it runs',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
      const { task } = await world.create();
      world.upstream.isOut = true;
      world.upstream.probe = { ok: false, message: 'The upstream cannot be reached.' };
      await world.advance(60_000);
      assert.equal((await healthOf(world))!.state, 'open');
      const during = (await world.create()).task.id;
      assert.equal(world.other.submitsOf(during), 1);
      world.upstream.isOut = false;
      world.upstream.probe = { ok: true, message: 'It works.' };
      await world.advance(120_000);
      const after = (await world.create()).task.id;
      assert.equal(world.upstream.submitsOf(after), 1);
      world.make(task.id);
      await world.advance(60_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'to submits is passed over after three in a row; one that breaks off is chance',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
      world.upstream.answer = () => 'reset';
      await world.create();
      await world.create();
      assert.equal((await healthOf(world))?.state ?? 'closed', 'closed');
      await world.create();
      assert.equal((await healthOf(world))!.state, 'open');
      assert.equal(world.other.submitsOf((await world.create()).task.id), 1);
    }),
  );

  test(
    'holds up nobody who waits for another',
    story(
      async (world) => {
        await world.addChannel({ id: SECOND, provider: 'other', priority: -1, concurrency: 2 });
        world.upstream.answer = () => 'slow';
        world.upstream.missing = (prompt) => (prompt === 'elsewhere' ? 'not here' : null);
        const hanging = [world.create(), world.create(), world.create()];
        await world.settle();
        const startedAt = world.clock.now();
        const ids: string[] = [];
        for (let count = 0; count < 6; count++) {
          ids.push((await world.create({ prompt: 'elsewhere' })).task.id);
          for (const id of ids) world.make(id, '/film.mp4', world.other);
        }
        assert.equal(world.clock.now(), startedAt, 'no create waited for the channel that hangs');
        await world.advance(9_000);
        for (const id of ids) assert.equal(await world.state(id), 'completed');
        assert.equal(world.upstream.submits.length, 2);
        world.upstream.release();
        await Promise.all(hanging);
      },
      { channel: { concurrency: 2 } },
    ),
  );
});

describe('a channel that works again', () => {
  test(
    'takes back what still waits elsewhere, one first, then more; what runs there stays',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1, concurrency: 1 });
      world.upstream.answer = () => DOWN;
      world.upstream.probe = { ok: false, message: 'The upstream cannot be reached.' };
      const ids = await createInOrder(world, 6);
      assert.deepEqual(new Set(await channelsOf(world, ids)), new Set([SECOND]));
      world.upstream.probe = { ok: true, message: 'It works.' };
      world.upstream.answer = () => 'accept';
      await world.advance(60_000);
      assert.deepEqual(await channelsOf(world, ids), [SECOND, ...ids.slice(1).map(() => CHANNEL_ID)]);
      const { submits } = world.upstream;
      const tries = submits.filter(({ at }) => at > submits[0]!.at);
      assert.deepEqual(
        tries.map(({ taskId }) => taskId),
        ids.slice(1),
      );
      for (const id of ids.slice(1)) world.make(id);
      world.make(ids[0]!, '/film.mp4', world.other);
      await world.advance(30_000);
      for (const id of ids) assert.equal(await world.state(id), 'completed');
      assert.equal(world.other.submits.length, 1);
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'but only answers and refuses draws few to itself, and each of them no more than twice',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1, concurrency: 1 });
      world.upstream.answer = () => ({ refuse: 'channel' });
      const ids = await createInOrder(world, 8);
      await world.advance(600_000);
      for (const id of ids) assert.ok(world.upstream.submitsOf(id) <= 2);
      assert.ok(world.upstream.submits.length <= 16);
      assert.deepEqual(new Set(await channelsOf(world, ids)), new Set([SECOND]));
    }),
  );

  test(
    'does not take what nobody else has to give up: an equal that works keeps its own',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', concurrency: 1, weight: 0 });
      await world.updateChannel(CHANNEL_ID, { enabled: false });
      const ids = await createInOrder(world, 3);
      await world.updateChannel(CHANNEL_ID, { enabled: true });
      await world.advance(10_000);
      assert.deepEqual(new Set(await channelsOf(world, ids)), new Set([SECOND]));
    }),
  );
});
