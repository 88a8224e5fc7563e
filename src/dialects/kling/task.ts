/** A task in the words of the official platform's legacy standard (specs/kling.md §2.1 to §2.3). */
import { z } from 'zod';
import type { ResponseStyle, TaskView } from '../../core/ports.ts';
import type { TaskState } from '../../core/task.ts';
import { failureOf, videoObject, videoObjectExample, videoObjectShape } from '../kit/video-object.ts';

const statusWords: Record<TaskState, 'submitted' | 'processing' | 'succeed' | 'failed'> = {
  queued: 'submitted',
  in_progress: 'processing',
  completed: 'succeed',
  failed: 'failed',
  cancelled: 'failed',
};

const klingVideo = z.object({
  id: z.string(),
  url: z.string(),
  watermark_url: z.string().optional(),
  duration: z.string().meta({ description: 'Seconds, as a text.' }),
});

export const klingTask = z
  .looseObject({
    task_id: z.string(),
    task_status: z.enum(['submitted', 'processing', 'succeed', 'failed']),
    task_status_msg: z.string().optional().meta({ description: 'Why it failed; empty otherwise.' }),
    task_info: z.object({ external_task_id: z.string().optional() }),
    created_at: z.number().int().meta({ description: 'Unix milliseconds.' }),
    updated_at: z.number().int().meta({ description: 'Unix milliseconds.' }),
    watermark_info: z.object({ enabled: z.boolean() }).optional(),
    task_result: z
      .object({ videos: z.array(klingVideo) })
      .optional()
      .meta({ description: 'Only once it succeeded.' }),
  })
  .meta({ id: 'KlingTask', description: 'A task, as the official platform shows it.' });

const envelopeShape = {
  code: z.literal(0),
  message: z.literal('SUCCEED'),
  request_id: z.string(),
};

const envelopeExample = {
  code: 0 as const,
  message: 'SUCCEED' as const,
  request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
};

const klingTaskExample: KlingTask = {
  task_id: videoObjectExample.id,
  task_status: 'succeed',
  task_status_msg: '',
  task_info: { external_task_id: 'order-4711' },
  created_at: 1780891541000,
  updated_at: 1780891600000,
  watermark_info: { enabled: false },
  task_result: {
    videos: [{ id: videoObjectExample.id, url: videoObjectExample.video_url, duration: '5' }],
  },
};

export const klingTaskResponse = z
  .looseObject({
    ...envelopeShape,
    data: klingTask,
    // Absent for keys with strict answers, which get the bare envelope.
    ...z.object(videoObjectShape).partial().shape,
  })
  .meta({
    id: 'KlingTaskResponse',
    description:
      "The official platform's envelope and, beside it, the video object of the other doors. Keys with strict " +
      'answers get the envelope alone.',
    examples: [{ ...envelopeExample, data: klingTaskExample, ...videoObjectExample }],
  });

export const klingListResponse = z.object({ ...envelopeShape, data: z.array(klingTask) }).meta({
  id: 'KlingTaskListResponse',
  description: 'One page of tasks, newest first.',
  examples: [{ ...envelopeExample, data: [klingTaskExample] }],
});

export type KlingTask = z.output<typeof klingTask>;
type KlingTaskResponse = z.output<typeof klingTaskResponse>;

/** What a query tells of a task. A create leaves `task_status_msg` and `watermark_info` out. */
export function queriedTask(view: TaskView): KlingTask {
  const { task, links } = view;
  const bare = callbackTask(view);
  if (task.state !== 'completed') return { ...bare, watermark_info: { enabled: task.request.watermark } };
  const watermark = links?.watermarked ? { watermark_url: links.watermarked } : {};
  return {
    ...bare,
    watermark_info: { enabled: task.request.watermark },
    task_result: { videos: (bare.task_result?.videos ?? []).map((video) => ({ ...video, ...watermark })) },
  };
}

/** What a create tells: it was taken. */
export function createdTask(view: TaskView): KlingTask {
  const { task_id, task_status, task_info, created_at, updated_at } = callbackTask(view);
  return { task_id, task_status, task_info, created_at, updated_at };
}

/** The bare task of a callback (§2.7): no envelope, and its films without `watermark_url`. */
export function callbackTask(view: TaskView): KlingTask {
  const { task, links } = view;
  const seconds = task.result?.durationSeconds ?? task.request.seconds;
  return {
    task_id: task.id,
    task_status: statusWords[task.state],
    task_status_msg: failureOf(task)?.message ?? '',
    task_info: task.externalTaskId === null ? {} : { external_task_id: task.externalTaskId },
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    ...(task.state === 'completed'
      ? {
          task_result: {
            // No film any more once our copy has expired.
            videos: links === null ? [] : [{ id: task.id, url: links.video, duration: secondsText(seconds) }],
          },
        }
      : {}),
  };
}

/** The envelope; for keys that are not strict, the video object lies beside it: no key of the two collides. */
export function taskEnvelope(
  view: TaskView,
  data: KlingTask,
  caller: { requestId: string; responseStyle: ResponseStyle; now: number },
): KlingTaskResponse {
  const envelope = { ...succeeded(caller.requestId), data };
  return caller.responseStyle === 'strict' ? envelope : { ...envelope, ...videoObject(view, caller.now) };
}

/** A page of tasks. The same for all keys: inside `data` the two shapes would collide (`created_at`). */
export function listEnvelope(views: TaskView[], requestId: string): z.output<typeof klingListResponse> {
  return { ...succeeded(requestId), data: views.map(queriedTask) };
}

function succeeded(requestId: string) {
  return { code: 0 as const, message: 'SUCCEED' as const, request_id: requestId };
}

/** `5.041`, `5`: at most three decimals, as the platform's own answers show (§2.3). */
function secondsText(seconds: number | null): string {
  return seconds === null ? '' : String(Math.round(seconds * 1000) / 1000);
}
