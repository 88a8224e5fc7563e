/** What an operator does by hand: made again once and only once, paid back exactly, ended for good; each on record. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Intent } from '../../src/core/intent.ts';
import type { Admin } from '../../src/core/ports.ts';
import { createAdmin } from '../../src/flows/admin/index.ts';
import { routeFor } from '../../src/flows/route.ts';
import { ACCOUNT_ID, CHANNEL_ID, PRICE_MICROS, refusal, story, type World } from './harness.ts';
import { sends } from './local-server.ts';

/** Short enough to be lived through, timer by timer. */
const DEADLINE_MS = 600_000;
const audit = { author: 'li.na', note: 'ticket 4711' };

function adminOf({ ctx, lanes }: World): Admin {
  return createAdmin({ ...ctx, lanes, route: (request, pinned) => routeFor(ctx, request, { pinned }) });
}

function retry(world: World, id: string, acceptPossibleDuplicate = false, intent: Intent | null = null) {
  return adminOf(world).retryTask(id, { ...audit, acceptPossibleDuplicate }, intent);
}

const refund = (world: World, id: string, amountMicros: bigint | null, intent: Intent | null = null) =>
  adminOf(world).refundTask(id, { ...audit, amountMicros }, intent);
const markFailed = (world: World, id: string) => adminOf(world).failTask(id, audit);
const keyed = (key: string, requestHash = 'hash'): Intent => ({ requestHash, key, retryCount: null });

async function failedUpstream(world: World): Promise<string> {
  const { task } = await world.create();
  world.upstream.set(task.id, {
    status: 'failed',
    code: 'task_failed',
    message: 'The upstream ran out of memory.',
    upstreamCode: '5000',
  });
  await world.advance(20_000);
  assert.equal(await world.state(task.id), 'failed');
  return task.id;
}

async function completed(world: World): Promise<string> {
  const { task } = await world.create();
  world.make(task.id);
  await world.advance(20_000);
  assert.equal(await world.state(task.id), 'completed');
  return task.id;
}

