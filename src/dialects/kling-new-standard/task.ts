/** A task in the words of the new standard (specs/kling.md §2.4). */
import { z } from 'zod';
import { formatMicros } from '../../core/money.ts';
import type { TaskView } from '../../core/ports.ts';
import type { Task, TaskState } from '../../core/task.ts';
import { failureOf, videoObjectExample } from '../kit/video-object.ts';
import { warningSchema } from '../kit/warnings.ts';
import { newOutput, newOutputs } from './task-outputs.ts';

export const statusWords = {
  queued: 'submitted',
  in_progress: 'processing',
  completed: 'succeeded',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<TaskState, string>;

const status = z.enum(['submitted', 'processing', 'succeeded', 'failed']);
const unixMs = z.number().int().meta({ description: 'Unix milliseconds.' });

const createdTaskShape = {
  id: z.string(),
  status,
  create_time: unixMs,
  update_time: unixMs,
  external_id: z.string().meta({ description: 'Your own id of the task; empty where none was given.' }),
};

const newTask = z
  .looseObject({
    ...createdTaskShape,
    message: z.string().meta({ description: 'Why it failed; empty otherwise.' }),
    outputs: z.array(newOutput),
    billing: z.array(
      z.object({
        charge_type: z.literal('cash'),
        cash_type: z.literal('balance'),
        amount: z.string().meta({ description: 'What was charged, a decimal.' }),
        currency: z.string(),
        list_price: z.string(),
      }),
    ),
    metadata: z
      .looseObject({ warnings: z.array(warningSchema) })
      .optional()
      .meta({ description: 'Only where the request was taken with warnings.' }),
  })
  .meta({ id: 'KlingNewTask', description: 'A task, as the new standard shows it.' });

const envelopeShape = { code: z.literal(0), message: z.literal('SUCCEED'), request_id: z.string() };
const envelopeExample = {
  code: 0 as const,
  message: 'SUCCEED' as const,
  request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
};

const createdExample = {
  id: videoObjectExample.id,
  status: 'submitted' as const,
  create_time: 1780891541000,
  update_time: 1780891541000,
  external_id: 'order-4711',
};
const taskExample: NewTask = {
  ...createdExample,
  status: 'succeeded',
  update_time: 1780891600000,
  message: '',
  outputs: [
    { type: 'video', id: videoObjectExample.id, url: videoObjectExample.video_url, duration: '5.041' },
  ],
  billing: [
    { charge_type: 'cash', cash_type: 'balance', amount: '0.21', currency: 'USD', list_price: '0.21' },
  ],
};

export const newCreatedResponse = z.object({ ...envelopeShape, data: z.object(createdTaskShape) }).meta({
  id: 'KlingNewCreatedResponse',
  description: 'The task was taken.',
  examples: [{ ...envelopeExample, data: createdExample }],
});

export const newTasksResponse = z.object({ ...envelopeShape, data: z.array(newTask) }).meta({
  id: 'KlingNewTasksResponse',
  description: 'The tasks that were asked for, in that order.',
  examples: [{ ...envelopeExample, data: [taskExample] }],
});

export const newTaskPageResponse = z
  .object({
    ...envelopeShape,
    data: z.object({
      result: z.array(newTask),
      count: z.number().int().meta({ description: 'Tasks on this page.' }),
      next_cursor: z.string().meta({ description: 'Pass it as `cursor`; empty on the last page.' }),
      has_more: z.boolean(),
    }),
  })
  .meta({
    id: 'KlingNewTaskPageResponse',
    description: 'One page of tasks, newest first.',
    examples: [
      { ...envelopeExample, data: { result: [taskExample], count: 1, next_cursor: '', has_more: false } },
    ],
  });

type NewTask = z.output<typeof newTask>;

export function succeeded<Data>(requestId: string, data: Data) {
  return { code: 0 as const, message: 'SUCCEED' as const, request_id: requestId, data };
}

export function createdNewTask({ task }: TaskView): z.output<typeof newCreatedResponse>['data'] {
  return {
    id: task.id,
    status: statusWords[task.state],
    create_time: task.createdAt,
    update_time: task.updatedAt,
    external_id: task.externalTaskId ?? '',
  };
}

/** The whole task, as queries and callbacks tell it. */
export function queriedNewTask(view: TaskView): NewTask {
  const { task } = view;
  const warnings = task.warnings.map(({ code, field, message }) => ({ code, field, message }));
  return {
    ...createdNewTask(view),
    message: failureOf(task)?.message ?? '',
    outputs: task.state === 'completed' ? newOutputs(view) : [],
    billing: billingOf(task),
    ...(warnings.length === 0 ? {} : { metadata: { warnings } }),
  };
}

/** Charged in money, at the price that was quoted. */
function billingOf({ chargeMicros, quote }: Task): NewTask['billing'] {
  if (chargeMicros === null || chargeMicros === 0n) return [];
  const amount = formatMicros(chargeMicros);
  return [
    {
      charge_type: 'cash',
      cash_type: 'balance',
      amount,
      currency: quote.currency,
      list_price: amount,
    },
  ];
}
