import assert from 'node:assert/strict';
import type { Exchange } from '../../core/ports.ts';
import {
  CHANNEL,
  T0,
  accept,
  acceptAndSubmit,
  assertMoney,
  complete,
  createChannel,
  eventTypes,
  fail,
  furnish,
  newTask,
  run,
  type PromiseTest,
  openOn,
} from './harness.ts';

const EXCHANGE: Exchange = {
  at: T0 + 1,
  method: 'POST',
  path: '/v1/videos/text2video',
  request: '{}',
  status: 200,
  response: '{"code":0}',
  durationMs: 12,
  error: null,
};

export function testAttempts(promise: PromiseTest): void {
  promise('what was made at once goes from submitting to made, its job due later', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    const made = { attemptId, at: T0 + 50, outputs: [], cost: null, exchanges: [] };
    const atOnce = { ref: { id: 'up-1' }, fetchAt: T0 + 60_050 };
    assert.equal(await store.madeAttempt(made), false);
    assert.equal(await store.madeAttempt({ ...made, atOnce }), true);
    assert.equal(await store.madeAttempt({ ...made, atOnce }), false);
    const { attempt } = (await store.currentAttempt(task.id))!;
    assert.deepEqual([attempt.state, attempt.ref], ['made', { id: 'up-1' }]);
    assert.equal(await store.jobs.nextRunAt('persist-output'), T0 + 60_050);
  });

  promise('an attempt opened with its task is submitting, and the task does not wait', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    const open = await store.currentAttempt(task.id);
    assert.equal(open?.attempt.id, attemptId);
    assert.equal(open?.attempt.state, 'submitting');
    assert.equal(open?.attempt.number, 1);
    assert.equal(open?.attempt.owner, 'node-1');
    assert.deepEqual(open?.task, { ...task, attemptId });
    assert.deepEqual(await store.waitingTasks(CHANNEL, '', 10), []);
    assert.equal(await store.waitingCount(CHANNEL), 0);
    assert.deepEqual(await openOn(store), [
      {
        attemptId,
        taskId: task.id,
        ref: null,
        acceptedAt: open.attempt.createdAt,
        deadlineAt: task.deadlineAt,
        started: false,
        request: task.request,
      },
    ]);
  });

  promise('a lane opens attempts for the tasks that still wait, each once', async ({ store }) => {
    await furnish(store);
    const one = await accept(store);
    const two = await accept(store);
    assert.equal(await store.waitingCount(CHANNEL), 2);
    assert.deepEqual(
      (await store.waitingTasks(CHANNEL, '', 10)).map((task) => task.id),
      [one.id, two.id],
    );
    await store.cancelTask({ taskId: two.id, at: T0 });
    const attempts = [one, two].map((task) => ({
      id: `att_${task.id}`,
      taskId: task.id,
      channelId: CHANNEL,
      owner: 'lane',
      submitDeadlineAt: T0 + 5_000,
      at: T0 + 1,
    }));
    const again = attempts.map((attempt) => ({ ...attempt, id: `${attempt.id}_again` }));
    const [first, second] = await Promise.all([store.openAttempts(attempts), store.openAttempts(again)]);
    assert.deepEqual(first, [`att_${one.id}`]);
    assert.deepEqual(second, []);
    assert.equal(await store.waitingCount(CHANNEL), 0);
  });

  promise('acceptance is seen once, with the ref as it was given and the exchange', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    const ref = { task_id: 829_836_802_793_406_551n, kind: 'x' };
    const input = { attemptId, ref, at: T0 + 10, exchanges: [EXCHANGE] };
    assert.equal(await store.acceptAttempt(input), true);
    assert.equal(await store.acceptAttempt(input), false);
    const open = await store.getAttempt(attemptId);
    assert.equal(open?.attempt.state, 'accepted');
    assert.deepEqual(open?.attempt.ref, ref);
    assert.equal(open?.attempt.acceptedAt, T0 + 10);
    assert.deepEqual((await store.taskRecord(task.id))?.exchanges, [{ ...EXCHANGE, attemptId }]);
  });

  promise('a refused attempt sends its task back to waiting, on another channel', async ({ store }) => {
    await furnish(store);
    await createChannel(store, 'chn_two');
    const { task, attemptId } = await acceptAndSubmit(store);
    const refusal = {
      attemptId,
      at: T0 + 10,
      upstreamCode: '1303',
      message: 'busy',
      channelId: 'chn_two',
      pool: '',
      exchanges: [EXCHANGE],
    };
    assert.equal(await store.refuseAttempt(refusal), true);
    assert.equal(await store.refuseAttempt(refusal), false);
    assert.equal(await store.acceptAttempt({ attemptId, ref: null, at: T0, exchanges: [] }), false);
    assert.equal(await store.waitingCount(CHANNEL), 0);
    assert.equal((await store.waitingTasks('chn_two', '', 5))[0]?.id, task.id);
    assert.equal(await store.currentAttempt(task.id), null);
    const next = {
      id: 'att_next',
      taskId: task.id,
      channelId: 'chn_two',
      owner: 'lane',
      submitDeadlineAt: T0,
      at: T0,
    };
    await store.openAttempts([next]);
    assert.equal((await store.currentAttempt(task.id))?.attempt.number, 2);
    const record = await store.taskRecord(task.id);
    assert.deepEqual(
      record?.attempts.map((attempt) => [attempt.state, attempt.upstreamCode, attempt.message]),
      [
        ['refused', '1303', 'busy'],
        ['submitting', null, null],
      ],
    );
    await assertMoney(store, 900n, 100n);
  });

  promise('an attempt in doubt is handed on with a new owner and deadline', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await acceptAndSubmit(store);
    const reopen = { attemptId, owner: 'node-2', submitDeadlineAt: T0 + 9_000, at: T0 + 6_000 };
    assert.equal(await store.reopenAttempt(reopen), true);
    const open = await store.getAttempt(attemptId);
    assert.equal(open?.attempt.owner, 'node-2');
    assert.equal(open?.attempt.submitDeadlineAt, T0 + 9_000);
    await store.acceptAttempt({ attemptId, ref: 1, at: T0, exchanges: [] });
    assert.equal(await store.reopenAttempt(reopen), false);
    assert.ok((await eventTypes(store, task.id)).includes('attempt.reopened'));
  });

  promise('a task starts once, and only from the queue', async ({ store }) => {
    await furnish(store);
    const { task } = await run(store);
    assert.equal(await store.startTask({ taskId: task.id, at: T0 + 99 }), false);
    assert.equal((await store.getTask(task.id))?.startedAt, T0 + 20);
    assert.deepEqual(await store.taskCounts(), { in_progress: 1 });
  });

  promise('a made attempt leaves the lane and enqueues the fetch of its outputs, once', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    const outputs = [
      { role: 'video' as const, url: 'https://up/v.mp4', upstreamId: 'v1', durationSeconds: 5.04 },
    ];
    const found = { data: { faces: [829_836_802_793_406_551n] }, resources: [] };
    const made = { attemptId, at: T0 + 50, outputs, found, cost: null, exchanges: [EXCHANGE] };
    assert.equal(await store.madeAttempt(made), true);
    assert.equal(await store.madeAttempt(made), false);
    assert.deepEqual(await openOn(store), []);
    assert.deepEqual(await store.channelsWithWork(), []);
    const current = await store.currentAttempt(task.id);
    assert.deepEqual(current?.attempt.outputs, outputs);
    assert.deepEqual(current?.attempt.found, found);
    const claim = { queue: 'persist-output', limit: 5, leaseUntil: T0 + 900, at: T0 + 50 };
    const jobs = await store.jobs.claim(claim);
    assert.deepEqual(
      jobs.map((job) => job.data),
      [{ taskId: task.id, attemptId }],
    );
  });

  promise('nothing that comes late moves a finished task or its attempt', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await fail(store, task.id, attemptId);
    const made = { attemptId, at: T0 + 200, outputs: [], cost: null, exchanges: [] };
    assert.equal(await store.madeAttempt(made), false);
    assert.equal(await store.acceptAttempt({ attemptId, ref: 1, at: T0, exchanges: [] }), false);
    assert.equal(await store.startTask({ taskId: task.id, at: T0 + 200 }), false);
    assert.equal(await complete(store, task.id, attemptId, 1n), false);
    assert.equal((await store.getTask(task.id))?.updatedAt, T0 + 100);
    const claim = { queue: 'persist-output', limit: 5, leaseUntil: T0 + 900, at: T0 + 500 };
    assert.deepEqual(await store.jobs.claim(claim), []);
  });

  promise('every change a caller may see is delivered where a callback URL was given', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store, newTask({ callbackUrl: 'https://example.com/hook' }));
    await run(store);
    await complete(store, task.id, attemptId, 100n);
    const { rows: events } = await store.listEvents({ taskId: task.id, cursor: null, limit: 50 });
    const told = events.filter((event) => event.type.startsWith('task.'));
    assert.equal(told.length, 3);
    const { deliveries } = (await store.taskRecord(task.id))!;
    assert.deepEqual(
      deliveries.map(({ delivery }) => [delivery.callbackUrl, delivery.eventType, delivery.state]),
      told.map(() => ['https://example.com/hook', 'callback', 'pending']),
    );
  });

  promise('lanes and queues are woken after the commit that concerns them', async ({ store }) => {
    await furnish(store);
    const heard: string[] = [];
    const topics = [`lane:${CHANNEL}`, 'jobs:persist-output', 'channels', 'keys', 'lane:chn_other'];
    const ends = topics.map((topic) => store.onCommit(topic, () => heard.push(topic)));
    /** Runs one change and answers what was heard of it. */
    const hears = async (change: Promise<unknown>) => {
      heard.length = 0;
      await change;
      return [...heard];
    };
    const task = newTask();
    const attemptId = `att_${task.id}`;
    // What the request submits itself concerns no lane; what waits does.
    assert.deepEqual(await hears(acceptAndSubmit(store, task)), []);
    assert.deepEqual(await hears(accept(store)), [`lane:${CHANNEL}`]);
    const accepted = { attemptId, ref: 1, at: T0, exchanges: [] };
    assert.deepEqual(await hears(store.acceptAttempt(accepted)), []);
    const made = { attemptId, at: T0, outputs: [], cost: null, exchanges: [] };
    assert.deepEqual(await hears(store.madeAttempt(made)), ['jobs:persist-output']);
    assert.deepEqual(await hears(store.updateChannel(CHANNEL, { priority: 1 })), ['channels']);
    assert.deepEqual(await hears(store.updateAccount(task.accountId, { name: 'x' }, T0)), ['keys']);
    assert.deepEqual(await hears(accept(store, newTask({ holdMicros: 9_999n })).catch(() => {})), []);
    for (const end of ends) end();
    assert.deepEqual(await hears(accept(store)), []);
  });
}
