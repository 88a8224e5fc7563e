/**
 * What waits on a channel that takes nothing any more goes to one that can make it. What nobody else can make stays,
 * and waits for the operator.
 */
import type { ChannelRow } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { isPinned } from './bind-resources.ts';
import type { FlowContext } from './context.ts';
import { routeElsewhere } from './route.ts';

/** How many waiting tasks are read at once. */
const BATCH = 64;

/**
 * Moves every waiting task of the channel that can be made elsewhere. A move is an attempt that is opened and refused
 * at once, so that whoever else takes the task up meanwhile is noticed; answers attempts left open because the refusal
 * could not be recorded, which are then settled like any in doubt. Rejects when the store cannot be reached.
 */
export async function handOver(
  ctx: FlowContext,
  row: ChannelRow,
): Promise<{ task: Task; attemptId: string }[]> {
  const staying = new Set<string>();
  for (;;) {
    const tasks = await ctx.store.waitingTasks(row.id, staying.size + BATCH);
    const others = tasks.filter((task) => !staying.has(task.id));
    if (others.length === 0) return [];
    const moves: { task: Task; channelId: string }[] = [];
    for (const task of others) {
      const channelId = isPinned(task.request) ? null : await routeElsewhere(ctx, task.request, row.id);
      if (channelId === null) staying.add(task.id);
      else moves.push({ task, channelId });
    }
    const leftOpen = await move(ctx, row, moves);
    if (leftOpen.length > 0) return leftOpen;
  }
}

async function move(
  ctx: FlowContext,
  row: ChannelRow,
  moves: { task: Task; channelId: string }[],
): Promise<{ task: Task; attemptId: string }[]> {
  const at = ctx.clock.now();
  const attempts = moves.map(({ task, channelId }) => ({
    id: ctx.newId('att_'),
    task,
    to: channelId,
  }));
  const opened = new Set(
    await ctx.store.openAttempts(
      attempts.map(({ id, task }) => ({
        id,
        taskId: task.id,
        channelId: row.id,
        owner: ctx.owner,
        submitDeadlineAt: at,
        at,
      })),
    ),
  );
  const outcomes = await Promise.all(
    attempts.map(async ({ id, task, to }) => {
      if (!opened.has(id)) return null;
      try {
        await ctx.store.refuseAttempt({
          attemptId: id,
          at,
          upstreamCode: null,
          message: 'Not submitted: the channel was switched off or deleted.',
          channelId: to,
          exchanges: [],
        });
        return null;
      } catch {
        return { task, attemptId: id };
      }
    }),
  );
  return outcomes.filter((outcome) => outcome !== null);
}
