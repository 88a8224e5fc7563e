/** The canonical request as a body of `/v1/videos` (seed 003 §3). */
import type { Channel } from '../../core/ports.ts';
import type { Media, VideoOperation, VideoRequest } from '../../core/request/types.ts';
import { writeJson } from '../../lib/json.ts';
import { omniModels } from './doors.ts';
import { mediaText } from './media.ts';
import { controlFields, ownedFields } from './shared-body.ts';
import type { WireObject } from './wire.ts';

const sceneTypes: Partial<Record<VideoOperation, string>> = {
  'motion-control': 'motion_control',
  avatar: 'avatar_i2v',
  'lip-sync': 'lip_sync',
};

/** Most pictures that `images` holds. */
const imagesMax = 3;

/** The model goes by the name the caller used: gateways that speak this dialect sell the same names. */
export async function videosBody(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const uri = (media: Media) => mediaText(media, channel, 'uri');
  const { firstFrame, lastFrame, staticMask } = request;
  const body: WireObject = {
    model: request.requestedModel,
    prompt: request.prompt,
    seconds: String(request.seconds),
    metadata: await metadataOf(request, channel),
  };
  if (firstFrame) body['image'] = await uri(firstFrame);
  // Alone it is only known by its native name.
  if (lastFrame && !firstFrame) body['image_tail'] = await uri(lastFrame);
  Object.assign(body, await referenceFields(request, uri));
  if (staticMask) body['static_mask'] = await uri(staticMask);
  if (request.dynamicMasks.length > 0) {
    body['dynamic_masks'] = await Promise.all(
      request.dynamicMasks.map(async ({ mask, trajectories }) => ({
        mask: await uri(mask),
        trajectories: trajectories.map(({ x, y }) => ({ x, y })),
      })),
    );
  }
  if (request.watermark) body['watermark_info'] = { enabled: true };
  return body;
}

/** One picture in `images`, however often it stands there, would be a first frame where a model takes one. */
async function referenceFields(
  { model, references }: VideoRequest,
  uri: (media: Media) => Promise<string>,
): Promise<WireObject> {
  if (references.length === 0) return {};
  const pictures = await Promise.all(references.map(uri));
  const isPlain = pictures.length <= imagesMax && (omniModels.has(model) || new Set(pictures).size > 1);
  return isPlain ? { images: pictures } : { image_list: pictures.map((image) => ({ image_url: image })) };
}

async function metadataOf(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const { lastFrame, firstFrame, motion, audio, referenceVideo, aspectRatio } = request;
  const scene = sceneTypes[request.operation];
  const metadata: WireObject = {
    output_config: {
      duration: request.seconds,
      resolution: request.resolution,
      ...(aspectRatio === null ? {} : { aspect_ratio: aspectRatio }),
      // Scenes have their own sound, and refuse to be asked.
      ...(request.sound && scene === undefined ? { audio_generation: 'Enabled' } : {}),
      ...(channel.allowsComplianceSwitches ? request.compliance : {}),
    },
  };
  if (scene !== undefined) metadata['scene_type'] = scene;
  if (motion) metadata['motion_level'] = motion.level;
  if (lastFrame && firstFrame) metadata['last_frame_url'] = await mediaText(lastFrame, channel, 'uri');
  if (referenceVideo?.role === 'feature') {
    metadata['video_url'] = await mediaText(referenceVideo.media, channel, 'uri');
  }
  if (referenceVideo?.role === 'base') {
    metadata['file_infos'] = [
      {
        type: 'Url',
        category: 'Video',
        url: await mediaText(referenceVideo.media, channel, 'uri'),
        reference_type: 'base',
        keep_original_sound: referenceVideo.keepOriginalSound ? 'Enabled' : 'Disabled',
      },
    ];
  }
  if (audio) {
    metadata[audio.kind === 'url' ? 'audio_url' : 'sound_file'] = await mediaText(audio, channel, 'raw');
  }
  const native = nativeFields(request);
  if (Object.keys(native).length > 0) {
    metadata['ext_info'] = writeJson({ AdditionalParameters: writeJson(native) });
  }
  return metadata;
}

/** What this dialect has no word for travels as JSON text. */
function nativeFields(request: VideoRequest): WireObject {
  const fields: WireObject = { ...request.extensions };
  for (const field of ownedFields) delete fields[field];
  // A sound of the caller's counts before a stored one.
  if (request.audio) delete fields['audio_id'];
  Object.assign(fields, controlFields(request));
  if (request.motion) fields['character_orientation'] = request.motion.orientation;
  if (request.referenceVideo?.role === 'feature' && !request.referenceVideo.keepOriginalSound) {
    fields['keep_original_sound'] = 'no';
  }
  return fields;
}
