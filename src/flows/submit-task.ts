/**
 * The verb behind every create of a film: resolve, price, hold, submit. One screen, top to bottom.
 */
import { GatewayError, type Warning } from '../core/errors.ts';
import { refuseModel } from '../core/limits.ts';
import type { Estimate, Principal, Quote, TaskView } from '../core/ports.ts';
import { quoteVideo } from '../core/pricing.ts';
import type { LooseVideo, ResolvedVideo } from '../core/request/types.ts';
import { resolveVideo } from '../core/request/video.ts';
import { admitMedia, checkUrl, hasMedia } from './admit-media.ts';
import { bindVideo } from './bind-resources.ts';
import { withoutObeyed } from './compliance.ts';
import type { FlowContext } from './context.ts';
import { acceptAndSubmit, newTask, refuseAbove, refuseUnpayable } from './new-task.ts';
import type { Pending } from './once.ts';
import { routeFor } from './route.ts';
import { viewOf } from './view.ts';

/** Resolves and prices a request: the part that a dry run and a create share. */
function judge(
  ctx: FlowContext,
  { limits }: Principal,
  loose: LooseVideo,
): { resolved: ResolvedVideo; quote: Quote } {
  const resolved = resolveVideo(loose, ctx.catalogue, { nowMs: ctx.clock.now() });
  refuseModel(limits, resolved.request);
  if (resolved.callbackUrl !== null) checkUrl(ctx, resolved.callbackUrl, 'callback_url');
  const quote = quoteVideo(resolved.request, ctx.catalogue, ctx.priceBook);
  refuseAbove(resolved.maxCostMicros, quote);
  return { resolved, quote };
}

/** Creates a task. Always answers `queued`, even when the upstream already has it. */
export async function submitTask(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseVideo,
  pending: Pending | null = null,
): Promise<TaskView> {
  const { resolved, quote } = judge(ctx, principal, loose);
  const { accountId } = principal;
  const bound = await bindVideo(ctx, accountId, resolved.request);
  const channelId = await routeFor(ctx, bound.request, { pinned: bound.channelId });
  let { request } = bound;
  if (hasMedia(request)) {
    await refuseUnpayable(ctx, principal, resolved.externalTaskId, quote);
    request = await admitMedia(ctx, request, { accountId, keep: true });
  }
  const { externalTaskId, callbackUrl, priority } = resolved;
  const warnings =
    resolved.warnings.length === 0 ? [] : await withoutObeyed(ctx, resolved.warnings, channelId);
  const { surface } = loose.surface;
  const task = newTask(ctx, principal, {
    request,
    quote,
    surface,
    channelId,
    priority,
    warnings,
    externalTaskId,
    callbackUrl,
  });
  await acceptAndSubmit(ctx, task, pending);
  return viewOf(ctx, task);
}

/** The same validation and pricing, nothing created; a missing channel is only a warning. */
export async function estimateTask(
  ctx: FlowContext,
  principal: Principal,
  loose: LooseVideo,
): Promise<Estimate> {
  const { resolved, quote } = judge(ctx, principal, loose);
  const { accountId } = principal;
  const bound = await bindVideo(ctx, accountId, resolved.request);
  await admitMedia(ctx, bound.request, { accountId, keep: false });
  const warnings = await withMissingChannel(ctx, resolved.warnings, () =>
    routeFor(ctx, bound.request, { pinned: bound.channelId }),
  );
  const wallet = await ctx.store.getWallet(accountId);
  return { quote, resolved, balanceAfterMicros: wallet.availableMicros - quote.amountMicros, warnings };
}

/** The warnings of a dry run: that no channel can make it is one of them. */
export async function withMissingChannel(
  ctx: FlowContext,
  warnings: Warning[],
  route: () => Promise<string>,
): Promise<Warning[]> {
  try {
    return await withoutObeyed(ctx, warnings, await route());
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'no_channel') throw error;
    return [...warnings, { code: 'no_channel', field: null, message: error.publicMessage }];
  }
}
