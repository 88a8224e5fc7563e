/**
 * The one video object that all doors answer: the openai SDK's required fields, seed 003's `task_id` and `video_url`,
 * seed 000's `metadata.url`.
 */
import { z } from 'zod';
import type { TaskView } from '../../core/ports.ts';
import { isFeature } from '../../core/request/feature.ts';
import { isFinal, type Task, type TaskState } from '../../core/task.ts';
import { taskFrameSize } from './frame-size.ts';
import { mainLink, outputsOf } from './outputs.ts';
import { progressOf } from './progress.ts';
import { warningSchema } from './warnings.ts';

const unixSeconds = (description: string) => z.number().int().meta({ description });

export const videoMetadataSchema = z.looseObject({
  url: z
    .string()
    .optional()
    .meta({ description: 'Signed link to the film; plays without a key until `expires_at`.' }),
  duration: z.number().optional().meta({ description: 'Length of the file in seconds.' }),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  format: z.string().optional(),
  outputs: z
    .array(z.object({ role: z.string(), url: z.string(), content_type: z.string() }))
    .optional()
    .meta({ description: 'Every file of a task that makes other things than one film.' }),
  warnings: z.array(warningSchema).optional(),
});

/** The fields of the object, to be extended by the doors that answer more. */
export const videoObjectShape = {
  id: z.string().meta({ description: 'Use it to poll, download and delete.' }),
  task_id: z.string().meta({ description: 'The same id, under the name older clients read.' }),
  object: z
    .literal('video')
    .meta({ description: 'Also where a task makes pictures or sounds: this door knows one kind of object.' }),
  model: z.string().meta({ description: 'The billing tier the request resolved to.' }),
  requested_model: z.string().meta({ description: 'The model as it was asked for.' }),
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  progress: z.number().int().meta({ description: '0 to 100; 100 once the task is final.' }),
  queue: z
    .object({
      position: z.number().int().meta({ description: '1: it is next.' }),
      estimated_seconds: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'About how long until it starts; null while there is nothing to go by.' }),
    })
    .optional()
    .meta({ description: 'Where the task stands; only while it waits for a place at its upstream.' }),
  created_at: unixSeconds('Unix seconds.'),
  completed_at: unixSeconds('Unix seconds; null until the task is final.').nullable(),
  expires_at: unixSeconds('When the signed link ends, Unix seconds; null until there is one.').nullable(),
  prompt: z.string().nullable(),
  seconds: z
    .string()
    .optional()
    .meta({ description: 'The length asked for, in seconds; absent where nothing has a length.' }),
  size: z
    .string()
    .optional()
    .meta({ description: 'Width x height; absent where it is not known, or nothing has one.' }),
  remixed_from_video_id: z.string().nullable(),
  error: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .meta({ description: '`task_failed`, `content_policy`, `cancelled` or `expired`.' }),
  metadata: videoMetadataSchema,
  video_url: z.string().optional().meta({ description: 'The same link as `metadata.url`, once completed.' }),
};

const exampleId = 'task_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue';
const exampleUrl = `https://gateway.example/content/${exampleId}/video.mp4?expires=1780977941&signature=…`;

export const videoObjectExample = {
  id: exampleId,
  task_id: exampleId,
  object: 'video' as const,
  model: 'kling-2.5-720p-mute',
  requested_model: 'kling-2.5',
  status: 'completed' as const,
  progress: 100,
  created_at: 1780891541,
  completed_at: 1780891600,
  expires_at: 1780977941,
  prompt: 'A cat playing with a ball of yarn in a sunny room',
  seconds: '5',
  size: '1280x720',
  remixed_from_video_id: null,
  error: null,
  metadata: { url: exampleUrl, duration: 5, width: 1280, height: 720, format: 'mp4' },
  video_url: exampleUrl,
};

export const videoTaskResponse = z.looseObject(videoObjectShape).meta({
  id: 'VideoTaskResponse',
  description: 'A video task, as every door shows it.',
  examples: [videoObjectExample],
});

export type VideoObject = z.output<typeof videoTaskResponse>;

