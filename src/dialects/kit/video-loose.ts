/** Wire -> loose input: every claim about every field with the path it stood at. No defaults, no judgement of values. */
import { isGiven, isObject, oneOf, readList, readObject, show } from '../../core/request/read.ts';
import { isUpload } from '../../core/request/media.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Claim, LooseVideo, SurfaceDefaults } from '../../core/request/types.ts';
import type { VideoRequestBody } from './video-request.ts';
import { looseFiles } from './video-files.ts';

type Fields = Record<string, unknown>;

/**
 * Lists the claims of a video request. Throws GatewayError `invalid_value` where a list or an object is something
 * else, and for words that only the wire has (`content[].type`, the enums of `file_infos`).
 */
export function looseVideo(body: VideoRequestBody, surface: SurfaceDefaults): LooseVideo {
  const fields: Fields = body;
  const metadata = objectAt(fields, 'metadata', '');
  const config = objectAt(metadata, 'output_config', 'metadata.');
  const loose = noClaims(surface);
  gather(loose, fields, TOP);
  gather(loose, metadata, IN_METADATA);
  gather(loose, config, IN_CONFIG);
  if (isGiven(fields['content'])) {
    const content = contentClaims(fields['content']);
    loose.prompt = [...loose.prompt, ...content.texts];
    loose.image = [...loose.image, ...content.images];
    loose.referenceVideo = [...loose.referenceVideo, ...content.videos];
  }
  loose.images = imageClaims(fields['images']);
  loose.files = looseFiles(fields, metadata, surface.imagesMax);
  return loose;
}

/** No claims at all, for doors that name their fields otherwise. */
export function noClaims(surface: SurfaceDefaults): LooseVideo {
  return {
    surface,
    model: NONE,
    prompt: NONE,
    negativePrompt: NONE,
    seconds: NONE,
    resolution: NONE,
    size: NONE,
    mode: NONE,
    motionLevel: NONE,
    aspectRatio: NONE,
    sound: NONE,
    scene: NONE,
    image: NONE,
    images: NONE,
    lastFrame: NONE,
    referenceVideo: NONE,
    files: [],
    cfgScale: NONE,
    cameraControl: NONE,
    staticMask: NONE,
    dynamicMasks: NONE,
    multiShot: NONE,
    shotType: NONE,
    shots: NONE,
    voices: NONE,
    elements: NONE,
    characterOrientation: NONE,
    keepOriginalSound: NONE,
    watermark: NONE,
    storageMode: NONE,
    expireTime: NONE,
    mediaName: NONE,
    classId: NONE,
    compliance: NONE,
    extInfo: NONE,
    audio: NONE,
    externalTaskId: NONE,
    callbackUrl: NONE,
    maxCost: NONE,
    priority: NONE,
  };
}

/** Most fields of most requests: shared, and never added to. */
const NONE: readonly Claim[] = [];

type Field = Exclude<keyof LooseVideo, 'surface' | 'images' | 'files'>;

/** By the key at one level of the body: the field it claims, and the path as the caller spelled it. */
type Level = ReadonlyMap<string, { field: Field; source: string }>;

function level(prefix: string, keys: Partial<Record<Field, readonly string[]>>): Level {
  const found = new Map<string, { field: Field; source: string }>();
  for (const [field, names] of Object.entries(keys)) {
    for (const name of names) found.set(name, { field: field as Field, source: prefix + name });
  }
  return found;
}

const TOP = level('', {
  model: ['model_name', 'model'],
  prompt: ['prompt'],
  negativePrompt: ['negative_prompt'],
  seconds: ['seconds', 'duration'],
  size: ['size'],
  mode: ['mode'],
  aspectRatio: ['aspect_ratio'],
  sound: ['sound', 'audio_generation'],
  image: ['image', 'input_reference'],
  lastFrame: ['image_tail'],
  cfgScale: ['cfg_scale'],
  cameraControl: ['camera_control'],
  staticMask: ['static_mask'],
  dynamicMasks: ['dynamic_masks'],
  multiShot: ['multi_shot'],
  shotType: ['shot_type'],
  shots: ['multi_prompt'],
  voices: ['voice_list'],
  elements: ['element_list'],
  characterOrientation: ['character_orientation'],
  keepOriginalSound: ['keep_original_sound'],
  watermark: ['watermark_info'],
  audio: ['sound_file', 'audio_id', 'session_id', 'face_choose'],
  externalTaskId: ['external_task_id'],
  callbackUrl: ['callback_url'],
  maxCost: ['max_cost'],
});

