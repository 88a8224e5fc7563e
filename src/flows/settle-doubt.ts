/**
 * Settles whether an attempt in doubt reached the upstream: looked up by our task id, sent again with the same
 * handle only when the upstream certainly has nothing. Where it offers no look-up, the attempt is lost: the task
 * fails, the hold is released, and the operator sees it.
 */
import type { ChannelRow, Exchange } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext } from './context.ts';
import { submitAttempt, type SubmitOutcome } from './submit-attempt.ts';

/** Rejects with UpstreamError when the upstream could not be asked: the doubt stays, ask again later. */
export async function settleDoubt(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
): Promise<SubmitOutcome> {
  const exchanges: Exchange[] = [];
  const maker = ctx.providers.get(row.provider)!.video!;
  const channel = ctx.channels.open(row, (exchange) => exchanges.push(exchange));
  if (maker.lookup === undefined) {
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
  const signal = AbortSignal.timeout(ctx.settings.submitTimeoutMs);
  const found = await maker.lookup(task.request, task.id, channel, signal);
  const at = ctx.clock.now();
  if (found !== null) {
    await ctx.store.acceptAttempt({ attemptId, ref: found.ref, at, exchanges });
    return { kind: 'accepted', ref: found.ref, acceptedAt: at };
  }
  const reopened = await ctx.store.reopenAttempt({
    attemptId,
    owner: ctx.owner,
    submitDeadlineAt: at + ctx.settings.submitTimeoutMs,
    at,
  });
  if (!reopened) return { kind: 'ended' };
  return submitAttempt(ctx, row, task, attemptId);
}
