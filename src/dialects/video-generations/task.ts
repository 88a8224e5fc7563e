/**
 * The generic route's answer: the video object, the flat fields of older relays (`url`, `format`) and new-api's task
 * row under `data` (relay/relay_task.go, dto/task.go), all in one body.
 */
import { z } from 'zod';
import type { TaskView } from '../../core/ports.ts';
import type { TaskState } from '../../core/task.ts';
import {
  failureOf,
  toSeconds,
  videoObject,
  videoObjectExample,
  videoObjectShape,
} from '../kit/video-object.ts';

const rowWords: Record<TaskState, 'QUEUED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILURE'> = {
  queued: 'QUEUED',
  in_progress: 'IN_PROGRESS',
  completed: 'SUCCESS',
  failed: 'FAILURE',
  cancelled: 'FAILURE',
};

const taskRow = z
  .object({
    task_id: z.string(),
    action: z
      .enum(['textGenerate', 'generate'])
      .meta({ description: '`generate`: from a picture or a film.' }),
    status: z.enum(['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE']),
    fail_reason: z.string(),
    result_url: z.string(),
    submit_time: z.number().int().meta({ description: 'Unix seconds.' }),
    start_time: z.number().int().meta({ description: 'Unix seconds, 0 until it started.' }),
    finish_time: z.number().int().meta({ description: 'Unix seconds, 0 until it is final.' }),
    progress: z.string().meta({ description: 'A percent text.' }),
  })
  .meta({ id: 'VideoGenerationTask', description: "The task in new-api's words." });

export const videoGenerationResponse = z
  .looseObject({
    code: z.literal('success'),
    message: z.string(),
    ...videoObjectShape,
    url: z.string().optional().meta({ description: 'The same link as `video_url`, once completed.' }),
    format: z.string().optional(),
    data: taskRow,
  })
  .meta({
    id: 'VideoGenerationResponse',
    description: 'The video object, with the fields that clients of older relays read.',
    examples: [
      {
        code: 'success' as const,
        message: '',
        ...videoObjectExample,
        url: videoObjectExample.video_url,
        format: 'mp4',
        data: {
          task_id: videoObjectExample.id,
          action: 'textGenerate' as const,
          status: 'SUCCESS' as const,
          fail_reason: '',
          result_url: videoObjectExample.video_url,
          submit_time: 1780891541,
          start_time: 1780891544,
          finish_time: 1780891600,
          progress: '100%',
        },
      },
    ],
  });

export function videoGeneration(view: TaskView, now: number): z.output<typeof videoGenerationResponse> {
  const { task, links } = view;
  const video = videoObject(view, now);
  return {
    code: 'success',
    message: '',
    ...video,
    ...(links === null ? {} : { url: links.video, format: 'mp4' }),
    data: {
      task_id: task.id,
      action: task.request.operation === 'text-to-video' ? 'textGenerate' : 'generate',
      status: rowWords[task.state],
      fail_reason: failureOf(task)?.message ?? '',
      result_url: links?.video ?? '',
      submit_time: video.created_at,
      start_time: task.startedAt === null ? 0 : toSeconds(task.startedAt),
      finish_time: video.completed_at ?? 0,
      progress: `${video.progress}%`,
    },
  };
}
