import type { Json } from '../../core/ports.ts';
import type { HttpDialect } from '../kit/fastify.ts';
import { renderError } from '../kit/kling-errors.ts';
import { mountAccount } from './account.ts';
import { mountBelongings } from './belongings.ts';
import { klingFeatures } from './features.ts';
import { mountFeature, mountSurface } from './routes.ts';
import { klingSurfaces } from './surfaces.ts';
import { callbackTask } from './task.ts';

/** The official platform's legacy standard under `/kling`, so that its clients need only a new base URL. */
export const kling: HttpDialect = {
  id: 'kling',
  prefixes: ['/kling'],
  mount(routes, gateway) {
    for (const surface of klingSurfaces) mountSurface(routes, gateway, surface);
    for (const feature of klingFeatures) mountFeature(routes, gateway, feature);
    mountBelongings(routes, gateway);
    mountAccount(routes, gateway);
  },
  renderError,
  renderCallback: (view) => callbackTask(view) as Json,
};
