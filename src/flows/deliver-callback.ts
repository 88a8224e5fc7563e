/**
 * Posts a status change to the callback URL that came with the request, in the words of the dialect it was created
 * in. Enqueued in the transaction that changed the status; a receiver that fails is tried again.
 */
import type { EventRow, Json } from '../core/ports.ts';
import type { Task, TaskState } from '../core/task.ts';
import { writeJson } from '../lib/json.ts';
import type { FlowContext } from './context.ts';
import { viewOf } from './view.ts';

const STATE_OF_EVENT: Record<string, TaskState> = {
  'task.queued': 'queued',
  'task.started': 'in_progress',
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.cancelled': 'cancelled',
};

/** The answer of a receiver that did not take the delivery; the job runs again. */
export class DeliveryRefused extends Error {
  override name = 'DeliveryRefused';
}

export async function deliverCallback(
  ctx: FlowContext,
  input: { taskId: string; eventId: string },
): Promise<void> {
  const record = await ctx.store.taskRecord(input.taskId);
  const event = record?.events.find((candidate) => candidate.id === input.eventId);
  if (record === null || event === undefined || record.task.callbackUrl === null) return;
  const view = viewOf(ctx, asOf(record.task, event));
  const body = ctx.renderCallback(view);
  if (body === null) return;
  const response = await ctx.guarded.request({
    url: record.task.callbackUrl,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Reelay', 'x-reelay-event-id': event.id },
    body: writeJson(body satisfies Json),
    timeoutMs: 15_000,
    bytesMax: 65_536,
  });
  // Only the status matters; what a hostile receiver sends after it is not read.
  response.body.destroy();
  if (response.status < 200 || response.status > 299) {
    throw new DeliveryRefused(`the receiver answered ${response.status}`);
  }
}

/** The task as it stood at the event, so that a late delivery still tells what it was enqueued to tell. */
function asOf(task: Task, event: EventRow): Task {
  const state = STATE_OF_EVENT[event.type] ?? task.state;
  if (state === task.state) return task;
  return { ...task, state, updatedAt: event.createdAt, endedAt: null, error: null, result: null };
}
