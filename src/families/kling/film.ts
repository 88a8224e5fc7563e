/** Text to video and image to video. */
import { oneOf } from '../../core/request/read.ts';
import { secondsInWords } from '../../core/request/seconds.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { common } from './common.ts';
import {
  checkCameraAndMasks,
  checkVoicesAndElements,
  settleCfgScale,
  settleShots,
  settleTexts,
} from './controls.ts';
import { arrangeFrames, type Frames } from './frames.ts';
import { secondsDefault } from './limits.ts';
import { modelsWith } from './models.ts';
import { qualityOf, raiseToPro, settleAspectRatio, settleResolution } from './picture.ts';
import { invalid, missing, nameOf, sourceOf, unsupported, warn, type Case } from './refuse.ts';

/** Fields of scenes that speak; an ordinary film has no place for them. */
const speechFields = ['soundFile', 'audioId', 'sessionId', 'faceChoose'];

/** Judges a film. Throws GatewayError for what lies outside the capability matrix. */
export function resolveFilm(judged: Case): VideoRequest {
  const { draft, model } = judged;
  noteSpeechFields(judged);
  const frames = arrangeFrames(judged);
  const resolution = settleResolution(judged, model.resolutions);
  const seconds = settleSeconds(judged, frames);
  const sound = settleSound(judged, frames);
  const texts = settleTexts(judged);
  const multiShot = settleShots(judged, seconds);
  let quality = qualityOf(judged, resolution);
  checkCameraAndMasks(judged, { frames, seconds, quality, sound });
  checkVoicesAndElements(judged, { frames, seconds, quality, sound });
  checkPrompt(judged, frames, multiShot);
  if (sound && model.sound === 'pro')
    quality = raiseToPro(judged, quality, sourceOf(judged, 'sound', 'sound'), 'sound');
  if (frames.lastFrame !== null && model.endFrame?.needsPro) {
    quality = raiseToPro(judged, quality, frames.lastFrame.source, 'an end frame');
  }
  const request: VideoRequest = {
    ...common(judged),
    extensions: {},
    ...texts,
    ...frames,
    seconds,
    resolution,
    quality,
    aspectRatio: settleAspectRatio(judged, resolution, shapeGiver(frames)),
    sound,
    cfgScale: settleCfgScale(judged),
    cameraControl: draft.cameraControl,
    staticMask: draft.staticMask,
    dynamicMasks: draft.dynamicMasks,
    multiShot,
    voiceIds: draft.voiceIds,
    elementIds: draft.elementIds,
  };
  // An edited film keeps its own length (§3.4).
  if (draft.loose.surface.billsOutputLength && frames.referenceVideo?.role === 'base')
    request.billsOutputLength = true;
  return request;
}

function noteSpeechFields(judged: Case): void {
  const { sources } = judged.draft;
  for (const field of speechFields) {
    const source = sources[field];
    if (source === undefined) continue;
    delete sources[field];
    warn(
      judged,
      'audio_ignored',
      source,
      `${source} only serves avatars and lip-sync: set metadata.scene_type.`,
    );
  }
}

/** Whose shape the film takes: a frame's, or that of the film to be edited. */
function shapeGiver({ firstFrame, lastFrame, referenceVideo }: Frames): string | null {
  if (referenceVideo?.role === 'base') return referenceVideo.media.source;
  return (firstFrame ?? lastFrame)?.source ?? null;
}

function settleSeconds(judged: Case, frames: Frames): number {
  const { draft, model } = judged;
  if (draft.seconds === null) draft.sources['seconds'] = 'default';
  const seconds = draft.seconds ?? secondsDefault;
  const bare =
    frames.references.length === 0 && frames.referenceVideo === null && draft.elementIds.length === 0;
  const limited = bare ? model.framesOnlyDurations : null;
  let allowed: readonly number[] = limited ?? model.durations;
  let when = limited === null ? '' : ' with text or frames only';
  const besideVideo = frames.referenceVideo === null ? null : model.referenceVideoSecondsMax;
  if (besideVideo !== null) {
    allowed = allowed.filter((each) => each <= besideVideo);
    when = ' beside a reference video';
  }
  const endFrameDurations = frames.lastFrame === null ? null : (model.endFrame?.durations ?? null);
  if (endFrameDurations !== null) {
    allowed = allowed.filter((each) => endFrameDurations.includes(each));
    when = ' with an end frame';
  }
  if (!allowed.includes(seconds)) {
    const source = sourceOf(judged, 'seconds', 'seconds');
    throw invalid(
      source,
      `${source} must be ${secondsInWords(allowed)} for ${nameOf(judged)}${when}, not ${seconds}.`,
    );
  }
  return seconds;
}

/** Asking for sound where there is none is refused, never overheard (row 10). */
function settleSound(judged: Case, frames: Frames): boolean {
  const { draft, model } = judged;
  if (draft.sound === null) draft.sources['sound'] = 'default';
  if (model.sound === 'always') return alwaysHeard(judged);
  if (draft.sound !== true) return false;
  const source = sourceOf(judged, 'sound', 'sound');
  if (model.sound === 'none') {
    const able = oneOf(modelsWith((candidate) => candidate.sound !== 'none'));
    throw unsupported(source, `${nameOf(judged)} makes no sound: leave ${source} out, or use ${able}.`);
  }
  if (frames.referenceVideo !== null) {
    throw invalid(
      source,
      `${source} must be off beside a reference video; keep_original_sound keeps the video's own.`,
    );
  }
  return true;
}

function alwaysHeard(judged: Case): boolean {
  const { draft } = judged;
  if (draft.sound === false) {
    warn(judged, 'sound_ignored', sourceOf(judged, 'sound', 'sound'), `${nameOf(judged)} always has sound.`);
  }
  if (draft.sound !== true) draft.sources['sound'] = 'derived:model';
  return true;
}

/** No prompt and no picture is nothing to go by (row 36); several pictures and omni always want one (§3.3, §3.4). */
function checkPrompt(judged: Case, frames: Frames, multiShot: VideoRequest['multiShot']): void {
  if (judged.draft.prompt !== '' || multiShot?.type === 'customize') return;
  if (judged.operation === 'text-to-video') throw missing('prompt', 'prompt is required without a picture.');
  if (judged.model.omni || frames.references.length > 0) {
    throw missing(
      'prompt',
      `prompt is required for ${nameOf(judged)}${judged.model.omni ? '' : ' with several pictures'}.`,
    );
  }
}
