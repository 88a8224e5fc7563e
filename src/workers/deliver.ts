/**
 * The job that tells a callback URL of a status change; enqueued in the transaction that made the change.
 */
import type { Jobs } from '../core/ports.ts';
import type { FlowContext } from '../flows/context.ts';
import { deliverCallback } from '../flows/deliver-callback.ts';

/** Registers the handler. */
export function workDeliver(ctx: FlowContext, jobs: Jobs): void {
  jobs.work('deliver-callback', { concurrency: 16, leaseMs: 30_000, attemptsMax: 12 }, async (job) => {
    await deliverCallback(ctx, job.data as { taskId: string; eventId: string });
  });
}
