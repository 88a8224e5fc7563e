import type { Json } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import type { HttpDialect } from '../kit/fastify.ts';
import { videoObject } from '../kit/video-object.ts';
import { renderError } from './errors.ts';
import { mountModels } from './models.ts';
import { mountContent } from './content.ts';
import { mountFiles } from './files.ts';
import { mountVideos } from './videos.ts';
import { mountWebhooks } from './webhook-endpoints.ts';

/** OpenAI's API as its SDKs speak it (specs: openai 6.49.0 and 7.55.0): `/v1/videos`, `/v1/models`, `/v1/files`, `/v1/webhook_endpoints`. */
export const openai: HttpDialect = {
  id: 'openai',
  prefixes: ['/v1'],
  mount(routes, gateway) {
    // The documented answer headers; informative only.
    routes.addHook('onSend', (_request, reply, _payload, done) => {
      reply.header('openai-version', '2020-10-01');
      reply.header('openai-processing-ms', String(Math.round(reply.elapsedTime)));
      done();
    });
    mountVideos(routes, gateway);
    mountContent(routes, gateway);
    mountModels(routes, gateway);
    mountFiles(routes, gateway);
    mountWebhooks(routes, gateway);
  },
  renderError,
  renderCallback: (view) => videoObject(view, systemClock.now()) as Json,
};
