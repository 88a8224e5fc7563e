/**
 * The verb behind every feature: judge by the family's description, price, hold, submit. Where the upstream answers at
 * once the task is finished within the request.
 */
import { GatewayError, type Warning } from '../core/errors.ts';
import type { Family, FeatureEstimate, Principal, Quote, TaskView } from '../core/ports.ts';
import { refuseModel } from '../core/limits.ts';
import { parseMicros } from '../core/money.ts';
import { quoteFeature } from '../core/pricing.ts';
import type { LooseFeature, ResolvedFeature } from '../core/request/feature.ts';
import { readCallbackUrl, readExternalTaskId, readPriority } from '../core/request/controls.ts';
import { admitFeature, checkUrl } from './admit-media.ts';
import { answerAtOnce } from './answer-at-once.ts';
import { bindFeature } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { acceptAndSubmit, newTask, refuseAbove, refuseUnpayable } from './new-task.ts';
import type { Pending } from './once.ts';
import { routeFor } from './route.ts';
import { withMissingChannel } from './submit-task.ts';
import { viewOf } from './view.ts';

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
  const warnings: Warning[] = await withMissingChannel(ctx, resolved.warnings, () =>
    routeFor(ctx, bound.request, { pinned: bound.channelId }),
  );
  const wallet = await ctx.store.getWallet(accountId);
  return { quote, resolved, balanceAfterMicros: wallet.availableMicros - quote.amountMicros, warnings };
}
