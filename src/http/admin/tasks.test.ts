import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admin, TaskRecord } from '../../core/ports.ts';
import { createFakeGateway } from '../../dialects/kit/fake-gateway.ts';
import { requestOf } from '../../dialects/kit/fake-task.ts';
import { createAnswerCheck } from '../description.fixture.ts';
import { startFixture, testAdminToken } from '../server.fixture.ts';

const at = 1_800_000_000_000;
const atText = '2027-01-15T08:00:00.000Z';

function recordOfOneTask(): TaskRecord {
  const task = createFakeGateway().seed('completed', { chargeMicros: 210_000n });
  task.request = {
    ...requestOf('kling-2.5'),
    cfgScale: 0.5,
    extensions: { someKey: { innerKey: 123456789012345678901n } },
  };
  return {
    task,
    attempts: [
      {
        id: 'att_1',
        taskId: task.id,
        channelId: 'chan_1',
        number: 1,
        state: 'made',
        ref: { task_id: '7' },
        owner: 'node',
        submitDeadlineAt: at,
        createdAt: at,
        acceptedAt: at,
        endedAt: null,
        outputs: [
          {
            role: 'video',
            url: 'https://files.example.com/x?token=secret',
            upstreamId: 'u1',
            durationSeconds: 5,
          },
        ],
        cost: { amount: '1.5', unit: 'unit' },
        found: null,
        upstreamCode: null,
        message: null,
      },
    ],
    events: [
      {
        id: 'evt_1',
        type: 'task.queued',
        accountId: 'a',
        taskId: task.id,
        data: { channelId: 'chan_1' },
        createdAt: at,
      },
    ],
    exchanges: [
      {
        attemptId: 'att_1',
        at,
        method: 'POST',
        path: '/v1/x',
        request: '{}',
        status: 200,
        response: '{}',
        durationMs: 8,
        error: null,
      },
    ],
    ledger: [
      {
        id: 'le_1',
        postingId: 'p_1',
        accountId: 'a',
        kind: 'settle',
        book: 'held',
        amountMicros: -210_000n,
        taskId: task.id,
        note: null,
        createdAt: at,
      },
    ],
    deliveries: [],
    usage: [
      {
        id: 'us_1',
        accountId: 'a',
        taskId: task.id,
        tier: 't',
        unit: 'second',
        quantity: 5,
        amountMicros: 210_000n,
        cost: null,
        createdAt: at,
      },
    ],
  };
}

test('the record of a task tells everything in the words of the wire, and no source URL', async () => {
  const found = recordOfOneTask();
  const fixture = await startFixture({ admin: { taskRecord: async () => found } as unknown as Admin });
  const check = await createAnswerCheck(fixture.server);
  const answer = await fixture.server.inject({
    url: `/admin/v1/tasks/${found.task.id}`,
    headers: { authorization: `Bearer ${testAdminToken}` },
  });
  await fixture.server.close();
  assert.equal(answer.statusCode, 200);
  const body = answer.json();
  check('GET', `/admin/v1/tasks/${found.task.id}`, 200, body);
  assert.equal(body.task.id, found.task.id);
  assert.equal(body.task.charge, '0.21');
  assert.equal(body.request.cfg_scale, 0.5);
  // What a caller sent for an upstream keeps its own spelling, and every digit.
  assert.match(answer.body, /"extensions":\{"someKey":\{"innerKey":123456789012345678901\}\}/);
  assert.deepEqual(body.attempts[0].outputs, [{ role: 'video', upstream_id: 'u1', duration_seconds: 5 }]);
  assert.equal(body.attempts[0].accepted_at, atText);
  assert.deepEqual(body.events[0], {
    id: 'evt_1',
    type: 'task.queued',
    data: { channel_id: 'chan_1' },
    created_at: atText,
  });
  assert.equal(body.exchanges[0].duration_ms, 8);
  assert.equal(body.ledger[0].amount, '-0.21');
  assert.equal(body.usage[0].amount, '0.21');
  assert.ok(!answer.body.includes('secret'));
  const camel = JSON.stringify({ ...body, request: { ...body.request, extensions: null } }).match(
    /"[a-z]+[A-Z]\w*":/g,
  );
  assert.equal(camel, null);
});
