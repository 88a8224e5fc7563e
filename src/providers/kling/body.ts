/** The canonical request in the upstream's words: which route, which body. */
import type { Channel } from '../../core/ports.ts';
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { elementId } from './element-id.ts';
import { mediaText } from './media.ts';
import { missingForNew, newBodyOf } from './new-body.ts';
import { KLING_PATHS } from './routes.ts';
import type { KlingPath } from './routes.ts';
import { missingForScene, modeOf, sceneFields, speaksFromPicture } from './scene-body.ts';
import type { Face } from './scene-body.ts';
import { envelopeFields } from './tasks.ts';
import type { WireObject } from './wire.ts';

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

/** Models that exist in the new standard only, by the name they have in its paths (specs: Kling API, 2026). */
const newModels: Record<string, string> = { 'kling-3.0-turbo': 'kling-3.0-turbo' };

/** Where a request is sent: the model stands in the path of the new standard, in the body of the legacy one. */
export type Route = { standard: 'legacy'; path: KlingPath } | { standard: 'new'; path: string };

/** The route that makes this request. */
export function routeFor(request: VideoRequest): Route {
  const newModel = newModels[request.model];
  if (newModel !== undefined) {
    const kind = request.firstFrame ? 'image-to-video' : 'text-to-video';
    return { standard: 'new', path: `/${kind}/${newModel}` };
  }
  return { standard: 'legacy', path: legacyPathOf(request) };
}

/** Its path, without regard to the standard. */
export function pathOf(request: VideoRequest): string {
  return routeFor(request).path;
}

function legacyPathOf(request: VideoRequest): KlingPath {
  if (request.operation === 'motion-control') return KLING_PATHS.motionControl;
  if (speaksFromPicture(request)) return KLING_PATHS.avatar;
  if (request.operation === 'lip-sync') return KLING_PATHS.advancedLipSync;
  if (omniModels.has(request.model)) return KLING_PATHS.omniVideo;
  if (request.references.length > 0) return KLING_PATHS.multiImage2video;
  return request.firstFrame || request.lastFrame ? KLING_PATHS.image2video : KLING_PATHS.text2video;
}

/** Why this upstream cannot make the request, as a sentence; null when it can. */
export function missingFor(request: VideoRequest): string | null {
  const scene = missingForScene(request);
  if (scene !== undefined) return scene;
  const route = routeFor(request);
  if (route.standard === 'new') return missingForNew(request);
  const { path } = route;
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

/** The body of the create. Extensions lie below, canonical fields on top. `face` is whom a lip-sync makes speak. */
export async function bodyOf(
  request: VideoRequest,
  clientRef: string,
  channel: Channel,
  face: Face | null = null,
): Promise<WireObject> {
  const route = routeFor(request);
  if (route.standard === 'new') return newBodyOf(request, clientRef, channel);
  const { path } = route;
  const body: WireObject = { ...request.extensions };
  for (const field of ownedFields) delete body[field];
  const envelope = envelopeFields(clientRef, channel);
  const scene = await sceneFields(request, path, channel, face);
  if (scene) return { ...withoutSounds(body), ...scene, ...envelope };
  Object.assign(body, commonFields(request, path));
  if (path === KLING_PATHS.image2video) Object.assign(body, await frameFields(request, channel));
  if (path === KLING_PATHS.multiImage2video) {
    body['image_list'] = await Promise.all(
      request.references.map(async (media) => ({ image: await mediaText(media, channel) })),
    );
  }
  if (path === KLING_PATHS.omniVideo) Object.assign(body, await omniFields(request, channel));
  return { ...body, ...envelope };
}

/** A scene's sound is one of two fields, and which of them is settled already. */
function withoutSounds({ sound_file: _file, audio_id: _id, ...body }: WireObject): WireObject {
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
  if (request.cfgScale !== null && takesCfgScale(model, path)) fields['cfg_scale'] = request.cfgScale;
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

/** multi-image2video has no such field, though its model does. */
function takesCfgScale(model: string, path: KlingPath): boolean {
  return cfgScaleModels.has(model) && path !== KLING_PATHS.multiImage2video;
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
  if (request.firstFrame) fields['image'] = await mediaText(request.firstFrame, channel);
  if (request.lastFrame) fields['image_tail'] = await mediaText(request.lastFrame, channel);
  if (request.staticMask) fields['static_mask'] = await mediaText(request.staticMask, channel);
  if (request.dynamicMasks.length > 0) {
    fields['dynamic_masks'] = await Promise.all(
      request.dynamicMasks.map(async ({ mask, trajectories }) => ({
        mask: await mediaText(mask, channel),
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
        image_url: await mediaText(media, channel),
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
