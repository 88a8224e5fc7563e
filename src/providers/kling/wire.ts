/** Shapes of the official legacy standard, as far as we read and write them (specs: Kling API, 2025-2026). */
import type { Json } from '../../lib/json.ts';

/** Create paths; queries are `GET <path>/{id}` and `GET <path>?pageNum&pageSize`. */
export const KLING_PATHS = {
  text2video: '/v1/videos/text2video',
  image2video: '/v1/videos/image2video',
  multiImage2video: '/v1/videos/multi-image2video',
  omniVideo: '/v1/videos/omni-video',
} as const;

export type KlingPath = (typeof KLING_PATHS)[keyof typeof KLING_PATHS];

export type WireObject = { [key: string]: Json };

/** Every answer: success is HTTP 200 and code 0; some relays answer 200 with another code. */
export interface Envelope {
  code: number;
  message: string;
  data: Json;
}

/** What a task answer tells us; everything else in it is ignored. */
export interface WireTask {
  taskId: string;
  status: string;
  statusMessage: string;
  externalTaskId: string | null;
  videos: { id: string | null; url: string; watermarkUrl: string | null; durationSeconds: number | null }[];
  unitDeduction: string | null;
}

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null when the value is no task: lenient, as upstreams add and rename fields without notice. */
export function readTask(value: Json | undefined): WireTask | null {
  if (!isObject(value)) return null;
  const taskId = textOf(value['task_id']);
  if (!taskId) return null;
  const info = isObject(value['task_info']) ? value['task_info'] : {};
  const result = isObject(value['task_result']) ? value['task_result'] : {};
  const videos = Array.isArray(result['videos']) ? result['videos'] : [];
  return {
    taskId,
    status: textOf(value['task_status']) ?? '',
    statusMessage: textOf(value['task_status_msg']) ?? '',
    externalTaskId: textOf(info['external_task_id']),
    videos: videos.flatMap((video) => readVideo(video)),
    unitDeduction: textOf(value['final_unit_deduction']),
  };
}

function readVideo(value: Json): WireTask['videos'] {
  if (!isObject(value)) return [];
  const url = textOf(value['url']);
  if (!url) return [];
  const seconds = Number(textOf(value['duration']) ?? Number.NaN);
  return [
    {
      id: textOf(value['id']),
      url,
      watermarkUrl: textOf(value['watermark_url']),
      durationSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    },
  ];
}

/** Ids come as strings and, from some relays, as numbers beyond 2^53. Empty counts as absent. */
function textOf(value: Json | undefined): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}
