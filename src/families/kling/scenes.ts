/** Motion control, avatars and lip-sync (specs/kling.md §3.5, §3.8, §3.9, §8 rows 1, 11, 12, 21, 24, 25). */
import { unite } from '../../core/request/media.ts';
import type { Media, Resolution, VideoRequest } from '../../core/request/types.ts';
import { common } from './common.ts';
import { settleCfgScale, settleTexts } from './controls.ts';
import {
  avatarSecondsMax,
  avatarSecondsMin,
  lipSyncSecondsMax,
  motionElementsMax,
  motionSecondsMax,
  motionSecondsMin,
  secondsDefault,
} from './limits.ts';
import { qualityOf, raiseToPro, settleAspectRatio, settleResolution } from './picture.ts';
import { invalid, missing, nameOf, sourceOf, unsupported, warn, type Case } from './refuse.ts';

const sceneGrades: readonly Resolution[] = ['720P', '1080P'];

/** A person moves as the person in a film does. */
export function resolveMotion(judged: Case): VideoRequest {
  const { draft, model } = judged;
  refuseFilmFields(judged);
  if (draft.referenceVideo === null) {
    throw missing(
      'metadata.video_url',
      'metadata.video_url is required for motion control: a public https URL.',
    );
  }
  if (draft.sound === true) {
    const source = sourceOf(judged, 'sound', 'sound');
    throw unsupported(
      source,
      `Motion control makes no sound of its own; keep_original_sound keeps the video's.`,
    );
  }
  draft.sources['sound'] ??= 'default';
  const { resolution, level } = settleGradeAndLevel(judged);
  const orientation = settleOrientation(judged);
  const seconds = settleSeconds(judged, motionSecondsMin, motionSecondsMax[orientation]);
  let quality = qualityOf(judged, resolution);
  if (level === 'pro') quality = 'pro';
  // Level std at 1080P: asked for as std, made as pro.
  else if (quality === 'pro') {
    quality = raiseToPro(
      judged,
      'std',
      sourceOf(judged, 'resolution', 'resolution'),
      'motion control at 1080P',
    );
  }
  const request: VideoRequest = {
    ...common(judged),
    ...settleTexts(judged),
    seconds,
    resolution,
    quality,
    aspectRatio: settleAspectRatio(judged, resolution, draft.referenceVideo.media.source),
    firstFrame: onePicture(judged),
    referenceVideo: { ...draft.referenceVideo, role: 'feature' },
    cfgScale: settleCfgScale(judged),
    elementIds: draft.elementIds,
    motion: { level, orientation, keepOriginalSound: draft.referenceVideo.keepOriginalSound },
  };
  checkMotionElements(judged, model.elementsMax > 0);
  if (draft.loose.surface.billsOutputLength) request.billsOutputLength = true;
  return request;
}

/**
 * At Kling's own doors a level says the grade as well (std is 720P, pro is 1080P: §3.5); elsewhere it says nothing about
 * it (row 21).
 */
function settleGradeAndLevel(judged: Case): { resolution: Resolution; level: 'std' | 'pro' } {
  const { draft } = judged;
  const { sources } = draft;
  const resolution = settleResolution(judged, sceneGrades);
  const level = settleLevel(judged);
  const isOwnDoor = draft.loose.surface.operation === 'motion-control';
  if (!isOwnDoor || sources['resolution'] !== 'default' || level === 'std') return { resolution, level };
  sources['resolution'] = sources['motionLevel'] ?? 'mode';
  return { resolution: '1080P', level };
}

/** `motion_level`, then `mode` (which means the level here, not the grade), then std. */
function settleLevel(judged: Case): 'std' | 'pro' {
  const { draft } = judged;
  if (draft.motionLevel !== null) return draft.motionLevel;
  if (draft.mode === null) {
    draft.sources['motionLevel'] = 'default';
    return 'std';
  }
  const source = sourceOf(judged, 'mode', 'mode');
  if (draft.mode === '4k') throw invalid(source, `${source} must be std or pro for motion control.`);
  draft.sources['motionLevel'] = source;
  return draft.mode;
}

/** An element always follows the video (§3.5). */
function settleOrientation(judged: Case): 'image' | 'video' {
  const { draft } = judged;
  const asked = draft.characterOrientation;
  if (asked === null) draft.sources['characterOrientation'] = 'default';
  if (asked !== 'image') return 'video';
  if (draft.elementIds.length === 0) return 'image';
  const source = sourceOf(judged, 'characterOrientation', 'character_orientation');
  throw invalid(source, `${source} must be video together with an element.`);
}

function checkMotionElements(judged: Case, takesElements: boolean): void {
  const { draft } = judged;
  if (draft.elementIds.length === 0) return;
  const source = sourceOf(judged, 'elements', 'element_list');
  if (!takesElements)
    throw unsupported(source, `${nameOf(judged)} takes no elements in motion control: use kling-v3.`);
  if (draft.elementIds.length > motionElementsMax) {
    throw invalid(source, `${source} takes at most ${motionElementsMax} element in motion control.`);
  }
}

