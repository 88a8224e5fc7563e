import { z } from 'zod';
import type { TaskView } from '../../core/ports.ts';
import { isFinal } from '../../core/task.ts';
import { pollAfterMs } from '../kit/progress.ts';
import { videoObject, videoObjectExample, videoTaskResponse } from '../kit/video-object.ts';

export const videoListResponse = z
  .object({
    object: z.literal('list'),
    data: z.array(videoTaskResponse),
    first_id: z.string().nullable(),
    last_id: z.string().nullable().meta({ description: 'Pass it as `after` to get the next page.' }),
    has_more: z.boolean(),
  })
  .meta({
    id: 'VideoListResponse',
    description: 'One page of tasks.',
    examples: [
      {
        object: 'list',
        data: [videoObjectExample],
        first_id: videoObjectExample.id,
        last_id: videoObjectExample.id,
        has_more: false,
      },
    ],
  });

export const videoDeletedResponse = z
  .object({ id: z.string(), object: z.literal('video.deleted'), deleted: z.literal(true) })
  .meta({
    id: 'VideoDeletedResponse',
    description: 'The task is gone from every door.',
    examples: [{ id: videoObjectExample.id, object: 'video.deleted', deleted: true }],
  });

/** All five keys are required by the SDK's page class; it goes on while `has_more` and `last_id` say so. */
export function videoList(
  page: { tasks: TaskView[]; hasMore: boolean },
  now: number,
): z.output<typeof videoListResponse> {
  const data = page.tasks.map((view) => videoObject(view, now));
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: page.hasMore,
  };
}

/**
 * `openai-poll-after-ms` while there is something to wait for. Python's poll loop takes the first value it sees for
 * the whole wait (openai-python src/openai/resources/videos.py).
 */
export function pollHeaders(view: TaskView): Record<string, string> {
  return isFinal(view.task.state) ? {} : { 'openai-poll-after-ms': String(pollAfterMs(view.task)) };
}
