/** What an operator does to a task by hand. Each names its author and says why; each honours Idempotency-Key. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { readIntent } from '../../core/intent.ts';
import { parseMicros } from '../../core/money.ts';
import type { Admin, TaskAction } from '../../core/ports.ts';
import {
  idParams,
  markReplayed,
  moneyField,
  renderMoney,
  renderTime,
  timeField,
  type AdminRoutes,
} from './kit.ts';
import { renderTask, taskObject } from './task-object.ts';

const actionObject = z
  .object({
    id: z.string(),
    action: z.enum(['retried', 'refunded', 'failed']),
    task_id: z.string(),
    author: z.string(),
    note: z.string(),
    amount: moneyField.meta({ description: 'What was held again, given back, or released.' }),
    posting_id: z.string().meta({ description: 'Its entry in the ledger; of zero where no money moved.' }),
    created_at: timeField,
    task: taskObject.meta({ description: 'As it is now.' }),
  })
  .meta({ id: 'TaskAction' });

const audit = {
  note: z.string().trim().min(1).max(500).meta({ description: 'Why. Kept with the ledger entry.' }),
  author: z.string().trim().min(1).max(100).meta({ description: 'Who does it. Kept with the ledger entry.' }),
};
const example = { note: 'Upstream outage, ticket 4711', author: 'li.na' };

export function addTaskActionRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.post(
    '/admin/v1/tasks/:id/retry',
    {
      schema: {
        summary: 'Have a failed task made again',
        description:
          'Under the same id and a new hold of the same amount. Where an earlier attempt may exist upstream it is looked ' +
          'up first, and taken over when it is there.',
        params: idParams,
        body: z
          .strictObject({
            ...audit,
            accept_possible_duplicate: z.boolean().default(false).meta({
              description:
                'Make it again even where an earlier attempt may exist upstream: it may be made and billed there twice.',
            }),
          })
          .meta({ example }),
        response: { 200: actionObject },
      },
    },
    async (request, reply) => {
      const { note, author, accept_possible_duplicate: acceptPossibleDuplicate } = request.body;
      const input = { note, author, acceptPossibleDuplicate };
      return answer(reply, await admin.retryTask(request.params.id, input, readIntent(request)));
    },
  );

  routes.post(
    '/admin/v1/tasks/:id/refund',
    {
      schema: {
        summary: 'Give back the charge of a completed task, or a part of it',
        description: 'Never more than was charged less what was refunded already. The outputs stay.',
        params: idParams,
        body: z
          .strictObject({
            ...audit,
            amount: z
              .union([z.string(), z.number()])
              .nullable()
              .default(null)
              .meta({ description: 'A decimal; left out: all that is left of the charge.' }),
          })
          .meta({ example: { ...example, amount: '0.10' } }),
        response: { 200: actionObject },
      },
    },
    async (request, reply) => {
      const { note, author, amount } = request.body;
      const input = { note, author, amountMicros: amount === null ? null : readAmount(amount) };
      return answer(reply, await admin.refundTask(request.params.id, input, readIntent(request)));
    },
  );

  routes.post(
    '/admin/v1/tasks/:id/fail',
    {
      schema: {
        summary: 'Mark a task failed',
        description:
          'Ends a task that is not final and releases its hold; what the upstream is making is not fetched any more. Of a ' +
          'lost task it says that an operator has seen to it.',
        params: idParams,
        body: z.strictObject(audit).meta({ example }),
        response: { 200: actionObject },
      },
    },
    async (request, reply) =>
      answer(reply, await admin.failTask(request.params.id, request.body, readIntent(request))),
  );
}

function answer(reply: FastifyReply, done: TaskAction): z.infer<typeof actionObject> {
  const { action, task } = done;
  markReplayed(reply, done);
  return {
    id: action.id,
    action: action.action,
    task_id: action.taskId,
    author: action.author,
    note: action.note,
    amount: renderMoney(action.amountMicros),
    posting_id: action.postingId,
    created_at: renderTime(action.createdAt),
    task: renderTask(task),
  };
}

function readAmount(amount: string | number): bigint {
  const micros = parseMicros(amount);
  if (micros !== null && micros > 0n) return micros;
  throw new GatewayError(
    'invalid_value',
    '\'amount\' must be a decimal above zero with at most six decimals, like "12.50".',
    { param: 'amount' },
  );
}
