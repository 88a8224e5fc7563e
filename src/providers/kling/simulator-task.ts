/** A simulated task in the words of the legacy standard. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedStatus, SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { elementPictureName } from './simulator-elements.ts';
import { imageName } from './simulator-images.ts';
import type { Result } from './simulator-plan.ts';
import { detailsOf, madeId } from './simulator-sources.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const words: Record<SimulatedStatus, string> = {
  submitted: 'submitted',
  processing: 'processing',
  succeeded: 'succeed',
  failed: 'failed',
};

/** Whose custom voices and elements are. */
export const creatorId = '100000001';

export interface RenderOptions {
  origin: string;
  isCallback: boolean;
}

/** The answer to a create. */
export function renderCreated(task: SimulatedTask): Json {
  return {
    task_id: task.taskId,
    task_status: 'submitted',
    task_info: info(task),
    created_at: task.createdAt,
    updated_at: task.createdAt,
  };
}

/** The answer to a query, an entry of a list, and (without watermark links) a callback. */
export function renderTask(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  options: RenderOptions,
): Json {
  const details = detailsOf(task);
  const body: WireObject = {
    task_id: task.taskId,
    task_status: words[status],
    task_status_msg: failureOf(task, status),
    task_info: { ...parentOf(task, host, options), ...info(task) },
    created_at: task.createdAt,
    updated_at: updatedAt(task, status),
  };
  if (details.watermark && !options.isCallback) body['watermark_info'] = { enabled: true };
  if (status === 'succeeded') {
    body['final_unit_deduction'] = details.units;
    body['task_result'] = renderResult(task, host, options);
  }
  if (status === 'failed') body['final_unit_deduction'] = '0';
  return body;
}

function renderResult(task: SimulatedTask, host: SimulatorHost, options: RenderOptions): Json {
  const result: Result = detailsOf(task).result ?? { kind: 'video' };
  switch (result.kind) {
    case 'images': {
      const images = imagesOf(task, host, options);
      return result.series ? { series_images: images } : { images };
    }
    case 'audio':
      return {
        ...(result.withVideo ? { videos: [videoOf(task, host, options)] } : {}),
        audios: [
          {
            id: madeId(task.taskId),
            url_mp3: host.fileUrl(task, 'audio.m4a', options.origin),
            url_wav: host.fileUrl(task, 'audio.wav', options.origin),
            duration_mp3: result.seconds,
            duration_wav: result.seconds,
          },
        ],
      };
    case 'speech':
      return {
        audios: [
          {
            id: madeId(task.taskId),
            url: host.fileUrl(task, 'audio.m4a', options.origin),
            duration: result.seconds,
          },
        ],
      };
    case 'voice':
      return {
        voices: [
          {
            voice_id: result.voiceId,
            voice_name: result.name,
            trial_url: host.fileUrl(task, 'audio.m4a', options.origin),
            owned_by: creatorId,
          },
        ],
      };
    case 'element':
      return { elements: [elementOf(task, result, host, options)] };
    default:
      return { videos: [videoOf(task, host, options)] };
  }
}

export function videoOf(task: SimulatedTask, host: SimulatorHost, options: RenderOptions): WireObject {
  const { watermark, seconds, sessionId } = detailsOf(task);
  return {
    id: madeId(task.taskId),
    url: host.filmUrl(task, 'plain', options.origin),
    duration: seconds,
    ...(watermark && !options.isCallback
      ? { watermark_url: host.filmUrl(task, 'watermarked', options.origin) }
      : {}),
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
  };
}

export function imagesOf(task: SimulatedTask, host: SimulatorHost, options: RenderOptions): WireObject[] {
  const { result, watermark } = detailsOf(task);
  const count = result?.kind === 'images' ? result.count : 0;
  return Array.from({ length: count }, (_, index) => ({
    index,
    url: host.fileUrl(task, imageName(index, false), options.origin),
    ...(watermark && !options.isCallback
      ? { watermark_url: host.fileUrl(task, imageName(index, true), options.origin) }
      : {}),
  }));
}

function elementOf(
  task: SimulatedTask,
  result: Extract<Result, { kind: 'element' }>,
  host: SimulatorHost,
  { origin }: RenderOptions,
): Json {
  const pictures = (task.files ?? []).map((_, index) =>
    host.fileUrl(task, elementPictureName(index), origin),
  );
  const [frontal, ...refers] = pictures;
  const record = host.findRecord(task.upstream, task.account, 'element', result.elementId);
  return {
    // A number beyond 2^53.
    element_id: BigInt(result.elementId),
    ...result.element,
    ...(frontal
      ? {
          element_image_list: {
            frontal_image: frontal,
            refer_images: refers.map((image_url) => ({ image_url })),
          },
        }
      : {}),
    owned_by: creatorId,
    status: record?.deletedAt ? 'deleted' : 'succeed',
  };
}

function info(task: SimulatedTask): WireObject {
  return task.dedupHandle === null ? {} : { external_task_id: task.dedupHandle };
}

/** The link leads to the parent's own file, as long as that one is there. */
function parentOf(task: SimulatedTask, host: SimulatorHost, { origin }: RenderOptions): WireObject {
  const { parent } = detailsOf(task);
  const source = parent && host.findTask(task.upstream, task.account, parent.taskId);
  if (!parent || !source) return {};
  const url = host.filmUrl(source, 'plain', origin);
  return { parent_video: { id: parent.id, url, duration: parent.seconds } };
}

export function failureOf(task: SimulatedTask, status: SimulatedStatus): string {
  return status === 'failed' && task.fate.end === 'failed' ? task.fate.message : '';
}

export function updatedAt(task: SimulatedTask, status: SimulatedStatus): number {
  if (status === 'submitted') return task.createdAt;
  return status === 'processing' ? task.processingAt : (task.endsAt ?? task.processingAt);
}

/** Whether something is a task as callers see them; steps that leave only files are not. */
export function isShown(task: SimulatedTask): boolean {
  const { details } = task;
  return !(isObject(details) && isObject(details['result']) && details['result']['kind'] === 'step');
}
