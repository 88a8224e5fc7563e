/**
 * A feature that its upstream answers at once: hold, one call, settle, all within the caller's request.
 */
import { GatewayError, UpstreamError, type UpstreamErrorKind } from '../core/errors.ts';
import type { ChannelRow, Exchange, Json, Observation } from '../core/ports.ts';
import { handleOf, type FailureCode, type Task } from '../core/task.ts';
import { withinTime } from '../lib/within-time.ts';
import { advanceTask } from './advance-task.ts';
import { isPinned } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { makerOf } from './maker.ts';
import { newAttempt } from './new-task.ts';
import type { Pending } from './once.ts';
import { persistOutput } from './persist-output.ts';
import { nextRoute } from './route.ts';
import { asUpstreamError, openChannel, requestFor } from './submit-attempt.ts';

/** How long a request that is answered at once has for fetching its outputs before a job tries as well. */
const FETCH_GRACE_MS = 60_000;
const FAILURES: Partial<Record<UpstreamErrorKind, FailureCode>> = {
  content_policy: 'content_policy',
  ambiguous: 'lost',
};

/** Where an immediate feature is being asked for just now. */
interface Asking {
  task: Task;
  attemptId: string;
}

/** Answers the finished task; a refusal of the upstream's becomes ours, and costs nothing. */
export async function answerAtOnce(ctx: FlowContext, task: Task, pending: Pending | null): Promise<Task> {
  const attempt = newAttempt(ctx, task.createdAt);
  const asking: Asking = { task, attemptId: attempt.id };
  try {
    ctx.faults('submit:before-accept');
    await ctx.store.acceptTask({ task, attempt, remember: pending?.remember ?? null });
    pending?.accepted();
    ctx.faults('submit:after-accept');
    await submitAtOnce(ctx, asking);
    return await finishedTask(ctx, task.id, asking.attemptId);
  } catch (error) {
    // Refusals are recorded, or never had a task; anything else may have left one open that nobody works on.
    const isSettled = error instanceof GatewayError && error.code !== 'unavailable';
    if (!isSettled) ctx.lanes.lookAfter(asking.task, asking.attemptId);
    throw error;
  }
}

/**
 * Asks the upstream and records what it answered. Where it certainly did not take the request, the next channel that
 * can is asked; throws the last refusal once that is recorded.
 */
async function submitAtOnce(ctx: FlowContext, asking: Asking): Promise<void> {
  const tried = new Set<string>();
  for (;;) {
    const row = await ctx.channels.get(asking.task.channelId);
    if (row === null) throw new Error(`the task ${asking.task.id} was routed to an unknown channel`);
    const exchanges: Exchange[] = [];
    ctx.faults('attempt:before-upstream');
    const answer = await ask(ctx, row, asking.task, exchanges).catch(asUpstreamError);
    ctx.faults('attempt:after-upstream');
    if (!(answer instanceof UpstreamError)) {
      ctx.lanes.heard(row.id, null);
      return recordAnswer(ctx, asking, answer, exchanges);
    }
    ctx.lanes.heard(row.id, answer);
    tried.add(row.id);
    if (await askNext(ctx, asking, answer, exchanges, tried)) continue;
    await recordRefusal(ctx, asking, answer, exchanges);
    throw refusedAtOnce(answer);
  }
}

async function recordAnswer(
  ctx: FlowContext,
  { task, attemptId }: Asking,
  { ref, observation }: { ref: Json; observation: Observation },
  exchanges: Exchange[],
): Promise<void> {
  const atOnce = { ref, fetchAt: ctx.clock.now() + FETCH_GRACE_MS };
  const running = { attemptId, taskId: task.id, started: false };
  await advanceTask(ctx, running, observation, exchanges, atOnce);
  ctx.faults('attempt:after-record');
}

/** Refusals after which nothing can have been accepted, and another channel may do. */
const PASSED_ON: ReadonlySet<UpstreamErrorKind> = new Set(['busy', 'channel', 'unavailable']);