const statusWords: Record<TaskState, VideoObject['status']> = {
  queued: 'queued',
  in_progress: 'in_progress',
  completed: 'completed',
  failed: 'failed',
  // Seen as a status word of its own, it would end the Python SDK's poll loop without an error to read.
  cancelled: 'failed',
};

/** Renders a task; `now` (Unix ms) only moves the progress of a running one. */
export function videoObject(view: TaskView, now: number): VideoObject {
  const { task, links } = view;
  const size = taskFrameSize(task);
  const seconds = secondsOf(task);
  const link = mainLink(view);
  return {
    id: task.id,
    task_id: task.id,
    object: 'video',
    model: task.tier,
    requested_model: task.requestedModel,
    status: statusWords[task.state],
    progress: progressOf(task, now),
    ...(view.place && {
      queue: { position: view.place.position, estimated_seconds: view.place.estimatedSeconds },
    }),
    created_at: toSeconds(task.createdAt),
    completed_at: isFinal(task.state) ? toSeconds(task.endedAt ?? task.updatedAt) : null,
    expires_at: links?.expiresAt ?? null,
    prompt: task.request.prompt,
    ...(seconds === null ? {} : { seconds: String(seconds) }),
    ...(size === null ? {} : { size: `${size.width}x${size.height}` }),
    remixed_from_video_id: null,
    error: failureOf(task),
    metadata: videoMetadata(view, size),
    ...(link !== null && makesVideo(task) ? { video_url: link } : {}),
  };
}

/**
 * The view of a task that was just asked for. A create always answers "queued", however far the task has come
 * meanwhile: what follows is for the first poll to tell.
 */
export function asCreated(view: TaskView): TaskView {
  const { task, place } = view;
  return {
    task: {
      ...task,
      state: 'queued',
      startedAt: null,
      endedAt: null,
      updatedAt: task.createdAt,
      error: null,
      result: null,
    },
    links: null,
    ...(place && { place }),
  };
}

/** Why a task ended without a film, in the words all doors use; null for all others. */
export function failureOf(task: Task): { code: string; message: string } | null {
  if (task.state === 'cancelled') {
    return {
      code: 'cancelled',
      message: task.error?.message ?? 'The task was cancelled before it was made.',
    };
  }
  if (task.state !== 'failed') return null;
  const code = task.error?.code ?? 'task_failed';
  return {
    // That we lost track of an attempt, or ended it by hand, is the operator's concern; the caller's task failed.
    code: code === 'lost' || code === 'ended_by_operator' ? 'task_failed' : code,
    message: task.error?.message ?? 'The task failed.',
  };
}

/** Whether what the task makes is a film (with whatever comes beside it). */
export function makesVideo({ request }: Task): boolean {
  return !isFeature(request) || request.makes === 'video';
}

/** The seconds asked for, else those of what was made; null where nothing has a length. */
function secondsOf(task: Task): number | null {
  return (
    task.request.seconds ?? (task.result?.durationSeconds ? Math.round(task.result.durationSeconds) : null)
  );
}

function videoMetadata(
  view: TaskView,
  size: { width: number; height: number } | null,
): VideoObject['metadata'] {
  const { task } = view;
  const warnings = task.warnings.length === 0 ? {} : { warnings: task.warnings.map(warningOf) };
  if (task.state !== 'completed') return warnings;
  const link = mainLink(view);
  const duration = task.result?.durationSeconds ?? task.request.seconds;
  const files = isFeature(task.request) ? outputsOf(view) : [];
  return {
    ...(link === null ? {} : { url: link }),
    ...(duration === null ? {} : { duration }),
    ...size,
    ...(makesVideo(task) ? { format: 'mp4' } : {}),
    ...(files.length === 0
      ? {}
      : { outputs: files.map(({ role, url, contentType }) => ({ role, url, content_type: contentType })) }),
    ...warnings,
  };
}

function warningOf(warning: Task['warnings'][number]): z.output<typeof warningSchema> {
  return { code: warning.code, field: warning.field, message: warning.message };
}

/** Unix ms to the whole seconds that OpenAI's objects carry. */
export function toSeconds(unixMs: number): number {
  return Math.floor(unixMs / 1000);
}
