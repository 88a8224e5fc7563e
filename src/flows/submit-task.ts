/**
 * The verb behind every create: resolve, price, hold, submit. One screen, top to bottom.
 */
import { GatewayError, type Warning } from '../core/errors.ts';
import { formatMicros } from '../core/money.ts';
import type { Estimate, Principal, Quote, TaskView } from '../core/ports.ts';
import { quoteVideo } from '../core/pricing.ts';
import type { LooseVideo, ResolvedVideo, VideoRequest } from '../core/request/types.ts';
import { resolveVideo } from '../core/request/video.ts';
import type { Task } from '../core/task.ts';
import { admitMedia, checkUrl, hasMedia } from './admit-media.ts';
import type { FlowContext } from './context.ts';
import { routeFor } from './route.ts';
import { viewOf } from './view.ts';

/** Resolves and prices a request: the part that a dry run and a create share to the last step. */
function judge(ctx: FlowContext, loose: LooseVideo): { resolved: ResolvedVideo; quote: Quote } {
  const resolved = resolveVideo(loose, ctx.catalogue, { nowMs: ctx.clock.now() });
  if (resolved.callbackUrl !== null) checkUrl(ctx, resolved.callbackUrl, 'callback_url');
  const quote = quoteVideo(resolved.request, ctx.catalogue, ctx.priceBook);
  if (resolved.maxCostMicros !== null && quote.amountMicros > resolved.maxCostMicros) {
    throw new GatewayError(
      'max_cost_exceeded',
      `This request costs ${formatMicros(quote.amountMicros)} ${quote.currency}, more than max_cost ` +
        `${formatMicros(resolved.maxCostMicros)}. Raise max_cost, or ask for fewer seconds or a lower resolution.`,
      { param: 'max_cost' },
    );
  }
  return { resolved, quote };
}

/** Creates a task. Always answers `queued`, even when the upstream already has it. */
export async function submitTask(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseVideo,
): Promise<TaskView> {
  const { resolved, quote } = judge(ctx, loose);
  const channelId = await routeFor(ctx, resolved.request);
  if (hasMedia(resolved.request)) await refuseUnpayable(ctx, principal, resolved, quote);
  const request = await admitMedia(ctx, resolved.request, principal.accountId);
  const task = newTask(ctx, principal, { ...resolved, request }, quote, loose.surface.surface, channelId);

  ctx.faults('submit:before-accept');
  const slot = ctx.lanes.reserve(channelId);
  const attempt = slot && {
    id: ctx.newId('att_'),
    owner: ctx.owner,
    submitDeadlineAt: task.createdAt + ctx.settings.submitTimeoutMs,
  };
  try {
    await ctx.store.acceptTask({ task, attempt });
  } catch (error) {
    slot?.release();
    throw error;
  }
  ctx.faults('submit:after-accept');
  if (slot && attempt) await within(ctx, ctx.settings.submitWaitMs, slot.submit(task, attempt.id));
  return viewOf(ctx, task);
}

/** The same validation and pricing, nothing created; a missing channel is only a warning. */
export async function estimateTask(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseVideo,
): Promise<Estimate> {
  const { resolved, quote } = judge(ctx, loose);
  await admitMedia(ctx, resolved.request, null);
  const warnings: Warning[] = [...resolved.warnings];
  try {
    await routeFor(ctx, resolved.request);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'no_channel') throw error;
    warnings.push({ code: 'no_channel', field: null, message: error.publicMessage });
  }
  const wallet = await ctx.store.getWallet(principal.accountId);
  return { quote, resolved, balanceAfterMicros: wallet.availableMicros - quote.amountMicros, warnings };
}

/**
 * Pictures are kept before the hold is tried: whoever cannot pay must not fill the disk. A repeat passes, to be told
 * that it is one.
 */
async function refuseUnpayable(
  ctx: FlowContext,
  { accountId }: Principal,
  { externalTaskId }: ResolvedVideo,
  quote: Quote,
): Promise<void> {
  const { availableMicros } = await ctx.store.getWallet(accountId);
  if (availableMicros >= quote.amountMicros) return;
  if (externalTaskId !== null && (await ctx.store.findTask(accountId, externalTaskId)) !== null) return;
  throw new GatewayError('insufficient_quota', 'The available balance does not cover this request.');
}

function newTask(
  ctx: FlowContext,
  principal: Principal,
  resolved: ResolvedVideo,
  quote: Quote,
  surface: string,
  channelId: string,
): Task {
  const now = ctx.clock.now();
  return {
    id: ctx.newTaskId(),
    accountId: principal.accountId,
    keyId: principal.keyId,
    state: 'queued',
    surface,
    requestedModel: resolved.request.requestedModel,
    model: resolved.request.model,
    tier: quote.tier,
    request: resolved.request,
    quote,
    warnings: resolved.warnings,
    externalTaskId: resolved.externalTaskId,
    callbackUrl: resolved.callbackUrl,
    channelId,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    updatedAt: now,
    deadlineAt: now + ctx.settings.taskDeadlineMs,
    mediaExpiresAt: mediaExpiresAt(resolved.request, now, ctx.settings.retentionMs),
    error: null,
    result: null,
    chargeMicros: null,
    metadata: {},
  };
}

/** When our copy will be deleted: specs/kling.md §8 row 33 (Temporary 7 days, Permanent never). */
function mediaExpiresAt(request: VideoRequest, now: number, retentionMs: number): number | null {
  const { mode, expiresAt } = request.retention;
  if (expiresAt !== null) return expiresAt;
  if (mode === 'permanent') return null;
  return now + (mode === 'temporary' ? 7 * 86_400_000 : retentionMs);
}

/** Waits for `work`, but no longer than `limitMs`; the work goes on by itself. */
async function within(ctx: FlowContext, limitMs: number, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  await Promise.race([work, ctx.clock.sleep(limitMs, enough.signal).catch(() => {})]);
  enough.abort();
}
