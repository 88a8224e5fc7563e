/**
 * Bytes that nothing needs any more. What a caller sent inline is kept by its content and shared between tasks, so
 * nobody counts who uses it: a use makes it young again, and what is old enough serves no open task.
 */
import type { FlowContext } from './context.ts';

/** A put precedes its row by less than this. */
const ROW_GRACE_MS = 3_600_000;

/** From what age on a use puts the bytes anew: from then until its end, a task always lies within the lifetime. */
export function inputRenewalAgeMs(ctx: FlowContext): number {
  return inputLifetimeMs(ctx) / 2;
}

/** No task outlives its deadline, and none begins with bytes older than half of this. */
function inputLifetimeMs(ctx: FlowContext): number {
  const { retentionMs, taskDeadlineMs } = ctx.settings;
  return Math.max(retentionMs, 2 * (taskDeadlineMs + ROW_GRACE_MS));
}

/** Deletes inputs that no open task can need: those of refused requests and of tasks long over. */
export async function collectInputs(ctx: FlowContext): Promise<void> {
  const before = ctx.clock.now() - inputLifetimeMs(ctx);
  for await (const { key, modifiedAt } of ctx.media.list('inputs/')) {
    if (modifiedAt <= before) await ctx.media.delete(key);
  }
}

/** Deletes bytes of files whose row is gone, or never came because the process died in between. */
export async function collectFiles(ctx: FlowContext): Promise<void> {
  const before = ctx.clock.now() - ROW_GRACE_MS;
  for await (const { key, modifiedAt } of ctx.media.list('files/')) {
    if (modifiedAt > before) continue;
    const [, accountId = '', name = ''] = key.split('/');
    // As of the beginning of time nothing has expired: those rows have a sweep of their own.
    const row = await ctx.store.findFile(accountId, name.slice(0, name.lastIndexOf('.')), 0);
    if (row === null) await ctx.media.delete(key);
  }
}
