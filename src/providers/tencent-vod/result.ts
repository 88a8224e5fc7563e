/** What a task's answer says: how far it is, and what it made. */
import type { Channel, Json, Observation, UpstreamOutput } from '../../core/ports.ts';
import { JsonError, parseJson } from '../../lib/json.ts';
import { failureOf } from './errors.ts';
import { isObject, objectsIn, textOf } from './wire.ts';
import type { WireObject, WireTask, WireThing } from './wire.ts';

export function observe(task: WireTask, channel: Channel): Observation {
  switch (task.status) {
    case 'WAITING':
      return { status: 'submitted' };
    case 'FINISH':
      if (task.errorCode !== 0 || task.errorName !== null) return failed(task, channel);
      return succeeded(task);
    // Not of the documented words of these actions, but of their relatives.
    case 'ABORTED':
    case 'FAIL':
    case 'FAILED':
      return failed(task, channel);
    default:
      return { status: 'processing' };
  }
}

function failed(task: WireTask, channel: Channel): Observation {
  return { status: 'failed', ...failureOf(task, channel) };
}

function succeeded(task: WireTask): Observation {
  // Done, but the result is not in the answer yet: the next poll will show it.
  if (task.files.length + task.things.length === 0) return { status: 'processing' };
  switch (task.makes) {
    case 'film':
      return {
        status: 'succeeded',
        outputs: task.files.slice(0, 1).map(({ url, fileId: upstreamId, durationSeconds }) => ({
          role: 'video',
          url,
          upstreamId,
          durationSeconds,
        })),
        cost: task.outputSeconds === null ? null : { amount: String(task.outputSeconds), unit: 'second' },
      };
    case 'image':
      return {
        status: 'succeeded',
        outputs: task.files.flatMap(({ url }, index) => imageAt(url, index)),
        cost: { amount: String(task.files.length), unit: 'image' },
      };
    case 'voice':
      return madeThings(task, 'voice', voiceOf);
    case 'element':
      return madeThings(task, 'element', elementOf);
  }
}

/** One picture; its place goes without saying when it is the first. */
export function imageAt(url: string, index: number, path?: string): UpstreamOutput[] {
  const place = { ...(path === undefined ? {} : { path }), ...(index > 0 ? { index } : {}) };
  return [{ role: 'image', ...place, url, upstreamId: null, durationSeconds: null }];
}

interface Shown {
  /** In Kling's words, without its id and without links. */
  data: WireObject;
  /** Files that come along; `path` is relative to `data`. */
  files: { role: 'audio' | 'image'; path: string; url: string }[];
}

function madeThings(
  task: WireTask,
  kind: 'voice' | 'element',
  read: (info: WireObject, input: WireObject) => Shown,
): Observation {
  const all = task.things.map((thing) => ({ id: thing.id, shown: read(infoOf(thing), task.input) }));
  const files = all.flatMap(({ shown }, place) =>
    shown.files.map((file) => ({ ...file, path: `${kind}s.${place}.${file.path}` })),
  );
  return {
    status: 'succeeded',
    outputs: files.map(({ role, path, url }, index) => ({
      role,
      path,
      ...(index > 0 ? { index } : {}),
      url,
      upstreamId: null,
      durationSeconds: null,
    })),
    cost: { amount: '1', unit: 'call' },
    data: { [`${kind}s`]: all.map(({ id, shown }): Json => ({ [`${kind}_id`]: id, ...shown.data })) },
    resources: all.map(({ id, shown }, index) => ({
      kind,
      upstreamId: id,
      name: textOf(shown.data[`${kind}_name`]),
      paths: [`${kind}s.${index}.${kind}_id`],
      data: shown.data,
      expiresAt: null,
    })),
  };
}

/** `VoiceInfo` and `ElementInfo` are texts without a documented form: JSON in Kling's words is read, all else is not. */
function infoOf({ info }: WireThing): WireObject {
  if (info === null) return {};
  try {
    const value = parseJson(info);
    return isObject(value) ? value : {};
  } catch (error) {
    if (error instanceof JsonError) return {};
    throw error;
  }
}

function voiceOf(info: WireObject, input: WireObject): Shown {
  const data = textsIn({ voice_name: textOf(info['voice_name']) ?? textOf(input['VoiceName']) });
  const trial = linkOf(info['trial_url']);
  if (trial === null) return { data, files: [] };
  return { data: { ...data, trial_url: null }, files: [{ role: 'audio', path: 'trial_url', url: trial }] };
}

function elementOf(info: WireObject, input: WireObject): Shown {
  const list = isObject(info['element_image_list']) ? info['element_image_list'] : {};
  const frontal = linkOf(list['frontal_image']);
  const refers = objectsIn(list['refer_images']).flatMap((picture) => linkOf(picture['image_url']) ?? []);
  const data = textsIn({
    element_name: textOf(info['element_name']) ?? textOf(input['ElementName']),
    element_description: textOf(info['element_description']) ?? textOf(input['ElementDescription']),
    reference_type: textOf(info['reference_type']) ?? textOf(input['ReferenceType']),
    status: 'succeed',
  });
  if (frontal === null) return { data, files: [] };
  const place = 'element_image_list';
  return {
    data: {
      ...data,
      [place]: { frontal_image: null, refer_images: refers.map((): Json => ({ image_url: null })) },
    },
    files: [
      { role: 'image', path: `${place}.frontal_image`, url: frontal },
      ...refers.map((url, index) => ({
        role: 'image' as const,
        path: `${place}.refer_images.${index}.image_url`,
        url,
      })),
    ],
  };
}

function textsIn(fields: Record<string, string | null>): WireObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function linkOf(value: Json | undefined): string | null {
  const text = textOf(value);
  return text !== null && /^https?:\/\//i.test(text) ? text : null;
}
