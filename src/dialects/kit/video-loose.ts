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
  const content = contentClaims(fields['content']);
  /** The claims of one field at the top level, in metadata and in metadata.output_config, as far as it exists there. */
  const claims = (
    top: readonly string[],
    inMetadata: readonly string[] = [],
    inConfig: readonly string[] = [],
  ) => {
    const found: Claim[] = [];
    for (const key of top) claim(found, key, fields[key]);
    for (const key of inMetadata) claim(found, `metadata.${key}`, metadata[key]);
    for (const key of inConfig) claim(found, `metadata.output_config.${key}`, config[key]);
    return found;
  };
  return {
    surface,
    model: claims(['model_name', 'model']),
    prompt: [...claims(['prompt']), ...content.texts],
    negativePrompt: claims(['negative_prompt'], ['negative_prompt']),
    seconds: claims(['seconds', 'duration'], ['seconds', 'duration', 'video_duration'], ['duration']),
    resolution: claims([], ['resolution'], ['resolution']),
    size: claims(['size']),
    mode: claims(['mode'], ['mode']),
    motionLevel: claims([], ['motion_level']),
    aspectRatio: claims(['aspect_ratio'], ['aspect_ratio'], ['aspect_ratio']),
    sound: claims(['sound', 'audio_generation'], ['audio_generation', 'audio'], ['audio_generation']),
    scene: claims([], ['scene_type']),
    image: [...claims(['image', 'input_reference']), ...content.images],
    images: imageClaims(fields['images']),
    lastFrame: claims(['image_tail'], ['last_frame_url', 'last_frame_file_id']),
    referenceVideo: [...claims([], ['video_url']), ...content.videos],
    files: looseFiles(fields, metadata, surface.imagesMax),
    cfgScale: claims(['cfg_scale'], ['cfg_scale']),
    cameraControl: claims(['camera_control'], ['camera_control']),
    staticMask: claims(['static_mask']),
    dynamicMasks: claims(['dynamic_masks']),
    multiShot: claims(['multi_shot']),
    shotType: claims(['shot_type']),
    shots: claims(['multi_prompt']),
    voices: claims(['voice_list']),
    elements: claims(['element_list']),
    characterOrientation: claims(['character_orientation'], ['character_orientation']),
    keepOriginalSound: claims(['keep_original_sound'], ['keep_original_sound']),
    watermark: claims(['watermark_info']),
    storageMode: claims([], [], ['storage_mode']),
    expireTime: claims([], [], ['expire_time']),
    mediaName: claims([], [], ['media_name']),
    classId: claims([], [], ['class_id']),
    compliance: claims(
      [],
      [],
      ['person_generation', 'input_compliance_check', 'output_compliance_check', 'enhance_switch'],
    ),
    extInfo: claims([], ['ext_info']),
    audio: claims(
      ['sound_file', 'audio_id', 'session_id', 'face_choose'],
      ['sound_file', 'audio_url', 'audio_id', 'session_id', 'face_choose'],
    ),
    externalTaskId: claims(['external_task_id']),
    callbackUrl: claims(['callback_url']),
    maxCost: claims(['max_cost']),
    priority: claims([], ['priority']),
  };
}

/** No claims at all, for doors that name their fields otherwise. */
export function noClaims(surface: SurfaceDefaults): LooseVideo {
  return looseVideo({}, surface);
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
