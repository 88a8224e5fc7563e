/**
 * The health probe: a cheap authenticated call that shows whether a channel works, and says what to mend if not.
 */
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow } from '../core/ports.ts';
import { SealError } from '../lib/seal.ts';
import type { FlowContext } from './context.ts';

/** A probe is one cheap call: what has not answered by then does not work. */
const PROBE_TIMEOUT_MS = 15_000;

export async function probeChannel(
  ctx: Pick<FlowContext, 'providers' | 'clock'> & { channels: Pick<FlowContext['channels'], 'open'> },
  row: ChannelRow,
): Promise<{ ok: boolean; message: string }> {
  const provider = ctx.providers.get(row.provider);
  if (provider === undefined) {
    return { ok: false, message: `This version knows no provider ${JSON.stringify(row.provider)}.` };
  }
  const gaveUp = new AbortController();
  const timer = ctx.clock.setTimeout(() => gaveUp.abort(), PROBE_TIMEOUT_MS);
  try {
    return await provider.probe(ctx.channels.open(row, null), gaveUp.signal);
  } catch (error) {
    if (gaveUp.signal.aborted) {
      return { ok: false, message: 'The upstream did not answer within 15 seconds.' };
    }
    if (error instanceof UpstreamError) return { ok: false, message: error.publicMessage };
    if (error instanceof SealError) {
      return {
        ok: false,
        message: `The stored credential cannot be opened (${error.message}): enter it again.`,
      };
    }
    throw error;
  } finally {
    ctx.clock.clearTimeout(timer);
  }
}
