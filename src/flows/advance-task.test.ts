import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureCode } from '../core/task.ts';
import type { FinishTask } from '../core/ports.ts';
import { advanceTask } from './advance-task.ts';
import type { FlowContext } from './context.ts';

/** What an observed failure with this code writes. */
async function outcomeOf(code: FailureCode): Promise<FinishTask['outcome']> {
  const written: FinishTask[] = [];
  const ctx = {
    clock: { now: () => 1 },
    store: { finishTask: async (input: FinishTask) => written.push(input) > 0 },
  } as unknown as FlowContext;
  const running = { attemptId: 'attempt_1', taskId: 'task_1', started: true };
  const observation = { status: 'failed', code, message: 'why', upstreamCode: null } as const;
  assert.equal(await advanceTask(ctx, running, observation, []), 'ended');
  return written[0]!.outcome;
}

test('an attempt that its provider gives up for lost is kept as lost, any other failure as failed', async () => {
  for (const [code, attemptState] of [
    ['lost', 'lost'],
    ['task_failed', 'failed'],
    ['content_policy', 'failed'],
  ] as const) {
    assert.deepEqual(await outcomeOf(code), { state: 'failed', code, message: 'why', attemptState });
  }
});
