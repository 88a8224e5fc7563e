/** The canonical request in the upstream's words: which route, which body. */
import type { Channel, Json } from '../../core/ports.ts';
import type { Media, Quality, VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { KLING_PATHS } from './wire.ts';
import type { KlingPath, WireObject } from './wire.ts';

const omniModels = new Set(['kling-video-o1', 'kling-v3-omni']);
/** Accept `mode` in silence at best: they have one grade. */
const masterModels = new Set(['kling-v2-master', 'kling-v2-1-master']);
const cfgScaleModels = new Set(['kling-v1', 'kling-v1-5', 'kling-v1-6']);
const soundModels = new Set(['kling-v2-6', 'kling-v3', 'kling-v3-omni']);
const multiShotModels = new Set(['kling-v3', 'kling-v3-omni']);
const textModels = new Set([
  'kling-v1',
  'kling-v1-6',
  'kling-v2-master',
  'kling-v2-1-master',
  'kling-v2-5-turbo',
  'kling-v2-6',
  'kling-v3',
]);

/** The route that makes this request. */
export function pathOf(request: VideoRequest): KlingPath {
  if (omniModels.has(request.model)) return KLING_PATHS.omniVideo;
  if (request.references.length > 0) return KLING_PATHS.multiImage2video;
  return request.firstFrame || request.lastFrame ? KLING_PATHS.image2video : KLING_PATHS.text2video;
}

/** Why this upstream cannot make the request (yet), as a sentence; null when it can. */
export function missingFor(request: VideoRequest): string | null {
  if (request.operation === 'motion-control') {
    return 'motion control needs the upstream’s motion-control route, which this provider does not speak yet';
  }
  if (request.operation === 'avatar') {
    return 'avatar needs the upstream’s avatar route and a sound file, which this provider does not speak yet';
  }
  if (request.operation === 'lip-sync') {
    return 'lip-sync needs the upstream’s identify-face and advanced-lip-sync routes, which this provider does not speak yet';
  }
  const path = pathOf(request);
  if (path === KLING_PATHS.text2video && !textModels.has(request.model)) {
    return `${request.model} makes films from a picture only at this upstream; a first frame is missing`;
  }
  if (path === KLING_PATHS.multiImage2video && request.model !== 'kling-v1-6') {
    return `${request.model} takes no reference pictures at this upstream; kling-v1-6, kling-v3-omni and kling-video-o1 do`;
  }
  if (path === KLING_PATHS.multiImage2video && (request.firstFrame || request.lastFrame)) {
    return 'kling-v1-6 takes either reference pictures or frames at this upstream, not both';
  }
  if (request.referenceVideo && path !== KLING_PATHS.omniVideo) {
    return `${request.model} takes no reference video at this upstream; kling-v3-omni and kling-video-o1 do`;
  }
  if (request.referenceVideo && request.referenceVideo.media.kind !== 'url') {
    return 'the upstream takes a reference video by URL only';
  }
  return null;
}

/**
 * What decides the price stays ours: these are never taken from extensions, not even where this route has no
 * field of that name.
 */
const ownedFields = [
  'model',
  'model_name',
  'mode',
  'duration',
  'resolution',
  'sound',
  'voice_list',
  'video_list',
  'image_list',
  'n',
  'external_task_id',
  'callback_url',
];

/** The body of the create. Extensions lie below, canonical fields on top. */
export async function bodyOf(
  request: VideoRequest,
  clientRef: string,
  channel: Channel,
): Promise<WireObject> {
  const path = pathOf(request);
  const body: WireObject = { ...request.extensions };
  for (const field of ownedFields) delete body[field];
  Object.assign(body, commonFields(request, path));
  if (path === KLING_PATHS.image2video) Object.assign(body, await frameFields(request, channel));
  if (path === KLING_PATHS.multiImage2video) {
    body['image_list'] = await Promise.all(
      request.references.map(async (media) => ({ image: await pictureOf(media, channel) })),
    );
  }
  if (path === KLING_PATHS.omniVideo) Object.assign(body, await omniFields(request, channel));
  const callbackUrl = channel.callbackUrl(clientRef);
  if (callbackUrl) body['callback_url'] = callbackUrl;
  body['external_task_id'] = clientRef;
  return body;
}

function commonFields(request: VideoRequest, path: KlingPath): WireObject {
  const { model } = request;
  const fields: WireObject = { model_name: model, duration: String(request.seconds) };
  if (request.prompt !== '') fields['prompt'] = request.prompt;
  // omni-video has no such field.
  if (request.negativePrompt !== null && path !== KLING_PATHS.omniVideo) {
    fields['negative_prompt'] = request.negativePrompt;
  }
  if (!masterModels.has(model)) fields['mode'] = request.quality ?? modeOf(request.resolution);
  if (soundModels.has(model)) fields['sound'] = request.sound ? 'on' : 'off';
  if (request.cfgScale !== null && cfgScaleModels.has(model)) fields['cfg_scale'] = request.cfgScale;
  if (request.cameraControl) {
    const { type, config } = request.cameraControl;
    fields['camera_control'] = config ? { type, config } : { type };
  }
  // Always explicit: the new standard's default for the same models is the opposite.
  if (multiShotModels.has(model)) Object.assign(fields, shotFields(request));
  if (request.voiceIds.length > 0) {
    fields['voice_list'] = request.voiceIds.map((id) => ({ voice_id: id }));
  }
  if (request.elementIds.length > 0) {
    fields['element_list'] = request.elementIds.map((id) => ({ element_id: elementId(id) }));
  }
  if (request.watermark) fields['watermark_info'] = { enabled: true };
  const ratio = ratioOf(request, path);
  if (ratio) fields['aspect_ratio'] = ratio;
  return fields;
}

function modeOf(resolution: VideoRequest['resolution']): Quality {
  if (resolution === '4K') return '4k';
  return resolution === '1080P' ? 'pro' : 'std';
}

function shotFields({ multiShot }: VideoRequest): WireObject {
  if (!multiShot) return { multi_shot: false };
  if (multiShot.type === 'intelligence') return { multi_shot: true, shot_type: 'intelligence' };
  return {
    multi_shot: true,
    shot_type: 'customize',
    multi_prompt: multiShot.shots.map(({ index, prompt, seconds }) => ({
      index,
      prompt,
      duration: String(seconds),
    })),
  };
}

/** A JSON number beyond 2^53 on the wire: bigint is written bare. */
function elementId(id: string): bigint {
  if (!/^\d{1,20}$/.test(id)) {
    throw new UpstreamError(
      'rejected',
      `element_list: "${id.slice(0, 40)}" is no element id; ids are decimal numbers.`,
    );
  }
  return BigInt(id);
}

/** Where a first frame or an edited film gives the ratio, the field does not exist. */
function ratioOf(request: VideoRequest, path: KlingPath): string | null {
  if (path === KLING_PATHS.image2video) return null;
  if (path === KLING_PATHS.omniVideo && (request.firstFrame || request.referenceVideo?.role === 'base')) {
    return null;
  }
  return request.aspectRatio ?? '16:9';
}

async function frameFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const fields: WireObject = {};
  if (request.firstFrame) fields['image'] = await pictureOf(request.firstFrame, channel);
  if (request.lastFrame) fields['image_tail'] = await pictureOf(request.lastFrame, channel);
  if (request.staticMask) fields['static_mask'] = await pictureOf(request.staticMask, channel);
  if (request.dynamicMasks.length > 0) {
    fields['dynamic_masks'] = await Promise.all(
      request.dynamicMasks.map(async ({ mask, trajectories }) => ({
        mask: await pictureOf(mask, channel),
        trajectories: trajectories.map(({ x, y }) => ({ x, y })),
      })),
    );
  }
  return fields;
}

