/** Motion control: a person moves as the person in a film does. */
import type { Plan } from './simulator-check.ts';
import { Refusal } from './simulator-errors.ts';
import {
  choice,
  illegal,
  list,
  optionalUrl,
  picture,
  requireChoice,
  requireLong,
  text,
  url,
  watermark,
} from './simulator-fields.ts';
import type { KeepPicture } from './simulator-media.ts';
import type { WireObject } from './wire.ts';

const models = ['kling-v2-6', 'kling-v3'] as const;
const promptMax = 2500;
/** The film is as long as its reference, which is not fetched while the create is answered. */
const unknownSeconds = 5;

/** Throws Refusal 1201 or 1203. */
export function checkMotion(body: WireObject, keep: KeepPicture): Plan {
  const name = text(body, 'model_name', 100) || models[0];
  const model = models.find((one) => one === name);
  if (!model) throw new Refusal(1203, `model_name: model '${name.slice(0, 60)}' does not exist`);
  const prompt = text(body, 'prompt', promptMax) ?? '';
  const person = picture(body['image_url'], 'image_url', keep);
  const film = url(body['video_url'], 'video_url');
  const keepsSound = choice(body, 'keep_original_sound', ['yes', 'no']) !== 'no';
  const orientation = requireChoice(body, 'character_orientation', ['image', 'video']);
  const mode = requireChoice(body, 'mode', ['std', 'pro']);
  const elements = list(body, 'element_list', 1);
  elements.forEach((entry, index) => requireLong(entry, 'element_id', `element_list[${index}]`));
  if (elements.length > 0 && model !== 'kling-v3') {
    throw illegal('element_list', `is not supported by ${model}`);
  }
  if (elements.length > 0 && orientation !== 'video') {
    throw illegal('character_orientation', 'must be video with element_list');
  }
  return {
    model,
    mode,
    seconds: unknownSeconds,
    shortSide: mode === 'pro' ? 1080 : 720,
    aspectRatio: null,
    sound: false,
    keepsSound,
    motion: true,
    voice: false,
    video: false,
    prompt,
    firstFrame: person,
    lastFrame: null,
    reference: film,
    watermark: watermark(body),
    externalTaskId: text(body, 'external_task_id', 256) || null,
    callbackUrl: optionalUrl(body, 'callback_url'),
  };
}
