/**
 * Once a minute: ends tasks whose deadline has passed, deletes files whose time is over, forgets old repeats. A few times a day: looks
 * for bytes that nothing needs any more.
 */
import type { FileRow } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { removeFiles } from '../flows/cancel-task.ts';
import { collectFiles, collectInputs } from '../flows/collect-media.ts';
import type { FlowContext } from '../flows/context.ts';
import { SENDING_LIFETIME_MS } from '../flows/repeats.ts';
import { Loop } from '../lib/loop.ts';

const EVERY_MS = 60_000;
const COLLECT_EVERY_MS = 6 * 3_600_000;
const BATCH_MAX = 200;
/** Rows of a few bytes: all of a busy minute in one go. */
const REPEATS_MAX = 10_000;

/** Starts the sweep; `stop()` on what comes back lets steps in hand finish. */
export function startSweep(ctx: FlowContext, onError: (error: unknown) => void): { stop(): Promise<void> } {
  const loops = [sweepLoop(ctx, onError), collectLoop(ctx, onError)];
  for (const loop of loops) loop.wake();
  return { stop: async () => void (await Promise.all(loops.map((loop) => loop.stop()))) };
}

/** Walks through what is stored, so it has a loop of its own: a deadline does not wait for it. */
function collectLoop(ctx: FlowContext, onError: (error: unknown) => void): Loop {
  return new Loop({
    clock: ctx.clock,
    onError,
    retryMs: COLLECT_EVERY_MS,
    async step() {
      await collectInputs(ctx);
      await collectFiles(ctx);
      return ctx.clock.now() + COLLECT_EVERY_MS;
    },
  });
}

function sweepLoop(ctx: FlowContext, onError: (error: unknown) => void): Loop {
  return new Loop({
    clock: ctx.clock,
    onError,
    retryMs: EVERY_MS,
    async step() {
      const at = ctx.clock.now();
      const overdue = await ctx.store.overdueTasks(at, BATCH_MAX);
      const expired = await ctx.store.expiredMedia(at, BATCH_MAX);
      const files = await ctx.store.expiredFiles(at, BATCH_MAX);
      let failures = 0;
      // One by one: a task that cannot be dealt with must not keep the others.
      for (const work of [
        ...overdue.map((task) => () => expire(ctx, task, at)),
        ...expired.map((task) => () => forget(ctx, task, at)),
        ...files.map((file) => () => removeFile(ctx, file)),
      ]) {
        try {
          await work();
        } catch (error) {
          failures++;
          onError(error);
        }
      }
      const sentBefore = at - SENDING_LIFETIME_MS;
      const forgotten = await ctx.store.forgetRepeats({ at, sentBefore, limit: REPEATS_MAX });
      const more =
        [overdue, expired, files].some((found) => found.length === BATCH_MAX) || forgotten >= REPEATS_MAX;
      return more && failures === 0 ? at : at + EVERY_MS;
    },
  });
}

async function expire(ctx: FlowContext, task: Task, at: number): Promise<void> {
  const current = await ctx.store.currentAttempt(task.id);
  await ctx.store.finishTask({
    taskId: task.id,
    attemptId: current?.attempt.id ?? null,
    at,
    exchanges: [],
    outcome: {
      state: 'failed',
      code: 'expired',
      message: 'The task was not finished within its deadline; nothing was charged.',
      attemptState: current === null ? null : 'failed',
    },
  });
}

async function forget(ctx: FlowContext, task: Task, at: number): Promise<void> {
  await removeFiles(ctx, task);
  await ctx.store.forgetMedia({ taskId: task.id, at });
}

/** The row first: bytes without a row are collected, a row without bytes would lie. */
async function removeFile(ctx: FlowContext, file: FileRow): Promise<void> {
  await ctx.store.deleteFile(file.accountId, file.id);
  await ctx.media.delete(file.mediaKey);
}
