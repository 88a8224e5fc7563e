import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Gateway, Principal } from '../../core/ports.ts';
import type { SurfaceDefaults } from '../../core/request/types.ts';
import { systemClock } from '../../lib/clock.ts';
import { createQuery } from '../kit/create-options.ts';
import { createVideo } from '../kit/create-video.ts';
import { estimateSchema } from '../kit/estimate.ts';
import { textIn, wholeNumberIn, wholeNumberParameter, wordIn, wordParameter } from '../kit/query.ts';
import { videoObject, videoTaskResponse } from '../kit/video-object.ts';
import { videoGenerationBody } from '../kit/request-examples.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { errorResponses } from './errors.ts';
import { pollHeaders, videoDeletedResponse, videoList, videoListResponse } from './task.ts';

const surface: SurfaceDefaults = {
  surface: 'openai.videos',
  model: null,
  mode: null,
  operation: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  // Seed 003 §3.1: at most three pictures on this door.
  imagesMax: 3,
};
/** Seed 003 §12: links only, no data URIs; for keys that want the document to the letter. */
const strictSurface: SurfaceDefaults = { ...surface, refusesInlineMedia: true };

function surfaceFor(principal: Principal): SurfaceDefaults {
  return principal.responseStyle === 'strict' ? strictSurface : surface;
}

/** openapi.yaml: limit 0 to 100, its default not stated; 20 as OpenAI's other lists have it. */
const limit = { minimum: 0, maximum: 100, default: 20 };
const orders = ['asc', 'desc'] as const;
const tags = ['Videos (OpenAI)'];
export const videoIdParams = z.object({
  id: z.string().meta({ description: 'A task id, or your own `external_task_id`.' }),
});

export function mountVideos(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v1/videos',
    {
      schema: {
        operationId: 'createVideo',
        tags,
        summary: 'Create a video',
        description:
          'Starts a video task. JSON and `multipart/form-data` carry the same fields; a picture may be a link, ' +
          'inline data or an uploaded file.',
        consumes: ['application/json', 'multipart/form-data'],
        querystring: createQuery,
        body: videoGenerationBody,
        response: {
          200: jsonAnswer(
            'The task, queued; for a dry run the estimate.',
            z.union([videoTaskResponse, estimateSchema]),
          ),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      createVideo(gateway, surfaceFor(request.principal), request, reply, (view) => {
        reply.headers(pollHeaders(view));
        return videoObject(view, systemClock.now());
      }),
  );

  routes.get(
    '/v1/videos',
    {
      schema: {
        operationId: 'listVideos',
        tags,
        summary: 'List videos',
        description: 'Every video task of the account, whichever door it came through.',
        querystring: z.looseObject({
          after: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: 'The `last_id` of the page before.' }),
          limit: wholeNumberParameter({ ...limit, description: 'Tasks per page.' }),
          order: wordParameter(orders, 'desc', 'By time of creation.'),
        }),
        response: { 200: jsonAnswer('One page of tasks.', videoListResponse), ...errorResponses },
      },
    },
    async (request) => {
      const count = wholeNumberIn(request.query, 'limit', limit);
      const order = wordIn(request.query, 'order', orders, 'desc');
      const after = textIn(request.query, 'after');
      // An empty page that says "more" would keep a paging client asking for ever.
      if (count === 0) return videoList({ tasks: [], hasMore: false }, 0);
      const query = { order, limit: count, ...(after === undefined ? {} : { after }) };
      return videoList(await gateway.listTasks(request.principal, query), systemClock.now());
    },
  );

  routes.get(
    '/v1/videos/:id',
    {
      schema: {
        operationId: 'retrieveVideo',
        tags,
        summary: 'Retrieve a video',
        description:
          'The task as it stands now. While it is not final, `openai-poll-after-ms` says when to ask again.',
        params: videoIdParams,
        response: { 200: jsonAnswer('The task.', videoTaskResponse), ...errorResponses },
      },
    },
    async (request, reply) => {
      const view = await gateway.findTask(request.principal, request.params.id);
      reply.headers(pollHeaders(view));
      return videoObject(view, systemClock.now());
    },
  );

  routes.delete(
    '/v1/videos/:id',
    {
      schema: {
        operationId: 'deleteVideo',
        tags,
        summary: 'Delete a video',
        description:
          'Cancels a task that was not submitted yet, removes a finished one with its files. A running task cannot ' +
          'be stopped: 409 `task_running`.',
        params: videoIdParams,
        response: { 200: jsonAnswer('It is gone.', videoDeletedResponse), ...errorResponses },
      },
    },
    async (request) => {
      const { task } = await gateway.findTask(request.principal, request.params.id);
      await gateway.deleteTask(request.principal, task.id);
      return { id: task.id, object: 'video.deleted' as const, deleted: true as const };
    },
  );
}
