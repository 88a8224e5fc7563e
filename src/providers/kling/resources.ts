/** Preset voices and elements, and the end of those an account made. */
import type { Json, Provider } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import type { ResourceKind } from '../../core/request/feature.ts';
import { writeJson } from '../../lib/json.ts';
import { call } from './call.ts';
import { saysGone } from './errors.ts';
import { RESOURCE_ROUTES } from './routes.ts';
import { isObject, objectsIn } from './wire.ts';

function routesOf(kind: ResourceKind): (typeof RESOURCE_ROUTES)[keyof typeof RESOURCE_ROUTES] | null {
  return kind === 'voice' || kind === 'element' ? RESOURCE_ROUTES[kind] : null;
}

export const resources: NonNullable<Provider['resources']> = {
  /** Each as the platform describes it; its lists wrap them in finished tasks. */
  async presets(kind, { page, pageSize }, channel, signal) {
    const routes = routesOf(kind);
    if (!routes) return [];
    const path = `${routes.presets}?pageNum=${page}&pageSize=${pageSize}`;
    const data = await call({ method: 'GET', path }, channel, signal);
    return objectsIn(data).flatMap((entry): Json[] => {
      const result = entry['task_result'];
      return isObject(result) ? objectsIn(result[`${kind}s`]) : [entry];
    });
  },

  /** What is gone already counts as removed. Sessions end by themselves, films by the platform's own purge. */
  async remove(kind, upstreamId, channel, signal) {
    const routes = routesOf(kind);
    if (!routes) return;
    // Deleting takes the element's id as a string, unlike everything else.
    const body = writeJson({ [routes.id]: upstreamId });
    try {
      await call({ method: 'POST', path: routes.remove, body }, channel, signal);
    } catch (error) {
      if (!(error instanceof UpstreamError) || !saysGone(error)) throw error;
    }
  },
};