const IN_METADATA = level('metadata.', {
  negativePrompt: ['negative_prompt'],
  seconds: ['seconds', 'duration', 'video_duration'],
  resolution: ['resolution'],
  mode: ['mode'],
  motionLevel: ['motion_level'],
  aspectRatio: ['aspect_ratio'],
  sound: ['audio_generation', 'audio'],
  scene: ['scene_type'],
  lastFrame: ['last_frame_url', 'last_frame_file_id'],
  referenceVideo: ['video_url'],
  cfgScale: ['cfg_scale'],
  cameraControl: ['camera_control'],
  characterOrientation: ['character_orientation'],
  keepOriginalSound: ['keep_original_sound'],
  extInfo: ['ext_info'],
  audio: ['sound_file', 'audio_url', 'audio_id', 'session_id', 'face_choose'],
  priority: ['priority'],
});

const IN_CONFIG = level('metadata.output_config.', {
  seconds: ['duration'],
  resolution: ['resolution'],
  aspectRatio: ['aspect_ratio'],
  sound: ['audio_generation'],
  storageMode: ['storage_mode'],
  expireTime: ['expire_time'],
  mediaName: ['media_name'],
  classId: ['class_id'],
  compliance: ['person_generation', 'input_compliance_check', 'output_compliance_check', 'enhance_switch'],
});

/** The order in which claims of one field are listed, whatever order the body has them in. */
const PLACES: ReadonlyMap<string, number> = new Map(
  [TOP, IN_METADATA, IN_CONFIG]
    .flatMap((one) => [...one.values()])
    .map(({ source }, index) => [source, index]),
);

/** Goes by what the body holds: a request names five fields of a hundred. */
function gather(loose: LooseVideo, fields: Fields, known: Level): void {
  if (fields === NO_FIELDS) return;
  for (const key in fields) {
    const place = known.get(key);
    if (place === undefined) continue;
    const value = fields[key];
    if (!isGiven(value)) continue;
    const { field, source } = place;
    const earlier = loose[field];
    loose[field] = earlier === NONE ? [{ source, value }] : inPlace([...earlier!, { source, value }]);
  }
}

function inPlace(claims: Claim[]): Claim[] {
  return claims.sort((one, other) => PLACES.get(one.source)! - PLACES.get(other.source)!);
}

/** Absent, null, empty text and empty lists are no claim: forms and some clients send fields they leave empty. */
function claim(claims: Claim[], source: string, value: unknown): void {
  if (isGiven(value)) claims.push({ source, value });
}

const NO_FIELDS: Fields = Object.freeze({});

function objectAt(fields: Fields, key: string, prefix: string): Fields {
  const value = fields[key];
  return isGiven(value) ? readObject({ source: `${prefix}${key}`, value }) : NO_FIELDS;
}

/** A list; a single picture, or the JSON text of a list, is taken for one. */
function imageClaims(value: unknown): Claim[] {
  if (!isGiven(value)) return [];
  const isText = typeof value === 'string' && !value.trim().startsWith('[');
  if (isText || isUpload(value) || isObject(value)) return [{ source: 'images[0]', value }];
  return readList({ source: 'images', value }).filter((entry) => isGiven(entry.value));
}

const CONTENT_TYPES = ['text', 'image_url', 'video_url'] as const;

/** Chat-style content (seed 003 §3.3). */
function contentClaims(value: unknown): { texts: Claim[]; images: Claim[]; videos: Claim[] } {
  const texts: Claim[] = [];
  const images: Claim[] = [];
  const videos: Claim[] = [];
  if (!isGiven(value)) return { texts, images, videos };
  for (const { source, value: entry } of readList({ source: 'content', value })) {
    const type = isObject(entry) ? entry['type'] : undefined;
    const known = CONTENT_TYPES.find((word) => word === type);
    if (!isObject(entry) || known === undefined) {
      const message = `${source}.type must be ${oneOf(CONTENT_TYPES)}, not ${show(type)}.`;
      throw new GatewayError('invalid_value', message, { param: `${source}.type` });
    }
    const into = { text: texts, image_url: images, video_url: videos }[known];
    const inner = entry[known];
    const isWrapped = known !== 'text' && isObject(inner) && !isUpload(inner) && 'url' in inner;
    claim(
      into,
      isWrapped ? `${source}.${known}.url` : `${source}.${known}`,
      isWrapped ? inner['url'] : inner,
    );
  }
  return { texts, images, videos };
}
