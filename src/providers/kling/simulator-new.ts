/** Creates of the new standard (model in the path), judged by its own rules and described by the same plans. */
import type { FrameSource } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import type { Plan } from './simulator-check.ts';
import {
  choice,
  flag,
  has,
  illegal,
  integer,
  list,
  object,
  optionalUrl,
  picture,
  requireText,
  text,
  url,
  watermark,
} from './simulator-fields.ts';
import { checkMotion } from './simulator-motion.ts';
import type { Mode } from './simulator-matrix.ts';
import type { KeepPicture } from './simulator-media.ts';
import { NEW_MODELS } from './simulator-new-models.ts';
import type { Kind, NewModel } from './simulator-new-models.ts';
import type { WireObject } from './wire.ts';

const modes: Record<string, Mode> = { '720p': 'std', '1080p': 'pro', '4k': '4k' };
const shortSides: Record<string, number> = { '720p': 720, '1080p': 1080, '4k': 2160 };
const ratios = ['16:9', '9:16', '1:1'] as const;

/** `/text-to-video/kling-3.0-turbo` taken apart; null when it is no route of the new standard. */
export function readNewPath(path: string): { kind: Kind; model: string } | null {
  const match = /^\/(text-to-video|image-to-video|omni-video|motion-control)\/([^/]+)$/.exec(path);
  return match ? { kind: match[1] as Kind, model: match[2]! } : null;
}

interface Contents {
  prompt: string;
  firstFrame: FrameSource | null;
  lastFrame: FrameSource | null;
  images: number;
  elements: number;
  video: { type: 'base' | 'feature'; url: string } | null;
  reference: string | null;
}

/** Throws Refusal 1200, 1201 or 1203. */
export function checkNew(path: string, body: WireObject, keep: KeepPicture): Plan {
  const { kind, model, row } = rowOf(path);
  if (kind === 'motion-control') return checkNewMotion(body, row, model, keep);
  const settings = object(body, 'settings') ?? {};
  const options = object(body, 'options') ?? {};
  const contents =
    kind === 'text-to-video' ? textContents(body, row) : readContents(body, row, kind, model, keep);
  const resolution = resolutionOf(settings, row, model);
  const seconds = secondsOf(settings, row, model, contents);
  const sound = soundOf(settings, row, model, resolution, contents);
  checkLastFrame(row, model, resolution, contents);
  const isMultiShot = multiShotOf(settings, row, model, contents);
  const shots = isMultiShot ? readShots(contents.prompt, seconds) : null;
  return {
    model: row.twin,
    mode: modes[resolution]!,
    seconds,
    shortSide: shortSides[resolution]!,
    aspectRatio: ratioOf(settings, kind, contents),
    sound,
    voice: false,
    video: contents.video !== null,
    prompt: shots ? shots.join('\n') : contents.prompt,
    firstFrame: contents.firstFrame,
    lastFrame: contents.lastFrame,
    reference: contents.reference,
    watermark: watermark(options),
    externalTaskId: text(options, 'external_task_id', 256, 'options.') || null,
    callbackUrl: optionalUrl(options, 'callback_url'),
  };
}

function rowOf(path: string): { kind: Kind; model: string; row: NewModel } {
  const route = readNewPath(path);
  if (!route) throw new Refusal(1202);
  const { kind, model } = route;
  const row = Object.hasOwn(NEW_MODELS, model) ? NEW_MODELS[model] : undefined;
  if (!row) throw new Refusal(1203, `model '${model.slice(0, 60)}' does not exist`);
  if (!row.kinds.includes(kind)) throw illegal('model', `${model} is not supported by /${kind}`);
  return { kind, model, row };
}

function textContents(body: WireObject, row: NewModel): Contents {
  return {
    prompt: requireText(body, 'prompt', row.promptMax),
    firstFrame: null,
    lastFrame: null,
    images: 0,
    elements: 0,
    video: null,
    reference: null,
  };
}

const omniTypes = [
  'prompt',
  'first_frame',
  'last_frame',
  'refer_image',
  'feature_video',
  'base_video',
  'element',
] as const;
const imageTypes = ['prompt', 'first_frame', 'last_frame', 'element'] as const;

