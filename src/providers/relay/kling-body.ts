/** The canonical request as a body of Kling's own routes. */
import type { Channel } from '../../core/ports.ts';
import type { Media, Resolution, VideoRequest } from '../../core/request/types.ts';
import { KLING_DOORS } from './doors.ts';
import type { Door } from './doors.ts';
import { mediaText } from './media.ts';
import { controlFields, ownedFields } from './shared-body.ts';
import type { WireObject } from './wire.ts';

/** The grade that a quality switch means where nothing else says it. */
const gradeOfMode: Record<string, Resolution> = { std: '720P', pro: '1080P', '4k': '4K' };

/** Extensions lie below, canonical fields on top. */
export async function klingBody(request: VideoRequest, door: Door, channel: Channel): Promise<WireObject> {
  const body: WireObject = { ...request.extensions };
  for (const field of ownedFields) delete body[field];
  body['model_name'] = request.model;
  if (request.prompt !== '') body['prompt'] = request.prompt;
  if (request.quality !== null) body['mode'] = request.quality;
  const metadata = gradeFields(request);
  if (Object.keys(metadata).length > 0) body['metadata'] = metadata;
  if (request.watermark) body['watermark_info'] = { enabled: true };
  if (door === KLING_DOORS.motionControl) return { ...body, ...(await motionFields(request, channel)) };
  if (door === KLING_DOORS.avatar) {
    delete body['audio_id'];
    return { ...body, ...(await avatarFields(request, channel)) };
  }
  Object.assign(body, controlFields(request), { duration: String(request.seconds) });
  if (request.sound) body['sound'] = 'on';
  const ratio = ratioOf(request, door);
  if (ratio !== null) body['aspect_ratio'] = ratio;
  if (door === KLING_DOORS.image2video) Object.assign(body, await frameFields(request, channel));
  if (door === KLING_DOORS.omniVideo) Object.assign(body, await omniFields(request, channel));
  if (door === KLING_DOORS.multiImage2video) {
    body['image_list'] = await Promise.all(
      request.references.map(async (media) => ({ image: await mediaText(media, channel, 'raw') })),
    );
  }
  return body;
}

/**
 * `mode` is what has to be made. Where it is not also what was asked for (raised, a level of motion, a model without
 * the switch), a gateway that prices by grade reads this; one that only passes on does not look at it.
 */
function gradeFields({ quality, resolution, motion }: VideoRequest): WireObject {
  const isSaid = quality !== null && motion === null && gradeOfMode[quality] === resolution;
  return { ...(isSaid ? {} : { resolution }), ...(motion ? { motion_level: motion.level } : {}) };
}

/** Where a first frame or an edited film gives the ratio, the field does not exist. */
function ratioOf({ aspectRatio, firstFrame, referenceVideo }: VideoRequest, door: Door): string | null {
  if (door === KLING_DOORS.image2video) return null;
  if (door === KLING_DOORS.omniVideo && (firstFrame || referenceVideo?.role === 'base')) return null;
  return aspectRatio ?? '16:9';
}

async function frameFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const fields: WireObject = {};
  const frames: [string, Media | null][] = [
    ['image', request.firstFrame],
    ['image_tail', request.lastFrame],
    ['static_mask', request.staticMask],
  ];
  for (const [field, media] of frames) if (media) fields[field] = await mediaText(media, channel, 'raw');
  if (request.dynamicMasks.length > 0) {
    fields['dynamic_masks'] = await Promise.all(
      request.dynamicMasks.map(async ({ mask, trajectories }) => ({
        mask: await mediaText(mask, channel, 'raw'),
        trajectories: trajectories.map(({ x, y }) => ({ x, y })),
      })),
    );
  }
  return fields;
}

async function omniFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const pictures: { media: Media; type?: string }[] = [
    ...(request.firstFrame ? [{ media: request.firstFrame, type: 'first_frame' }] : []),
    ...(request.lastFrame ? [{ media: request.lastFrame, type: 'end_frame' }] : []),
    ...request.references.map((media) => ({ media })),
  ];
  const fields: WireObject = {};
  if (pictures.length > 0) {
    fields['image_list'] = await Promise.all(
      pictures.map(async ({ media, type }) => ({
        image_url: await mediaText(media, channel, 'raw'),
        ...(type ? { type } : {}),
      })),
    );
  }
  if (request.referenceVideo) {
    const { media, role, keepOriginalSound } = request.referenceVideo;
    fields['video_list'] = [
      {
        video_url: await mediaText(media, channel, 'raw'),
        refer_type: role,
        keep_original_sound: keepOriginalSound ? 'yes' : 'no',
      },
    ];
  }
  return fields;
}

async function motionFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const { firstFrame, referenceVideo, motion, negativePrompt } = request;
  const { element_list: elements } = controlFields(request);
  return {
    image_url: await mediaText(firstFrame!, channel, 'raw'),
    video_url: await mediaText(referenceVideo!.media, channel, 'raw'),
    keep_original_sound: (motion?.keepOriginalSound ?? true) ? 'yes' : 'no',
    character_orientation: motion?.orientation ?? 'video',
    ...(elements === undefined ? {} : { element_list: elements }),
    // Not on Kling's own route; a gateway that has it from us may pass it to an upstream that does.
    ...(negativePrompt === null ? {} : { negative_prompt: negativePrompt }),
  };
}

async function avatarFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const { audio, extensions, firstFrame } = request;
  // Exactly one of the two: a sound of the caller's counts before a stored one.
  const sound: WireObject = audio
    ? { sound_file: await mediaText(audio, channel, 'raw') }
    : { audio_id: extensions['audio_id'] ?? null };
  return { image: await mediaText(firstFrame!, channel, 'raw'), ...sound };
}
