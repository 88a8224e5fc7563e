/** What a lane must learn of other nodes: told, or found out by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstreamError } from '../../src/core/errors.ts';
import { LaneSet } from '../../src/workers/lanes.ts';
import { CHANNEL_ID, story, type World, type WorldOptions } from './harness.ts';

/** The lane has its hands full, so that the second task waits for whoever takes it. */
const FULL: WorldOptions = { channel: { concurrency: 1 } };

/** Another node takes a waiting task up, as it would before it dies or is replaced; answers task and attempt. */
async function takenElsewhere(world: World): Promise<{ id: string; attemptId: string }> {
  const first = await world.create();
  world.upstream.set(first.task.id, { status: 'processing' });
  const { task } = await world.create();
  const at = world.clock.now();
  const attemptId = world.ctx.newId('att_');
  const opened = await world.store.openAttempts([
    {
      id: attemptId,
      taskId: task.id,
      channelId: CHANNEL_ID,
      owner: 'another node',
      submitDeadlineAt: at + 30_000,
      at,
    },
  ]);
  assert.deepEqual(opened, [attemptId]);
  return { id: task.id, attemptId };
}

async function acceptedElsewhere(world: World): Promise<string> {
  const { id, attemptId } = await takenElsewhere(world);
  const at = world.clock.now();
  await world.store.acceptAttempt({ attemptId, ref: { id }, at, exchanges: [] });
  world.make(id);
  return id;
}

test(
  'a lane looks after attempts it is told of',
  story(async (world) => {
    const id = await acceptedElsewhere(world);
    await world.store.tell(`attempts:${CHANNEL_ID}`);
    await world.advance(10_000);
    assert.equal(await world.state(id), 'completed');
    assert.equal(world.upstream.submitsOf(id), 0);
  }, FULL),
);

test(
  'a submit that was under way when the lane changed hands is watched as soon as its outcome is known',
  story(async (world) => {
    const { id, attemptId } = await takenElsewhere(world);
    await world.store.tell(`attempts:${CHANNEL_ID}`);
    await world.advance(1_000);
    const at = world.clock.now();
    await world.store.acceptAttempt({ attemptId, ref: { id }, at, exchanges: [] });
    world.make(id);
    await world.store.tell(`attempts:${CHANNEL_ID}`);
    await world.advance(10_000);
    assert.equal(await world.state(id), 'completed');
    assert.deepEqual(world.upstream.lookups, []);
  }, FULL),
);

test(
  'a lane finds what nobody tells it of, within a minute',
  story(async (world) => {
    await world.advance(5_000);
    const id = await acceptedElsewhere(world);
    await world.advance(30_000);
    assert.equal(world.upstream.pollsOf(id), 0);
    await world.advance(40_000);
    assert.equal(await world.state(id), 'completed');
  }, FULL),
);

test(
  'a submit of a node that died is looked up, and sent again under the same name when it never arrived',
  story(async (world) => {
    const { id } = await takenElsewhere(world);
    await world.advance(30_000);
    assert.deepEqual(world.upstream.lookups, []);
    await world.advance(40_000);
    assert.equal(world.upstream.lookups.filter(({ taskId }) => taskId === id).length, 1);
    assert.equal(world.upstream.submitsOf(id), 1);
    world.make(id);
    await world.advance(20_000);
    assert.equal(await world.state(id), 'completed');
  }, FULL),
);

test(
  'a push that another node received makes the next poll due now',
  story(async (world) => {
    const { task } = await world.create();
    world.upstream.set(task.id, { status: 'processing' });
    await world.advance(600_000);
    // Just polled: the next one is not due for a while.
    const before = world.upstream.pollsOf(task.id);
    while (world.upstream.pollsOf(task.id) === before) await world.advance(500);
    const known = world.upstream.pollsOf(task.id);
    await world.store.tell(`hint:${CHANNEL_ID} ${task.id}`);
    await world.advance(1_000);
    assert.equal(world.upstream.pollsOf(task.id), known + 1);
  }),
);

test(
  'trouble that a request met on another node opens the breaker, and everybody routes by it',
  story(async (world) => {
    await world.create();
    const elsewhere = new LaneSet({ speedOf: () => 1, duties: null, onError: () => {} });
    await elsewhere.start({ ...world.ctx, lanes: elsewhere });
    assert.equal(elsewhere.reserve(CHANNEL_ID, (await world.create()).task.request), null);
    elsewhere.heard(
      CHANNEL_ID,
      new UpstreamError('channel', 'The account is closed.', { upstreamCode: '1103' }),
    );
    await world.settle();
    await world.advance(100);
    assert.equal(world.lanes.isHealthy(CHANNEL_ID), false);
    assert.equal(elsewhere.isHealthy(CHANNEL_ID), false);
    const [health] = await world.store.channelHealth();
    assert.match(health?.reason ?? '', /The account is closed. \(1103\)/);
    assert.equal(await elsewhere.running(CHANNEL_ID), 2);
    await elsewhere.stop();
  }),
);
