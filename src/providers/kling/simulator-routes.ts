/** Which legacy path makes what in the simulator. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { check } from './simulator-check.ts';
import type { Plan } from './simulator-check.ts';
import { checkElement } from './simulator-elements.ts';
import {
  checkAdvancedLipSync,
  checkAvatar,
  checkClassicLipSync,
  checkEffects,
  checkExtend,
  checkMultiElements,
} from './simulator-films.ts';
import {
  checkExpand,
  checkGenerations,
  checkMultiImage,
  checkMultiShot,
  checkOmniImage,
  checkRecognize,
  checkTryOn,
  renderRecognized,
} from './simulator-images.ts';
import { formatUnits, milliUnitsOf } from './simulator-matrix.ts';
import { filmOf, filmWorkMs, overrunSeconds } from './simulator-plan.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import {
  changeSelection,
  checkPreview,
  clearSelection,
  initSelection,
  renderPreview,
} from './simulator-selection.ts';
import { checkIdentify, renderFaces } from './simulator-sessions.ts';
import { checkSpeech, checkTextToAudio, checkVideoToAudio, checkVoice } from './simulator-sounds.ts';
import { KLING_PATHS } from './routes.ts';
import type { WireObject } from './wire.ts';

type Check = (body: WireObject, judge: Judge) => TaskPlan;

/** A create: a task that is polled, or (`speech`) one whose first answer is its last. */
export const CREATES: Record<string, Check> = {
  ...Object.fromEntries(
    [
      KLING_PATHS.text2video,
      KLING_PATHS.image2video,
      KLING_PATHS.multiImage2video,
      KLING_PATHS.omniVideo,
      KLING_PATHS.motionControl,
    ].map((path): [string, Check] => [
      path,
      (body, judge) => filmPlan(check(path, body, judge.keep), path.split('/').at(-1)!),
    ]),
  ),
  [KLING_PATHS.avatar]: checkAvatar,
  [KLING_PATHS.advancedLipSync]: checkAdvancedLipSync,
  '/v1/videos/lip-sync': checkClassicLipSync,
  '/v1/videos/video-extend': checkExtend,
  '/v1/videos/effects': checkEffects,
  '/v1/videos/multi-elements': checkMultiElements,
  '/v1/audio/text-to-audio': checkTextToAudio,
  '/v1/audio/video-to-audio': checkVideoToAudio,
  '/v1/audio/tts': checkSpeech,
  '/v1/images/generations': checkGenerations,
  '/v1/images/multi-image2image': checkMultiImage,
  '/v1/images/omni-image': checkOmniImage,
  '/v1/images/editing/expand': checkExpand,
  '/v1/images/kolors-virtual-try-on': checkTryOn,
  '/v1/general/ai-multi-shot': checkMultiShot,
  '/v1/general/custom-voices': checkVoice,
  '/v1/general/advanced-custom-elements': checkElement,
};

/** A step that is answered at once and leaves only files. */
export const STEPS: Record<
  string,
  {
    check: Check;
    render(task: SimulatedTask, host: SimulatorHost, origin: string, judge: Judge): Json;
  }
> = {
  '/v1/videos/identify-face': { check: checkIdentify, render: renderFaces },
  '/v1/videos/image-recognize': { check: checkRecognize, render: renderRecognized },
  '/v1/videos/multi-elements/preview-selection': { check: checkPreview, render: renderPreview },
};

/** A step that leaves nothing but what its session remembers. */
export const ANSWERS: Record<string, (body: WireObject, judge: Judge) => Json> = {
  '/v1/videos/multi-elements/init-selection': initSelection,
  '/v1/videos/multi-elements/add-selection': (body, judge) => changeSelection('add', body, judge),
  '/v1/videos/multi-elements/delete-selection': (body, judge) => changeSelection('delete', body, judge),
  '/v1/videos/multi-elements/clear-selection': clearSelection,
};

/** Names of before, still answered. */
const aliases: Record<string, string> = {
  '/v1/general/custom-elements': '/v1/general/advanced-custom-elements',
  '/v1/general/presets-elements': '/v1/general/advanced-presets-elements',
  '/v1/general/delete-advanced-elements': '/v1/general/delete-elements',
};

/** The documentation prints one path with a capital, and some with a slash at the end. */
export function settlePath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed.toLowerCase() === '/v1/videos/identify-face') return trimmed.toLowerCase();
  for (const [old, current] of Object.entries(aliases)) {
    if (trimmed === old || trimmed.startsWith(`${old}/`)) return current + trimmed.slice(old.length);
  }
  return trimmed;
}

/** A film from text and pictures, in either standard. */
export function filmPlan(plan: Plan, feature: string): TaskPlan {
  const { model, mode, seconds, shortSide, aspectRatio, sound, prompt, firstFrame, lastFrame, watermark } =
    plan;
  return {
    pack: 'video',
    slots: 1,
    workMs: filmWorkMs(seconds),
    prompt,
    reference: plan.reference,
    film: filmOf({
      shortSide,
      aspectRatio,
      seconds: seconds + overrunSeconds,
      sound: plan.keepsSound ?? sound,
      prompt,
      title: `${model} · ${feature}`,
      firstFrame,
      lastFrame,
      watermark,
    }),
    files: [],
    details: {
      watermark,
      units: formatUnits(milliUnitsOf(plan)),
      seconds: (seconds + overrunSeconds).toFixed(2),
      result: { kind: 'video' },
      model,
      mode,
      sound,
    },
    externalTaskId: plan.externalTaskId,
    callbackUrl: plan.callbackUrl,
  };
}
