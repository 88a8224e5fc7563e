/** `outputs[]` of the new standard: one list, each entry with its type (specs/kling.md §2.4). */
import { z } from 'zod';
import type { Json, TaskView } from '../../core/ports.ts';
import { isObject } from '../../core/request/read.ts';
import { madeFiles, secondsText, type MadeFile } from '../kit/made-files.ts';
import { dataOf } from '../kit/outputs.ts';

export const newOutput = z.looseObject({
  type: z.enum(['video', 'image', 'audio', 'voice', 'element']),
  id: z.string().optional(),
  url: z.string().nullish(),
  watermark_url: z.string().optional(),
  duration: z.string().optional().meta({ description: 'Seconds, as a text.' }),
  mp3_url: z.string().optional(),
  wav_url: z.string().optional(),
  mp3_duration: z.string().optional(),
  wav_duration: z.string().optional(),
  name: z.string().optional().meta({ description: 'Of a voice or an element.' }),
  status: z.string().optional(),
  description: z.string().optional(),
  element_type: z.enum(['video_character_elements', 'multi_image_elements']).optional(),
  tags: z
    .array(z.object({ id: z.string(), name: z.string(), description: z.string() }))
    .optional()
    .meta({ description: 'Of an element.' }),
});

type NewOutput = z.output<typeof newOutput>;

/** What a completed task made. */
export function newOutputs(view: TaskView): NewOutput[] {
  const { id } = view.task;
  const { videos, images, audios } = madeFiles(view);
  return [
    ...videos.map((file) => ({
      type: 'video' as const,
      id,
      url: file.url,
      ...watermark(file),
      duration: secondsText(file.seconds),
    })),
    ...images.map((file) => ({ type: 'image' as const, url: file.url, ...watermark(file) })),
    ...audios.map(({ url, seconds, wav }) => ({
      type: 'audio' as const,
      id,
      mp3_url: url,
      mp3_duration: secondsText(seconds),
      ...(wav && { wav_url: wav.url, wav_duration: secondsText(wav.seconds ?? seconds) }),
    })),
    ...thingsIn(dataOf(view)),
  ];
}

function watermark({ watermarkUrl }: MadeFile): { watermark_url?: string } {
  return watermarkUrl === null ? {} : { watermark_url: watermarkUrl };
}

/** Voices and elements, which the legacy standard's words describe in our store. */
function thingsIn(data: Json): NewOutput[] {
  if (!isObject(data)) return [];
  return [
    ...things(data['voices']).map((voice) => ({
      type: 'voice' as const,
      id: textOf(voice['voice_id']),
      name: textOf(voice['voice_name']),
      url: textOf(voice['trial_url']),
      status: 'succeeded',
    })),
    ...things(data['elements']).map((element) => ({
      type: 'element' as const,
      id: textOf(element['element_id']),
      name: textOf(element['element_name']),
      description: textOf(element['element_description']),
      element_type:
        element['reference_type'] === 'video_refer'
          ? ('video_character_elements' as const)
          : ('multi_image_elements' as const),
      status: 'succeeded',
      tags: listedTags(element['tag_list']),
    })),
  ];
}

function listedTags(value: unknown): { id: string; name: string; description: string }[] {
  return things(value).map((tag) => ({
    id: textOf(tag['tag_id'] ?? tag['id']),
    name: textOf(tag['tag_name'] ?? tag['name']),
    description: textOf(tag['tag_description'] ?? tag['description']),
  }));
}

function things(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.flatMap((item: unknown) => (isObject(item) ? [item] : [])) : [];
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
