import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Gateway, TaskView } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { createFeature } from '../kit/create-feature.ts';
import { createQuery } from '../kit/create-options.ts';
import { createVideo } from '../kit/create-video.ts';
import { estimateSchema, type EstimateObject } from '../kit/estimate.ts';
import { errorResponses } from '../kit/kling-errors.ts';
import { wholeNumberIn, wholeNumberParameter } from '../kit/query.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { withDeletions } from './deleted-elements.ts';
import { surfaceOf, tags, type KlingFeature } from './features.ts';
import type { KlingSurface } from './surfaces.ts';
import {
  createdTask,
  dataEnvelope,
  klingDataResponse,
  klingListResponse,
  klingTaskResponse,
  plainEnvelope,
  queriedTask,
  taskEnvelope,
} from './task.ts';

/** specs/kling.md §2.8. */
export const pageNumber = { minimum: 1, maximum: 1000, default: 1 };
const pageSize = { minimum: 1, maximum: 500, default: 30 };

const root = '/kling/v1';

/** One create route with its queries, as the reference and the router know it. */
interface Door {
  path: string;
  /** Ends the operation ids. */
  name: string;
  title: string;
  description: string;
  tag: string;
  surface: string;
  body: z.ZodType;
  /** Another spelling of a path that is described already. */
  hide?: true;
  makesElements?: true;
}

type Render<Answer> = (view: TaskView) => Answer;
type Create = <Answer>(
  request: FastifyRequest,
  reply: FastifyReply,
  render: Render<Answer>,
) => Promise<Answer | EstimateObject>;

/** The three routes of a film: create, query one, list. */
export function mountSurface(instance: FastifyInstance, gateway: Gateway, surface: KlingSurface): void {
  const path = `${root}/videos/${surface.feature}`;
  const door: Door = {
    path,
    name: camelCase(surface.feature),
    title: surface.title,
    description: `${surface.description} ${startsTask(path)} Without \`model_name\` the model is ${surface.defaults.model}.`,
    tag: tags.videos,
    surface: surface.defaults.surface,
    body: surface.body,
  };
  mountTaskDoor(instance, gateway, door, (request, reply, render) =>
    createVideo(gateway, surface.defaults, request, reply, render, surface.read),
  );
}

/** The routes of a feature, at every spelling of its path. */
export function mountFeature(instance: FastifyInstance, gateway: Gateway, feature: KlingFeature): void {
  const surface = surfaceOf(feature);
  const create: Create = (request, reply, render) =>
    createFeature(gateway, { surface, operation: feature.operation }, request, reply, render);
  for (const [index, spelling] of [feature.path, ...(feature.alsoAt ?? [])].entries()) {
    const path = `${root}${spelling}`;
    const answersTask = feature.answers === 'task';
    const door: Door = {
      path,
      name: camelCase(spelling.slice(1)),
      title: feature.title,
      description: answersTask ? `${feature.description} ${startsTask(path)}` : feature.description,
      tag: tags[feature.tag],
      surface,
      body: feature.body,
      ...(index > 0 && { hide: true }),
      ...(feature.makesElements && { makesElements: true }),
    };
    if (answersTask) mountTaskDoor(instance, gateway, door, create);
    else mountDataDoor(instance, door, create);
  }
}

function startsTask(path: string): string {
  return `Starts a task; poll it at \`GET ${path}/{task_id}\` or any other door.`;
}

function mountTaskDoor(instance: FastifyInstance, gateway: Gateway, door: Door, create: Create): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  const { path, name, title, surface } = door;
  const about = { tags: [door.tag], ...(door.hide && { hide: true }) };
  const queried = async ({ principal }: FastifyRequest, views: TaskView[]) => {
    const tasks = views.map(queriedTask);
    return door.makesElements ? withDeletions(gateway, principal, tasks) : tasks;
  };

  routes.post(
    path,
    {
      schema: {
        ...about,
        operationId: `createKling_${name}`,
        summary: title,
        description: door.description,
        querystring: createQuery,
        body: door.body,
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
      create(request, reply, (view) => taskEnvelope(view, createdTask(view), callerOf(request))),
  );

  routes.get(
    path,
    {
      schema: {
        ...about,
        operationId: `listKling_${name}`,
        summary: `${title}: list`,
        description: 'The tasks that were asked for at this path, newest first, by numbered pages.',
        querystring: pageQuery(pageSize.maximum),
        response: { 200: jsonAnswer('One page of tasks.', klingListResponse), ...errorResponses },
      },
    },
    async (request) => {
      const page = readPage(request.query, pageSize.maximum);
      const views = await gateway.pageTasks(request.principal, { surface, ...page });
      return plainEnvelope(await queried(request, views), request.id);
    },
  );

  routes.get(
    `${path}/:id`,
    {
      schema: {
        ...about,
        operationId: `queryKling_${name}`,
        summary: `${title}: query`,
        description: 'Any task of the account, whichever door it came through.',
        params: z.object({
          id: z.string().meta({ description: 'A task id, or your own `external_task_id`.' }),
        }),
        response: { 200: jsonAnswer('The task.', klingTaskResponse), ...errorResponses },
      },
    },
    async (request) => {
      const view = await gateway.findTask(request.principal, request.params.id);
      const [data] = await queried(request, [view]);
      return taskEnvelope(view, data!, callerOf(request));
    },
  );
}

/** What is answered at once has no queries: nobody is given an id to poll. */
function mountDataDoor(instance: FastifyInstance, door: Door, create: Create): void {
  instance.withTypeProvider<ZodTypeProvider>().post(
    door.path,
    {
      schema: {
        tags: [door.tag],
        ...(door.hide && { hide: true }),
        operationId: `kling_${door.name}`,
        summary: door.title,
        description: door.description,
        querystring: createQuery,
        body: door.body,
        response: {
          200: jsonAnswer(
            'The answer; for a dry run the estimate.',
            z.union([klingDataResponse, estimateSchema]),
          ),
          ...errorResponses,
        },
      },
    },
    (request, reply) => create(request, reply, (view) => dataEnvelope(view, callerOf(request))),
  );
}

/** `?pageNum&pageSize`, for the reference. */
export function pageQuery(pageSizeMax: number) {
  return z.looseObject({
    pageNum: wholeNumberParameter({ ...pageNumber, description: 'Which page.' }),
    pageSize: wholeNumberParameter({ ...pageSize, maximum: pageSizeMax, description: 'Entries per page.' }),
  });
}

/** Reads them. Throws `invalid_value` outside the official limits. */
export function readPage(
  query: Record<string, unknown>,
  pageSizeMax: number,
): { page: number; pageSize: number } {
  return {
    page: wholeNumberIn(query, 'pageNum', pageNumber),
    pageSize: wholeNumberIn(query, 'pageSize', { ...pageSize, maximum: pageSizeMax }),
  };
}

/** `avatar/image2video`, `omni-video` -> `avatarImage2video`, `omniVideo`. */
function camelCase(words: string): string {
  return words.replace(/[-/](.)/g, (_match, letter: string) => letter.toUpperCase());
}

function callerOf(request: FastifyRequest) {
  const { responseStyle } = request.principal;
  return { requestId: request.id, responseStyle, now: systemClock.now() };
}
