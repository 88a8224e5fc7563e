/** Scenes with a film or a sound of the caller's: motion control, avatar, lip-sync (legacy routes). */
import type { Channel, Json } from '../../core/ports.ts';
import type { Media, Quality, VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { soundSeconds } from '../kit/sound-length.ts';
import { elementId } from './element-id.ts';
import { mediaText } from './media.ts';
import { KLING_PATHS } from './routes.ts';
import type { KlingPath } from './routes.ts';
import type { WireObject } from './wire.ts';

/** Somebody in a film, as identify-face found them; times in ms. */
export interface Face {
  sessionId: string;
  faceId: string;
  startMs: number;
  endMs: number;
}

const motionModels = new Set(['kling-v2-6', 'kling-v3']);

/** The upstream's switch for a grade. */
export function modeOf(resolution: VideoRequest['resolution']): Quality {
  if (resolution === '4K') return '4k';
  return resolution === '1080P' ? 'pro' : 'std';
}

/** A picture that speaks is an avatar, whatever the scene was called. */
export function speaksFromPicture(request: VideoRequest): boolean {
  if (request.operation === 'avatar') return true;
  return request.operation === 'lip-sync' && !request.referenceVideo && !hasSession(request);
}

/** Whether a lip-sync first has to find a face in its film. */
export function needsFace(request: VideoRequest): boolean {
  return request.operation === 'lip-sync' && !speaksFromPicture(request) && !hasSession(request);
}

/** A session and a chosen face that came as native fields: nothing is left to be found. */
function hasSession({ extensions }: VideoRequest): boolean {
  return typeof extensions['session_id'] === 'string' && Array.isArray(extensions['face_choose']);
}

/** Why a scene cannot be made; null when it can; undefined when the request is no scene. */
export function missingForScene(request: VideoRequest): string | null | undefined {
  if (request.operation === 'motion-control') return missingForMotion(request);
  if (speaksFromPicture(request)) return missingForAvatar(request);
  if (request.operation === 'lip-sync') return missingForLipSync(request);
  return undefined;
}

function missingForMotion(request: VideoRequest): string | null {
  if (!motionModels.has(request.model)) {
    return `${request.model} has no motion control at this upstream; kling-v2-6 and kling-v3 have`;
  }
  if (!request.firstFrame) return 'motion control needs a picture of the person at this upstream';
  if (!request.referenceVideo) return 'motion control needs a film to take the motion from';
  return byUrl(request.referenceVideo.media);
}

function missingForAvatar(request: VideoRequest): string | null {
  const scene = request.operation;
  if (!request.firstFrame) {
    return scene === 'avatar'
      ? 'avatar needs a picture of the speaker at this upstream'
      : 'lip-sync needs a film, or a picture of the speaker, at this upstream';
  }
  return hasSound(request) ? null : `${scene} needs a sound at this upstream: a sound file is missing`;
}

function missingForLipSync(request: VideoRequest): string | null {
  if (hasSession(request)) return null;
  if (!hasSound(request)) return 'lip-sync needs a sound at this upstream: a sound file is missing';
  return request.referenceVideo ? byUrl(request.referenceVideo.media) : null;
}

function byUrl(media: Media): string | null {
  return media.kind === 'url' ? null : 'the upstream takes a reference video by URL only';
}

function hasSound(request: VideoRequest): boolean {
  return request.audio !== null || typeof request.extensions['audio_id'] === 'string';
}

/** The body of a scene without its envelope; null when the path is none of a scene. */
export async function sceneFields(
  request: VideoRequest,
  path: KlingPath,
  channel: Channel,
  face: Face | null,
): Promise<WireObject | null> {
  if (path === KLING_PATHS.motionControl) return motionFields(request, channel);
  if (path === KLING_PATHS.avatar) return avatarFields(request, channel);
  if (path === KLING_PATHS.advancedLipSync) return lipSyncFields(request, channel, face);
  return null;
}

async function motionFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const { firstFrame, referenceVideo, motion, elementIds } = request;
  const keepsSound = motion?.keepOriginalSound ?? referenceVideo?.keepOriginalSound ?? true;
  return {
    model_name: request.model,
    ...promptField(request),
    ...(firstFrame ? { image_url: await mediaText(firstFrame, channel) } : {}),
    ...(referenceVideo ? { video_url: await mediaText(referenceVideo.media, channel) } : {}),
    keep_original_sound: keepsSound ? 'yes' : 'no',
    // An element is only followed by its video orientation.
    character_orientation: elementIds.length > 0 ? 'video' : (motion?.orientation ?? 'video'),
    mode: motionMode(request),
    ...(elementIds.length > 0
      ? { element_list: elementIds.map((id) => ({ element_id: elementId(id) })) }
      : {}),
    ...watermarkField(request),
  };
}

