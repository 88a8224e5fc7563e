/**
 * What waits on a channel that takes nothing any more goes to one that can make it. What nobody else can make stays,
 * and waits for the operator.
 */
import type { ChannelRow } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { isPinned } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { weightOf } from './maker.ts';
import { routeElsewhere } from './route.ts';

/** How many waiting tasks are read at once. */
const BATCH = 64;

/**
 * Moves every waiting task of the channel that can be made elsewhere; `onlyHealthy`: where it can be made now. Rejects
 * when the store cannot be reached; what was moved by then stays moved.
 */
export async function handOver(
  ctx: FlowContext,
  row: ChannelRow,
  { reason, onlyHealthy }: { reason: string; onlyHealthy: boolean },
): Promise<void> {
  for (const pool of await ctx.store.waitingPools(row.id)) {
    let after: Task | null = null;
    for (;;) {
      const tasks: Task[] = await ctx.store.waitingPage(row.id, pool, after, BATCH);
      await move(ctx, row, tasks, { reason, onlyHealthy });
      if (tasks.length < BATCH) break;
      after = tasks.at(-1)!;
    }
  }
}

async function move(
  ctx: FlowContext,
  row: ChannelRow,
  tasks: Task[],
  { reason, onlyHealthy }: { reason: string; onlyHealthy: boolean },
): Promise<void> {
  const moves = new Map<string, { id: string; pool: string }[]>();
  for (const task of tasks) {
    if (isPinned(task.request)) continue;
    const to = await routeElsewhere(ctx, task.request, row.id, { onlyHealthy });
    if (to === null) continue;
    const { pool } = weightOf(ctx.providers.get(to.provider), task.request);
    const there = moves.get(to.id) ?? [];
    there.push({ id: task.id, pool });
    moves.set(to.id, there);
  }
  const at = ctx.clock.now();
  for (const [to, there] of moves) {
    await ctx.store.moveWaiting({ tasks: there, from: row.id, to, reason, at });
  }
}
