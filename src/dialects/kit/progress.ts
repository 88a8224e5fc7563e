import { isFeature } from '../../core/request/feature.ts';
import { isFinal, type Task } from '../../core/task.ts';

/**
 * How long a render usually takes: a fixed part and one that grows with the film. Rough on purpose (upstreams tell no
 * progress); grades above 720P take about twice as long each.
 */
function expectedMs(task: Task): number {
  const { request } = task;
  const gradeFactor = isFeature(request) ? 1 : { '720P': 1, '1080P': 2, '4K': 4 }[request.resolution];
  return 20_000 + 6_000 * (request.seconds ?? 0) * gradeFactor;
}

/**
 * 0 while queued, 100 when final, between them an estimate from the time that passed: it only ever grows, reaches 78 at
 * the expected time and never says 100 before the film is there.
 */
export function progressOf(task: Task, now: number): number {
  if (isFinal(task.state)) return 100;
  if (task.state === 'queued') return 0;
  const elapsedMs = Math.max(0, now - (task.startedAt ?? task.createdAt));
  const share = 1 - Math.exp((-1.5 * elapsedMs) / expectedMs(task));
  return Math.min(99, Math.max(1, Math.floor(share * 100)));
}

/** When to ask again, milliseconds: about twenty times in a render, neither hectic nor sleepy. */
export function pollAfterMs(task: Task): number {
  return Math.min(5_000, Math.max(1_000, Math.round(expectedMs(task) / 20)));
}
