/** An attempt that the upstream has, as it is taken up to be watched. */
import type { Json, RunningAttempt } from '../core/ports.ts';
import type { Task } from '../core/task.ts';

export type Accepted = RunningAttempt & { ref: Json };

/** `acceptedAt` in Unix ms. */
export function acceptedOf(
  { id: taskId, state, request, deadlineAt }: Task,
  { attemptId, ref, acceptedAt }: { attemptId: string; ref: Json; acceptedAt: number },
): Accepted {
  return { attemptId, taskId, started: state === 'in_progress', request, ref, acceptedAt, deadlineAt };
}
