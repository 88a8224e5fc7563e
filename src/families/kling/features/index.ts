/** Everything Kling sells beside films from text and pictures. */
import { GatewayError } from '../../../core/errors.ts';
import type { FeatureSpec, ModelSpec } from '../../../core/ports.ts';
import type { LooseFeature, ResolvedFeature } from '../../../core/request/feature.ts';
import type { FeatureDescription } from '../../../core/request/feature-field.ts';
import { judgeFeature } from '../../../core/request/feature-judge.ts';
import { oneOf, show } from '../../../core/request/read.ts';
import { audioFeatures } from './audio.ts';
import { featureModel } from './fields.ts';
import { imageFeatures } from './images.ts';
import { lipSyncFeatures } from './lip-sync.ts';
import { selectionFeatures } from './selection.ts';
import { textToImage } from './text-to-image.ts';
import { videoFeatures } from './video.ts';
import { voiceAndElementFeatures } from './voices-elements.ts';

export const descriptions: FeatureDescription[] = [
  ...videoFeatures,
  ...lipSyncFeatures,
  ...selectionFeatures,
  ...audioFeatures,
  textToImage,
  ...imageFeatures,
  ...voiceAndElementFeatures,
];

const byOperation = new Map(descriptions.map((description) => [description.operation, description]));

const tiersOf = ({ models, tiersOf }: FeatureDescription): string[] => [...new Set(models.flatMap(tiersOf))];

/** The same for others: what exists, not how it is judged. */
export const features: FeatureSpec[] = descriptions.map((description) => {
  const { operation, title, makes, immediate, models } = description;
  return { operation, title, makes, immediate, models, tiers: tiersOf(description) };
});

export const featureTiers: string[] = [...new Set(features.flatMap(({ tiers }) => tiers))];

/** Tiers of features that a model can resolve to. */
export function featureTiersOf(model: string): string[] {
  const sold = descriptions.filter(({ models }) => models.includes(model));
  return [...new Set(sold.flatMap((description) => description.tiersOf(model)))];
}

/** Judges a feature. Throws GatewayError naming the field and what is allowed. */
export function resolveFeature(loose: LooseFeature): ResolvedFeature {
  const description = byOperation.get(loose.operation);
  if (description === undefined) {
    throw new GatewayError('not_found', `There is no feature ${show(loose.operation)}.`);
  }
  const named = loose.model?.trim() ?? '';
  const hasChoice = !description.models.includes(featureModel);
  const model = hasChoice && named !== '' ? settleModel(description, named) : description.models[0]!;
  // Where there is no model to choose, the feature's own name says what was asked for.
  const requestedModel = named !== '' ? named : hasChoice ? model : loose.operation;
  const resolved = judgeFeature(loose, description, { family: 'kling', model, requestedModel });
  if (!hasChoice && named !== '' && named.toLowerCase() !== featureModel) {
    const message = `${loose.operation} has a model of its own: ${show(named)} changes neither result nor price.`;
    resolved.warnings.push({ code: 'model_ignored', field: 'model_name', message });
    resolved.sources['model'] = 'default';
  }
  return resolved;
}

function settleModel({ models, operation }: FeatureDescription, named: string): string {
  const model = models.find((candidate) => candidate === named.toLowerCase());
  if (model !== undefined) return model;
  throw new GatewayError(
    'invalid_value',
    `model_name must be ${oneOf(models)} for ${operation}, not ${show(named)}.`,
    { param: 'model_name' },
  );
}

const withoutFilms = {
  aliases: [],
  operations: [],
  durations: [],
  resolutions: [],
  aspectRatios: [],
  features: [],
};

/** Models that make no films. Those that do both stand in `models.ts`. */
export const featureModels: ModelSpec[] = [
  ['kling-v2', 'Kling 2.0 Image'],
  ['kling-v2-new', 'Kling 2.0 Image (new)'],
  ['kling-image-o1', 'Kling O1 Image'],
  ['kolors-virtual-try-on-v1', 'Kolors Virtual Try-On 1.0'],
  ['kolors-virtual-try-on-v1-5', 'Kolors Virtual Try-On 1.5'],
].map(([id, title]) => ({ ...withoutFilms, id: id!, title: title!, tiers: featureTiersOf(id!) }));
featureModels.push({
  ...withoutFilms,
  id: featureModel,
  title: 'Kling features without a model of their own',
  hidden: true,
  tiers: featureTiersOf(featureModel),
});