/** A picture that speaks. Without a sound file the prompt is what it says, where a channel can do that (row 12). */
export function resolveAvatar(judged: Case): VideoRequest {
  const { draft } = judged;
  refuseFilmFields(judged);
  refuseElements(judged);
  const picture = onePicture(judged);
  if (picture === null)
    throw missing('image', 'image is required for an avatar: an http(s) URL or base64 data.');
  if (draft.referenceVideo !== null) {
    throw unsupported(
      draft.referenceVideo.media.source,
      'An avatar is made from a picture and a sound, not from a film.',
    );
  }
  checkOneSound(judged);
  const resolution = settleResolution(judged, sceneGrades);
  const request: VideoRequest = {
    ...common(judged),
    ...settleTexts(judged),
    seconds: settleSeconds(judged, avatarSecondsMin, avatarSecondsMax),
    resolution,
    quality: qualityOf(judged, resolution),
    aspectRatio: settleAspectRatio(judged, resolution, picture.source),
    sound: speakingSound(judged),
    firstFrame: picture,
    cfgScale: settleCfgScale(judged),
    audio: draft.audio,
  };
  if (draft.loose.surface.billsOutputLength) request.billsOutputLength = true;
  return request;
}

/** Exactly one thing is said (§3.9); none at all is the prompt's part, where a channel can do that. */
function checkOneSound(judged: Case): void {
  const { audio, extensions } = judged.draft;
  if (audio === null || extensions['audio_id'] === undefined) return;
  const source = sourceOf(judged, 'audioId', 'audio_id');
  throw invalid(source, `${source} cannot be combined with ${audio.source}: give one of them.`);
}

/** A face in a film or a picture whose lips follow a sound. */
export function resolveLipSync(judged: Case): VideoRequest {
  const { draft } = judged;
  refuseFilmFields(judged);
  refuseElements(judged);
  const picture = onePicture(judged);
  const face = picture ?? draft.referenceVideo?.media ?? null;
  if (face === null && draft.extensions['session_id'] === undefined) {
    throw missing(
      'image',
      'image or metadata.video_url is required for lip-sync: the face that is to speak.',
    );
  }
  const resolution = settleResolution(judged, sceneGrades);
  return {
    ...common(judged),
    ...settleTexts(judged),
    seconds: settleSeconds(judged, 1, lipSyncSecondsMax),
    resolution,
    quality: qualityOf(judged, resolution),
    aspectRatio: settleAspectRatio(judged, resolution, face?.source ?? 'session_id'),
    sound: speakingSound(judged),
    firstFrame: picture,
    referenceVideo: draft.referenceVideo,
    cfgScale: settleCfgScale(judged),
    audio: draft.audio,
  };
}

function settleSeconds(judged: Case, min: number, max: number): number {
  const { draft, operation } = judged;
  if (draft.seconds === null) draft.sources['seconds'] = 'default';
  const seconds = draft.seconds ?? secondsDefault;
  if (seconds < min || seconds > max) {
    const source = sourceOf(judged, 'seconds', 'seconds');
    throw invalid(source, `${source} must be ${min} to ${max} for ${operation}, not ${seconds}.`);
  }
  return seconds;
}

/** The one picture of a scene, however it was named. */
function onePicture(judged: Case): Media | null {
  const { draft } = judged;
  return unite(
    [draft.firstFrame, ...draft.images, ...draft.unassigned, ...draft.references].filter(
      (media) => media !== null,
    ),
    `picture of ${judged.operation}`,
  );
}

/** What speaks always has sound; asking for silence changes nothing but is not passed over. */
function speakingSound(judged: Case): boolean {
  const source = judged.draft.sources['sound'];
  if (judged.draft.sound === false && source !== undefined) {
    warn(judged, 'sound_ignored', source, `${judged.operation} always has sound.`);
  }
  judged.draft.sources['sound'] = 'derived:operation';
  return true;
}

/** Fields of ordinary films that a scene has no place for. */
function refuseFilmFields(judged: Case): void {
  const { draft, operation } = judged;
  const given: [boolean, string, string][] = [
    [draft.lastFrame !== null, 'lastFrame', 'metadata.last_frame_url'],
    [draft.cameraControl !== null, 'cameraControl', 'camera_control'],
    [draft.staticMask !== null, 'staticMask', 'static_mask'],
    [draft.dynamicMasks.length > 0, 'dynamicMasks', 'dynamic_masks'],
    [draft.multiShot === true, 'multiShot', 'multi_shot'],
    [draft.voiceIds.length > 0, 'voices', 'voice_list'],
  ];
  for (const [isGiven, field, wire] of given) {
    if (!isGiven) continue;
    const source = sourceOf(judged, field, wire);
    throw unsupported(source, `${operation} has no ${source}: leave it out.`);
  }
}

function refuseElements(judged: Case): void {
  if (judged.draft.elementIds.length === 0) return;
  const source = sourceOf(judged, 'elements', 'element_list');
  throw unsupported(source, `${judged.operation} has no ${source}: leave it out.`);
}
