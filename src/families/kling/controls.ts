/** Camera, masks, shots, voices, elements and the finer knobs: what a model has of them, and in which combinations. */
import { oneOf } from '../../core/request/read.ts';
import type { Quality, Shot, VideoRequest } from '../../core/request/types.ts';
import type { Frames } from './frames.ts';
import { cameraSeconds, maskSeconds, promptCharactersMax, voicesMax } from './limits.ts';
import { modelsWith } from './models.ts';
import { invalid, missing, nameOf, sourceOf, unsupported, warn, type Case } from './refuse.ts';

export interface FilmSoFar {
  frames: Frames;
  seconds: number;
  quality: Quality | null;
  sound: boolean;
}

/** The texts; too long ones are refused, and a negative prompt is dropped where the route has none. */
export function settleTexts(judged: Case): Pick<VideoRequest, 'prompt' | 'negativePrompt'> {
  const { draft, model } = judged;
  checkLength(sourceOf(judged, 'prompt', 'prompt').split(' + ')[0]!, draft.prompt);
  let negativePrompt = draft.negativePrompt === null ? null : draft.negativePrompt.trim() || null;
  if (negativePrompt !== null) {
    const source = sourceOf(judged, 'negativePrompt', 'negative_prompt');
    checkLength(source, negativePrompt);
    if (!model.takesNegativePrompt || judged.operation === 'avatar' || judged.operation === 'lip-sync') {
      warn(judged, 'negative_prompt_ignored', source, `${nameOf(judged)} has no negative prompt.`);
      negativePrompt = null;
    }
  }
  return { prompt: draft.prompt, negativePrompt };
}

function checkLength(source: string, text: string): void {
  // A character may take two units of a string, so only a long text needs the exact count.
  if (text.length <= promptCharactersMax || [...text].length <= promptCharactersMax) return;
  throw invalid(source, `${source} must have at most ${promptCharactersMax} characters.`);
}

/** Only 1.x has it; later models must not be sent it. */
export function settleCfgScale(judged: Case): number | null {
  const { draft, model } = judged;
  if (draft.cfgScale === null || model.takesCfgScale) return draft.cfgScale;
  warn(
    judged,
    'cfg_scale_ignored',
    sourceOf(judged, 'cfgScale', 'cfg_scale'),
    `${nameOf(judged)} has no cfg_scale.`,
  );
  return null;
}

/** Camera, masks and end frame exclude each other, and each has its own conditions (§3.2, §3.15; never relaxed). */
export function checkCameraAndMasks(judged: Case, { frames, seconds, quality }: FilmSoFar): void {
  const { draft, model } = judged;
  const camera = draft.cameraControl === null ? null : sourceOf(judged, 'cameraControl', 'camera_control');
  const masked = draft.staticMask !== null || draft.dynamicMasks.length > 0;
  const mask = masked
    ? sourceOf(judged, draft.staticMask ? 'staticMask' : 'dynamicMasks', 'static_mask')
    : null;
  const used = [camera, mask, frames.lastFrame?.source ?? null].filter((source) => source !== null);
  if ((camera !== null || mask !== null) && used.length > 1) {
    throw invalid(used[0]!, `${used.join(', ')}: only one of camera, masks and end frame can be used.`);
  }
  if (camera !== null) checkCamera(judged, camera, seconds, quality);
  if (mask === null) return;
  const name = nameOf(judged);
  if (model.masks === null) {
    throw unsupported(
      mask,
      `${name} takes no masks: use ${oneOf(modelsWith((candidate) => candidate.masks !== null))}.`,
    );
  }
  if (frames.firstFrame === null) throw missing('image', `${mask} needs a first frame: give image too.`);
  if (seconds !== maskSeconds)
    throw invalid(mask, `${mask} needs a film of ${maskSeconds} seconds, not ${seconds}.`);
  if (model.masks.needsPro && quality !== 'pro')
    throw invalid(mask, `${mask} needs mode pro (1080P) on ${name}.`);
}

function checkCamera(judged: Case, source: string, seconds: number, quality: Quality | null): void {
  const { draft, model, operation } = judged;
  const { camera } = model;
  const name = nameOf(judged);
  if (camera === null || camera.operation !== operation) {
    throw unsupported(
      source,
      `${name} takes no camera control for ${operation}: kling-v1 does for text-to-video, kling-v1-5 for image-to-video.`,
    );
  }
  if (quality !== camera.quality) {
    throw invalid(source, `${source} needs mode ${camera.quality} on ${name}, not ${quality}.`);
  }
  if (seconds !== cameraSeconds) {
    throw invalid(source, `${source} needs a film of ${cameraSeconds} seconds on ${name}, not ${seconds}.`);
  }
  if (camera.simpleOnly && draft.cameraControl?.type !== 'simple') {
    throw invalid(`${source}.type`, `${source}.type must be simple on ${name}.`);
  }
}

