/**
 * The good end: result, charge, usage, event, and whatever came into the account's hands, in one transaction.
 */
import type { Exchange, Found, Json, ResourceRow, UpstreamCost } from '../core/ports.ts';
import { chargeFor } from '../core/pricing.ts';
import { isFeature, type TaskRequest } from '../core/request/feature.ts';
import type { Task, TaskResult } from '../core/task.ts';
import { setPath } from '../lib/json-path.ts';
import type { FlowContext } from './context.ts';

export interface Completion {
  task: Task;
  attemptId: string;
  /** The channel that knows what was made. */
  channelId: string;
  result: Omit<TaskResult, 'data'>;
  /** Of the output, where that decides the charge. */
  outputSeconds: number | null;
  found: Found | null;
  /** Absent: recorded with the attempt already. */
  cost?: UpstreamCost | null;
  exchanges: Exchange[];
}

/** Public ids take the place of upstream's; false when the task was final already, and then nothing was kept. */
export async function completeTask(ctx: FlowContext, completion: Completion): Promise<boolean> {
  const { task, attemptId, channelId, result, found, exchanges } = completion;
  const at = ctx.clock.now();
  const charge = chargeFor(task.quote, task.request, completion.outputSeconds);
  const { data, resources } = owned(ctx, found && withPublicNames(found, task.request), {
    accountId: task.accountId,
    channelId,
    taskId: task.id,
    at,
  });
  return ctx.store.finishTask({
    taskId: task.id,
    attemptId,
    at,
    exchanges,
    outcome: {
      state: 'completed',
      result: data === null ? result : { ...result, data },
      chargeMicros: charge.amountMicros,
      quantity: charge.quantity,
      resources,
      ...(completion.cost !== undefined && { cost: completion.cost }),
    },
  });
}

/** What the request named by our ids is named by them in the answer too: the voice of an element, say. */
function withPublicNames(found: Found, request: TaskRequest): Found {
  const uses = isFeature(request) ? request.resources : [];
  const names = new Map(uses.map(({ id, upstreamId }) => [upstreamId, id]));
  if (names.size === 0) return found;
  const renamed = (value: Json): Json => {
    if (typeof value === 'string') return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, renamed(part)]));
  };
  const resources = found.resources.map((made) => ({ ...made, data: renamed(made.data) }));
  return { data: renamed(found.data), resources };
}

function owned(
  ctx: FlowContext,
  found: Found | null,
  by: { accountId: string; channelId: string; taskId: string; at: number },
): { data: Json; resources: ResourceRow[] } {
  if (found === null) return { data: null, resources: [] };
  const data = structuredClone(found.data);
  const resources = found.resources.map((made) => {
    const id = ctx.newDecimalId();
    for (const path of made.paths) setPath(data, path, id);
    return {
      id,
      accountId: by.accountId,
      kind: made.kind,
      channelId: by.channelId,
      upstreamId: made.upstreamId,
      name: made.name,
      data: made.data,
      taskId: by.taskId,
      createdAt: by.at,
      expiresAt: made.expiresAt,
      deletedAt: null,
    };
  });
  return { data, resources };
}
