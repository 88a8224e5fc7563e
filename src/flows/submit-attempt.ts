/**
 * One submission of a task to its channel: intent is already committed, no transaction is open while the upstream
 * is called, and whatever it answers is recorded with compare-and-set.
 */
import { GatewayError, UpstreamError } from '../core/errors.ts';
import type { Channel, ChannelRow, Exchange, Json, Provider } from '../core/ports.ts';
import type { FailureCode, Task } from '../core/task.ts';
import type { FlowContext } from './context.ts';
import { routeFor } from './route.ts';

/** How a submission ended, as the lane needs to know it. */
export type SubmitOutcome =
  | { kind: 'accepted'; ref: Json; acceptedAt: number }
  /** The task is final. */
  | { kind: 'ended' }
  /** Nothing was accepted; the task waits again on `channelId`. */
  | { kind: 'waiting'; channelId: string; retryAfterMs: number | null }
  /** It may have been accepted: to be looked up once its deadline has passed. */
  | { kind: 'doubt' };

/**
 * Submits the attempt and records the outcome. Rejects only when the store cannot record it (then the attempt stays
 * `submitting` and is settled later like after a crash).
 */
export async function submitAttempt(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
): Promise<SubmitOutcome> {
  const exchanges: Exchange[] = [];
  const provider = ctx.providers.get(row.provider)!;
  const channel = ctx.channels.open(row, (exchange) => exchanges.push(exchange));
  ctx.faults('attempt:before-upstream');
  let ref: Json;
  try {
    ref = await callUpstream(ctx, provider, channel, task);
  } catch (error) {
    ctx.faults('attempt:after-upstream');
    return recordRefusal(ctx, row, task, attemptId, asUpstreamError(error), exchanges);
  }
  ctx.faults('attempt:after-upstream');
  const acceptedAt = ctx.clock.now();
  await ctx.store.acceptAttempt({ attemptId, ref, at: acceptedAt, exchanges });
  ctx.faults('attempt:after-record');
  return { kind: 'accepted', ref, acceptedAt };
}

async function callUpstream(
  ctx: FlowContext,
  provider: Provider,
  channel: Channel,
  task: Task,
): Promise<Json> {
  const maker = provider.video!;
  const signal = AbortSignal.timeout(ctx.settings.submitTimeoutMs);
  try {
    const { ref } = await maker.submit(task.request, task.id, channel, signal);
    return ref;
  } catch (error) {
    // The dedup handle is taken: an earlier submit of ours arrived, so this task is already there.
    if (!(error instanceof UpstreamError) || error.kind !== 'duplicate' || maker.lookup === undefined)
      throw error;
    const found = await maker.lookup(task.request, task.id, channel, signal);
    if (found !== null) return found.ref;
    throw new UpstreamError('ambiguous', 'The upstream knows the reference but not the task.', {
      cause: error,
    });
  }
}

/** A bug in provider code must not look like a refusal: whether something was accepted is then simply unknown. */
function asUpstreamError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  return new UpstreamError('ambiguous', 'The upstream did not answer in time.', { cause: error });
}

async function recordRefusal(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
  error: UpstreamError,
  exchanges: Exchange[],
): Promise<SubmitOutcome> {
  const at = ctx.clock.now();
  if (error.kind === 'ambiguous' || error.kind === 'duplicate') return { kind: 'doubt' };
  if (error.kind === 'rejected' || error.kind === 'content_policy') {
    const code: FailureCode = error.kind === 'content_policy' ? 'content_policy' : 'task_failed';
    await ctx.store.finishTask({
      taskId: task.id,
      attemptId,
      at,
      exchanges,
      outcome: { state: 'failed', code, message: error.publicMessage, attemptState: 'refused' },
    });
    return { kind: 'ended' };
  }
  // Certainly not accepted: wait here when it is merely busy, else go where it can be made.
  const channelId = error.kind === 'busy' ? row.id : await elsewhere(ctx, task, row.id);
  await ctx.store.refuseAttempt({
    attemptId,
    at,
    upstreamCode: error.upstreamCode,
    message: error.publicMessage,
    channelId,
    exchanges,
  });
  return { kind: 'waiting', channelId, retryAfterMs: error.retryAfterMs };
}

/** Another channel that can make it, or the same one when there is none: an outage never fails a task. */
async function elsewhere(ctx: FlowContext, task: Task, channelId: string): Promise<string> {
  try {
    return await routeFor(ctx, task.request, new Set([channelId]));
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'no_channel') return channelId;
    throw error;
  }
}
