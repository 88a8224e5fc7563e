/** Choosing what is to be edited: steps that answer at once (specs/kling.md §3.6). */
import type { FeatureDescription, Fields } from '../../../core/request/feature-field.ts';
import {
  filmSource,
  filmSourceOne,
  integer,
  list,
  number,
  object,
  required,
  resource,
  withoutModel,
} from './fields.ts';

/** §3.6: films of at most ten seconds at 60 frames each. */
const frameIndexMax = 599;
const pointsMax = 10;
const share = number(0, 1, required);
const session = { session_id: resource('session', required) };
const points: Fields = {
  ...session,
  frame_index: integer(0, frameIndexMax, required),
  points: list(1, pointsMax, object({ x: share, y: share }), required),
};
const tier = 'kling-multi-elements-selection';

const step = (
  operation: string,
  title: string,
  parameters: Exclude<FeatureDescription['parameters'], () => unknown>,
): FeatureDescription => ({
  operation,
  title,
  makes: 'data',
  immediate: true,
  models: withoutModel,
  parameters,
  bill: () => ({ tier, quantity: 1 }),
  tiersOf: () => [tier],
});

export const selectionFeatures: FeatureDescription[] = [
  step('multi-elements-init', 'Begin a selection', { fields: filmSource, exactlyOne: [filmSourceOne] }),
  step('multi-elements-add-selection', 'Add to a selection', { fields: points }),
  step('multi-elements-delete-selection', 'Take from a selection', { fields: points }),
  step('multi-elements-clear-selection', 'Clear a selection', { fields: session }),
  step('multi-elements-preview-selection', 'Preview a selection', { fields: session }),
];
