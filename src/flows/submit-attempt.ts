/**
 * One submission of a task to its channel: intent is already committed, no transaction is open while the upstream
 * is called, and whatever it answers is recorded with compare-and-set.
 */
import { UpstreamError } from '../core/errors.ts';
import type { Channel, ChannelRow, Exchange, Json, OpenAttempt, TaskMaker } from '../core/ports.ts';
import { isFeature, type TaskRequest } from '../core/request/feature.ts';
import { handleOf, type FailureCode, type Task } from '../core/task.ts';
import { withinTime } from '../lib/within-time.ts';
import { isPinned, withUpstreamIds } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { asAskedOf } from './linked-media.ts';
import { makerOf, weightOf } from './maker.ts';
import { routeElsewhere } from './route.ts';

/** How a submission ended, as the lane needs to know it. */
export type SubmitOutcome =
  | { kind: 'accepted'; ref: Json; acceptedAt: number }
  /** The task is final. */
  | { kind: 'ended' }
  /** Nothing was accepted; the task waits again, here or elsewhere. */
  | { kind: 'waiting' }
  /** It may have been accepted: to be looked up once its deadline has passed. */
  | { kind: 'doubt'; exchanges: Exchange[] };

/** Told of a refusal that says "not now", before the task waits again: nobody must take it up at once. */
export type OnRefused = (refusal: UpstreamError) => void;

/**
 * Submits the attempt and records the outcome. Rejects only when the store cannot record it (then the attempt stays
 * `submitting` and is settled later like after a crash).
 */
export async function submitAttempt(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
  onRefused: OnRefused,
): Promise<SubmitOutcome> {
  const exchanges: Exchange[] = [];
  ctx.faults('attempt:before-upstream');
  let ref: Json;
  try {
    const channel = openChannel(ctx, row, exchanges);
    ref = await withinTime(ctx.settings.submitTimeoutMs, (signal) =>
      callUpstream(ctx, row, channel, task, signal),
    );
  } catch (error) {
    ctx.faults('attempt:after-upstream');
    return recordRefusal(ctx, row, task, attemptId, asUpstreamError(error), exchanges, onRefused);
  }
  ctx.faults('attempt:after-upstream');
  const outcome = await recordAccepted(ctx, attemptId, ref, exchanges);
  ctx.faults('attempt:after-record');
  return outcome;
}

/**
 * A credential that cannot be opened is trouble of the channel: nothing was sent. Throws UpstreamError. `exchanges`
 * null: nothing of what is said is kept.
 */
export function openChannel(ctx: FlowContext, row: ChannelRow, exchanges: Exchange[] | null): Channel {
  try {
    return ctx.channels.open(row, exchanges && ((exchange) => exchanges.push(exchange)));
  } catch (cause) {
    throw new UpstreamError('channel', 'The credential of the channel cannot be opened.', { cause });
  }
}

/** Records that the upstream has it, unless the task has ended meanwhile or that is recorded already. */
export async function recordAccepted(
  ctx: FlowContext,
  attemptId: string,
  ref: Json,
  exchanges: Exchange[],
): Promise<SubmitOutcome> {
  const at = ctx.clock.now();
  if (await ctx.store.acceptAttempt({ attemptId, ref, at, exchanges })) {
    return { kind: 'accepted', ref, acceptedAt: at };
  }
  return asRecorded(await ctx.store.getAttempt(attemptId)) ?? { kind: 'ended' };
}

/** What is known of an attempt that is not submitting any more; null while it is. */
export function asRecorded(open: OpenAttempt | null): SubmitOutcome | null {
  if (open === null || open.attempt.endedAt !== null) return { kind: 'ended' };
  const { state, ref, acceptedAt, createdAt } = open.attempt;
  if (state !== 'accepted' || ref === null) return null;
  return { kind: 'accepted', ref, acceptedAt: acceptedAt ?? createdAt };
}

async function callUpstream(
  ctx: FlowContext,
  row: ChannelRow,
  channel: Channel,
  task: Task,
  signal: AbortSignal,
): Promise<Json> {
  const maker = makerOf(ctx.providers.get(row.provider), task.request)!;
  try {
    const { ref } = await maker.submit(requestFor(ctx, row, maker, task), handleOf(task), channel, signal);
    return ref;
  } catch (error) {
    // The dedup handle is taken: an earlier submit of ours arrived, so this task is already there.
    if (!(error instanceof UpstreamError) || error.kind !== 'duplicate' || maker.lookup === undefined)
      throw error;
    const found = await maker.lookup(requestFor(ctx, row, maker, task), handleOf(task), channel, signal);
    if (found !== null) return found.ref;
    throw new UpstreamError('ambiguous', 'The upstream knows the reference but not the task.', {
      cause: error,
    });
  }
}

/** The task's request as its channel is asked: in the ids it knows, by links where it takes no bytes. */
export function requestFor(
  ctx: FlowContext,
  row: ChannelRow,
  maker: TaskMaker<TaskRequest>,
  task: Task,
): TaskRequest {
  const request = isFeature(task.request) ? task.request : withUpstreamIds(task.request);
  return asAskedOf(ctx, row, maker, request);
}

/** A bug in provider code must not look like a refusal: whether something was accepted is then simply unknown. */
export function asUpstreamError(error: unknown): UpstreamError {
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
  onRefused: OnRefused,
): Promise<SubmitOutcome> {
  const at = ctx.clock.now();
  if (error.kind === 'ambiguous' || error.kind === 'duplicate') return { kind: 'doubt', exchanges };
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
  return recordWaiting(ctx, row, task, attemptId, error, exchanges, onRefused);
}

/**
 * Certainly not accepted: the task waits here when the upstream is merely busy, else where it can be made now; here as
 * well when nobody else can, because an outage never fails a task.
 */
export async function recordWaiting(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  attemptId: string,
  error: UpstreamError,
  exchanges: Exchange[],
  onRefused: OnRefused,
): Promise<SubmitOutcome> {
  onRefused(error);
  const mayMove = error.kind !== 'busy' && !isPinned(task.request);
  // From a channel that is switched off anywhere is better, from one in trouble only where there is none.
  const options = { onlyHealthy: row.enabled };
  const to = (mayMove ? await routeElsewhere(ctx, task.request, row.id, options) : null) ?? row;
  await ctx.store.refuseAttempt({
    attemptId,
    at: ctx.clock.now(),
    upstreamCode: error.upstreamCode,
    message: error.publicMessage,
    channelId: to.id,
    pool: weightOf(ctx.providers.get(to.provider), task.request).pool,
    exchanges,
  });
  return { kind: 'waiting' };
}
