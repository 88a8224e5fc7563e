/** What a finished task made, in the words of the legacy standard (specs/kling.md §2.3). */
import { z } from 'zod';
import type { Json, TaskView } from '../../core/ports.ts';
import { isFeature, type FeatureRequest } from '../../core/request/feature.ts';
import { isObject } from '../../core/request/read.ts';
import { madeFiles, secondsText, type MadeFile, type MadeFiles } from '../kit/made-files.ts';
import { dataOf } from '../kit/outputs.ts';
import { makesVideo } from '../kit/video-object.ts';

const klingVideo = z.looseObject({
  id: z.string(),
  session_id: z.string().optional().meta({ description: 'Of multi-elements.' }),
  url: z.string(),
  watermark_url: z.string().optional(),
  duration: z.string().meta({ description: 'Seconds, as a text.' }),
});
const klingImage = z.looseObject({
  index: z.number().int().optional(),
  url: z.string().nullish(),
  watermark_url: z.string().optional(),
  type: z.string().optional().meta({ description: 'Of image-recognize: which part this is.' }),
  is_contain: z.boolean().optional().meta({ description: 'Of image-recognize: whether it was found.' }),
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
const ownedBy = z.string().optional().meta({ description: '`kling`: a preset; absent: your own.' });
const klingVoice = z.looseObject({
  voice_id: z.string(),
  voice_name: z.string().optional(),
  trial_url: z.string().nullish().meta({ description: 'How it sounds.' }),
  owned_by: ownedBy,
});
/** A JSON number beyond 2^53, as the platform writes it (§0). */
const longId = z.union([z.number(), z.bigint(), z.string()]).meta({ type: 'integer', format: 'int64' });
const klingElement = z.looseObject({
  element_id: longId,
  element_name: z.string().optional(),
  element_description: z.string().nullish(),
  reference_type: z.string().nullish().meta({ description: 'image_refer or video_refer.' }),
  element_image_list: z
    .looseObject({
      frontal_image: z.string().nullish(),
      refer_images: z.array(z.looseObject({ image_url: z.string().nullish() })).nullish(),
    })
    .nullish(),
  element_video_list: z
    .looseObject({ refer_videos: z.array(z.looseObject({ video_url: z.string().nullish() })).nullish() })
    .nullish(),
  element_voice_info: klingVoice.partial().nullish(),
  tag_list: z
    .array(
      z.looseObject({
        id: z.string().optional(),
        name: z.string().optional(),
        description: z.string().optional(),
        tag_id: z.string().optional(),
        tag_name: z.string().optional(),
      }),
    )
    .nullish(),
  owned_by: ownedBy,
  status: z.string().optional().meta({ description: 'succeed or deleted.' }),
});

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
  const files = filesIn(view, options.watermarks);
  const data = withLongIds(dataOf(view));
  if (!isObject(data)) return files;
  // What is answered at once comes with the task that the platform puts around it.
  const found = isObject(data['task_result']) ? data['task_result'] : data;
  return { ...files, ...found };
}

function filesIn(view: TaskView, watermarks: boolean): KlingTaskResult {
  const { id, request } = view.task;
  const session = isFeature(request) ? sessionOf(request) : null;
  const isSeries = isFeature(request) && request.parameters['result_type'] === 'series';
  const made = madeFiles(view);
  const watermark = ({ watermarkUrl }: MadeFile) =>
    watermarks && watermarkUrl !== null ? { watermark_url: watermarkUrl } : {};
  const videos = made.videos.map((file) => ({
    id,
    ...(session === null ? {} : { session_id: session }),
    url: file.url,
    ...watermark(file),
    duration: secondsText(file.seconds),
  }));
  const images = made.images.map((file) => ({ index: file.index, url: file.url, ...watermark(file) }));
  const audios = made.audios.map((file) => audioOf(id, request.operation, file));
  return {
    ...(videos.length > 0 || makesVideo(view.task) ? { videos } : {}),
    ...(images.length === 0 ? {} : isSeries ? { series_images: images } : { images }),
    ...(audios.length === 0 ? {} : { audios }),
  };
}

/** Speech has one address, sounds have one for each format. */
function audioOf(
  id: string,
  operation: string,
  { url, seconds, wav }: MadeFiles['audios'][number],
): NonNullable<KlingTaskResult['audios']>[number] {
  if (operation === 'text-to-speech') return { id, url, duration: secondsText(seconds) };
  return {
    id,
    url_mp3: url,
    duration_mp3: secondsText(seconds),
    ...(wav && { url_wav: wav.url, duration_wav: secondsText(wav.seconds ?? seconds) }),
  };
}

/** The session an edit was made in, under the id the caller knows; other results do not name theirs (§2.2). */
export function sessionOf(request: FeatureRequest): string | null {
  if (request.operation !== 'multi-elements') return null;
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
