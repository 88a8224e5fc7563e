/** Pictures, masks, elements and videos of a create, judged as the platform judges them. */
import type { FrameSource } from '../kit/simulator.ts';
import { choice, illegal, list, picture, requireLong, url } from './simulator-fields.ts';
import { covers } from './simulator-matrix.ts';
import type { Mode, ModelRow } from './simulator-matrix.ts';
import type { WireObject } from './wire.ts';

/** Keeps the bytes of an inline picture, answers its id. */
export type KeepPicture = (bytes: Uint8Array) => string;

export type Route = 'text' | 'image' | 'omni' | 'multiImage';

/** What is settled before media are looked at. */
export interface Facts {
  route: Route;
  model: string;
  row: ModelRow;
  mode: Mode;
}

export interface MediaFacts {
  firstFrame: FrameSource | null;
  lastFrame: FrameSource | null;
  hasMasks: boolean;
  hasElements: boolean;
  video: 'base' | 'feature' | null;
  reference: string | null;
}

/** Throws Refusal 1201. */
export function checkMedia(
  body: WireObject,
  facts: Facts & { seconds: number; sound: boolean },
  keep: KeepPicture,
): MediaFacts {
  if (facts.route === 'image') return checkFrames(body, facts, keep);
  if (facts.route === 'omni') return checkOmni(body, facts, keep);
  const none = { firstFrame: null, lastFrame: null, hasMasks: false, hasElements: false, video: null };
  if (facts.route === 'text') return { ...none, reference: null };
  const pictures = list(body, 'image_list', 4).map((entry, index) =>
    picture(entry['image'], `image_list[${index}].image`, keep),
  );
  if (pictures.length === 0) throw illegal('image_list', 'must not be empty');
  return { ...none, reference: firstUrl(pictures) };
}

function checkFrames(
  body: WireObject,
  { model, row, mode, seconds: length, sound }: Facts & { seconds: number; sound: boolean },
  keep: KeepPicture,
): MediaFacts {
  const has = (field: string) => body[field] !== undefined && body[field] !== null && body[field] !== '';
  const firstFrame = has('image') ? picture(body['image'], 'image', keep) : null;
  const lastFrame = has('image_tail') ? picture(body['image_tail'], 'image_tail', keep) : null;
  if (!firstFrame && !lastFrame) throw illegal('image', 'image and image_tail must not both be empty');
  if (lastFrame && !covers(row.endFrame, mode, length)) {
    throw illegal('image_tail', `is not supported by ${model} with mode ${mode} and duration ${length}`);
  }
  if (lastFrame && sound && model === 'kling-v2-6')
    throw illegal('image_tail', 'needs sound off with kling-v2-6');
  const hasMasks = checkMasks(body, has('static_mask'), keep);
  if (hasMasks && (!covers(row.masks, mode, length) || length !== 5)) {
    const field = has('static_mask') ? 'static_mask' : 'dynamic_masks';
    throw illegal(field, `is not supported by ${model} with mode ${mode} and duration ${length}`);
  }
  if (hasMasks && lastFrame) throw illegal('image_tail', 'cannot be combined with masks');
  const elements = list(body, 'element_list', 3);
  elements.forEach((entry, index) => requireLong(entry, 'element_id', `element_list[${index}]`));
  if (elements.length > 0 && row.elementsMax === 0)
    throw illegal('element_list', `is not supported by ${model}`);
  return {
    firstFrame,
    lastFrame,
    hasMasks,
    hasElements: elements.length > 0,
    video: null,
    reference: firstUrl([firstFrame, lastFrame]),
  };
}

function checkMasks(body: WireObject, hasStatic: boolean, keep: KeepPicture): boolean {
  if (hasStatic) picture(body['static_mask'], 'static_mask', keep);
  const dynamic = list(body, 'dynamic_masks', 6);
  dynamic.forEach((entry, index) => {
    const place = `dynamic_masks[${index}]`;
    picture(entry['mask'], `${place}.mask`, keep);
    const points = list(entry, 'trajectories', 77);
    if (points.length < 2) throw illegal(`${place}.trajectories`, 'must have 2 to 77 points');
    for (const point of points) {
      if (typeof point['x'] !== 'number' || typeof point['y'] !== 'number') {
        throw illegal(`${place}.trajectories`, 'points need numbers x and y');
      }
    }
  });
  return hasStatic || dynamic.length > 0;
}

function checkOmni(
  body: WireObject,
  { model, row, sound }: Facts & { sound: boolean },
  keep: KeepPicture,
): MediaFacts {
  const videos = list(body, 'video_list', 1);
  const elements = list(body, 'element_list', row.elementsMax);
  const images = list(body, 'image_list', 7);
  elements.forEach((entry, index) => requireLong(entry, 'element_id', `element_list[${index}]`));
  const countMax = videos.length > 0 ? 4 : 7;
  if (images.length + elements.length > countMax) {
    throw illegal('image_list', `images and elements together must not exceed ${countMax}`);
  }
  const frames: Record<string, FrameSource> = {};
  const pictures = images.map((entry, index) => {
    const type = choice(entry, 'type', ['first_frame', 'end_frame'], `image_list[${index}].`);
    const source = picture(entry['image_url'], `image_list[${index}].image_url`, keep);
    if (type && frames[type]) throw illegal(`image_list[${index}].type`, `${type} is given twice`);
    if (type) frames[type] = source;
    return source;
  });
  if (frames['end_frame'] && !frames['first_frame'])
    throw illegal('image_list', 'end_frame needs a first_frame');
  if (frames['end_frame'] && images.length > 2 && model === 'kling-video-o1') {
    throw illegal('image_list', 'end_frame cannot be combined with more than 2 images');
  }
  const video = videos[0] ? checkVideo(videos[0], Object.keys(frames).length > 0) : null;
  if (video && sound) throw illegal('sound', 'must be off with video_list');
  return {
    firstFrame: frames['first_frame'] ?? null,
    lastFrame: frames['end_frame'] ?? null,
    hasMasks: false,
    hasElements: elements.length > 0,
    video: video?.type ?? null,
    reference: video?.url ?? firstUrl(pictures),
  };
}

function checkVideo(entry: WireObject, hasFrames: boolean): { type: 'base' | 'feature'; url: string } {
  const address = url(entry['video_url'], 'video_list[0].video_url');
  const type = choice(entry, 'refer_type', ['base', 'feature'], 'video_list[0].') ?? 'base';
  choice(entry, 'keep_original_sound', ['yes', 'no'], 'video_list[0].');
  if (type === 'base' && hasFrames)
    throw illegal('image_list', 'frames cannot be combined with a base video');
  return { type, url: address };
}

function firstUrl(sources: (FrameSource | null)[]): string | null {
  for (const source of sources) if (source?.kind === 'url') return source.url;
  return null;
}
