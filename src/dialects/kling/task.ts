/** A task in the words of the official platform's legacy standard (specs/kling.md §2.1 to §2.3). */
import { z } from 'zod';
import type { ResponseStyle, TaskView } from '../../core/ports.ts';
import { isFeature, type FeatureRequest } from '../../core/request/feature.ts';
import { isObject } from '../../core/request/read.ts';
import { isFinal, type Task, type TaskState } from '../../core/task.ts';
import { dataOf } from '../kit/outputs.ts';
import {
  failureOf,
  makesVideo,
  videoObject,
  videoObjectExample,
  videoObjectShape,
  type VideoObject,
} from '../kit/video-object.ts';
import { klingTaskResult, sessionOf, taskResult, withLongIds } from './task-result.ts';

const statusWords: Record<TaskState, 'submitted' | 'processing' | 'succeed' | 'failed'> = {
  queued: 'submitted',
  in_progress: 'processing',
  completed: 'succeed',
  failed: 'failed',
  cancelled: 'failed',
};

export const klingTask = z
  .looseObject({
    task_id: z.string(),
    task_status: z.enum(['submitted', 'processing', 'succeed', 'failed']),
    task_status_msg: z.string().optional().meta({ description: 'Why it failed; empty otherwise.' }),
    task_info: z.looseObject({
      external_task_id: z.string().optional(),
      parent_video: z
        .looseObject({ id: z.string().optional(), url: z.string().optional() })
        .optional()
        .meta({ description: 'The film that was built upon, as it was named.' }),
    }),
    created_at: z.number().int().meta({ description: 'Unix milliseconds.' }),
    updated_at: z.number().int().meta({ description: 'Unix milliseconds.' }),
    watermark_info: z.object({ enabled: z.boolean() }).optional(),
    session_id: z.string().optional().meta({ description: 'Of multi-elements.' }),
    task_result: klingTaskResult.optional().meta({ description: 'Only once it succeeded.' }),
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

const filmTime = z.number().optional().meta({ description: 'Milliseconds from the beginning of the film.' });
const mask = z.looseObject({ size: z.array(z.number()).optional(), counts: z.string().optional() });

/** Everything that is found at once; which of it, the feature says. */
const klingFinding = z.looseObject({
  session_id: z.string().optional().meta({ description: 'For the next step; it lives 24 hours.' }),
  face_data: z
    .array(
      z.looseObject({
        face_id: z.string(),
        face_image: z.string().nullish(),
        start_time: filmTime,
        end_time: filmTime,
      }),
    )
    .optional()
    .meta({ description: 'Of identify-face.' }),
  status: z.number().int().optional().meta({ description: 'Of the selection steps: 0 is well.' }),
  fps: z.number().optional(),
  original_duration: z.number().optional().meta({ description: 'Milliseconds.' }),
  width: z.number().optional(),
  height: z.number().optional(),
  total_frame: z.number().optional(),
  normalized_video: z.string().nullish(),
  res: z
    .looseObject({
      frame_index: z.number().optional(),
      rle_mask_list: z
        .array(
          z.looseObject({
            object_id: z.union([z.number(), z.string()]).optional(),
            rle_mask: mask.nullish(),
            png_mask: z
              .looseObject({ size: z.array(z.number()).optional(), base64: z.string().optional() })
              .nullish(),
          }),
        )
        .optional(),
      video: z.string().nullish(),
      video_cover: z.string().nullish(),
      tracking_output: z.unknown().optional(),
    })
    .nullish(),
});

/** `data` differs from feature to feature; the reference of each says what it holds. */
export const klingDataResponse = z
  .looseObject({
    ...envelopeShape,
    data: klingFinding,
    ...z.object(videoObjectShape).partial().shape,
  })
  .meta({
    id: 'KlingDataResponse',
    description: "The official platform's envelope around an answer that was there at once.",
    examples: [
      {
        ...envelopeExample,
        data: {
          session_id: '829836802793406551',
          face_data: [{ face_id: '0', face_image: 'https://…', start_time: 0, end_time: 5000 }],
        },
      },
    ],
  });

export const klingListResponse = z.object({ ...envelopeShape, data: z.array(klingTask) }).meta({
  id: 'KlingTaskListResponse',
  description: 'One page of tasks, newest first.',
  examples: [{ ...envelopeExample, data: [klingTaskExample] }],
});

export const klingPresetsResponse = z
  .object({
    ...envelopeShape,
    data: z.array(
      z.object({ task_id: z.string(), task_status: z.literal('succeed'), task_result: klingTaskResult }),
    ),
  })
  .meta({
    id: 'KlingPresetsResponse',
    description:
      'One page of what the platform offers everybody, each in a finished task as the platform has it.',
    examples: [
      {
        ...envelopeExample,
        data: [
          {
            task_id: 'genshin_vindi2',
            task_status: 'succeed',
            task_result: { voices: [{ voice_id: 'genshin_vindi2', voice_name: 'Vindi', owned_by: 'kling' }] },
          },
        ],
      },
    ],
  });

export const klingDeletedResponse = z
  .object({
    ...envelopeShape,
    data: z.object({ task_id: z.string(), task_status: z.literal('succeed') }),
  })
  .meta({
    id: 'KlingDeletedResponse',
    description: 'What was deleted is gone.',
    examples: [{ ...envelopeExample, data: { task_id: videoObjectExample.id, task_status: 'succeed' } }],
  });

export type KlingTask = z.output<typeof klingTask>;
type KlingTaskResponse = z.output<typeof klingTaskResponse>;

/** What a query tells of a task. A create leaves `task_status_msg` and `watermark_info` out. */
export function queriedTask(view: TaskView): KlingTask {
  const { task } = view;
  return {
    ...bareTask(view),
    watermark_info: { enabled: task.request.watermark },
    ...(task.state === 'completed' ? { task_result: taskResult(view, { watermarks: true }) } : {}),
  };
}

/** What a create tells: it was taken; where the answer is there at once, all of it. */
export function createdTask(view: TaskView): KlingTask {
  if (isFinal(view.task.state)) return queriedTask(view);
  const { task_id, task_status, task_info, created_at, updated_at } = bareTask(view);
  return { task_id, task_status, task_info, created_at, updated_at };
}

/** The bare task of a callback (§2.7): no envelope, and its films without `watermark_url`. */
export function callbackTask(view: TaskView): KlingTask {
  const bare = bareTask(view);
  if (view.task.state !== 'completed') return bare;
  return { ...bare, task_result: taskResult(view, { watermarks: false }) };
}

function bareTask({ task }: TaskView): KlingTask {
  const session = isFeature(task.request) ? sessionOf(task.request) : null;
  return {
    task_id: task.id,
    task_status: statusWords[task.state],
    task_status_msg: failureOf(task)?.message ?? '',
    task_info: taskInfo(task),
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    ...(session === null ? {} : { session_id: session }),
  };
}

function taskInfo({ externalTaskId, request }: Task): KlingTask['task_info'] {
  const parent = isFeature(request) ? parentOf(request) : null;
  return {
    ...(externalTaskId === null ? {} : { external_task_id: externalTaskId }),
    ...(parent === null ? {} : { parent_video: parent }),
  };
}

/** The film a feature built upon (§2.2), as the caller named it. */
function parentOf(request: FeatureRequest): { id: string } | { url: string } | null {
  const film = request.resources.find(({ kind }) => kind === 'video');
  if (film !== undefined) return { id: film.id };
  const link = request.media.find(({ path, media }) => path.endsWith('video_url') && media.kind === 'url');
  return link?.media.kind === 'url' ? { url: link.media.url } : null;
}

interface Caller {
  requestId: string;
  responseStyle: ResponseStyle;
  /** Unix ms. */
  now: number;
}

/** The envelope; for keys that are not strict, the video object lies beside it: no key of the two collides. */
export function taskEnvelope(view: TaskView, data: KlingTask, caller: Caller): KlingTaskResponse {
  return { ...succeeded(caller.requestId), data, ...beside(view, caller) };
}

/** What was found, without a task around it: selections, faces. */
export function dataEnvelope(view: TaskView, caller: Caller): z.output<typeof klingDataResponse> {
  const data = withLongIds(dataOf(view));
  return { ...succeeded(caller.requestId), data: isObject(data) ? data : {}, ...beside(view, caller) };
}

/** The object of the other doors: whole for a film, for all else what holds of any task. */
function beside(view: TaskView, { responseStyle, now }: Caller): Partial<VideoObject> {
  if (responseStyle === 'strict') return {};
  const whole = videoObject(view, now);
  if (makesVideo(view.task)) return whole;
  const { object: _object, seconds: _seconds, size: _size, remixed_from_video_id: _remixed, ...rest } = whole;
  return rest;
}

/**
 * The bare envelope, for all keys: of lists (inside `data` the two shapes would collide: `created_at`) and of what is no
 * task.
 */
export function plainEnvelope<Data>(data: Data, requestId: string) {
  return { ...succeeded(requestId), data };
}

function succeeded(requestId: string) {
  return { code: 0 as const, message: 'SUCCEED' as const, request_id: requestId };
}
