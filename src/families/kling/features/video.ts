/** Films from films: extending one, effects, editing what was selected (specs/kling.md §3.6, §3.7, §3.10). */
import { GatewayError } from '../../../core/errors.ts';
import { invalid, isObject, oneOf } from '../../../core/request/read.ts';
import type { Asked, FeatureDescription } from '../../../core/request/feature-field.ts';
import {
  list,
  modes,
  number,
  object,
  picture,
  pictures,
  prompt,
  required,
  resource,
  text,
  withoutModel,
  word,
} from './fields.ts';

/** §3.7: one extension adds four to five seconds. */
const extensionSeconds = 5;

const extend: FeatureDescription = {
  operation: 'video-extend',
  title: 'Extend a video',
  makes: 'video',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      video_id: resource('video', required),
      prompt: prompt(),
      negative_prompt: prompt(),
      // No default: sources made by kling-v1 must not be sent it.
      cfg_scale: number(0, 1),
    },
  },
  prompt: 'prompt',
  bill: () => ({ tier: 'kling-video-extend', quantity: extensionSeconds, seconds: extensionSeconds }),
  tiersOf: () => ['kling-video-extend'],
};

/** Two people, and what they are asked of; `null`: the scene has a model of its own. */
const duoScenes: Readonly<Record<string, readonly string[] | null>> = {
  hug: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  kiss: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  heart_gesture: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  fight: ['kling-v1-6'],
  hug_pro: null,
  kiss_pro: null,
  heart_gesture_pro: null,
  fight_pro: null,
  cheers_2026: null,
};
const duoModels = ['kling-v1', 'kling-v1-5', 'kling-v1-6'];
/** Longest name in use has 31 characters; the list grows by the month, so other names pass as scenes of one picture. */
const sceneCharactersMax = 64;

function sceneOf(asked: Asked): { scene: string; models: readonly string[] | null | undefined } {
  const scene = String(asked.parameters['effect_scene']);
  return { scene, models: Object.hasOwn(duoScenes, scene) ? duoScenes[scene] : undefined };
}

function inputOf({ parameters }: Asked): Record<string, unknown> {
  const { input } = parameters;
  return isObject(input) ? input : {};
}

const effects: FeatureDescription = {
  operation: 'effects',
  title: 'Video effects',
  makes: 'video',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      effect_scene: text(sceneCharactersMax, required),
      input: object(
        {
          image: picture(),
          images: list(2, 2, picture()),
          duration: word(['5', '10'], { default: '5' }),
          model_name: word(duoModels),
          mode: word(['std', 'pro']),
        },
        required,
      ),
    },
  },
  check(asked) {
    const { parameters } = asked;
    parameters['effect_scene'] = String(parameters['effect_scene']).toLowerCase();
    const { scene, models } = sceneOf(asked);
    const input = inputOf(asked);
    const [wanted, other] = models === undefined ? ['image', 'images'] : ['images', 'image'];
    if (!(wanted in input)) {
      throw new GatewayError(
        'missing_required_parameter',
        `input.${wanted} is required for ${scene}: ${models === undefined ? 'one picture' : 'two pictures, left and right'}.`,
        { param: `input.${wanted}` },
      );
    }
    if (other in input) throw invalid(`input.${other}`, `does not go with ${scene}: give ${wanted} alone.`);
    if (input['duration'] === '10' && !models) {
      throw invalid('input.duration', `must be 5 for ${scene}, not 10.`);
    }
    if (!models) return;
    const model = input['model_name'];
    if (model === undefined) {
      throw new GatewayError(
        'missing_required_parameter',
        `input.model_name is required for ${scene}: ${oneOf(models)}.`,
        { param: 'input.model_name' },
      );
    }
    if (!models.includes(String(model))) {
      throw invalid('input.model_name', `must be ${oneOf(models)} for ${scene}, not ${String(model)}.`);
    }
    input['mode'] ??= 'std';
  },
  bill(asked) {
    const { models } = sceneOf(asked);
    const input = inputOf(asked);
    const seconds = Number(input['duration']);
    if (models === undefined) return { tier: 'kling-effects-single', quantity: 1, seconds };
    if (models === null) return { tier: 'kling-effects-duo', quantity: 1, seconds };
    const model = String(input['model_name']).slice('kling-'.length);
    return { tier: `kling-effects-duo-${model}-${String(input['mode'])}`, quantity: seconds, seconds };
  },
  tiersOf: () => [
    'kling-effects-single',
    'kling-effects-duo',
    ...duoModels.flatMap((model) =>
      ['std', 'pro'].map((mode) => `kling-effects-duo-${model.slice('kling-'.length)}-${mode}`),
    ),
  ],
};

/** §3.6: pictures that each way of editing takes. */
const editPictures: Readonly<Record<string, readonly [min: number, max: number]>> = {
  addition: [1, 2],
  swap: [1, 1],
  removal: [0, 0],
};

const multiElements: FeatureDescription = {
  operation: 'multi-elements',
  title: 'Edit selected elements',
  makes: 'video',
  immediate: false,
  models: ['kling-v1-6'],
  parameters: {
    fields: {
      session_id: resource('session', required),
      edit_mode: word(Object.keys(editPictures), required),
      image_list: pictures('image', 1, 2),
      prompt: prompt(required),
      negative_prompt: prompt(),
      mode: modes,
      duration: word(['5', '10'], { default: '5' }),
    },
  },
  prompt: 'prompt',
  check({ parameters }) {
    const mode = String(parameters['edit_mode']);
    const [min, max] = editPictures[mode]!;
    const given = Array.isArray(parameters['image_list']) ? parameters['image_list'].length : 0;
    if (given >= min && given <= max) return;
    if (max === 0) throw invalid('image_list', `does not go with edit_mode ${mode}: leave it out.`);
    const wanted = min === max ? `${min} picture` : `${min} to ${max} pictures`;
    if (given > 0) throw invalid('image_list', `must hold ${wanted} with edit_mode ${mode}, not ${given}.`);
    throw new GatewayError(
      'missing_required_parameter',
      `image_list is required with edit_mode ${mode}: ${wanted}.`,
      { param: 'image_list' },
    );
  },
  bill({ parameters }) {
    const seconds = Number(parameters['duration']);
    return { tier: `kling-multi-elements-${String(parameters['mode'])}`, quantity: seconds, seconds };
  },
  tiersOf: () => ['kling-multi-elements-std', 'kling-multi-elements-pro'],
};

export const videoFeatures: FeatureDescription[] = [extend, effects, multiElements];
