/** Pictures from pictures (specs/kling.md §3.12). */
import { invalid } from '../../../core/request/read.ts';
import type { FeatureDescription } from '../../../core/request/feature-field.ts';
import {
  elements,
  integer,
  number,
  picture,
  pictureCount,
  pictures,
  prompt,
  required,
  withoutModel,
  word,
} from './fields.ts';
import { pictureRatios } from './text-to-image.ts';

const shortOf = (model: string): string => model.replace(/^kling-(image-)?/, '');

const multiImage: FeatureDescription = {
  operation: 'multi-image-to-image',
  title: 'Picture from several pictures',
  makes: 'image',
  immediate: false,
  models: ['kling-v2', 'kling-v2-1'],
  parameters: {
    fields: {
      prompt: prompt(),
      subject_image_list: pictures('subject_image', 1, 4, required),
      scene_image: picture(),
      style_image: picture(),
      n: pictureCount,
      aspect_ratio: word(pictureRatios, { default: '16:9' }),
    },
  },
  prompt: 'prompt',
  bill({ parameters, model }) {
    const count = Number(parameters['n']);
    return { tier: `kling-multi-image-to-image-${shortOf(model)}`, quantity: count, count };
  },
  tiersOf: (model) => [`kling-multi-image-to-image-${shortOf(model)}`],
};

const omniItemsMax = 10;
/** Ours: the reference gives a range and no default. */
const seriesDefault = 4;
const omniModel = 'kling-v3-omni';

const omni: FeatureDescription = {
  operation: 'omni-image',
  title: 'Picture from words, pictures and elements',
  makes: 'image',
  immediate: false,
  models: ['kling-image-o1', omniModel],
  parameters: (model) => ({
    fields: {
      prompt: prompt(required),
      image_list: pictures('image', 1, omniItemsMax),
      element_list: elements(omniItemsMax),
      resolution: word(model === omniModel ? ['1k', '2k', '4k'] : ['1k', '2k'], { default: '1k' }),
      n: pictureCount,
      result_type: word(['single', 'series'], { default: 'single' }),
      series_amount: integer(2, 9),
      aspect_ratio: word([...pictureRatios, 'auto'], { default: 'auto' }),
    },
  }),
  prompt: 'prompt',
  check(asked) {
    const { parameters } = asked;
    const length = (name: string): number => {
      const value = parameters[name];
      return Array.isArray(value) ? value.length : 0;
    };
    if (length('image_list') + length('element_list') > omniItemsMax) {
      throw invalid('image_list', `and element_list take at most ${omniItemsMax} together.`);
    }
    if (parameters['result_type'] === 'series') {
      if (asked.isGiven('n'))
        asked.drop('n', 'n_ignored', 'A series has series_amount pictures: n is ignored.');
      else delete parameters['n'];
      parameters['series_amount'] ??= seriesDefault;
    } else if (asked.isGiven('series_amount')) {
      asked.drop(
        'series_amount',
        'series_amount_ignored',
        'series_amount goes with result_type series only.',
      );
    }
  },
  bill({ parameters, model }) {
    const count = Number(parameters['series_amount'] ?? parameters['n']);
    const grade = parameters['resolution'] === '4k' ? '-4k' : '';
    return { tier: `kling-omni-image-${shortOf(model)}${grade}`, quantity: count, count };
  },
  tiersOf(model) {
    const tier = `kling-omni-image-${shortOf(model)}`;
    return model === omniModel ? [tier, `${tier}-4k`] : [tier];
  },
};

/** §3.12: the new picture has at most so many times the area of the old one. */
const expansionAreaMax = 3;
const ratio = number(0, 2, required);

const expand: FeatureDescription = {
  operation: 'image-expand',
  title: 'Expand a picture',
  makes: 'image',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      image: picture(required),
      up_expansion_ratio: ratio,
      down_expansion_ratio: ratio,
      left_expansion_ratio: ratio,
      right_expansion_ratio: ratio,
      prompt: prompt(),
      n: pictureCount,
    },
  },
  prompt: 'prompt',
  check({ parameters }) {
    const grown = (one: string, other: string): number =>
      1 + Number(parameters[`${one}_expansion_ratio`]) + Number(parameters[`${other}_expansion_ratio`]);
    const area = grown('up', 'down') * grown('left', 'right');
    // Decimals of the caller's do not add up exactly.
    if (area <= expansionAreaMax + 1e-9) return;
    throw invalid(
      'up_expansion_ratio',
      `and the other three make a picture of ${area.toFixed(2)} times the area: at most ${expansionAreaMax}.`,
    );
  },
  bill({ parameters }) {
    const count = Number(parameters['n']);
    return { tier: 'kling-image-expand', quantity: count, count };
  },
  tiersOf: () => ['kling-image-expand'],
};

const tryOn: FeatureDescription = {
  operation: 'virtual-try-on',
  title: 'Virtual try-on',
  makes: 'image',
  immediate: false,
  models: ['kolors-virtual-try-on-v1', 'kolors-virtual-try-on-v1-5'],
  parameters: { fields: { human_image: picture(required), cloth_image: picture(required) } },
  bill: () => ({ tier: 'kling-virtual-try-on', quantity: 1 }),
  tiersOf: () => ['kling-virtual-try-on'],
};

/** Three further views of one subject, sold as one. */
const multiShotPictures = 3;

const multiShot: FeatureDescription = {
  operation: 'ai-multi-shot',
  title: 'Further views of a subject',
  makes: 'image',
  immediate: false,
  models: withoutModel,
  parameters: { fields: { element_frontal_image: picture(required) } },
  bill: () => ({ tier: 'kling-ai-multi-shot', quantity: 1, count: multiShotPictures }),
  tiersOf: () => ['kling-ai-multi-shot'],
};

const recognize: FeatureDescription = {
  operation: 'image-recognize',
  title: 'What a picture shows',
  makes: 'image',
  immediate: true,
  models: withoutModel,
  parameters: { fields: { image: picture(required) } },
  bill: () => ({ tier: 'kling-image-recognize', quantity: 1 }),
  tiersOf: () => ['kling-image-recognize'],
};

export const imageFeatures: FeatureDescription[] = [multiImage, omni, expand, tryOn, multiShot, recognize];
