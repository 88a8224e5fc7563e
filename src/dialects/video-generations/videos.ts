import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Gateway } from '../../core/ports.ts';
import type { SurfaceDefaults } from '../../core/request/types.ts';
import { systemClock } from '../../lib/clock.ts';
import { createQuery } from '../kit/create-options.ts';
import { createVideo } from '../kit/create-video.ts';
import { estimateSchema } from '../kit/estimate.ts';
import { videoGenerationBody } from '../kit/request-examples.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { errorResponses } from './errors.ts';
import { videoGeneration, videoGenerationResponse } from './task.ts';

const surface: SurfaceDefaults = {
  surface: 'video-generations.videos',
  model: null,
  mode: null,
  operation: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 3,
};

const tags = ['Videos (generic)'];

export function mountVideoGenerations(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v1/video/generations',
    {
      schema: {
        operationId: 'createVideoGeneration',
        tags,
        summary: 'Create a video (generic)',
        description:
          'The same request as `POST /v1/videos`; the answer also carries what older relays answer.',
        consumes: ['application/json', 'multipart/form-data'],
        querystring: createQuery,
        body: videoGenerationBody,
        response: {
          200: jsonAnswer(
            'The task, queued; for a dry run the estimate.',
            z.union([videoGenerationResponse, estimateSchema]),
          ),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      createVideo(gateway, surface, request, reply, (view) => videoGeneration(view, systemClock.now())),
  );

  routes.get(
    '/v1/video/generations/:id',
    {
      schema: {
        operationId: 'retrieveVideoGeneration',
        tags,
        summary: 'Query a video (generic)',
        description: 'Any task of the account, whichever door it came through.',
        params: z.object({
          id: z.string().meta({ description: 'A task id, or your own `external_task_id`.' }),
        }),
        response: { 200: jsonAnswer('The task.', videoGenerationResponse), ...errorResponses },
      },
    },
    async (request) =>
      videoGeneration(await gateway.findTask(request.principal, request.params.id), systemClock.now()),
  );
}
