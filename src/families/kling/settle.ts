/** From a requested name to the model that does the work. */
import type { VideoDraft } from '../../core/ports.ts';
import type { VideoOperation } from '../../core/request/types.ts';
import { oneOf } from '../../core/request/read.ts';
import { aliasOf, speakingModel, spelled, type KlingAlias } from './aliases.ts';
import { modelOf, modelsWith, type KlingModel } from './models.ts';
import { invalid, missing, nameOf, sourceOf, warn, type Case } from './refuse.ts';

/** What is wanted and who makes it. Refuses a model that cannot, naming those that can. */
export function settle(draft: VideoDraft): Case {
  const alias = aliasOf(draft.requestedModel);
  const operation = operationOf(draft, alias);
  const speaks = operation === 'avatar' || operation === 'lip-sync';
  const model = speaks ? modelOf(speakingModel) : modelFor(draft, alias, operation);
  const judged: Case = { draft, model, alias, operation, warnings: [] };
  if (speaks) noteIgnoredModel(judged);
  if (!model.operations.includes(operation)) refuseOperation(judged);
  return judged;
}

function modelFor(draft: VideoDraft, alias: KlingAlias | null, operation: VideoOperation): KlingModel {
  if (alias === null) return modelOf(spelled(draft.requestedModel));
  return modelOf(alias.settle({ operation, sound: draft.sound === true }));
}

/** Seed 003 §3.1: any picture or film makes it image-to-video; a scene, or a name that means one, goes first. */
function operationOf(draft: VideoDraft, alias: KlingAlias | null): VideoOperation {
  const { sources, loose } = draft;
  if (alias?.operation && draft.scene !== null && draft.scene !== alias.operation) {
    throw invalid(
      sources['scene'] ?? 'metadata.scene_type',
      `${alias.id} only does ${alias.operation}: leave scene_type out.`,
    );
  }
  const named = draft.scene ?? alias?.operation ?? null;
  if (named !== null) {
    sources['operation'] = draft.scene === null ? 'derived:model' : (sources['scene'] ?? 'derived:scene');
    return named;
  }
  const door = loose.surface.operation;
  if (door !== null && door !== 'text-to-video' && door !== 'image-to-video') {
    sources['operation'] = 'derived:path';
    return door;
  }
  const picture = [
    draft.firstFrame,
    ...draft.images,
    ...draft.references,
    ...draft.unassigned,
    draft.lastFrame,
    draft.referenceVideo?.media,
  ].find((media) => media);
  if (picture) {
    sources['operation'] = `derived:${picture.source}`;
    return 'image-to-video';
  }
  if (door === 'image-to-video')
    throw missing('image', 'image is required here: an http(s) URL or base64 data.');
  sources['operation'] = 'derived:text_only';
  return 'text-to-video';
}

/** Avatars and lip-sync are made by models of their own, so any other name says nothing (row 11). */
function noteIgnoredModel(judged: Case): void {
  const { alias, draft, model, operation } = judged;
  // Its own name, or that of the model that does it, is no other.
  const named = alias === null ? spelled(draft.requestedModel) : alias.models[0];
  if (alias?.operation === operation || named === model.id) return;
  const field = sourceOf(judged, 'model', 'model');
  const name = nameOf(judged);
  warn(
    judged,
    'model_ignored',
    field,
    `${operation} has a model of its own: ${name} changes neither result nor price.`,
  );
}

function refuseOperation(judged: Case): never {
  const { draft, operation } = judged;
  const able = oneOf(modelsWith((model) => model.operations.includes(operation)));
  const name = nameOf(judged);
  if (operation === 'motion-control') {
    throw invalid(
      sourceOf(judged, 'scene', 'metadata.scene_type'),
      `${name} has no motion control: use kling-2.5, kling-3.0, ${able}.`,
    );
  }
  if (operation === 'text-to-video') {
    throw invalid(
      sourceOf(judged, 'model', 'model'),
      `${name} makes video from a picture only: give image, or use ${able}.`,
    );
  }
  throw invalid(draft.sources['model'] ?? 'model', `${name} does not do ${operation}: use ${able}.`);
}
