/** What VOD cannot do of a request, as a sentence. Pure: routing asks it for every candidate. */
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { lipSyncFormOf, vodModels } from './models.ts';
import type { VodModel } from './models.ts';

/** Together, before base64 (official documentation of FileInfos.Base64). */
export const inlineBytesMax = 7 * 1024 * 1024;
export const inlineSentence =
  'the pictures and sounds sent as data hold more than the 7 MB this upstream takes; give URLs or smaller files';

/** Null when it can. */
export function missingFor(request: VideoRequest): string | null {
  const model = Object.hasOwn(vodModels, request.model) ? vodModels[request.model]! : null;
  if (!model) return `${request.model} is not offered by this upstream`;
  return missingOperation(request, model) ?? missingControls(request, model) ?? missingMedia(request, model);
}

function missingOperation(request: VideoRequest, model: VodModel): string | null {
  const { operation } = request;
  if (operation === 'motion-control') {
    if (!model.motion)
      return `${request.model} has no motion control at this upstream; kling-v2-6 and kling-v3 do`;
    if (!request.referenceVideo) return 'motion control needs a reference video';
  }
  if ((operation === 'avatar' || operation === 'lip-sync') && !model.speaking) {
    return `${request.model} makes neither avatars nor lip-sync at this upstream; kling-v2-6 does`;
  }
  if (operation === 'avatar') {
    if (!request.firstFrame) return 'an avatar needs a picture';
    const speaks = request.audio !== null || request.extensions['audio_id'] !== undefined;
    if (!speaks && request.prompt === '') return 'an avatar needs a sound file or a prompt to speak';
  }
  if (operation === 'lip-sync') return missingLipSync(request);
  return null;
}

function missingLipSync(request: VideoRequest): string | null {
  const form = lipSyncFormOf(request);
  if (form === 'film' && request.referenceVideo?.media.kind !== 'url') {
    return 'this upstream looks for faces in films given by URL only';
  }
  if (form !== null) return null;
  if (request.extensions['session_id'] !== undefined) {
    return 'lip-sync with a session_id needs face_choose, the face and its sound';
  }
  if (request.referenceVideo) return 'lip-sync of a film needs a sound file (audio_url)';
  return 'lip-sync needs a picture with a prompt or a sound file, or a film with a sound file';
}

function missingControls(request: VideoRequest, model: VodModel): string | null {
  const { model: name } = request;
  if (request.resolution === '4K') return 'this upstream makes 720P and 1080P; its 4K is only enlarged';
  if (request.staticMask || request.dynamicMasks.length > 0) return 'this upstream takes no motion masks';
  if (request.cameraControl) return 'none of the models at this upstream takes camera control';
  if (request.watermark) return 'this upstream makes no watermarked copy';
  const isFilm = request.operation === 'text-to-video' || request.operation === 'image-to-video';
  if (request.sound && isFilm && !model.sound) {
    return `${name} has no sound at this upstream; kling-v2-6, kling-v3 and kling-v3-omni do`;
  }
  if (request.multiShot && !model.multiShot) {
    return `${name} makes one shot only at this upstream; kling-v3 and kling-v3-omni make several`;
  }
  if (request.voiceIds.length > 0 && !model.voices) {
    return `${name} takes no chosen voices at this upstream; kling-v3 does`;
  }
  if (request.elementIds.length > 0 && !model.elements) {
    return `${name} takes no elements at this upstream; kling-v3, kling-v3-omni and kling-video-o1 do`;
  }
  return null;
}

function missingMedia(request: VideoRequest, model: VodModel): string | null {
  const { model: name } = request;
  if (request.references.length > 0 && !model.references) {
    return `${name} takes no reference pictures at this upstream; kling-v3-omni and kling-video-o1 do`;
  }
  const isScene = request.operation === 'motion-control' || request.operation === 'lip-sync';
  if (request.referenceVideo && !isScene && !model.references) {
    return `${name} takes no reference video at this upstream; kling-v3-omni and kling-video-o1 do`;
  }
  if (request.lastFrame && !request.firstFrame)
    return 'this upstream takes an end frame only beside a first frame';
  return missingRoom(mediaOf(request));
}

/** Whether all that travels as data fits. */
export function missingRoom(media: readonly Media[]): string | null {
  const bytes = media.reduce((sum, one) => sum + bytesOf(one), 0);
  return bytes > inlineBytesMax ? inlineSentence : null;
}

function mediaOf(request: VideoRequest): Media[] {
  const { firstFrame, lastFrame, references, referenceVideo, audio } = request;
  return [firstFrame, lastFrame, ...references, referenceVideo?.media ?? null, audio].filter(
    (media) => media !== null,
  );
}

/** What travels as base64; a URL travels as it is, and a file of the caller's is weighed when it is read. */
function bytesOf(media: Media): number {
  switch (media.kind) {
    case 'stored':
      return media.bytes;
    case 'upload':
      return media.bytes.byteLength;
    case 'inline':
      return Math.floor((media.text.length * 3) / 4);
    case 'url':
    case 'file':
      return 0;
  }
}
