/** What a finished task made, in the words of the legacy standard (specs/kling.md §2.3). */
import { z } from 'zod';
import type { Json, TaskView } from '../../core/ports.ts';
import { isFeature, type FeatureRequest } from '../../core/request/feature.ts';
import { isObject } from '../../core/request/read.ts';
import { dataOf, outputsOfRole, type LinkedOutput } from '../kit/outputs.ts';

const klingVideo = z.looseObject({
  id: z.string(),
  url: z.string(),
  watermark_url: z.string().optional(),
  duration: z.string().meta({ description: 'Seconds, as a text.' }),
});
const klingImage = z.looseObject({
  index: z.number().int().optional(),
  url: z.string().nullish(),
  watermark_url: z.string().optional(),
});
const klingAudio = z.looseObject({
  id: z.string(),
  url: z.string().optional().meta({ description: 'Of text to speech.' }),
  duration: z.string().optional(),
  url_mp3: z.string().optional(),
  url_wav: z.string().optional(),
  duration_mp3: z.string().optional(),
  duration_wav: z.string().optional(),
});
const klingVoice = z.looseObject({ voice_id: z.string(), voice_name: z.string().optional() });
/** A JSON number beyond 2^53, as the platform writes it (§0). */
const longId = z.union([z.number(), z.bigint(), z.string()]).meta({ type: 'integer', format: 'int64' });
const klingElement = z.looseObject({ element_id: longId, element_name: z.string().optional() });

export const klingTaskResult = z.looseObject({
  videos: z.array(klingVideo).optional(),
  images: z.array(klingImage).optional(),
  series_images: z.array(klingImage).optional(),
  audios: z.array(klingAudio).optional(),
  voices: z.array(klingVoice).optional(),
  elements: z.array(klingElement).optional(),
});

export type KlingTaskResult = z.output<typeof klingTaskResult>;

/** The result of a completed task. Files whose copies have expired are no longer told of. */
export function taskResult(view: TaskView, options: { watermarks: boolean }): KlingTaskResult {
  const { request } = view.task;
  if (!isFeature(request)) return { videos: filmOf(view, options.watermarks) };
  const result = filesOf(view, request, options.watermarks);
  const data = withLongIds(dataOf(view));
  if (!isObject(data)) return result;
  // What is answered at once comes with the task that the platform puts around it.
  const found = isObject(data['task_result']) ? data['task_result'] : data;
  return { ...result, ...found };
}

function filmOf(view: TaskView, watermarks: boolean): NonNullable<KlingTaskResult['videos']> {
  const { task, links } = view;
  if (links === null) return [];
  const watermark = watermarks && links.watermarked ? { watermark_url: links.watermarked } : {};
  const seconds = task.result?.durationSeconds ?? task.request.seconds;
  return [{ id: task.id, url: links.video, ...watermark, duration: secondsText(seconds) }];
}

/** Files that have no place of their own in what was found beside them. */
function filesOf(view: TaskView, request: FeatureRequest, watermarks: boolean): KlingTaskResult {
  const own = (role: LinkedOutput['role']) =>
    outputsOfRole(view, role).filter(({ path }) => path === undefined);
  const marks = watermarks ? new Map(own('watermarked').map(({ index, url }) => [index ?? 0, url])) : null;
  const marked = ({ index }: LinkedOutput) => {
    const url = marks?.get(index ?? 0);
    return url === undefined ? {} : { watermark_url: url };
  };
  const { task } = view;
  const session = sessionOf(request);
  const videos = own('video').map((output) => ({
    id: task.id,
    ...(session === null ? {} : { session_id: session }),
    url: output.url,
    ...marked(output),
    duration: secondsText(output.durationSeconds ?? task.result?.durationSeconds ?? null),
  }));
  const images = own('image').map((output, position) => ({
    index: output.index ?? position,
    url: output.url,
    ...marked(output),
  }));
  const audios = audiosOf(view, own('audio'), own('audio_wav'));
  const isSeries = request.parameters['result_type'] === 'series';
  return {
    ...(videos.length > 0 || request.makes === 'video' ? { videos } : {}),
    ...(images.length === 0 ? {} : isSeries ? { series_images: images } : { images }),
    ...(audios.length === 0 ? {} : { audios }),
  };
}

function audiosOf(
  { task }: TaskView,
  compressed: LinkedOutput[],
  plain: LinkedOutput[],
): NonNullable<KlingTaskResult['audios']> {
  if (task.request.operation === 'text-to-speech') {
    return compressed.map(({ url, durationSeconds }) => ({
      id: task.id,
      url,
      duration: secondsText(durationSeconds ?? task.result?.durationSeconds ?? null),
    }));
  }
  const wavs = new Map(plain.map((output) => [output.index ?? 0, output]));
  return compressed.map((mp3) => {
    const wav = wavs.get(mp3.index ?? 0);
    const wavFields = wav && {
      url_wav: wav.url,
      duration_wav: secondsText(wav.durationSeconds ?? mp3.durationSeconds ?? null),
    };
    return {
      id: task.id,
      url_mp3: mp3.url,
      duration_mp3: secondsText(mp3.durationSeconds ?? null),
      ...wavFields,
    };
  });
}

/** The session an edit was made in, under the id the caller knows. */
export function sessionOf(request: FeatureRequest): string | null {
  return request.resources.find(({ kind }) => kind === 'session')?.id ?? null;
}

/** `element_id` is a number on this wire, however long (§0); voices and everything else keep their texts. */
export function withLongIds(value: Json): Json {
  if (Array.isArray(value)) return value.map(withLongIds);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const isLong = key === 'element_id' && typeof part === 'string' && /^\d{1,20}$/.test(part);
      return [key, isLong ? BigInt(part) : withLongIds(part as Json)];
    }),
  );
}

/** `5.041`, `5`: at most three decimals, as the platform's own answers show (§2.3). Empty where it is not known. */
function secondsText(seconds: number | null): string {
  return seconds === null ? '' : String(Math.round(seconds * 1000) / 1000);
}
