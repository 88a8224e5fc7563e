/**
 * What an observation of a running attempt changes: usually nothing, and then nothing is written.
 */
import type { Exchange, Found, Json, Observation } from '../core/ports.ts';
import { freshHandle } from '../core/task.ts';
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
 * `ended`: the lane need not poll it any more. `returned`: nor this attempt, but the task waits again, because the
 * upstream had no place for it after all. `started` is updated in place. `atOnce`: the observation was the answer
 * to the submit, so that nothing was recorded of the attempt before.
 */
export async function advanceTask(
  ctx: FlowContext,
  running: Running,
  observation: Observation,
  exchanges: Exchange[],
  atOnce?: { ref: Json; fetchAt: number },
): Promise<'running' | 'ended' | 'returned'> {
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
        if (!running.started) await ctx.store.startTask({ taskId: running.taskId, at });
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
      if (observation.isRetryable && atOnce === undefined) {
        await returnToQueue(ctx, running, observation, exchanges);
        return 'returned';
      }
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

type Failed = Extract<Observation, { status: 'failed' }>;

/** Nothing was made or charged: the task waits for its channel again, under a handle that is not used up. */
async function returnToQueue(
  ctx: FlowContext,
  running: Running,
  observation: Failed,
  exchanges: Exchange[],
): Promise<void> {
  const open = await ctx.store.getAttempt(running.attemptId);
  if (open === null) return;
  await ctx.store.returnAttempt({
    attemptId: running.attemptId,
    at: ctx.clock.now(),
    upstreamCode: observation.upstreamCode,
    message: observation.message,
    upstreamHandle: freshHandle(open.task),
    exchanges,
  });
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
