import type { Provider, TaskMaker, Weight } from '../core/ports.ts';
import { isFeature, type TaskRequest } from '../core/request/feature.ts';

/** The part of a provider that makes this kind of request; null when it has none. */
export function makerOf(provider: Provider | undefined, request: TaskRequest): TaskMaker<TaskRequest> | null {
  const maker = isFeature(request) ? provider?.feature : provider?.video;
  return (maker as TaskMaker<TaskRequest> | undefined) ?? null;
}

const ONE: Weight = { pool: '', units: 1 };

/** What a task of this request counts at an upstream while it runs there. */
export function weightOf(provider: Provider | undefined, request: TaskRequest): Weight {
  return makerOf(provider, request)?.weigh?.(request) ?? ONE;
}
