/** How long a task waited for a channel, read from what was recorded of it. */
import type { EventRow } from './ports.ts';

/** One wait; `until` null while it lasts. */
export interface QueueWait {
  channelId: string | null;
  from: number;
  until: number | null;
}

/** From being queued, or put back, to the next attempt or the end; waits of no time are left out. */
export function queueWaits(events: readonly Pick<EventRow, 'type' | 'data' | 'createdAt'>[]): QueueWait[] {
  const waits: QueueWait[] = [];
  let open: QueueWait | null = null;
  for (const { type, data, createdAt } of events) {
    const facts = (data ?? {}) as { channelId?: string; to?: string; willRetry?: boolean };
    if (open !== null && endsWait(type)) {
      open.until = createdAt;
      open = null;
    }
    if (type === 'queue.moved' && open !== null) {
      open.until = createdAt;
      open = { channelId: facts.to ?? null, from: createdAt, until: null };
      waits.push(open);
    } else if (
      type === 'task.queued' ||
      type === 'attempt.refused' ||
      (type === 'attempt.failed' && facts.willRetry === true)
    ) {
      open = { channelId: facts.channelId ?? null, from: createdAt, until: null };
      waits.push(open);
    }
  }
  return waits.filter((wait) => wait.until !== wait.from);
}

function endsWait(type: string): boolean {
  return (
    type === 'attempt.submitting' ||
    type === 'task.completed' ||
    type === 'task.failed' ||
    type === 'task.cancelled'
  );
}
