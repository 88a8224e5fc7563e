import type { Json } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import type { HttpDialect } from '../kit/fastify.ts';
import { renderError } from './errors.ts';
import { videoGeneration } from './task.ts';
import { mountVideoGenerations } from './videos.ts';

/** The generic door of new-api and its relatives: `/v1/video/generations`. */
export const videoGenerations: HttpDialect = {
  id: 'video-generations',
  // Not `/v1/video`: that is also the beginning of `/v1/videos`.
  prefixes: ['/v1/video/generations'],
  mount: mountVideoGenerations,
  renderError,
  renderCallback: (view) => videoGeneration(view, systemClock.now()) as Json,
};
