/**
 * The verb behind every feature: judge by the family's description, price, hold, submit. Where the upstream answers at
 * once the task is finished within the request.
 */
import { GatewayError, UpstreamError, type UpstreamErrorKind, type Warning } from '../core/errors.ts';
import type {
  ChannelRow,
  Exchange,
  Family,
  FeatureEstimate,
  Json,
  Observation,
  Principal,
  Quote,
  TaskView,
} from '../core/ports.ts';
import { refuseModel } from '../core/limits.ts';
import { parseMicros } from '../core/money.ts';
import { quoteFeature } from '../core/pricing.ts';
import type { LooseFeature, ResolvedFeature } from '../core/request/feature.ts';
import { readCallbackUrl, readExternalTaskId, readPriority } from '../core/request/controls.ts';
import type { FailureCode, Task } from '../core/task.ts';
import { admitFeature, checkUrl } from './admit-media.ts';
import { advanceTask } from './advance-task.ts';
import { bindFeature } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { makerOf } from './maker.ts';
import { acceptAndSubmit, newAttempt, newTask, refuseAbove, refuseUnpayable } from './new-task.ts';
import { persistOutput } from './persist-output.ts';
import type { Pending } from './once.ts';
import { routeFor } from './route.ts';
import { asUpstreamError, openChannel, requestFor } from './submit-attempt.ts';
import { withMissingChannel } from './submit-task.ts';
import { viewOf } from './view.ts';

/** How long a request that is answered at once has for fetching its outputs before a job tries as well. */
const FETCH_GRACE_MS = 60_000;
const FAILURES: Partial<Record<UpstreamErrorKind, FailureCode>> = {
  content_policy: 'content_policy',
  ambiguous: 'lost',
};

interface Judged {
  resolved: ResolvedFeature;
  quote: Quote;
  externalTaskId: string | null;
  callbackUrl: string | null;
  priority: number;
}

function judge(ctx: FlowContext, { limits }: Principal, loose: LooseFeature): Judged {
  const resolved = familyOf(ctx, loose).resolveFeature(loose);
  refuseModel(limits, resolved.request);
  const quote = quoteFeature(resolved, ctx.priceBook);
  refuseAbove(readMaxCost(loose.maxCost), quote);
  const claim = (source: string, value: unknown) =>
    value === undefined || value === null ? null : { source, value };
  const callbackUrl = readCallbackUrl(claim('callback_url', loose.callbackUrl));
  if (callbackUrl !== null) checkUrl(ctx, callbackUrl, 'callback_url');
  const externalTaskId = readExternalTaskId(claim('external_task_id', loose.externalTaskId));
  const priority = readPriority(loose.priority ?? null);
  return { resolved, quote, externalTaskId, callbackUrl, priority };
}

function familyOf(ctx: FlowContext, loose: LooseFeature): Family {
  const family = ctx.catalogue.families.find((one) =>
    one.features.some((feature) => feature.operation === loose.operation),
  );
  if (family === undefined) throw new Error(`no family describes the feature ${loose.operation}`);
  return family;
}

function readMaxCost(value: unknown): bigint | null {
  if (value === undefined || value === null) return null;
  const micros = parseMicros(value);
  if (micros !== null && micros >= 0n) return micros;
  throw new GatewayError('invalid_value', 'max_cost must be a decimal amount such as "0.50".', {
    param: 'max_cost',
  });
}

/** Creates a task. An immediate one comes back finished; any other `queued`. */
export async function submitFeature(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseFeature,
  pending: Pending | null = null,
): Promise<TaskView> {
  const { resolved, quote, externalTaskId, callbackUrl, priority } = judge(ctx, principal, loose);
  const { accountId } = principal;
  const bound = await bindFeature(ctx, accountId, resolved.request);
  const channelId = await routeFor(ctx, bound.request, { pinned: bound.channelId });
  if (bound.request.media.length > 0) await refuseUnpayable(ctx, principal, externalTaskId, quote);
  const request = await admitFeature(ctx, bound.request, { accountId, keep: true });
  const task = newTask(ctx, principal, {
    request,
    quote,
    surface: loose.surface,
    channelId,
    priority,
    warnings: resolved.warnings,
    externalTaskId,
    callbackUrl,
  });
  if (request.immediate) return viewOf(ctx, await answerAtOnce(ctx, task, pending));
  await acceptAndSubmit(ctx, task, pending);
  return viewOf(ctx, task);
}

export async function estimateFeature(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseFeature,
): Promise<FeatureEstimate> {
  const { resolved, quote } = judge(ctx, principal, loose);
  const { accountId } = principal;
  const bound = await bindFeature(ctx, accountId, resolved.request);
  await admitFeature(ctx, bound.request, { accountId, keep: false });
  const warnings: Warning[] = await withMissingChannel(resolved.warnings, () =>
    routeFor(ctx, bound.request, { pinned: bound.channelId }),
  );
  const wallet = await ctx.store.getWallet(accountId);
  return { quote, resolved, balanceAfterMicros: wallet.availableMicros - quote.amountMicros, warnings };
}

/** Hold, one upstream call, settle; a refusal of the upstream's becomes ours, and costs nothing. */
async function answerAtOnce(ctx: FlowContext, task: Task, pending: Pending | null): Promise<Task> {
  const attempt = newAttempt(ctx, task);
  try {
    ctx.faults('submit:before-accept');
    await ctx.store.acceptTask({ task, attempt, remember: pending?.remember ?? null });
    pending?.accepted();
    ctx.faults('submit:after-accept');
    await submitAtOnce(ctx, task, attempt.id);
    return await finishedTask(ctx, task.id, attempt.id);
  } catch (error) {
    // Refusals are recorded, or never had a task; anything else may have left one open that nobody works on.
    const isSettled = error instanceof GatewayError && error.code !== 'unavailable';
    if (!isSettled) ctx.lanes.lookAfter(task, attempt.id);
    throw error;
  }
}

/** Asks the upstream and records what it answered; throws its refusal once that is recorded. */
async function submitAtOnce(ctx: FlowContext, task: Task, attemptId: string): Promise<void> {
  const row = await ctx.channels.get(task.channelId);
  if (row === null) throw new Error(`the task ${task.id} was routed to an unknown channel`);
  const exchanges: Exchange[] = [];
  ctx.faults('attempt:before-upstream');
  let answer: { ref: Json; observation: Observation };
  try {
    answer = await ask(ctx, row, task, exchanges);
  } catch (error) {
    ctx.faults('attempt:after-upstream');
    const refusal = asUpstreamError(error);
    await recordRefusal(ctx, task, attemptId, refusal, exchanges);
    throw refusedAtOnce(refusal);
  }
  ctx.faults('attempt:after-upstream');
  const { ref, observation } = answer;
  const atOnce = { ref, fetchAt: ctx.clock.now() + FETCH_GRACE_MS };
  const running = { attemptId, taskId: task.id, started: true };
  await advanceTask(ctx, running, observation, exchanges, atOnce);
  ctx.faults('attempt:after-record');
}

async function ask(
  ctx: FlowContext,
  row: ChannelRow,
  task: Task,
  exchanges: Exchange[],
): Promise<{ ref: Json; observation: Observation }> {
  const maker = makerOf(ctx.providers.get(row.provider), task.request)!;
  const channel = openChannel(ctx, row, exchanges);
  const signal = AbortSignal.timeout(ctx.settings.submitTimeoutMs);
  const { ref, observation } = await maker.submit(
    requestFor(ctx, row, maker, task),
    task.id,
    channel,
    signal,
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
  task: Task,
  attemptId: string,
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
