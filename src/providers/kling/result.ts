/**
 * What a finished task made, in either standard: files as outputs, everything else as data in the platform's own
 * words. Links never stay in the data: where one stood there is null, and the file is the output of that position.
 */
import type { UpstreamOutput, UpstreamResource } from '../../core/ports.ts';
import type { OutputRole } from '../../core/task.ts';
import type { Json } from '../../lib/json.ts';
import { isObject, objectsIn, secondsOf, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

export interface Made {
  outputs: UpstreamOutput[];
  data?: Json;
  resources?: UpstreamResource[];
}

/** `task_result` of the legacy standard. */
export function readLegacyResult(result: WireObject): Made {
  const outputs = [
    ...objectsIn(result['videos']).flatMap(videoAt),
    ...[...objectsIn(result['images']), ...objectsIn(result['series_images'])]
      .sort((one, other) => Number(one['index'] ?? 0) - Number(other['index'] ?? 0))
      .flatMap(viewsOf)
      .flatMap(imageAt),
    ...objectsIn(result['audios']).flatMap(audioAt),
  ];
  const voices = objectsIn(result['voices']);
  if (voices.length > 0) return voicesIn(voices);
  const elements = objectsIn(result['elements']);
  return elements.length > 0 ? elementsIn(elements) : { outputs };
}

/** `outputs[]` of the new standard. */
export function readNewOutputs(value: Json | undefined): Made {
  const all = objectsIn(value);
  const of = (type: string) => all.filter((output) => output['type'] === type);
  return {
    outputs: [
      ...of('video').flatMap(videoAt),
      ...of('image').flatMap(imageAt),
      ...of('audio').flatMap(audioAt),
    ],
  };
}

/** One file; its place among those of its role goes without saying when it is the first. */
export function outputOf(
  role: OutputRole,
  url: Json | undefined,
  index: number,
  more: { upstreamId?: string | null; durationSeconds?: number | null; path?: string } = {},
): UpstreamOutput[] {
  const address = textOf(url);
  if (address === null) return [];
  return [
    {
      role,
      ...(more.path === undefined ? {} : { path: more.path }),
      ...(index > 0 ? { index } : {}),
      url: address,
      upstreamId: more.upstreamId ?? null,
      durationSeconds: more.durationSeconds ?? null,
    },
  ];
}

function videoAt(video: WireObject, index: number): UpstreamOutput[] {
  const facts = { upstreamId: textOf(video['id']), durationSeconds: secondsOf(video['duration']) };
  const plain = outputOf('video', video['url'], index, facts);
  return plain.length === 0
    ? []
    : [...plain, ...outputOf('watermarked', video['watermark_url'], index, facts)];
}

/** Further views of a subject come as `url`, or as `url_1` to `url_3` of one entry (both are documented). */
function viewsOf(image: WireObject): WireObject[] {
  const views = ['url_1', 'url_2', 'url_3'].flatMap((name) => (image[name] ? [{ url: image[name] }] : []));
  return views.length > 0 ? views : [image];
}

function imageAt(image: WireObject, index: number): UpstreamOutput[] {
  const plain = outputOf('image', image['url'], index);
  return plain.length === 0 ? [] : [...plain, ...outputOf('watermarked', image['watermark_url'], index)];
}

/** Speech has one `url`; sounds have one per format, which the two standards spell differently. */
function audioAt(audio: WireObject, index: number): UpstreamOutput[] {
  const upstreamId = textOf(audio['id']);
  const seconds = (...names: string[]) =>
    names.reduce<number | null>((found, name) => found ?? secondsOf(audio[name]), null);
  return [
    ...outputOf('audio', audio['url_mp3'] ?? audio['mp3_url'] ?? audio['url'], index, {
      upstreamId,
      durationSeconds: seconds('duration_mp3', 'mp3_duration', 'duration'),
    }),
    ...outputOf('audio_wav', audio['url_wav'] ?? audio['wav_url'], index, {
      upstreamId,
      durationSeconds: seconds('duration_wav', 'wav_duration', 'duration'),
    }),
  ];
}

/** Whose it is upstream is the operator's account, which is nobody's business; presets say `kling`. */
function withoutOwner(thing: WireObject): WireObject {
  const { owned_by: owner, ...rest } = thing;
  return owner === 'kling' ? thing : rest;
}

/** The sample by which a voice can be heard comes along. */
function voicesIn(voices: WireObject[]): Made {
  const shown = voices.map((voice): WireObject => ({ ...withoutOwner(voice), trial_url: null }));
  return {
    outputs: voices.flatMap((voice, index) =>
      outputOf('audio', voice['trial_url'], index, { path: `voices.${index}.trial_url` }),
    ),
    data: { voices: shown },
    resources: shown.flatMap((voice, index) => resourceOf('voice', voice, index)),
  };
}

/** Its pictures come along; the film it was made from is large and the caller's own. */
function elementsIn(elements: WireObject[]): Made {
  const shown = elements.map((element) => withoutLinks(withoutOwner(element)) as WireObject);
  const pictures = elements.flatMap((element, index) => picturesOf(element, `elements.${index}`));
  return {
    outputs: pictures.flatMap(({ path, url }, index) => outputOf('image', url, index, { path })),
    data: { elements: shown },
    resources: shown.flatMap((element, index) => resourceOf('element', element, index)),
  };
}

function picturesOf(element: WireObject, place: string): { path: string; url: Json | undefined }[] {
  const list = isObject(element['element_image_list']) ? element['element_image_list'] : {};
  const path = `${place}.element_image_list`;
  const pictures = [{ path: `${path}.frontal_image`, url: list['frontal_image'] }];
  objectsIn(list['refer_images']).forEach((picture, index) =>
    pictures.push({ path: `${path}.refer_images.${index}.image_url`, url: picture['image_url'] }),
  );
  return pictures.filter(({ url }) => textOf(url) !== null);
}

function resourceOf(kind: 'voice' | 'element', thing: WireObject, index: number): UpstreamResource[] {
  const { [`${kind}_id`]: id, ...data } = thing;
  const upstreamId = textOf(id);
  if (upstreamId === null) return [];
  return [
    {
      kind,
      upstreamId,
      name: textOf(thing[`${kind}_name`]),
      paths: [`${kind}s.${index}.${kind}_id`],
      data,
      expiresAt: null,
    },
  ];
}

/** The caller's own pictures and films come back as links of the upstream's: they are not ours to show. */
export function withoutLinks(value: Json): Json {
  if (typeof value === 'string') return /^https?:\/\//i.test(value) ? null : value;
  if (Array.isArray(value)) return value.map(withoutLinks);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutLinks(item)]));
}