/** Several shots in one film: only the 3.0 models, and they must add up to the film (row 32). */
export function settleShots(judged: Case, seconds: number): VideoRequest['multiShot'] {
  const { draft, model } = judged;
  const shotsSource = sourceOf(judged, 'shots', 'multi_prompt');
  if (draft.multiShot !== true) {
    if (draft.shots !== null && draft.multiShot === null) {
      throw missing('multi_shot', `${shotsSource} needs multi_shot: true and shot_type: customize.`);
    }
    if (draft.shots !== null)
      warn(judged, 'multi_prompt_ignored', shotsSource, 'multi_shot is false: the shots are ignored.');
    return null;
  }
  if (model.multiShot === 'none') refuseShots(judged);
  if (draft.shotType === null)
    throw missing('shot_type', 'shot_type is required with multi_shot: customize or intelligence.');
  if (draft.shotType === 'intelligence') {
    if (model.multiShot === 'listed') refuseDivision(judged);
    if (draft.shots !== null) {
      warn(judged, 'multi_prompt_ignored', shotsSource, 'shot_type intelligence divides the prompt itself.');
    }
    return { type: 'intelligence', shots: [] };
  }
  if (draft.shots === null)
    throw missing('multi_prompt', 'multi_prompt is required with shot_type customize.');
  checkSum(draft.shots, seconds, shotsSource);
  if (draft.prompt !== '') {
    warn(
      judged,
      'prompt_ignored',
      sourceOf(judged, 'prompt', 'prompt'),
      'The shots bring their own prompts.',
    );
  }
  return { type: 'customize', shots: draft.shots };
}

function checkSum(shots: readonly Shot[], seconds: number, source: string): void {
  const total = shots.reduce((sum, shot) => sum + shot.seconds, 0);
  if (total === seconds) return;
  throw invalid(source, `${source}: the shots add up to ${total} seconds, the film has ${seconds}.`);
}

function refuseShots(judged: Case): never {
  const source = sourceOf(judged, 'multiShot', 'multi_shot');
  const able = oneOf(modelsWith((candidate) => candidate.multiShot !== 'none'));
  throw unsupported(source, `${nameOf(judged)} makes one shot only: use ${able}.`);
}

function refuseDivision(judged: Case): never {
  const able = oneOf(modelsWith((candidate) => candidate.multiShot === 'any'));
  throw unsupported(
    sourceOf(judged, 'shotType', sourceOf(judged, 'multiShot', 'multi_shot')),
    `${nameOf(judged)} takes shots as a list only: write them out, or use ${able}.`,
  );
}

/** Voices need sound; elements need pictures on 3.0; the two exclude each other there (§3.1, §3.2). */
export function checkVoicesAndElements(judged: Case, { frames, sound }: FilmSoFar): void {
  const { draft, model } = judged;
  const name = nameOf(judged);
  if (draft.voiceIds.length > 0) {
    const source = sourceOf(judged, 'voices', 'voice_list');
    if (!model.voices) {
      throw unsupported(
        source,
        `${name} takes no voices: use ${oneOf(modelsWith((candidate) => candidate.voices))}.`,
      );
    }
    if (draft.voiceIds.length > voicesMax)
      throw invalid(source, `${source} takes at most ${voicesMax} voices.`);
    if (!sound) throw invalid(source, `${source} needs sound: on.`);
  }
  if (draft.elementIds.length === 0) return;
  const source = sourceOf(judged, 'elements', 'element_list');
  if (model.elementsMax === 0) {
    const able = oneOf(modelsWith((candidate) => candidate.elementsMax > 0));
    throw unsupported(source, `${name} takes no elements: use ${able}.`);
  }
  if (draft.elementIds.length > model.elementsMax) {
    throw invalid(source, `${source} takes at most ${model.elementsMax} elements on ${name}.`);
  }
  if (model.omni) return;
  if (frames.firstFrame === null)
    throw missing('image', `${source} needs a first frame on ${name}: give image too.`);
  if (draft.voiceIds.length > 0)
    throw invalid(source, `${source} and voice_list cannot be combined on ${name}.`);
}
