/**
 * DELETE: cancels what was never submitted, hides what is finished, refuses what runs.
 */
import { GatewayError } from '../core/errors.ts';
import { isFinal, type Task } from '../core/task.ts';
import type { FlowContext } from './context.ts';

/** Files of a finished task are removed and the task is hidden in every dialect; the ledger is untouched. */
export async function removeTask(ctx: FlowContext, task: Task): Promise<void> {
  const at = ctx.clock.now();
  if (!isFinal(task.state)) {
    if (!(await ctx.store.cancelTask({ taskId: task.id, at }))) {
      throw new GatewayError(
        'task_running',
        `${task.id} is with the upstream already and cannot be stopped there: wait until it has ended, then delete it.`,
      );
    }
    return;
  }
  if (await ctx.store.hideTask({ taskId: task.id, at })) await removeFiles(ctx, task);
}

/** Deletes our copies of a task's outputs. Inputs may be shared with other tasks and stay until the sweep. */
export async function removeFiles(ctx: FlowContext, task: Task): Promise<void> {
  for (const output of task.result?.outputs ?? []) await ctx.media.delete(output.key);
}
