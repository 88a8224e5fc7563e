/**
 * What an observation of a running attempt changes: usually nothing, and then nothing is written.
 */
import type { Exchange, Observation } from '../core/ports.ts';
import type { FlowContext } from './context.ts';

/** The part of a running attempt that the lane keeps in memory. */
export interface Running {
  attemptId: string;
  taskId: string;
  /** The task was seen running already. */
  started: boolean;
}

/** `ended`: the lane need not poll it any more. `started` is updated in place. */
export async function advanceTask(
  ctx: FlowContext,
  running: Running,
  observation: Observation,
  exchanges: Exchange[],
): Promise<'running' | 'ended'> {
  const at = ctx.clock.now();
  switch (observation.status) {
    case 'submitted':
    // An upstream that has lost sight of a task has not judged it: only its verdict or our deadline ends it.
    case 'unknown':
      return 'running';
    case 'processing':
      if (!running.started) {
        await ctx.store.startTask({ taskId: running.taskId, at });
        running.started = true;
        ctx.faults('advance:after-start');
      }
      return 'running';
    case 'succeeded':
      ctx.faults('advance:before-made');
      await ctx.store.madeAttempt({
        attemptId: running.attemptId,
        at,
        outputs: observation.outputs,
        cost: observation.cost,
        exchanges,
      });
      ctx.faults('advance:after-made');
      return 'ended';
    case 'failed':
      await ctx.store.finishTask({
        taskId: running.taskId,
        attemptId: running.attemptId,
        at,
        exchanges,
        outcome: {
          state: 'failed',
          code: observation.code,
          message: observation.message,
          attemptState: 'failed',
        },
      });
      return 'ended';
  }
}
