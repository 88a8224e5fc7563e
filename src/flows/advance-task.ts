/**
 * What an observation of a running attempt changes: usually nothing, and then nothing is written.
 */
import type { Exchange, Found, Json, Observation } from '../core/ports.ts';
import { completeTask } from './complete-task.ts';
import type { FlowContext } from './context.ts';

/** The part of a running attempt that the lane keeps in memory. */
export interface Running {
  attemptId: string;
  taskId: string;
  /** The task was seen running already. */
  started: boolean;
}

/**
 * `ended`: the lane need not poll it any more. `started` is updated in place. `atOnce`: the observation was the answer
 * to the submit, so that nothing was recorded of the attempt before.
 */
export async function advanceTask(
  ctx: FlowContext,
  running: Running,
  observation: Observation,
  exchanges: Exchange[],
  atOnce?: { ref: Json; fetchAt: number },
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
      if (observation.outputs.length === 0) {
        await completeWithoutFiles(ctx, running, observation, exchanges);
        return 'ended';
      }
      ctx.faults('advance:before-made');
      await ctx.store.madeAttempt({
        attemptId: running.attemptId,
        at,
        outputs: observation.outputs,
        found: foundOf(observation),
        cost: observation.cost,
        exchanges,
        ...(atOnce && { atOnce }),
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
          attemptState: observation.code === 'lost' ? 'lost' : 'failed',
        },
      });
      return 'ended';
  }
}

type Succeeded = Extract<Observation, { status: 'succeeded' }>;

function foundOf({ data = null, resources = [] }: Succeeded): Found | null {
  return data === null && resources.length === 0 ? null : { data, resources };
}

/** A voice, an element, faces in a film: nothing to fetch, so the task is finished at once. */
async function completeWithoutFiles(
  ctx: FlowContext,
  running: Running,
  observation: Succeeded,
  exchanges: Exchange[],
): Promise<void> {
  const open = await ctx.store.getAttempt(running.attemptId);
  if (open === null) return;
  await completeTask(ctx, {
    task: open.task,
    attemptId: running.attemptId,
    channelId: open.attempt.channelId,
    result: { outputs: [], width: null, height: null, durationSeconds: null, hasSound: null },
    outputSeconds: null,
    found: foundOf(observation),
    cost: observation.cost,
    exchanges,
  });
}
