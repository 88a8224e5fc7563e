/** What a create promises: money first, then the upstream; nothing half-written; an answer in any case. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusal, story } from './harness.ts';

describe('a create', () => {
  test(
    'holds the money before the upstream hears of it',
    story(async (world) => {
      let heldAtSubmit: unknown = null;
      world.upstream.answer = () => {
        heldAtSubmit = [...world.changes];
        return 'accept';
      };
      const { task } = await world.create();
      assert.deepEqual(heldAtSubmit, ['acceptTask']);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
      assert.equal(task.state, 'queued');
    }),
  );

  test(
    'answers queued although the upstream has the task already',
    story(async (world) => {
      world.upstream.firstNews = { status: 'processing' };
      const { task } = await world.create();
      assert.equal(world.upstream.submitsOf(task.id), 1);
      assert.equal(task.state, 'queued');
    }),
  );

  test(
    'is refused when the balance does not cover it, and nothing is written',
    story(
      async (world) => {
        assert.equal(await refusal(world.create({ external_task_id: 'mine' })), 'insufficient_quota');
        assert.equal(await refusal(world.find('mine')), 'task_not_found');
        assert.equal(world.upstream.submits.length, 0);
        assert.deepEqual(await world.wallet(), { available: 0, held: 0 });
        assert.deepEqual((await world.store.listEvents({ cursor: null, limit: 10 })).rows, []);
      },
      { balance: 0 },
    ),
  );

  test(
    'that the balance does not cover leaves no picture on the disk',
    story(
      async (world) => {
        assert.equal(await refusal(world.create({ image: PICTURE })), 'insufficient_quota');
        for await (const entry of world.ctx.media.list('inputs/')) assert.fail(`kept ${entry.key}`);
      },
      { balance: 0 },
    ),
  );

  test(
    'among 200 at once on a balance for 50: exactly 50 are accepted',
    story(
      async (world) => {
        const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => world.create()));
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 50);
        await world.advance(1);
        assert.equal(world.upstream.submits.length, 50);
        assert.deepEqual(await world.wallet(), { available: 0, held: 50 });
        assert.ok(await world.ledgerIsSound());
      },
      { balance: 50 },
    ),
  );

  test(
    'above max_cost is refused before money moves',
    story(async (world) => {
      assert.equal(await refusal(world.create({ max_cost: '0.27' })), 'max_cost_exceeded');
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
      assert.equal((await world.create({ max_cost: '0.28' })).task.state, 'queued');
    }),
  );

  test(
    'as a dry run writes nothing and asks nobody',
    story(async (world) => {
      const { quote, balanceAfterMicros } = await world.estimate({ image: PICTURE });
      assert.equal(quote.amountMicros, 280_000n);
      assert.equal(balanceAfterMicros, 99n * 280_000n);
      assert.deepEqual(world.changes, []);
      assert.equal(world.upstream.submits.length, 0);
      for await (const entry of world.ctx.media.list('inputs/')) assert.fail(`kept ${entry.key}`);
    }),
  );

  test(
    'as a dry run warns where no channel can do it; the create itself is refused with what is missing',
    story(async (world) => {
      world.upstream.missing = () => 'no cats here';
      const { warnings } = await world.estimate();
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['no_channel'],
      );
      assert.match(warnings[0]!.message, /no cats here/);
      assert.equal(await refusal(world.create()), 'no_channel');
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
    }),
  );

  test(
    'with an external task id that is taken is refused and holds nothing',
    story(async (world) => {
      await world.create({ external_task_id: 'mine' });
      assert.equal(await refusal(world.create({ external_task_id: 'mine' })), 'duplicate_external_task_id');
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
    }),
  );

  test(
    'is answered after ten seconds when the upstream is slow, and the task goes on',
    story(async (world) => {
      world.upstream.answer = () => 'slow';
      const startedAt = world.clock.now();
      let answeredAt = 0;
      const creating = world.create().then((view) => {
        answeredAt = world.clock.now();
        return view;
      });
      await world.advance(15_000);
      const { task } = await creating;
      assert.equal(answeredAt - startedAt, 10_000);
      assert.equal(task.state, 'queued');
      world.upstream.release();
      await world.settle();
      world.make(task.id);
      await world.advance(5_000);
      assert.equal(await world.state(task.id), 'completed');
      assert.equal(world.upstream.submitsOf(task.id), 1);
    }),
  );

  test(
    'is refused with `unavailable` when the disk is full, and works again when it is not',
    story(async (world) => {
      world.storeFails = (method) => method === 'acceptTask';
      assert.equal(await refusal(world.create()), 'unavailable');
      assert.equal(world.upstream.submits.length, 0);
      world.storeFails = () => false;
      await world.create();
      assert.equal(world.upstream.submits.length, 1);
      // The place is kept until it is certain that nothing was committed.
      await world.advance(5_000);
      assert.equal(await world.lanes.running('chan_first'), 1);
    }),
  );
});

/** A PNG of 320 × 320: only its head is looked at. */
const PICTURE = Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
  Buffer.from([0, 0, 1, 64, 0, 0, 1, 64, 8, 2, 0, 0, 0]),
  Buffer.alloc(64),
]).toString('base64');
