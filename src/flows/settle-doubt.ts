/**
 * Settles whether an attempt in doubt reached the upstream: looked up by our task id, sent again with the same
 * handle only when the upstream certainly has nothing. Where it offers no look-up, the attempt is lost: the task
 * fails, the hold is released, and the operator sees it.
 */
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Exchange } from '../core/ports.ts';
import { isFeature } from '../core/request/feature.ts';
import { handleOf, type Task } from '../core/task.ts';
import { withinTime } from '../lib/within-time.ts';
import type { FlowContext } from './context.ts';
import { makerOf } from './maker.ts';
import {
  asRecorded,
  openChannel,
  recordAccepted,
  recordWaiting,
  requestFor,
  submitAttempt,
  type OnRefused,
  type SubmitOutcome,
} from './submit-attempt.ts';

/**
 * `heard` are earlier exchanges of the attempt, for the flight recorder. Rejects with UpstreamError when the upstream
 * could not be asked: the doubt stays, ask again later.
 */
export async function settleDoubt(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
  heard: Exchange[],
  onRefused: OnRefused,
): Promise<SubmitOutcome> {
  // The deadline may have ended the task; or the store knew all along, and only its answer was lost.
  const settled = asRecorded(await ctx.store.getAttempt(attemptId));
  if (settled !== null) return settled;
  const exchanges: Exchange[] = [...heard];
  const maker = makerOf(ctx.providers.get(row.provider), task.request)!;
  // What should have been answered at once was never seen by its caller.
  if (maker.lookup === undefined || (isFeature(task.request) && task.request.immediate)) {
    await ctx.store.finishTask({
      taskId: task.id,
      attemptId,
      at: ctx.clock.now(),
      exchanges,
      outcome: {
        state: 'failed',
        code: 'lost',
        message: 'Whether the upstream accepted this task could not be found out; nothing was charged.',
        attemptState: 'lost',
      },
    });
    return { kind: 'ended' };
  }
  const channel = openChannel(ctx, row, exchanges);
  const found = await withinTime(ctx.settings.submitTimeoutMs, (signal) =>
    maker.lookup!(requestFor(ctx, row, maker, task), handleOf(task), channel, signal),
  );
  if (found !== null) return recordAccepted(ctx, attemptId, found.ref, exchanges);
  if (!row.enabled) {
    const reason = new UpstreamError(
      'unavailable',
      'Not sent again: the channel was switched off or deleted.',
    );
    return recordWaiting(ctx, row, task, attemptId, reason, exchanges, onRefused);
  }
  const at = ctx.clock.now();
  const reopened = await ctx.store.reopenAttempt({
    attemptId,
    owner: ctx.owner,
    submitDeadlineAt: at + ctx.settings.submitTimeoutMs,
    at,
  });
  if (!reopened) return { kind: 'ended' };
  return submitAttempt(ctx, row, task, attemptId, onRefused);
}
