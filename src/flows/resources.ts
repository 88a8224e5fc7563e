/**
 * Voices and elements: the account's own, and what an upstream offers everyone.
 */
import { GatewayError, UpstreamError } from '../core/errors.ts';
import type { Channel, ChannelRow, Json, Principal, Provider, ResourceRow } from '../core/ports.ts';
import type { ResourceKind } from '../core/request/feature.ts';
import type { FlowContext } from './context.ts';
import { openChannel } from './submit-attempt.ts';

const TIMEOUT_MS = 15_000;

export async function findResource(
  ctx: FlowContext,
  principal: Principal,
  kind: ResourceKind,
  id: string,
): Promise<ResourceRow> {
  const row = await ctx.store.findResource(principal.accountId, kind, id, ctx.clock.now());
  if (row !== null) return row;
  throw new GatewayError('not_found', `There is no ${kind} ${JSON.stringify(id)} in this account.`);
}

/** Upstream first: what is gone here but not there could not be deleted any more. */
export async function deleteResource(
  ctx: FlowContext,
  principal: Principal,
  kind: ResourceKind,
  id: string,
): Promise<ResourceRow> {
  const row = await findResource(ctx, principal, kind, id);
  const channelRow = await ctx.channels.get(row.channelId);
  const provider = channelRow && ctx.providers.get(channelRow.provider);
  if (channelRow && provider?.resources) {
    const { resources } = provider;
    const isListed = (await ctx.channels.all()).some(({ id: channelId }) => channelId === channelRow.id);
    const removed = asking(() =>
      resources.remove(kind, row.upstreamId, open(ctx, channelRow), AbortSignal.timeout(TIMEOUT_MS)),
    );
    // The operator deleted the channel: its upstream may have shut us out, and nobody can use the thing any more.
    await (isListed ? removed : removed.catch(() => {}));
  }
  const at = ctx.clock.now();
  await ctx.store.deleteResource({ accountId: principal.accountId, kind, id, at });
  return { ...row, deletedAt: at };
}

/** Presets of the first enabled channel that has any, real ones before the sandbox. */
export async function listPresets(
  ctx: FlowContext,
  family: string,
  kind: ResourceKind,
  query: { page: number; pageSize: number },
): Promise<Json[]> {
  const enabled = (await ctx.channels.all()).filter((row) => row.enabled);
  // As for tasks: once a real channel is there, nobody is shown what is simulated by accident.
  const isReal = !ctx.settings.sandboxAlways && enabled.some((row) => !row.sandbox);
  const rows = enabled.filter((row) => !(isReal && row.sandbox));
  rows.sort((a, b) => Number(a.sandbox) - Number(b.sandbox) || b.priority - a.priority);
  const models = new Set(ctx.catalogue.family(family).models.map((model) => model.id));
  const serves = (provider: Provider) => provider.serves.some((model) => models.has(model));
  for (const row of rows) {
    const provider = ctx.providers.get(row.provider);
    const presets = provider?.resources?.presets;
    if (provider === undefined || presets === undefined || !serves(provider)) continue;
    return asking(() => presets(kind, query, open(ctx, row), AbortSignal.timeout(TIMEOUT_MS)));
  }
  return [];
}

function open(ctx: FlowContext, row: ChannelRow): Channel {
  return openChannel(ctx, row, null);
}

/** Words of the upstream's refusal, for who asked. */
async function asking<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const code = error.kind === 'rejected' ? 'invalid_value' : 'upstream_unavailable';
    throw new GatewayError(code, error.publicMessage, { cause: error });
  }
}
