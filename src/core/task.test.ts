import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  frameSize,
  freshHandle,
  handleOf,
  isFinal,
  mayExistUpstream,
  pollDelayMs,
  taskIdOf,
  type FailureCode,
} from './task.ts';

describe('a state', () => {
  test('is final exactly when nothing can follow it', () => {
    const states = ['queued', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
    assert.deepEqual(states.filter(isFinal), ['completed', 'failed', 'cancelled']);
  });
});

describe('a frame', () => {
  test('has the size of its grade on the shorter side', () => {
    const sizes = (['720P', '1080P', '4K'] as const).map((grade) =>
      (['16:9', '9:16', '1:1'] as const).map((ratio) => {
        const { width, height } = frameSize(grade, ratio);
        return `${width}x${height}`;
      }),
    );
    assert.deepEqual(sizes, [
      ['1280x720', '720x1280', '720x720'],
      ['1920x1080', '1080x1920', '1080x1080'],
      ['3840x2160', '2160x3840', '2160x2160'],
    ]);
  });
});

describe('the next poll', () => {
  const middle = 0.5;

  test('comes every three seconds while the task is young', () => {
    for (const ageMs of [0, 1, 5_000, 30_000]) assert.equal(pollDelayMs(ageMs, middle, 1), 3_000);
  });

  test('comes after a tenth of the age, at most after fifteen seconds', () => {
    assert.equal(pollDelayMs(60_000, middle, 1), 6_000);
    assert.equal(pollDelayMs(150_000, middle, 1), 15_000);
    assert.equal(pollDelayMs(86_400_000, middle, 1), 15_000);
  });

  test('is never sooner for an older task', () => {
    let last = 0;
    for (let ageMs = 0; ageMs < 300_000; ageMs += 500) {
      const delayMs = pollDelayMs(ageMs, middle, 1);
      assert.ok(delayMs >= last);
      last = delayMs;
    }
  });

  test('is spread by a tenth to either side', () => {
    assert.equal(pollDelayMs(100_000, 0, 1), 9_000);
    assert.ok(Math.abs(pollDelayMs(100_000, 0.999_999, 1) - 11_000) < 1);
  });

  test('comes sooner where the upstream works faster than real time', () => {
    assert.equal(pollDelayMs(60_000, middle, 30), 200);
  });

  test('is not put off by a clock that went back', () => {
    assert.equal(pollDelayMs(-3_600_000, middle, 1), 3_000);
  });
});

test('a task made anew has a handle of its own upstream, which leads back to it', () => {
  const task = { id: 'task_0Vx1' };
  assert.equal(handleOf(task), 'task_0Vx1');
  const first = { ...task, upstreamHandle: freshHandle(task) };
  const second = { ...task, upstreamHandle: freshHandle(first) };
  assert.deepEqual([handleOf(first), handleOf(second)], ['task_0Vx1-r1', 'task_0Vx1-r2']);
  assert.deepEqual(
    [task, first, second].map((one) => taskIdOf(handleOf(one))),
    Array(3).fill(task.id),
  );
});

test('only an end without the upstream’s own verdict leaves open whether it still makes the task', () => {
  const ended = (code: FailureCode) => ({ error: { code, message: '' } });
  assert.equal(mayExistUpstream(ended('task_failed'), { state: 'failed' }), false);
  assert.equal(mayExistUpstream(ended('content_policy'), { state: 'refused' }), false);
  assert.equal(mayExistUpstream(ended('expired'), { state: 'refused' }), false);
  assert.equal(mayExistUpstream(ended('expired'), null), false);
  assert.equal(mayExistUpstream(ended('expired'), { state: 'failed' }), true);
  assert.equal(mayExistUpstream(ended('ended_by_operator'), { state: 'failed' }), true);
  assert.equal(mayExistUpstream(ended('lost'), { state: 'lost' }), true);
});
