/** Whether a compliance switch that was asked for reaches somebody who obeys it (specs/kling.md §8 row 34). */
import type { Warning } from '../core/errors.ts';
import type { FlowContext } from './context.ts';

const IGNORED = 'compliance_ignored';

/** The warnings without the one about switches, where the channel's operator allows them and its upstream has them. */
export async function withoutObeyed(
  ctx: Pick<FlowContext, 'channels' | 'providers'>,
  warnings: Warning[],
  channelId: string,
): Promise<Warning[]> {
  if (!warnings.some(({ code }) => code === IGNORED)) return warnings;
  const row = await ctx.channels.get(channelId);
  const passes = ctx.providers.get(row?.provider ?? '')?.passesComplianceSwitches === true;
  const isObeyed = passes && row?.allowsComplianceSwitches === true;
  return isObeyed ? warnings.filter(({ code }) => code !== IGNORED) : warnings;
}
