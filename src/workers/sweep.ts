/**
 * Once a minute: ends tasks whose deadline has passed and deletes files whose time is over.
 */
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
      for (const task of overdue) {
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
      const expired = await ctx.store.expiredMedia(at, BATCH_MAX);
      for (const task of expired) {
        await removeFiles(ctx, task);
        await ctx.store.forgetMedia({ taskId: task.id, at });
      }
      const more = overdue.length === BATCH_MAX || expired.length === BATCH_MAX;
      return at + (more ? 0 : EVERY_MS);
    },
  });
  loop.wake();
  return loop;
}
