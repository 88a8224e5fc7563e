/**
 * Judges a create as the platform does: every field, then the capability matrix. What passes is described by
 * a plan; nothing is kept yet except picture bytes.
 */
import type { FrameSource } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import {
  choice,
  flag,
  illegal,
  list,
  number,
  object,
  optionalUrl,
  seconds,
  text,
  watermark,
} from './simulator-fields.ts';
import { covers, MODELS } from './simulator-matrix.ts';
import type { Mode, ModelRow } from './simulator-matrix.ts';
import { checkMedia } from './simulator-media.ts';
import type { Facts, KeepPicture, MediaFacts, Route } from './simulator-media.ts';
import { KLING_PATHS } from './routes.ts';
import { checkMotion } from './simulator-motion.ts';
import { checkNew, readNewPath } from './simulator-new.ts';
import type { WireObject } from './wire.ts';

export interface Plan {
  model: string;
  mode: Mode;
  seconds: number;
  shortSide: number;
  aspectRatio: '16:9' | '9:16' | '1:1' | null;
  sound: boolean;
  voice: boolean;
  /** A reference video goes in: another price. */
  video: boolean;
  /** Motion control, with a price list of its own; what sound there is comes from its reference. */
  motion?: boolean;
  keepsSound?: boolean;
  /** All text the film is about, shots included. */
  prompt: string;
  firstFrame: FrameSource | null;
  lastFrame: FrameSource | null;
  /** The first thing the platform would have to fetch; null when all came inline. */
  reference: string | null;
  watermark: boolean;
  externalTaskId: string | null;
  callbackUrl: string | null;
}

const promptMax = 2500;
const shotPromptMax = 512;
const ratios = ['16:9', '9:16', '1:1'] as const;
const modes = ['std', 'pro', '4k'] as const;

/** Throws Refusal 1200, 1201 or 1203. */
export function check(path: string, body: WireObject, keep: KeepPicture): Plan {
  if (readNewPath(path)) return checkNew(path, body, keep);
  if (path === KLING_PATHS.motionControl) return checkMotion(body, keep);
  const route = routeOf(path);
  const model = text(body, 'model_name', 100) || (route === 'omni' ? 'kling-video-o1' : defaultOf(route));
  const row = Object.hasOwn(MODELS, model) ? MODELS[model] : undefined;
  if (!row) throw new Refusal(1203, `model_name: model '${model.slice(0, 60)}' does not exist`);
  const routeModes = row[route];
  if (!routeModes) throw illegal('model_name', `${model} is not supported by ${path}`);
  const mode = modeOf(body, row, routeModes, model, route);
  const facts = { route, model, row, mode };
  const shots = checkShots(body, row, model);
  const prompt = checkPrompt(body, route, shots);
  const length = checkSeconds(body, facts, shots);
  const sound = checkSound(body, facts);
  const media = checkMedia(body, { ...facts, seconds: length, sound }, keep);
  checkCamera(body, facts, length, media);
  if (number(body, 'cfg_scale', 0, 1) !== null && !/^kling-v1(-|$)/.test(model)) {
    throw illegal('cfg_scale', `is not supported by ${model}`);
  }
  return {
    model,
    mode,
    seconds: length,
    shortSide: row.shortSides[mode] ?? 720,
    aspectRatio: checkRatio(body, route, media),
    sound,
    voice: checkVoices(body, facts, sound, media),
    video: media.video !== null,
    prompt: [prompt, ...shots.map((shot) => shot.prompt)].filter((part) => part !== '').join('\n'),
    firstFrame: media.firstFrame,
    lastFrame: media.lastFrame,
    reference: media.reference,
    watermark: watermark(body),
    externalTaskId: text(body, 'external_task_id', 256) || null,
    callbackUrl: optionalUrl(body, 'callback_url'),
  };
}

const routes: Record<string, Route> = {
  [KLING_PATHS.text2video]: 'text',
  [KLING_PATHS.image2video]: 'image',
  [KLING_PATHS.multiImage2video]: 'multiImage',
  [KLING_PATHS.omniVideo]: 'omni',
};

function routeOf(path: string): Route {
  const route = routes[path];
  if (!route) throw new Refusal(1202);
  return route;
}

function defaultOf(route: Route): string {
  return route === 'multiImage' ? 'kling-v1-6' : 'kling-v1';
}

function modeOf(body: WireObject, row: ModelRow, allowed: Mode[], model: string, route: Route): Mode {
  const asked = choice(body, 'mode', modes);
  if (row.isMaster) return 'std';
  const mode = asked ?? (route === 'omni' ? 'pro' : 'std');
  if (!allowed.includes(mode)) {
    throw illegal(
      'mode',
      `value '${mode}' is not supported by ${model}, must be one of ${allowed.join(', ')}`,
    );
  }
  return mode;
}

interface Shot {
  prompt: string;
  seconds: number;
}

