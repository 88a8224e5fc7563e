/** What was not taken after all is made elsewhere or later, and costs once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { story, type World } from './harness.ts';

const SECOND = 'chan_second';
const VIDEO = 'https://films.example/talk.mp4';

const events = async (world: World, id: string): Promise<string[]> =>
  (await world.record(id)).events.map(({ type }) => type);

describe('a task that its upstream accepted and then had no place for', () => {
  const oneTooMany = {
    status: 'failed',
    code: 'task_failed',
    message: 'The upstream has no free slot.',
    upstreamCode: 'RequestLimitExceeded',
    isRetryable: true,
  } as const;

  test(
    'waits again and is submitted under a new handle; it is charged once',
    story(async (world) => {
      const { task } = await world.create();
      world.upstream.set(task.id, oneTooMany);
      await world.advance(10_000);
      assert.equal(await world.state(task.id), 'queued');
      const [first, second] = world.upstream.submits.map(({ taskId }) => taskId);
      assert.equal(first, task.id);
      assert.equal(second, `${task.id}-r1`);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
      world.upstream.set(second!, oneTooMany);
      await world.advance(20_000);
      const third = world.upstream.submits.at(-1)!.taskId;
      assert.equal(third, `${task.id}-r2`);
      world.make(third);
      await world.advance(20_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      const record = await world.record(task.id);
      assert.deepEqual(
        record.attempts.map(({ state, upstreamCode }) => [state, upstreamCode]),
        [
          ['failed', 'RequestLimitExceeded'],
          ['failed', 'RequestLimitExceeded'],
          ['made', null],
        ],
      );
      assert.ok(await world.ledgerIsSound());
    }),
  );

  test(
    'is tried ever more seldom, and the others of its lane with it',
    story(async (world) => {
      world.upstream.firstNews = oneTooMany;
      await world.create();
      await world.advance(300_000);
      assert.ok(
        world.upstream.submits.length < 12,
        `${world.upstream.submits.length} submits in five minutes`,
      );
    }),
  );

  test(
    'is found again when the process dies after the new submit was sent',
    story(async (world) => {
      const { task } = await world.create();
      world.upstream.set(task.id, oneTooMany);
      world.upstream.answer = ({ taskId }) => (taskId === task.id ? 'accept' : 'accept-then-reset');
      await world.advance(10_000);
      await world.restart();
      await world.advance(60_000);
      assert.equal(world.upstream.submitsOf(`${task.id}-r1`), 1);
      world.make(`${task.id}-r1`);
      await world.advance(20_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );
});

describe('a task that was made before anybody saw it running', () => {
  test(
    'is told to have started before it is told to be completed',
    story(async (world) => {
      world.upstream.firstNews = world.film();
      const { task } = await world.create();
      await world.advance(10_000);
      assert.deepEqual(
        (await events(world, task.id)).filter((type) => type.startsWith('task.')),
        ['task.queued', 'task.started', 'task.completed'],
      );
      assert.notEqual((await world.task(task.id)).startedAt, null);
    }),
  );

  test(
    'also where the upstream answers at once, or makes no file',
    story(async (world) => {
      const { task } = await world.feature('identify-face', { video_url: VIDEO });
      assert.deepEqual(
        (await events(world, task.id)).filter((type) => type.startsWith('task.')),
        ['task.queued', 'task.started', 'task.completed'],
      );
    }),
  );
});

describe('what is answered at once', () => {
  const find = (world: World) => world.feature('identify-face', { video_url: VIDEO });

  for (const kind of ['busy', 'channel', 'unavailable'] as const) {
    test(
      `is asked of the next channel that can when the first refuses (${kind})`,
      story(async (world) => {
        await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
        world.upstream.answer = () => ({ refuse: kind });
        const { task } = await find(world);
        assert.equal(task.state, 'completed');
        assert.equal(task.channelId, SECOND);
        assert.deepEqual(
          (await world.record(task.id)).attempts.map(({ state, channelId }) => [state, channelId]),
          [
            ['refused', 'chan_first'],
            ['made', SECOND],
          ],
        );
        const [, held] = await world.money();
        assert.equal(held, 0n);
        assert.ok(await world.ledgerIsSound());
        await world.settle();
        // Trouble is news for everybody, being busy is not.
        assert.equal(world.lanes.isHealthy('chan_first'), kind === 'busy');
      }),
    );
  }

  for (const answer of [{ refuse: 'rejected' }, { refuse: 'content_policy' }, 'reset'] as const) {
    test(
      `is not passed on after ${JSON.stringify(answer)}`,
      story(async (world) => {
        await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
        world.upstream.answer = () => answer;
        await assert.rejects(find(world));
        assert.equal(world.other.submits.length, 0);
        const [, held] = await world.money();
        assert.equal(held, 0n);
      }),
    );
  }

  test(
    'is refused when all refuse, each asked once',
    story(async (world) => {
      await world.addChannel({ id: SECOND, provider: 'other', priority: -1 });
      world.upstream.answer = () => ({ refuse: 'busy' });
      world.other.answer = () => ({ refuse: 'unavailable' });
      await assert.rejects(find(world), { code: 'upstream_unavailable' });
      assert.equal(world.upstream.submits.length, 1);
      assert.equal(world.other.submits.length, 1);
      const [, held] = await world.money();
      assert.equal(held, 0n);
      assert.ok(await world.ledgerIsSound());
    }),
  );
});