describe('a retry', () => {
  test(
    'of what failed upstream is a new film there under a name of its own, paid once',
    story(async (world) => {
      const id = await failedUpstream(world);
      const before = (await world.task(id)).deadlineAt;
      const { action, task } = await retry(world, id);
      assert.deepEqual([action.action, action.amountMicros, task.state], ['retried', PRICE_MICROS, 'queued']);
      assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
      assert.ok(task.deadlineAt > before);
      await world.advance(1_000);
      assert.deepEqual(
        world.upstream.submits.map(({ taskId }) => taskId),
        [id, `${id}-r1`],
      );
      world.make(`${id}-r1`);
      await world.advance(20_000);
      assert.equal(await world.state(id), 'completed');
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      assert.equal(await world.ledgerIsSound(), true);
      const record = await world.record(id);
      assert.deepEqual(
        record.attempts.map(({ number, state }) => [number, state]),
        [
          [1, 'failed'],
          [2, 'made'],
        ],
      );
    }),
  );

  test(
    'can be made again and again, each time under another name',
    story(async (world) => {
      const id = await failedUpstream(world);
      for (const name of [`${id}-r1`, `${id}-r2`]) {
        world.upstream.firstNews = {
          status: 'failed',
          code: 'task_failed',
          message: 'Again.',
          upstreamCode: null,
        };
        await retry(world, id);
        await world.advance(20_000);
        assert.equal(world.upstream.submits.at(-1)?.taskId, name);
        assert.equal(await world.state(id), 'failed');
      }
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
      assert.equal(await world.ledgerIsSound(), true);
    }),
  );

  test(
    'of what ran past its deadline finds it at the upstream and takes it over',
    story(
      async (world) => {
        const { task } = await world.create();
        await world.advance(DEADLINE_MS + 60_000);
        assert.equal((await world.task(task.id)).error?.code, 'expired');
        await retry(world, task.id);
        world.make(task.id);
        await world.advance(60_000);
        assert.equal(await world.state(task.id), 'completed');
        assert.equal(world.upstream.submits.length, 1);
        assert.equal(world.upstream.lookups.length, 1);
        assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      },
      { settings: { taskDeadlineMs: DEADLINE_MS } },
    ),
  );

  test(
    'that is looked up and certainly not there is sent with the old name',
    story(
      async (world) => {
        world.upstream.answer = () => 'reset';
        world.upstream.isOut = true;
        const { task } = await world.create();
        await world.advance(DEADLINE_MS + 60_000);
        assert.equal(await world.state(task.id), 'failed');
        const before = world.upstream.submits.length;
        world.upstream.isOut = false;
        world.upstream.answer = () => 'accept';
        await retry(world, task.id);
        await world.advance(60_000);
        assert.deepEqual(
          world.upstream.submits.slice(before).map(({ taskId }) => taskId),
          [task.id],
        );
      },
      { settings: { taskDeadlineMs: DEADLINE_MS } },
    ),
  );

  test(
    'survives the death of the process between its commit and the look-up',
    story(
      async (world) => {
        const { task } = await world.create();
        await world.advance(DEADLINE_MS + 60_000);
        await retry(world, task.id);
        await world.restart();
        world.make(task.id);
        await world.advance(60_000);
        assert.equal(await world.state(task.id), 'completed');
        assert.equal(world.upstream.submits.length, 1);
      },
      { settings: { taskDeadlineMs: DEADLINE_MS } },
    ),
  );

  test(
    'of what was lost at an upstream without look-up wants to be told that two films are acceptable',
    story(
      async (world) => {
        world.upstream.answer = () => 'accept-then-reset';
        const { task } = await world.create();
        await world.advance(60_000);
        assert.equal((await world.task(task.id)).error?.code, 'lost');
        assert.deepEqual(await world.store.attentionCounts(), { lost: 1 });
        assert.equal(await refusal(retry(world, task.id)), 'conflict');
        assert.equal(world.upstream.submits.length, 1);
        world.upstream.answer = () => 'accept';
        await retry(world, task.id, true);
        await world.advance(1_000);
        assert.equal(world.upstream.submits.at(-1)?.taskId, `${task.id}-r1`);
        assert.deepEqual(await world.store.attentionCounts(), { lost: 0 });
      },
      { upstream: { hasLookup: false } },
    ),
  );

  test(
    'goes to another channel where the first is gone, and is refused where none is able',
    story(async (world) => {
      const id = await failedUpstream(world);
      await world.updateChannel('chan_first', { enabled: false });
      assert.equal(await refusal(retry(world, id)), 'no_channel');
      assert.equal(await world.state(id), 'failed');
      await world.addChannel({ id: 'chan_second', provider: 'other' });
      const { task } = await retry(world, id);
      assert.equal(task.channelId, 'chan_second');
      await world.advance(1_000);
      assert.equal(world.other.submits.length, 1);
    }),
  );

  test(
    'is refused for what cannot be: completed, cancelled, open, deleted, refused for its content',
    story(async (world) => {
      const done = await completed(world);
      assert.equal(await refusal(retry(world, done)), 'conflict');
      const open = await world.create();
      assert.equal(await refusal(retry(world, open.task.id)), 'conflict');
      world.upstream.answer = () => ({ refuse: 'content_policy' });
      const indecent = await world.create();
      await world.advance(1_000);
      assert.equal(await refusal(retry(world, indecent.task.id)), 'conflict');
      world.upstream.answer = () => 'accept';
      const deleted = await failedUpstream(world);
      await world.delete(deleted);
      assert.equal(await refusal(retry(world, deleted)), 'conflict');
      assert.equal(await refusal(retry(world, 'task_none')), 'task_not_found');
      assert.equal(await world.ledgerIsSound(), true);
    }),
  );

  test(
    'that cannot be paid for is refused, and the task stays as it was',
    story(
      async (world) => {
        const id = await failedUpstream(world);
        await world.create();
        assert.equal(await refusal(retry(world, id)), 'insufficient_quota');
        assert.equal(await world.state(id), 'failed');
      },
      { balance: 1 },
    ),
  );

  test(
    'is told to endpoints as a task that is queued again, and a late message still tells of the failure',
    story(async (world) => {
      const url = `${world.server.origin}/hook`;
      const eventTypes = ['task.queued', 'task.failed', 'task.completed'];
      const input = { name: 'mine', url, eventTypes, enabled: false };
      const { endpoint } = await world.gateway.webhooks.createEndpoint(ACCOUNT_ID, input);
      const id = await failedUpstream(world);
      await retry(world, id);
      await world.advance(1_000);
      world.make(`${id}-r1`);
      await world.advance(20_000);
      world.server.answers.set('/hook', sends(''));
      await world.gateway.webhooks.updateEndpoint(ACCOUNT_ID, endpoint.id, { enabled: true });
      await world.advance(120_000);
      const heard = world.server.requests.filter(({ path }) => path === '/hook').map(({ body }) => body);
      assert.deepEqual(
        heard.map(({ type, data }) => [type, data.state]),
        [
          ['task.queued', 'queued'],
          ['task.failed', 'failed'],
          ['task.queued', 'queued'],
          ['task.completed', 'completed'],
        ],
      );
      assert.equal(heard[1].data.video.error.message, 'The upstream ran out of memory.');
    }),
  );
});

