/**
 * A task about to be accepted, and its acceptance: intent first, then the submit within the request where its lane has
 * a place.
 */
import { GatewayError } from '../core/errors.ts';
import type { Warning } from '../core/errors.ts';
import { formatMicros } from '../core/money.ts';
import type { NextAttempt, Principal, Quote } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import type { FlowContext } from './context.ts';
import { weightOf } from './maker.ts';
import type { Pending } from './once.ts';

export interface Order {
  request: TaskRequest;
  quote: Quote;
  surface: string;
  channelId: string;
  /** Among the account's waiting tasks: higher first. */
  priority: number;
  warnings: Warning[];
  externalTaskId: string | null;
  callbackUrl: string | null;
}

export function newTask(ctx: FlowContext, principal: Principal, order: Order): Task {
  const { request, quote } = order;
  const now = ctx.clock.now();
  return {
    id: ctx.newTaskId(),
    accountId: principal.accountId,
    keyId: principal.keyId,
    state: 'queued',
    surface: order.surface,
    requestedModel: request.requestedModel,
    model: request.model,
    tier: quote.tier,
    request,
    quote,
    warnings: order.warnings,
    externalTaskId: order.externalTaskId,
    callbackUrl: order.callbackUrl,
    channelId: order.channelId,
    pool: '',
    priority: order.priority,
    attemptId: null,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    updatedAt: now,
    deadlineAt: now + ctx.settings.taskDeadlineMs,
    mediaExpiresAt: mediaExpiresAt(request, now, ctx.settings.retentionMs),
    error: null,
    result: null,
    chargeMicros: null,
    metadata: {},
  };
}

/** Commits the task with its hold and, where the lane has a place, submits it; waits for that only so long. */
export async function acceptAndSubmit(ctx: FlowContext, task: Task, pending: Pending | null): Promise<void> {
  ctx.faults('submit:before-accept');
  const channel = await ctx.channels.get(task.channelId);
  task.pool = weightOf(channel === null ? undefined : ctx.providers.get(channel.provider), task.request).pool;
  const slot = ctx.lanes.reserve(task.channelId, task.request);
  const attempt = slot && newAttempt(ctx, task.createdAt);
  task.attemptId = attempt?.id ?? null;
  try {
    await ctx.store.acceptTask({ task, attempt, remember: pending?.remember ?? null });
  } catch (error) {
    const isRefusal = error instanceof GatewayError && error.code !== 'unavailable';
    if (slot && attempt && !isRefusal) slot.leave(task, attempt.id);
    else slot?.release();
    throw error;
  }
  pending?.accepted();
  ctx.faults('submit:after-accept');
  if (slot && attempt) await within(ctx, ctx.settings.submitWaitMs, slot.submit(task, attempt.id));
}

/** An attempt that this process begins at that time. */
export function newAttempt(ctx: FlowContext, at: number): NextAttempt {
  return { id: ctx.newId('att_'), owner: ctx.owner, submitDeadlineAt: at + ctx.settings.submitTimeoutMs };
}

/** Refuses what costs more than the caller accepts. */
export function refuseAbove(maxCostMicros: bigint | null, quote: Quote): void {
  if (maxCostMicros === null || quote.amountMicros <= maxCostMicros) return;
  throw new GatewayError(
    'max_cost_exceeded',
    `This request costs ${formatMicros(quote.amountMicros)} ${quote.currency}, more than max_cost ` +
      `${formatMicros(maxCostMicros)}. Raise max_cost, or ask for less (seconds, pictures, resolution).`,
    { param: 'max_cost' },
  );
}

/**
 * Pictures are kept before the hold is tried: whoever cannot pay must not fill the disk. A repeat passes, to be told
 * that it is one.
 */
export async function refuseUnpayable(
  ctx: FlowContext,
  { accountId }: Principal,
  externalTaskId: string | null,
  quote: Quote,
): Promise<void> {
  const { availableMicros } = await ctx.store.getWallet(accountId);
  if (availableMicros >= quote.amountMicros) return;
  if (externalTaskId !== null && (await ctx.store.findTask(accountId, externalTaskId)) !== null) return;
  throw new GatewayError('insufficient_quota', 'The available balance does not cover this request.');
}

/** When our copy will be deleted: specs/kling.md §8 row 33 (Temporary 7 days, Permanent never). */
export function mediaExpiresAt(request: TaskRequest, now: number, retentionMs: number): number | null {
  const { mode, expiresAt } = request.retention;
  if (expiresAt !== null) return expiresAt;
  if (mode === 'permanent') return null;
  return now + (mode === 'temporary' ? 7 * 86_400_000 : retentionMs);
}

/** Waits for `work`, but no longer than `limitMs`; the work goes on by itself. */
function within(ctx: FlowContext, limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = ctx.clock.setTimeout(resolve, limitMs);
    void work.finally(() => {
      ctx.clock.clearTimeout(timer);
      resolve();
    });
  });
}