function readContents(
  body: WireObject,
  row: NewModel,
  kind: Kind,
  model: string,
  keep: KeepPicture,
): Contents {
  const found = { ...textContents({ prompt: '-' }, row), prompt: '' };
  const ids = new Set<string>();
  const entries = list(body, 'contents', 20);
  if (entries.length === 0) throw illegal('contents', 'must not be empty');
  entries.forEach((entry, index) => {
    const place = `contents[${index}]`;
    const type = choice(entry, 'type', kind === 'omni-video' ? omniTypes : imageTypes, `${place}.`);
    if (!type) throw illegal(`${place}.type`, 'is required');
    const id = text(entry, 'id', 100, `${place}.`);
    if (id && kind !== 'omni-video') throw illegal(`${place}.id`, 'is only supported by /omni-video');
    if (id && ids.has(id)) throw illegal(`${place}.id`, `'${id}' is given twice`);
    if (id) ids.add(id);
    readContent(found, entry, type, place, row, keep);
  });
  if (kind === 'image-to-video' && !found.firstFrame) throw illegal('contents', 'a first_frame is required');
  if (kind === 'omni-video' && found.prompt === '') throw illegal('contents', 'a prompt is required');
  if (found.elements > row.elementsMax) {
    throw illegal('contents', `${model} takes at most ${row.elementsMax} elements`);
  }
  if (found.images + found.elements > (found.video ? 4 : 7)) {
    throw illegal('contents', `images and elements together must not exceed ${found.video ? 4 : 7}`);
  }
  if (found.video?.type === 'base' && (found.firstFrame || found.lastFrame)) {
    throw illegal('contents', 'frames cannot be combined with a base_video');
  }
  return found;
}

function readContent(
  found: Contents,
  entry: WireObject,
  type: (typeof omniTypes)[number],
  place: string,
  row: NewModel,
  keep: KeepPicture,
): void {
  const once = (isTaken: boolean) => {
    if (isTaken) throw illegal(`${place}.type`, `${type} is given twice`);
  };
  const frame = () => {
    const source = picture(entry['url'], `${place}.url`, keep, row.pictureBytesMax);
    if (source.kind === 'url') found.reference ??= source.url;
    return source;
  };
  switch (type) {
    case 'prompt':
      once(found.prompt !== '');
      found.prompt = requireText(entry, 'text', row.promptMax, `${place}.`);
      return;
    case 'first_frame':
      once(found.firstFrame !== null);
      found.firstFrame = frame();
      return;
    case 'last_frame':
      once(found.lastFrame !== null);
      found.lastFrame = frame();
      return;
    case 'refer_image':
      frame();
      found.images++;
      return;
    case 'element':
      // A string here, a number in the legacy standard.
      requireText(entry, 'element_id', 40, `${place}.`);
      found.elements++;
      return;
    default: {
      once(found.video !== null);
      const address = url(entry['url'], `${place}.url`);
      found.video = { type: type === 'base_video' ? 'base' : 'feature', url: address };
      found.reference ??= address;
    }
  }
}

function resolutionOf(settings: WireObject, row: NewModel, model: string): string {
  const resolution = text(settings, 'resolution', 20, 'settings.') || '720p';
  if (row.resolutions.includes(resolution)) return resolution;
  throw illegal(
    'settings.resolution',
    `value '${resolution}' is not supported by ${model}, must be one of ${row.resolutions.join(', ')}`,
  );
}

function secondsOf(settings: WireObject, row: NewModel, model: string, { video }: Contents): number {
  const seconds = integer(settings, 'duration', 0, 1000, 'settings.') ?? 5;
  const allowed = video ? row.durations.filter((value) => value <= 10) : row.durations;
  if (allowed.includes(seconds)) return seconds;
  throw illegal(
    'settings.duration',
    `value '${seconds}' is invalid for ${model}, must be one of ${allowed.join(', ')}`,
  );
}

function soundOf(
  settings: WireObject,
  row: NewModel,
  model: string,
  resolution: string,
  { video }: Contents,
): boolean {
  if (row.audio === 'always') {
    if (has(settings, 'audio')) throw illegal('settings.audio', `is not supported by ${model}`);
    return true;
  }
  const audio = choice(settings, 'audio', ['off', 'native', 'original'], 'settings.') ?? 'off';
  if (audio === 'original' && !video) throw illegal('settings.audio', 'original needs a video');
  if (audio !== 'off' && model === 'kling-3.0-omni' && video?.type === 'feature') {
    throw illegal('settings.audio', 'must be off with a feature_video');
  }
  if (audio !== 'native') return audio === 'original';
  if (row.audio === 'none') throw illegal('settings.audio', `native is not supported by ${model}`);
  if (video) throw illegal('settings.audio', 'must not be native with a video');
  if (model === 'kling-2.6' && resolution !== '1080p') {
    throw illegal('settings.audio', 'native needs resolution 1080p with kling-2.6');
  }
  return true;
}