/** The shots of a customized multi-shot film; empty otherwise. */
function checkShots(body: WireObject, row: ModelRow, model: string): Shot[] {
  const isMultiShot = flag(body, 'multi_shot');
  const type = choice(body, 'shot_type', ['customize', 'intelligence']);
  const entries = list(body, 'multi_prompt', 6);
  if (!isMultiShot) return [];
  if (!row.multiShot) throw illegal('multi_shot', `is not supported by ${model}`);
  if (!type) throw illegal('shot_type', 'is required when multi_shot is true');
  if (type === 'intelligence') return [];
  if (entries.length === 0) throw illegal('multi_prompt', 'is required when shot_type is customize');
  return entries.map((entry, position) => {
    const place = `multi_prompt[${position}]`;
    if (entry['index'] !== position + 1) throw illegal(`${place}.index`, `must be ${position + 1}`);
    const prompt = text(entry, 'prompt', shotPromptMax, `${place}.`);
    if (!prompt) throw illegal(`${place}.prompt`, 'must not be empty');
    const length = seconds(entry, 'duration', `${place}.`);
    if (length === null || length < 1) throw illegal(`${place}.duration`, 'must be at least 1');
    return { prompt, seconds: length };
  });
}

function checkPrompt(body: WireObject, route: Route, shots: Shot[]): string {
  const prompt = text(body, 'prompt', promptMax) ?? '';
  text(body, 'negative_prompt', promptMax);
  // image2video moves a picture without words, too.
  if (prompt === '' && shots.length === 0 && route !== 'image') throw illegal('prompt', 'must not be empty');
  return shots.length > 0 ? '' : prompt;
}

function checkSeconds(body: WireObject, { route, model, row }: Facts, shots: Shot[]): number {
  const length = seconds(body, 'duration') ?? 5;
  let allowed = row.durations;
  if (model === 'kling-video-o1' && !hasReferences(body)) allowed = [5, 10];
  if (route === 'omni' && list(body, 'video_list', 1).length > 0) {
    allowed = allowed.filter((value) => value <= 10);
  }
  if (!allowed.includes(length)) {
    throw illegal(
      'duration',
      `value '${length}' is invalid for ${model}, must be one of ${allowed.join(', ')}`,
    );
  }
  const total = shots.reduce((sum, shot) => sum + shot.seconds, 0);
  if (shots.length > 0 && total !== length) {
    throw illegal('multi_prompt', `the durations add up to ${total}, duration is ${length}`);
  }
  return length;
}

/** Text alone and frames alone are not references. */
function hasReferences(body: WireObject): boolean {
  const isReference = (entry: WireObject) => !entry['type'];
  return (
    list(body, 'image_list', 7).some(isReference) ||
    list(body, 'video_list', 1).length > 0 ||
    list(body, 'element_list', 7).length > 0
  );
}

function checkSound(body: WireObject, { model, row, mode }: Facts): boolean {
  const sound = choice(body, 'sound', ['on', 'off']) === 'on';
  if (sound && !row.sound.includes(mode)) {
    const where = row.sound.length > 0 ? `needs mode ${row.sound.join(' or ')}` : 'is not supported';
    throw illegal('sound', `${where} with ${model}`);
  }
  return sound;
}

const cameraTypes = ['simple', 'down_back', 'forward_up', 'right_turn_forward', 'left_turn_forward'] as const;
const cameraMoves = ['horizontal', 'vertical', 'pan', 'tilt', 'roll', 'zoom'];

function checkCamera(
  body: WireObject,
  { route, model, row, mode }: Facts,
  length: number,
  media: MediaFacts,
): void {
  const camera = object(body, 'camera_control');
  if (!camera) return;
  const type = choice(camera, 'type', cameraTypes, 'camera_control.');
  if (!type) throw illegal('camera_control.type', 'is required');
  const isServed = row.camera?.route === route && covers(row.camera.cells, mode, length);
  if (!isServed || (row.camera?.simpleOnly && type !== 'simple')) {
    throw illegal(
      'camera_control',
      `type ${type} is not supported by ${model} with mode ${mode} and duration ${length}`,
    );
  }
  if (media.lastFrame || media.hasMasks) {
    throw illegal('camera_control', 'cannot be combined with image_tail or masks');
  }
  const config = object(camera, 'config');
  if (type !== 'simple') {
    if (config) throw illegal('camera_control.config', 'must be empty unless type is simple');
    return;
  }
  const moves = cameraMoves.filter((move) => {
    const value = config ? number(config, move, -10, 10, 'camera_control.config.') : null;
    return value !== null && value !== 0;
  });
  if (moves.length !== 1) throw illegal('camera_control.config', 'exactly one movement must be other than 0');
}

function checkVoices(
  body: WireObject,
  { model, row, mode }: Facts,
  sound: boolean,
  media: MediaFacts,
): boolean {
  const voices = list(body, 'voice_list', 2);
  if (voices.length === 0) return false;
  if (!row.voices.includes(mode))
    throw illegal('voice_list', `is not supported by ${model} with mode ${mode}`);
  if (!sound) throw illegal('voice_list', 'needs sound on');
  if (media.hasElements) throw illegal('voice_list', 'cannot be combined with element_list');
  voices.forEach((entry, index) => {
    const id = entry['voice_id'];
    const isId = (typeof id === 'string' && id !== '') || typeof id === 'number' || typeof id === 'bigint';
    if (!isId) throw illegal(`voice_list[${index}].voice_id`, 'must not be empty');
  });
  return true;
}

/** Null: the film follows its picture. */
function checkRatio(body: WireObject, route: Route, media: MediaFacts): Plan['aspectRatio'] {
  // The field does not exist there; a stray one is ignored as any unknown field is.
  if (route === 'image') return null;
  const ratio = choice(body, 'aspect_ratio', ratios);
  if (route !== 'omni') return ratio ?? '16:9';
  if (media.firstFrame) return null;
  if (media.video === 'base') return ratio ?? '16:9';
  if (!ratio) throw illegal('aspect_ratio', 'is required without a first frame and a base video');
  return ratio;
}