/** Passes the request on to a channel that was not asked yet and works; false when there is none. */
async function askNext(
  ctx: FlowContext,
  asking: Asking,
  refusal: UpstreamError,
  exchanges: Exchange[],
  tried: ReadonlySet<string>,
): Promise<boolean> {
  const { task, attemptId } = asking;
  if (!PASSED_ON.has(refusal.kind) || isPinned(task.request)) return false;
  const row = await nextRoute(ctx, task.request, tried, { onlyHealthy: true });
  if (row === null) return false;
  const at = ctx.clock.now();
  const next = newAttempt(ctx, at);
  const passedOn = await ctx.store.refuseAttempt({
    attemptId,
    at,
    upstreamCode: refusal.upstreamCode,
    message: refusal.publicMessage,
    channelId: row.id,
    pool: task.pool,
    next,
    exchanges,
  });
  if (!passedOn) return false;
  asking.task = { ...task, channelId: row.id, attemptId: next.id };
  asking.attemptId = next.id;
  return true;
}

async function ask(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  exchanges: Exchange[],
): Promise<{ ref: Json; observation: Observation }> {
  const maker = makerOf(ctx.providers.get(row.provider), task.request)!;
  const channel = openChannel(ctx, row, exchanges);
  const { ref, observation } = await withinTime(ctx.settings.submitTimeoutMs, (signal) =>
    maker.submit(requestFor(ctx, row, maker, task), handleOf(task), channel, signal),
  );
  if (observation?.status === 'succeeded' || observation?.status === 'failed') return { ref, observation };
  throw new UpstreamError('ambiguous', 'The upstream did not answer at once.');
}

/** Fetches the outputs; should this process die meanwhile, the job that was enqueued with them does it. */
async function finishedTask(ctx: FlowContext, taskId: string, attemptId: string): Promise<Task> {
  let cause: unknown;
  try {
    await persistOutput(ctx, { taskId, attemptId }, false);
  } catch (error) {
    // Its caller is told now, so nothing may be charged later.
    cause = error;
    await ctx.store.finishTask({
      taskId,
      attemptId,
      at: ctx.clock.now(),
      exchanges: [],
      outcome: {
        state: 'failed',
        code: 'task_failed',
        message: 'What the upstream made could not be fetched.',
        attemptState: 'failed',
      },
    });
  }
  const finished = await ctx.store.getTask(taskId);
  if (finished?.state === 'completed') return finished;
  const message = finished?.error?.message ?? 'The upstream did not answer in time.';
  if (finished?.error?.code === 'content_policy') throw new GatewayError('content_policy', message);
  throw new GatewayError('upstream_unavailable', `${message} Nothing was charged: try again.`, { cause });
}

/** Whatever the reason, nothing waits and nothing is looked up later: the caller is told now and may ask again. */
async function recordRefusal(
  ctx: FlowContext,
  { task, attemptId }: Asking,
  error: UpstreamError,
  exchanges: Exchange[],
): Promise<void> {
  await ctx.store.finishTask({
    taskId: task.id,
    attemptId,
    at: ctx.clock.now(),
    exchanges,
    outcome: {
      state: 'failed',
      code: FAILURES[error.kind] ?? 'task_failed',
      message: error.publicMessage,
      attemptState: error.kind === 'ambiguous' ? 'lost' : 'refused',
    },
  });
}

function refusedAtOnce(error: UpstreamError): GatewayError {
  const options = {
    cause: error,
    ...(error.retryAfterMs !== null && { retryAfterMs: error.retryAfterMs }),
  };
  if (error.kind === 'content_policy')
    return new GatewayError('content_policy', error.publicMessage, options);
  if (error.kind === 'rejected') return new GatewayError('invalid_value', error.publicMessage, options);
  return new GatewayError(
    'upstream_unavailable',
    'The upstream cannot answer this at the moment. Nothing was charged: try again.',
    options,
  );
}
