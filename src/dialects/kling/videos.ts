import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Gateway } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { createQuery } from '../kit/create-options.ts';
import { createVideo } from '../kit/create-video.ts';
import { estimateSchema } from '../kit/estimate.ts';
import { wholeNumberIn, wholeNumberParameter } from '../kit/query.ts';
import { klingVideoBody } from '../kit/request-examples.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { errorResponses } from './errors.ts';
import type { KlingSurface } from './surfaces.ts';
import {
  createdTask,
  klingListResponse,
  klingTaskResponse,
  listEnvelope,
  queriedTask,
  taskEnvelope,
} from './task.ts';

/** specs/kling.md §2.8. */
const pageNumber = { minimum: 1, maximum: 1000, default: 1 };
const pageSize = { minimum: 1, maximum: 500, default: 30 };
const tags = ['Videos (Kling)'];

/** The three routes of one feature: create, query one, list. */
export function mountFeature(instance: FastifyInstance, gateway: Gateway, surface: KlingSurface): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  const path = `/kling/v1/videos/${surface.feature}`;
  const operationName = surface.feature.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase());

  routes.post(
    path,
    {
      schema: {
        operationId: `createKling_${operationName}`,
        tags,
        summary: surface.title,
        description:
          `${surface.description} Starts a task; poll it at \`GET ${path}/{task_id}\` or any other door. ` +
          `Without \`model_name\` the model is ${surface.defaults.model}.`,
        querystring: createQuery,
        body: klingVideoBody,
        response: {
          200: jsonAnswer(
            'The task, submitted; for a dry run the estimate.',
            z.union([klingTaskResponse, estimateSchema]),
          ),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      createVideo(gateway, surface.defaults, request, reply, (view) =>
        taskEnvelope(view, createdTask(view), callerOf(request)),
      ),
  );

  routes.get(
    path,
    {
      schema: {
        operationId: `listKling_${operationName}`,
        tags,
        summary: `${surface.title}: list`,
        description: 'The tasks that were asked for at this path, newest first, by numbered pages.',
        querystring: z.looseObject({
          pageNum: wholeNumberParameter({ ...pageNumber, description: 'Which page.' }),
          pageSize: wholeNumberParameter({ ...pageSize, description: 'Tasks per page.' }),
        }),
        response: { 200: jsonAnswer('One page of tasks.', klingListResponse), ...errorResponses },
      },
    },
    async (request) => {
      const query = {
        surface: surface.defaults.surface,
        page: wholeNumberIn(request.query, 'pageNum', pageNumber),
        pageSize: wholeNumberIn(request.query, 'pageSize', pageSize),
      };
      return listEnvelope(await gateway.pageTasks(request.principal, query), request.id);
    },
  );

  routes.get(
    `${path}/:id`,
    {
      schema: {
        operationId: `queryKling_${operationName}`,
        tags,
        summary: `${surface.title}: query`,
        description: 'Any task of the account, whichever door it came through.',
        params: z.object({
          id: z.string().meta({ description: 'A task id, or your own `external_task_id`.' }),
        }),
        response: { 200: jsonAnswer('The task.', klingTaskResponse), ...errorResponses },
      },
    },
    async (request) => {
      const view = await gateway.findTask(request.principal, request.params.id);
      return taskEnvelope(view, queriedTask(view), callerOf(request));
    },
  );
}

function callerOf(request: FastifyRequest) {
  const { responseStyle } = request.principal;
  return { requestId: request.id, responseStyle, now: systemClock.now() };
}