describe('a refund', () => {
  test(
    'gives back a part, then the rest, and never more; the film stays',
    story(async (world) => {
      const id = await completed(world);
      const { action, task } = await refund(world, id, 80_000n);
      assert.deepEqual(
        [action.amountMicros, task.state, task.refundedMicros],
        [80_000n, 'completed', 80_000n],
      );
      assert.equal(await refusal(refund(world, id, 200_001n)), 'invalid_value');
      assert.equal((await refund(world, id, null)).action.amountMicros, 200_000n);
      assert.equal(await refusal(refund(world, id, null)), 'conflict');
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
      assert.ok((await world.content(id)).bytes > 0);
      assert.equal(await world.ledgerIsSound(), true);
    }),
  );

  test(
    'is made once per key, also when its answer was lost with the process',
    story(async (world) => {
      const id = await completed(world);
      world.storeBreaksOff = (method) => method === 'refundTask';
      assert.equal(await refusal(refund(world, id, 80_000n, keyed('k'))), 'unavailable');
      world.storeBreaksOff = () => false;
      await world.restart();
      const replayed = await refund(world, id, 80_000n, keyed('k'));
      assert.deepEqual([replayed.replayed, replayed.action.amountMicros], [true, 80_000n]);
      assert.equal((await world.task(id)).refundedMicros, 80_000n);
      assert.equal(await refusal(refund(world, id, 90_000n, keyed('k', 'other'))), 'idempotency_conflict');
    }),
  );

  test(
    'of what was not charged is refused',
    story(async (world) => {
      assert.equal(await refusal(refund(world, await failedUpstream(world), null)), 'conflict');
      const { task } = await world.create();
      assert.equal(await refusal(refund(world, task.id, null)), 'conflict');
    }),
  );
});

