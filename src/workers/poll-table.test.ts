import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PollTable, type Watched } from './poll-table.ts';

const T0 = 1_790_000_000_000;

function watched(name: string, more: Partial<Watched> = {}): Watched {
  return {
    taskId: `task_${name}`,
    attemptId: `att_${name}`,
    ref: { path: '/v1/videos/text2video', task_id: '829836802793406551' },
    kind: 0,
    acceptedAt: T0,
    deadlineAt: T0 + 86_400_000,
    started: false,
    jitter: 0.5,
    failures: 0,
    ...more,
  };
}

describe('the table of what is polled', () => {
  test('hands out what it was given, as it was given', () => {
    const table = new PollTable();
    const one = watched('a', { kind: 1, started: true, jitter: 0.25, failures: 3, acceptedAt: T0 + 0.5 });
    table.add(one, T0);
    assert.deepEqual(table.takeDue(T0, 5), [one]);
  });

  for (const [what, more] of Object.entries<Partial<Watched>>({
    'long refs': { ref: { url: 'x'.repeat(500) } },
    'refs in any script': { ref: { name: '猫', half: '\ud800' } },
    'ids of other lengths': { taskId: 'task_' + 'x'.repeat(300), attemptId: '' },
    'numbers that a double would round': { ref: { task_id: 829_836_802_793_406_551n } },
    'nothing but null': { ref: null },
  })) {
    test(`keeps ${what}`, () => {
      const table = new PollTable();
      const one = watched('a', more);
      table.add(one, T0);
      assert.deepEqual(table.takeDue(T0, 1), [one]);
      assert.equal(table.appoint(one.taskId, T0 + 1), true);
      assert.equal(table.remove(one.taskId), true);
      assert.equal(table.size, 0);
    });
  }

  test('a task that is taken is watched, but no poll of it is appointed until somebody says when', () => {
    const table = new PollTable();
    table.add(watched('a'), T0);
    assert.equal(table.takeDue(T0 - 1, 1).length, 0);
    assert.equal(table.takeDue(T0, 1).length, 1);
    assert.equal(table.isAppointed('task_a'), false);
    assert.equal(table.has('task_a'), true);
    assert.equal(table.nextAt, Infinity);
    table.appoint('task_a', T0 + 7);
    assert.equal(table.nextAt, T0 + 7);
  });

  test('what a poll has changed is kept, and of a task that is gone nothing', () => {
    const table = new PollTable();
    table.add(watched('a'), T0);
    const [taken] = table.takeDue(T0, 1);
    table.keep({ ...taken!, started: true, failures: 1_000 });
    table.appoint('task_a', T0);
    const [again] = table.takeDue(T0, 1);
    assert.deepEqual([again?.started, again?.failures], [true, 255]);
    table.remove('task_a');
    table.keep(again!);
    assert.equal(table.appoint('task_a', T0), false);
    assert.equal(table.has('task_a'), false);
  });

  test('an attempt takes the place of an earlier one of its task', () => {
    const table = new PollTable();
    table.add(watched('a'), T0);
    table.add(watched('a', { attemptId: 'att_later' }), T0 + 1);
    assert.equal(table.size, 1);
    assert.deepEqual(
      table.takeDue(T0 + 1, 5).map((one) => one.attemptId),
      ['att_later'],
    );
  });

  test('after the clock was put back everything is appointed anew', () => {
    const table = new PollTable();
    for (const name of ['a', 'b']) table.add(watched(name), T0 + 3_600_000);
    table.shiftBack(1_000, ({ acceptedAt }) => acceptedAt + 5_000);
    assert.equal(table.nextAt, T0 + 4_000);
    assert.equal(table.takeDue(T0 + 4_000, 5).length, 2);
  });

  test('does as a plain list would, whatever is asked in whatever order', () => {
    const name = fc.integer({ min: 0, max: 40 }).map(String);
    const time = fc.integer({ min: 0, max: 1_000 });
    const command = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), name, time }),
      fc.record({ kind: fc.constant('appoint' as const), name, time }),
      fc.record({ kind: fc.constant('remove' as const), name, time }),
      fc.record({ kind: fc.constant('take' as const), name, time }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const table = new PollTable();
        /** Due times; null: taken. */
        const plain = new Map<string, number | null>();
        for (const { kind, name: id, time: at } of commands) {
          const taskId = `task_${id}`;
          if (kind === 'add') {
            table.add(watched(id), at);
            plain.set(taskId, at);
          } else if (kind === 'appoint') {
            assert.equal(table.appoint(taskId, at), plain.has(taskId));
            if (plain.has(taskId)) plain.set(taskId, at);
          } else if (kind === 'remove') {
            assert.equal(table.remove(taskId), plain.delete(taskId));
          } else {
            const due = [...plain].filter(([, dueAt]) => dueAt !== null && dueAt <= at);
            assert.equal(table.dueAt(at, 1_000), due.length);
            const taken = table.takeDue(at, 1_000);
            assert.deepEqual(taken.map((one) => one.taskId).sort(), due.map(([one]) => one).sort());
            for (const one of taken) plain.set(one.taskId, null);
          }
          const times = [...plain.values()].filter((dueAt) => dueAt !== null);
          assert.equal(table.nextAt, Math.min(Infinity, ...times));
          assert.equal(table.size, plain.size);
          for (const [one, dueAt] of plain) assert.equal(table.isAppointed(one), dueAt !== null);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('ten thousand come and go', () => {
    const table = new PollTable();
    for (let round = 0; round < 3; round++) {
      for (let one = 0; one < 10_000; one++) table.add(watched(`${one}`), T0 + ((one * 7_919) % 10_000));
      assert.equal(table.size, 10_000);
      const taken = table.takeDue(T0 + 10_000, 20_000);
      assert.deepEqual(new Set(taken.map((one) => one.taskId)).size, 10_000);
      for (const one of taken) assert.equal(table.remove(one.taskId), true);
      assert.equal(table.size, 0);
    }
  });
});
