/**
 * Finds the channel for a request, or refuses with what is missing.
 */
import { GatewayError } from '../core/errors.ts';
import type { ChannelRow } from '../core/ports.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import { candidacyAmong, chooseChannel, type Candidate } from '../core/routing.ts';
import type { FlowContext } from './context.ts';
import { asAskedOf } from './linked-media.ts';
import { makerOf } from './maker.ts';

/**
 * Id of the channel that will make this request, the pinned one where that is given; throws `no_channel` naming what
 * no channel can do.
 */
export async function routeFor(
  ctx: FlowContext,
  request: TaskRequest,
  options: { exclude?: ReadonlySet<string>; pinned?: string | null; onlyHealthy?: boolean } = {},
): Promise<string> {
  const { exclude, pinned, onlyHealthy = false } = options;
  const all = await ctx.channels.all();
  // What a request names may be known to one channel only.
  const rows = pinned ? all.filter((row) => row.id === pinned && row.enabled) : all;
  if (pinned && rows.length === 0) {
    throw new GatewayError(
      'no_channel',
      'What this request names was made at a channel that is switched off or deleted, and no other knows it. ' +
        'An operator can switch the channel on again; else make it anew.',
    );
  }
  const route = chooseChannel(
    rows.map((row) => candidateOf(ctx, row)),
    request,
    {
      sandboxAlways: ctx.settings.sandboxAlways,
      random: ctx.random(),
      onlyHealthy,
      ...(exclude && { exclude }),
    },
  );
  if (route.channelId !== null) return route.channelId;
  if (pinned) {
    throw new GatewayError(
      'no_channel',
      `What this request names was made at a channel that cannot do this with it: ${route.missing.join('; ')}. ` +
        'No other channel knows it.',
    );
  }
  throw new GatewayError(
    'no_channel',
    `No channel can make this request: ${route.missing.join('; ')}. ` +
      'An operator can add a channel that can with POST /admin/v1/channels.',
  );
}

/** Another channel that can make this request, or null when there is none; `onlyHealthy`: none that works. */
export async function routeElsewhere(
  ctx: FlowContext,
  request: TaskRequest,
  channelId: string,
  options: { onlyHealthy: boolean },
): Promise<ChannelRow | null> {
  return nextRoute(ctx, request, new Set([channelId]), options);
}

/** A channel that can make this request and is none of those, or null when there is none. */
export async function nextRoute(
  ctx: FlowContext,
  request: TaskRequest,
  exclude: ReadonlySet<string>,
  { onlyHealthy }: { onlyHealthy: boolean },
): Promise<ChannelRow | null> {
  try {
    return await ctx.channels.get(await routeFor(ctx, request, { exclude, onlyHealthy }));
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'no_channel') return null;
    throw error;
  }
}

/** Whether the channel is one that this request may go to. */
export async function mayRoute(ctx: FlowContext, row: ChannelRow, request: TaskRequest): Promise<boolean> {
  const isCandidate = candidacyAmong(await ctx.channels.all(), ctx.settings);
  return isCandidate(row) && candidateOf(ctx, row).missing(request) === null;
}

function candidateOf(ctx: FlowContext, row: ChannelRow): Candidate {
  const provider = ctx.providers.get(row.provider);
  return {
    id: row.id,
    enabled: row.enabled,
    sandbox: row.sandbox,
    priority: row.priority,
    weight: row.weight,
    isHealthy: ctx.lanes.isHealthy(row.id),
    missing(request) {
      const maker = makerOf(provider, request);
      if (provider === undefined || maker === null) {
        return `${provider?.title ?? row.provider} cannot make ${request.operation}`;
      }
      if (!provider.serves.includes(request.model))
        return `${provider.title} does not offer ${request.model}`;
      return maker.missing(asAskedOf(ctx, row, maker, request));
    },
  };
}
