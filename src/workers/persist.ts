/**
 * The job that brings finished films home; enqueued in the transaction that saw the output.
 */
import type { Jobs } from '../core/ports.ts';
import type { FlowContext } from '../flows/context.ts';
import { persistOutput } from '../flows/persist-output.ts';

/** Registers the handler. Retries for about a day; after that the task's deadline has ended it. */
export function workPersist(ctx: FlowContext, jobs: Jobs): void {
  jobs.work('persist-output', { concurrency: 8, leaseMs: 660_000, attemptsMax: 100 }, async (job, signal) => {
    const { taskId, attemptId } = job.data as { taskId: string; attemptId: string };
    await persistOutput(ctx, { taskId, attemptId }, job.attempts > 1, signal);
  });
}