describe('marking failed', () => {
  test(
    'ends a running task: nothing is fetched, nothing charged, and its caller reads a plain failure',
    story(async (world) => {
      const { task } = await world.create();
      await world.advance(5_000);
      await markFailed(world, task.id);
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
      world.make(task.id);
      await world.advance(120_000);
      assert.equal(await world.state(task.id), 'failed');
      assert.deepEqual(await world.stored('outputs/'), []);
      assert.equal(await refusal(markFailed(world, task.id)), 'conflict');
      assert.equal(await world.ledgerIsSound(), true);
    }),
  );

  test(
    'of a running task leaves its place taken until the upstream has ended it, unless a retry takes it over',
    story(
      async (world) => {
        const { task } = await world.create();
        await world.advance(5_000);
        await markFailed(world, task.id);
        const next = await world.create();
        await world.advance(60_000);
        assert.equal(world.upstream.submitsOf(next.task.id), 0);
        await retry(world, task.id);
        await world.advance(30_000);
        world.make(task.id);
        await world.advance(60_000);
        assert.equal(await world.state(task.id), 'completed');
        assert.equal(world.upstream.submitsOf(task.id), 1);
        // One place, and it is free again.
        assert.equal(world.upstream.submitsOf(next.task.id), 1);
        const after = await world.create();
        world.make(next.task.id);
        await world.advance(60_000);
        assert.equal(world.upstream.submitsOf(after.task.id), 1);
        assert.equal(world.upstream.runningMost, 1);
      },
      { channel: { concurrency: 1 } },
    ),
  );

  test(
    'ends a task whose submit is under way, and what the upstream answers then changes nothing',
    story(async (world) => {
      world.upstream.answer = () => 'slow';
      const created = world.create();
      await world.advance(1_000);
      const [running] = (await adminOf(world).listTasks({ cursor: null, limit: 1 })).rows;
      await markFailed(world, running!.id);
      world.upstream.release();
      await created;
      await world.advance(60_000);
      assert.equal(await world.state(running!.id), 'failed');
      assert.equal(world.upstream.pollsOf(running!.id), 0);
      // What is made there all the same can be had by a retry, which looks for it.
      world.upstream.answer = () => 'accept';
      await retry(world, running!.id);
      world.make(running!.id);
      await world.advance(60_000);
      assert.equal(await world.state(running!.id), 'completed');
      assert.equal(world.upstream.submits.length, 1);
    }),
  );

  test(
    'of a waiting task takes it out of the queue',
    story(
      async (world) => {
        const first = await world.create();
        const { task } = await world.create();
        await markFailed(world, task.id);
        world.make(first.task.id);
        await world.advance(60_000);
        assert.equal(world.upstream.submitsOf(task.id), 0);
        assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
      },
      { channel: { concurrency: 1 } },
    ),
  );
});

describe('the flight recorder', () => {
  test(
    'tells what ended a task also where many were asked about at once, and nothing of the others',
    story(
      async (world) => {
        const made = await world.create({ prompt: 'one' });
        const failed = await world.create({ prompt: 'two' });
        world.make(made.task.id);
        world.upstream.set(failed.task.id, {
          status: 'failed',
          code: 'task_failed',
          message: 'It ran out of memory.',
          upstreamCode: '5000',
        });
        await world.advance(20_000);
        const [first, second] = [await world.record(made.task.id), await world.record(failed.task.id)];
        const [film] = first.exchanges.map(({ path, response }) => [path, JSON.parse(response!)]);
        assert.deepEqual(film, [
          '(one poll of 2 tasks)',
          {
            status: 'succeeded',
            outputs: [{ role: 'video', upstream_id: 'film-1', duration_seconds: 5.1 }],
            cost: { amount: '1', unit: 'unit' },
          },
        ]);
        assert.deepEqual(JSON.parse(second.exchanges[0]!.response!), {
          status: 'failed',
          code: 'task_failed',
          message: 'It ran out of memory.',
          upstream_code: '5000',
        });
        assert.ok(!JSON.stringify(first.exchanges).includes('http'), 'a source URL is as good as a key');
      },
      { upstream: { hasLists: true } },
    ),
  );
});

describe('compliance switches', () => {
  const asked = { metadata: { output_config: { input_compliance_check: 'Disabled' } } };
  const codes = (warnings: { code: string }[]) => warnings.map(({ code }) => code);

  test(
    'reach the upstream only where the operator of its channel says so; everybody else is warned',
    story(async (world) => {
      world.upstream.provider.passesComplianceSwitches = true;
      const opened = async () =>
        world.ctx.channels.open((await world.ctx.channels.get(CHANNEL_ID))!, null).allowsComplianceSwitches;
      assert.equal(await opened(), false);
      assert.deepEqual(codes((await world.create(asked)).task.warnings), ['compliance_ignored']);
      assert.deepEqual(codes((await world.estimate(asked)).warnings), ['compliance_ignored']);
      await world.updateChannel(CHANNEL_ID, { allowsComplianceSwitches: true });
      assert.equal(await opened(), true);
      assert.deepEqual(codes((await world.create(asked)).task.warnings), []);
      assert.deepEqual(codes((await world.estimate(asked)).warnings), []);
      // Where the upstream has no such switches, the operator's word changes nothing.
      delete world.upstream.provider.passesComplianceSwitches;
      assert.deepEqual(codes((await world.create(asked)).task.warnings), ['compliance_ignored']);
    }),
  );
});
