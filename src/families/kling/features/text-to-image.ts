/** Pictures from words and a picture: what each image model takes (specs/kling.md §3.12 and the capability map). */
import { GatewayError } from '../../../core/errors.ts';
import type { FeatureDescription, Fields } from '../../../core/request/feature-field.ts';
import { elements, number, picture, pictureCount, prompt, required, word } from './fields.ts';

export const pictureRatios = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9'];

interface ImageModel {
  /** What a picture beside the words is for; null: takes none. */
  image: 'general' | 'reference' | 'restyle' | null;
  /** A picture is all it works from. */
  needsImage: boolean;
  resolutions: readonly string[];
  ratios: readonly string[];
  elementsMax: number;
  /** Dearer with a picture. */
  hasImageTier: boolean;
}

const plain: ImageModel = {
  image: null,
  needsImage: false,
  resolutions: ['1k', '2k'],
  ratios: pictureRatios,
  elementsMax: 0,
  hasImageTier: false,
};

const imageModels: Readonly<Record<string, ImageModel>> = {
  'kling-v1': {
    ...plain,
    image: 'general',
    resolutions: ['1k'],
    ratios: pictureRatios.filter((ratio) => ratio !== '21:9'),
  },
  'kling-v1-5': { ...plain, image: 'reference', resolutions: ['1k'], hasImageTier: true },
  'kling-v2': { ...plain, image: 'restyle', hasImageTier: true },
  'kling-v2-new': { ...plain, image: 'restyle', needsImage: true },
  'kling-v2-1': plain,
  // The page of 3.0 names elements; how many is not said: as many as omni-image takes.
  'kling-v3': { ...plain, image: 'general', elementsMax: 10 },
};

const modelsWith = (has: (model: ImageModel) => boolean): string =>
  Object.entries(imageModels)
    .flatMap(([id, model]) => (has(model) ? [id] : []))
    .join(', ');

function imageModel(id: string): ImageModel {
  const model = imageModels[id];
  if (model === undefined) throw new Error(`${id} makes no pictures from text`);
  return model;
}

function fieldsOf(id: string): Fields {
  const model = imageModel(id);
  const isReference = model.image === 'reference';
  return {
    prompt: prompt(required),
    negative_prompt: prompt(),
    image:
      model.image === null
        ? { kind: 'unavailable', instead: `${modelsWith(({ image }) => image !== null)} take a picture.` }
        : picture({ required: model.needsImage }),
    image_reference: isReference
      ? word(['subject', 'face'])
      : { kind: 'unavailable', instead: `${modelsWith(({ image }) => image === 'reference')} takes it.` },
    image_fidelity: number(0, 1),
    human_fidelity: number(0, 1),
    element_list:
      model.elementsMax > 0
        ? elements(model.elementsMax)
        : {
            kind: 'unavailable',
            instead: `${modelsWith(({ elementsMax }) => elementsMax > 0)} takes elements.`,
          },
    resolution: word(model.resolutions, { default: '1k' }),
    n: pictureCount,
    aspect_ratio: word(model.ratios, { default: '16:9' }),
  };
}

const fidelityDefault = 0.5;
const humanFidelityDefault = 0.45;
const tierFor = (model: string): string => `kling-text-to-image-${model.slice('kling-'.length)}`;

export const textToImage: FeatureDescription = {
  operation: 'text-to-image',
  title: 'Pictures from text',
  makes: 'image',
  immediate: false,
  models: Object.keys(imageModels),
  parameters: (model) => ({ fields: fieldsOf(model) }),
  prompt: 'prompt',
  check(asked) {
    const { parameters, model } = asked;
    const { image } = imageModel(model);
    if (!('image' in parameters)) {
      for (const name of ['image_reference', 'image_fidelity', 'human_fidelity']) {
        if (asked.isGiven(name))
          asked.drop(name, `${name}_ignored`, `${name} is for a picture, and there is none.`);
      }
      return;
    }
    if (asked.isGiven('negative_prompt')) {
      asked.drop(
        'negative_prompt',
        'negative_prompt_ignored',
        'There is no negative prompt beside a picture.',
      );
    }
    if (image === 'reference' && !('image_reference' in parameters)) {
      throw new GatewayError(
        'missing_required_parameter',
        'image_reference is required with image on kling-v1-5: subject or face.',
        { param: 'image_reference' },
      );
    }
    if (image === 'restyle') dropSize(asked);
    parameters['image_fidelity'] ??= fidelityDefault;
    if (parameters['image_reference'] === 'subject') parameters['human_fidelity'] ??= humanFidelityDefault;
    else if (asked.isGiven('human_fidelity')) {
      asked.drop(
        'human_fidelity',
        'human_fidelity_ignored',
        'human_fidelity goes with image_reference subject only.',
      );
    }
  },
  bill({ parameters, model }) {
    const count = Number(parameters['n']);
    const withImage = imageModel(model).hasImageTier && 'image' in parameters;
    return { tier: withImage ? `${tierFor(model)}-i2i` : tierFor(model), quantity: count, count };
  },
  tiersOf: (model) =>
    imageModel(model).hasImageTier ? [tierFor(model), `${tierFor(model)}-i2i`] : [tierFor(model)],
};

/** A restyled picture keeps its size. */
function dropSize(asked: Parameters<NonNullable<FeatureDescription['check']>>[0]): void {
  for (const name of ['aspect_ratio', 'resolution']) {
    const message = 'A restyled picture keeps the size of the one it is made from.';
    if (asked.isGiven(name)) asked.drop(name, `${name}_ignored`, message);
    else delete asked.parameters[name];
  }
}
