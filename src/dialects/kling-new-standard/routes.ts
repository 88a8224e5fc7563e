import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway, Principal, TaskView } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { createQuery } from '../kit/create-options.ts';
import { createVideo } from '../kit/create-video.ts';
import { estimateSchema } from '../kit/estimate.ts';
import { list, object, structure, text, textOrNumber } from '../kit/fields.ts';
import { errorResponses } from '../kit/kling-errors.ts';
import { textIn } from '../kit/query.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { bodies } from './body.ts';
import type { Door } from './doors.ts';
import { looseNewVideo } from './loose.ts';
import { filterKeys, limits, readSearch, searchTasks } from './search.ts';
import {
  createdNewTask,
  newCreatedResponse,
  newTaskPageResponse,
  newTasksResponse,
  queriedNewTask,
  succeeded,
} from './task.ts';

const tags = ['Videos (Kling, new standard)'];

/** `POST /kling/<feature>/<model>`. */
export function mountDoor(instance: FastifyInstance, gateway: Gateway, door: Door): void {
  const camelCase = door.feature.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
  instance.withTypeProvider<ZodTypeProvider>().post(
    `/kling/${door.feature}/:model`,
    {
      schema: {
        operationId: `createKlingNew_${camelCase}`,
        tags,
        summary: door.title,
        description: `${door.description} Starts a task; poll it at \`GET /kling/tasks\` or any other door.`,
        params: z.object({ model: z.string().meta({ description: door.models.join(', ') }) }),
        querystring: createQuery,
        body: bodies.get(door.feature)!,
        response: {
          200: jsonAnswer(
            'The task, submitted; for a dry run the estimate.',
            z.union([newCreatedResponse, estimateSchema]),
          ),
          ...errorResponses,
        },
      },
    },
    (request, reply) =>
      createVideo(
        gateway,
        door.defaults,
        request,
        reply,
        (view) => succeeded(request.id, createdNewTask(view)),
        (body) => looseNewVideo(body, request.params.model, door),
      ),
  );
}

/** The platform names no cap; ours keeps one request from reading thousands of rows. */
const idsMax = 100;

const searchBody = z
  .looseObject(
    {
      start_time: textOrNumber('Unix milliseconds; 30 days before end_time where nothing is said.'),
      end_time: textOrNumber('Unix milliseconds; now where nothing is said.'),
      cursor: text('`next_cursor` of the page before.'),
      limit: textOrNumber(`Tasks per page, 1 to ${limits.maximum} (${limits.default}).`, [limits.default]),
      filters: structure(
        list(
          object({
            key: text(filterKeys.join(' or '), [filterKeys[0]]),
            values: structure(
              list(z.unknown()),
              'status: submitted, processing, succeeded, failed; product_type: video, image, try_on.',
            ),
          }),
        ),
        'Only tasks for which all of these hold.',
      ),
    },
    { error: 'must be a JSON object' },
  )
  .meta({
    id: 'KlingNewTaskSearch',
    description: 'Which tasks to list.',
    example: { limit: 100, filters: [{ key: 'status', values: ['succeeded'] }] },
  });

/** `GET /kling/tasks` by ids, `POST /kling/tasks` by period. */
export function mountTasks(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/kling/tasks',
    {
      schema: {
        operationId: 'queryKlingNewTasks',
        tags,
        summary: 'Query tasks',
        description:
          'Tasks of the account by their ids, whichever door they came through. Ids that are unknown are left ' +
          'out; when none is known the answer is 404.',
        querystring: z.looseObject({
          task_ids: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: `Task ids with commas between, at most ${idsMax}.` }),
          external_task_ids: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: 'Your own ids instead of task_ids.' }),
        }),
        response: { 200: jsonAnswer('The tasks.', newTasksResponse), ...errorResponses },
      },
    },
    async (request) => {
      const views = await findTasks(gateway, request.principal, request.query);
      return succeeded(request.id, views.map(queriedNewTask));
    },
  );

  routes.post(
    '/kling/tasks',
    {
      schema: {
        operationId: 'listKlingNewTasks',
        tags,
        summary: 'List tasks',
        description: 'Tasks of the account in a period, newest first, whichever door they came through.',
        body: searchBody,
        response: { 200: jsonAnswer('One page of tasks.', newTaskPageResponse), ...errorResponses },
      },
    },
    async (request) => {
      const search = readSearch(request.body, systemClock.now());
      const { tasks, cursor } = await searchTasks(gateway, request.principal, search);
      return succeeded(request.id, {
        result: tasks.map(queriedNewTask),
        count: tasks.length,
        next_cursor: cursor ?? '',
        has_more: cursor !== null,
      });
    },
  );
}

async function findTasks(
  gateway: Gateway,
  principal: Principal,
  query: Record<string, unknown>,
): Promise<TaskView[]> {
  const ids = textIn(query, 'task_ids');
  const externalIds = textIn(query, 'external_task_ids');
  if ((ids === undefined) === (externalIds === undefined)) {
    throw new GatewayError(
      ids === undefined ? 'missing_required_parameter' : 'invalid_value',
      'Give exactly one of task_ids and external_task_ids.',
      { param: 'task_ids' },
    );
  }
  const wanted = [...new Set((ids ?? externalIds ?? '').split(',').map((id) => id.trim()))].filter(
    (id) => id !== '',
  );
  if (wanted.length > idsMax) {
    const param = ids === undefined ? 'external_task_ids' : 'task_ids';
    throw new GatewayError('invalid_value', `${param} takes at most ${idsMax} ids.`, { param });
  }
  const found = await Promise.all(wanted.map((id) => findTask(gateway, principal, id)));
  const views = found.filter((view) => view !== null);
  if (views.length > 0) return views;
  throw new GatewayError('task_not_found', 'There is no task of this id.');
}

async function findTask(gateway: Gateway, principal: Principal, id: string): Promise<TaskView | null> {
  try {
    return await gateway.findTask(principal, id);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'task_not_found') return null;
    throw error;
  }
}
