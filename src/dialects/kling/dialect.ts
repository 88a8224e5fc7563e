import type { Json } from '../../core/ports.ts';
import type { HttpDialect } from '../kit/fastify.ts';
import { renderError } from './errors.ts';
import { klingSurfaces } from './surfaces.ts';
import { callbackTask } from './task.ts';
import { mountFeature } from './videos.ts';

/** The official platform's legacy standard under `/kling`, so that its clients need only a new base URL. */
export const kling: HttpDialect = {
  id: 'kling',
  prefixes: ['/kling'],
  mount(routes, gateway) {
    for (const surface of klingSurfaces) mountFeature(routes, gateway, surface);
  },
  renderError,
  renderCallback: (view) => callbackTask(view) as Json,
};
