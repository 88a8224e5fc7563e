/**
 * Once a minute: ends tasks whose deadline has passed and deletes files whose time is over.
 */
import type { Task } from '../core/task.ts';
import { removeFiles } from '../flows/cancel-task.ts';
import type { FlowContext } from '../flows/context.ts';
import { Loop } from '../lib/loop.ts';

const EVERY_MS = 60_000;
const BATCH_MAX = 200;

/** Starts the sweep; `stop()` on what comes back lets a step in hand finish. */
export function startSweep(ctx: FlowContext, onError: (error: unknown) => void): Loop {
  const loop = new Loop({
    clock: ctx.clock,
    onError,
    retryMs: EVERY_MS,
    async step() {
      const at = ctx.clock.now();
      const overdue = await ctx.store.overdueTasks(at, BATCH_MAX);
      const expired = await ctx.store.expiredMedia(at, BATCH_MAX);
      let failures = 0;
      // One by one: a task that cannot be dealt with must not keep the others.
      for (const work of [
        ...overdue.map((task) => () => expire(ctx, task, at)),
        ...expired.map((task) => () => forget(ctx, task, at)),
      ]) {
        try {
          await work();
        } catch (error) {
          failures++;
          onError(error);
        }
      }
      const more = overdue.length === BATCH_MAX || expired.length === BATCH_MAX;
      return more && failures === 0 ? at : at + EVERY_MS;
    },
  });
  loop.wake();
  return loop;
}

async function expire(ctx: FlowContext, task: Task, at: number): Promise<void> {
  const current = await ctx.store.currentAttempt(task.id);
  await ctx.store.finishTask({
    taskId: task.id,
    attemptId: current?.attempt.id ?? null,
    at,
    exchanges: [],
    outcome: {
      state: 'failed',
      code: 'expired',
      message: 'The task was not finished within its deadline; nothing was charged.',
      attemptState: current === null ? null : 'failed',
    },
  });
}

async function forget(ctx: FlowContext, task: Task, at: number): Promise<void> {
  await removeFiles(ctx, task);
  await ctx.store.forgetMedia({ taskId: task.id, at });
}
