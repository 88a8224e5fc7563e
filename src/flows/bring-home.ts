/**
 * A channel that works again takes back what waits elsewhere only because it did not: tasks that wait on a channel of
 * lower priority, or on one that does not work. Never more than it can begin at once, so that a channel which answers
 * and refuses draws few to itself.
 */
import type { ChannelRow, Weight } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { isPinned } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { weightOf } from './maker.ts';
import { mayRoute } from './route.ts';

/** How many of those whose turn is next are looked at on each channel. */
const LOOK = 256;
/** A channel that has refused a task so often is not tried with it again. */
const REFUSALS_MAX = 2;

/**
 * Moves waiting tasks to the channel for as long as `takes` finds room; answers how many. Rejects when the store cannot
 * be reached.
 */
export async function bringHome(
  ctx: FlowContext,
  row: ChannelRow,
  takes: (weight: Weight) => boolean,
): Promise<number> {
  let count = 0;
  for (const other of await ctx.channels.all()) {
    if (other.id === row.id) continue;
    const isWorse = other.priority < row.priority || !other.enabled || !ctx.lanes.isHealthy(other.id);
    if (!isWorse) continue;
    for (const pool of await ctx.store.waitingPools(other.id)) {
      const tasks: { id: string; pool: string }[] = [];
      for (const task of await ctx.store.waitingTasks(other.id, pool, LOOK)) {
        if (!(await mayComeHome(ctx, row, task))) continue;
        const weight = weightOf(ctx.providers.get(row.provider), task.request);
        if (!takes(weight)) break;
        tasks.push({ id: task.id, pool: weight.pool });
      }
      if (tasks.length === 0) continue;
      const reason = `${row.name} works again`;
      const at = ctx.clock.now();
      count += (await ctx.store.moveWaiting({ tasks, from: other.id, to: row.id, reason, at })).length;
    }
  }
  return count;
}

async function mayComeHome(ctx: FlowContext, row: ChannelRow, task: Task): Promise<boolean> {
  if (isPinned(task.request) || !(await mayRoute(ctx, row, task.request))) return false;
  return (await ctx.store.refusalsOf(task.id, row.id)) < REFUSALS_MAX;
}