/** Either the level or the grade may ask for more than std; there is one switch for both. */
function motionMode(request: VideoRequest): Json {
  if (request.quality) return request.quality;
  return request.motion?.level === 'pro' || request.resolution !== '720P' ? 'pro' : 'std';
}

async function avatarFields(request: VideoRequest, channel: Channel): Promise<WireObject> {
  const { audio, firstFrame, extensions } = request;
  return {
    ...(firstFrame ? { image: await mediaText(firstFrame, channel) } : {}),
    // Exactly one of the two (official documentation): a sound of the caller's counts before a stored one.
    ...(audio
      ? { sound_file: await mediaText(audio, channel) }
      : { audio_id: extensions['audio_id'] ?? null }),
    ...promptField(request),
    mode: request.quality === 'pro' || request.resolution !== '720P' ? 'pro' : 'std',
    ...watermarkField(request),
  };
}

/** The least of a sound that may be kept (official documentation). */
const keptMsMin = 2000;

/** Without a face the caller's own session and choice stand in the native fields already. */
async function lipSyncFields(
  request: VideoRequest,
  channel: Channel,
  face: Face | null,
): Promise<WireObject> {
  if (!face) return watermarkField(request);
  const { audio, extensions } = request;
  // The asked seconds are what is charged, so no more of the sound is used; nor more than there is of face or sound.
  const soundMs = await knownLengthMs(audio, channel);
  const askedMs = Math.max(keptMsMin, request.seconds * 1000);
  const lengthMs = Math.min(askedMs, face.endMs - face.startMs, soundMs ?? Infinity);
  return {
    session_id: face.sessionId,
    face_choose: [
      {
        face_id: face.faceId,
        ...(audio
          ? { sound_file: await mediaText(audio, channel) }
          : { audio_id: extensions['audio_id'] ?? null }),
        sound_start_time: 0,
        sound_end_time: Math.floor(lengthMs),
        sound_insert_time: face.startMs,
        sound_volume: 1,
        original_audio_volume: 1,
      },
    ],
    ...watermarkField(request),
  };
}

/** Milliseconds; null for a sound we do not have, or cannot read. */
async function knownLengthMs(audio: Media | null, channel: Channel): Promise<number | null> {
  if (!audio || audio.kind === 'url') return null;
  const seconds = soundSeconds(Buffer.from(await mediaText(audio, channel), 'base64'));
  return seconds === null ? null : seconds * 1000;
}

function promptField({ prompt }: VideoRequest): WireObject {
  return prompt === '' ? {} : { prompt };
}

function watermarkField({ watermark }: VideoRequest): WireObject {
  return watermark ? { watermark_info: { enabled: true } } : {};
}

/** The first face of an answer to identify-face. Throws UpstreamError `rejected` where there is none. */
export function firstFace(session: { sessionId: string | null; faces: WireObject[] }): Face {
  const face = session.faces.find(({ face_id: id }) => id !== undefined && id !== null);
  if (session.sessionId === null || !face) {
    throw new UpstreamError('rejected', 'The upstream found no face in the film.');
  }
  return {
    sessionId: session.sessionId,
    faceId: String(face['face_id']),
    startMs: Number(face['start_time'] ?? 0),
    endMs: Number(face['end_time'] ?? 0),
  };
}