function checkLastFrame(row: NewModel, model: string, resolution: string, contents: Contents): void {
  if (!contents.lastFrame) return;
  if (!contents.firstFrame) throw illegal('contents', 'last_frame needs a first_frame');
  if (row.lastFrame === 'none') throw illegal('contents', `last_frame is not supported by ${model}`);
  if (row.lastFrame === '1080p' && resolution !== '1080p') {
    throw illegal('contents', `last_frame needs resolution 1080p with ${model}`);
  }
}

/** The trap of this standard: true where nobody says otherwise. */
function multiShotOf(settings: WireObject, row: NewModel, model: string, { video }: Contents): boolean {
  const isGiven = has(settings, 'multi_shot');
  if (row.multiShot !== 'setting') {
    if (isGiven) throw illegal('settings.multi_shot', `is not supported by ${model}`);
    return row.multiShot === 'prompt';
  }
  const isOn = isGiven ? flag(settings, 'multi_shot') : true;
  if (video?.type === 'base' && isGiven && isOn) {
    throw illegal('settings.multi_shot', 'is not supported with a base_video');
  }
  return isOn && video?.type !== 'base';
}

const shotsMax = 6;
const shotPromptMax = 512;

/** `镜头 n, m, words;` …: the words of each shot; null for a prompt that is not written so. */
function readShots(prompt: string, seconds: number): string[] | null {
  const shots = [...prompt.matchAll(/镜头\s*(\d+),\s*(\d+),([^;]*);/g)];
  if (shots.length === 0) return null;
  if (shots.length > shotsMax) throw illegal('prompt', `must not have more than ${shotsMax} shots`);
  shots.forEach(([, number, length, words], index) => {
    if (Number(number) !== index + 1) throw illegal('prompt', `shot ${number} must be shot ${index + 1}`);
    if (Number(length) < 1) throw illegal('prompt', 'a shot must last at least 1 second');
    if ([...words!].length > shotPromptMax) {
      throw illegal('prompt', `a shot must not exceed ${shotPromptMax} characters`);
    }
  });
  const total = shots.reduce((sum, [, , length]) => sum + Number(length), 0);
  if (total !== seconds) throw illegal('prompt', `the shots add up to ${total} s, duration is ${seconds}`);
  return shots.map(([, , , words]) => words!.trim());
}

function ratioOf(settings: WireObject, kind: Kind, contents: Contents): Plan['aspectRatio'] {
  if (kind === 'image-to-video') return null;
  const ratio = choice(settings, 'aspect_ratio', ratios, 'settings.');
  if (kind === 'text-to-video') return ratio ?? '16:9';
  if (contents.firstFrame) return null;
  if (!ratio && !contents.video) {
    throw illegal('settings.aspect_ratio', 'is required without a first_frame and a video');
  }
  return ratio ?? '16:9';
}

/** Motion control: what it asks for is what the legacy route asks for, in other places. */
function checkNewMotion(body: WireObject, row: NewModel, model: string, keep: KeepPicture): Plan {
  const settings = object(body, 'settings') ?? {};
  const options = object(body, 'options') ?? {};
  const of = (type: string) => list(body, 'contents', 10).filter((entry) => entry['type'] === type);
  const [image, video] = [of('image'), of('video')];
  for (const [type, entries] of Object.entries({ image, video })) {
    if (entries.length !== 1) throw illegal('contents', `exactly one ${type} is required`);
  }
  if (!has(settings, 'character_orientation')) {
    throw illegal('settings.character_orientation', 'is required');
  }
  const audio = choice(settings, 'audio', ['original', 'off'], 'settings.') ?? 'original';
  const resolution = resolutionOf(settings, { ...row, resolutions: ['720p', '1080p'] }, model);
  return checkMotion(
    {
      model_name: row.twin,
      prompt: of('prompt')[0]?.['text'] ?? '',
      image_url: image[0]!['url'] ?? '',
      video_url: video[0]!['url'] ?? '',
      keep_original_sound: audio === 'original' ? 'yes' : 'no',
      character_orientation: settings['character_orientation'] ?? '',
      mode: modes[resolution]!,
      element_list: of('element').map((entry) => ({ element_id: longOf(entry['element_id']) })),
      ...options,
    },
    keep,
  );
}

function longOf(id: unknown): bigint {
  if (typeof id === 'string' && /^\d{1,20}$/.test(id)) return BigInt(id);
  throw illegal('contents', 'element_id must be a string of digits');
}
