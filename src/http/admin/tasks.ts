import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Admin } from '../../core/ports.ts';
import { idParams, pageFields, pageOf, readPageQuery, renderPage, type AdminRoutes } from './kit.ts';
import { addTaskActionRoutes } from './task-actions.ts';
import { renderTask, taskObject, taskState } from './task-object.ts';
import { recordObject, renderRecord } from './task-record.ts';

const timeFilter = z
  .string()
  .optional()
  .meta({ description: 'ISO 8601 or Unix milliseconds.', examples: ['2026-11-20T00:00:00Z'] });

const taskQuery = z.object({
  ...pageFields,
  account_id: z.string().optional(),
  state: taskState.optional(),
  channel_id: z.string().optional(),
  model: z.string().optional(),
  tier: z.string().optional(),
  attention: z
    .enum(['lost'])
    .optional()
    .meta({ description: 'Only tasks that call for an operator, for this reason.' }),
  created_from: timeFilter,
  created_to: timeFilter,
});

export function addTaskRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/tasks',
    {
      schema: {
        summary: 'List tasks, newest first, hidden ones included',
        description:
          'Where many tasks meet each filter and hardly any meet all, a page holds fewer than `limit`, even none, ' +
          'though more follow: go on until `next_cursor` is null.',
        querystring: taskQuery,
        response: { 200: pageOf(taskObject) },
      },
    },
    async (request) => renderPage(await admin.listTasks(readFilters(request.query)), renderTask),
  );

  routes.get(
    '/admin/v1/tasks/:id',
    {
      schema: {
        summary: 'Everything known of one task',
        params: idParams,
        response: { 200: recordObject },
      },
    },
    async (request) => renderRecord(await admin.taskRecord(request.params.id)),
  );

  addTaskActionRoutes(routes, admin);
}

function readFilters(query: z.infer<typeof taskQuery>): Parameters<Admin['listTasks']>[0] {
  const filters: Parameters<Admin['listTasks']>[0] = readPageQuery(query);
  if (query.account_id !== undefined) filters.accountId = query.account_id;
  if (query.state !== undefined) filters.state = query.state;
  if (query.channel_id !== undefined) filters.channelId = query.channel_id;
  if (query.model !== undefined) filters.model = query.model;
  if (query.tier !== undefined) filters.tier = query.tier;
  if (query.attention !== undefined) filters.attention = query.attention;
  if (query.created_from !== undefined) filters.createdFrom = readTime(query.created_from, 'created_from');
  if (query.created_to !== undefined) filters.createdTo = readTime(query.created_to, 'created_to');
  return filters;
}

function readTime(text: string, param: string): number {
  const unixMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(unixMs)) return unixMs;
  throw new GatewayError(
    'invalid_value',
    `'${param}' must be a time like 2026-11-20T00:00:00Z or Unix milliseconds.`,
    { param },
  );
}