async function omniFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const pictures: { media: Media; type?: string }[] = [];
  if (request.firstFrame) pictures.push({ media: request.firstFrame, type: 'first_frame' });
  if (request.lastFrame) pictures.push({ media: request.lastFrame, type: 'end_frame' });
  for (const media of request.references) pictures.push({ media });
  const fields: WireObject = {};
  if (pictures.length > 0) {
    fields['image_list'] = await Promise.all(
      pictures.map(async ({ media, type }) => ({
        image_url: await pictureOf(media, channel),
        ...(type ? { type } : {}),
      })),
    );
  }
  if (request.referenceVideo?.media.kind === 'url') {
    fields['video_list'] = [
      {
        video_url: request.referenceVideo.media.url,
        refer_type: request.referenceVideo.role,
        keep_original_sound: request.referenceVideo.keepOriginalSound ? 'yes' : 'no',
      },
    ];
  }
  return fields;
}

/** A URL as it is, everything else as raw base64: the upstream refuses a `data:` prefix. */
async function pictureOf(media: Media, channel: Channel): Promise<Json> {
  switch (media.kind) {
    case 'url':
      return media.url;
    case 'inline':
      return media.text.replace(/^data:[^,]*,/i, '');
    case 'upload':
      return Buffer.from(media.bytes).toString('base64');
    case 'stored':
    case 'file':
      return (await channel.readMedia(media)).bytes.toString('base64');
  }
}
