/** Which picture is what: first frame, end frame, references (specs/kling.md §3.2 to §3.4, §8 rows 3, 26, 30). */
import { oneOf } from '../../core/request/read.ts';
import { sameMedia } from '../../core/request/media.ts';
import type { Media, ReferenceVideo } from '../../core/request/types.ts';
import { omniItemsMax } from './limits.ts';
import { modelsWith } from './models.ts';
import { invalid, missing, nameOf, sourceOf, unsupported, type Case } from './refuse.ts';

export interface Frames {
  firstFrame: Media | null;
  lastFrame: Media | null;
  references: Media[];
  referenceVideo: ReferenceVideo | null;
}

/** Arranges the pictures of a film. Refuses what the model does not take, naming the models that do. */
export function arrangeFrames(judged: Case): Frames {
  const { draft, model } = judged;
  const frames: Frames = {
    ...(model.omni ? omniPictures(judged) : plainPictures(judged)),
    lastFrame: draft.lastFrame,
    referenceVideo: draft.referenceVideo,
  };
  checkReferenceVideo(judged, frames);
  checkLastFrame(judged, frames);
  checkCounts(judged, frames);
  return frames;
}

/** Omni models: a list holds references, only a picture of its own is the first frame. */
function omniPictures({ draft }: Case): Pick<Frames, 'firstFrame' | 'references'> {
  return {
    firstFrame: draft.firstFrame,
    references: [...draft.images, ...draft.unassigned, ...draft.references],
  };
}

/**
 * Other models: one picture, however it is named, is the first frame; several are references, which only 1.6 takes
 * (and then no frames beside them: its route for several pictures has no such fields).
 */
function plainPictures(judged: Case): Pick<Frames, 'firstFrame' | 'references'> {
  const { draft, model } = judged;
  const listed = [...draft.images, ...draft.unassigned];
  const first = draft.firstFrame ?? listed[0] ?? null;
  const others = listed.filter((media) => first !== null && !sameMedia(first, media));
  const extra = others[0] ?? draft.references[0];
  if (extra === undefined) return { firstFrame: first, references: [] };
  if (model.referencesMax === 0) {
    const able = oneOf(modelsWith((candidate) => candidate.referencesMax > 0));
    throw invalid(
      extra.source,
      `${nameOf(judged)} takes one picture as its first frame; several, or references: ${able}.`,
    );
  }
  if (draft.firstFrame !== null) {
    throw invalid(
      draft.firstFrame.source,
      `${nameOf(judged)} takes several pictures in images only: put all of them there.`,
    );
  }
  if (draft.lastFrame !== null) {
    throw invalid(
      draft.lastFrame.source,
      `${nameOf(judged)} takes either several pictures or frames, not both.`,
    );
  }
  return { firstFrame: null, references: [...listed, ...draft.references] };
}

function checkReferenceVideo(judged: Case, frames: Frames): void {
  const { referenceVideo } = frames;
  if (referenceVideo === null) return;
  const { source } = referenceVideo.media;
  if (judged.model.referenceVideoSecondsMax === null) {
    const able = oneOf(modelsWith((model) => model.referenceVideoSecondsMax !== null));
    throw unsupported(
      source,
      `${nameOf(judged)} takes no reference video without a scene_type: use ${able}.`,
    );
  }
  const frame = frames.firstFrame ?? frames.lastFrame;
  if (referenceVideo.role === 'base' && frame !== null) {
    throw invalid(
      frame.source,
      `${frame.source} cannot be combined with a film to be edited (reference type base).`,
    );
  }
}

function checkLastFrame(judged: Case, frames: Frames): void {
  const { draft, model } = judged;
  const { firstFrame, lastFrame } = frames;
  if (lastFrame === null) return;
  const name = nameOf(judged);
  if (model.endFrame === null) {
    const able = oneOf(modelsWith((candidate) => candidate.endFrame !== null));
    throw unsupported(lastFrame.source, `${name} takes no end frame: use ${able}.`);
  }
  // The official image-to-video route takes an end frame alone (§3.2); seed 003's fields and omni do not (row 30).
  if (firstFrame === null && (model.omni || lastFrame.source !== 'image_tail')) {
    throw missing('image', `${lastFrame.source} needs a first frame: give image too.`);
  }
  if (model.endFrame.muteOnly && draft.sound === true) {
    throw invalid(
      sourceOf(judged, 'sound', 'sound'),
      `${name} makes no sound with an end frame: leave one of them out.`,
    );
  }
}

function checkCounts(judged: Case, frames: Frames): void {
  const { draft, model } = judged;
  const pictures = frames.references.length + (frames.firstFrame ? 1 : 0) + (frames.lastFrame ? 1 : 0);
  if (!model.omni) {
    if (frames.references.length > model.referencesMax) {
      throw invalid(
        frames.references[model.referencesMax]!.source,
        `${nameOf(judged)} takes at most ${model.referencesMax} pictures.`,
      );
    }
    return;
  }
  const itemsMax = frames.referenceVideo === null ? omniItemsMax.withoutVideo : omniItemsMax.withVideo;
  if (pictures + draft.elementIds.length > itemsMax) {
    const beside = frames.referenceVideo === null ? '' : ' beside a reference video';
    const param =
      frames.references[0]?.source.replace(/\[\d+\].*$/, '') ?? sourceOf(judged, 'elements', 'element_list');
    throw invalid(
      param,
      `${nameOf(judged)} takes at most ${itemsMax} pictures and elements together${beside}.`,
    );
  }
  const picturesMax = model.endFrame?.picturesMax ?? null;
  if (frames.lastFrame !== null && picturesMax !== null && pictures > picturesMax) {
    throw invalid(
      frames.lastFrame.source,
      `${nameOf(judged)} takes an end frame with at most ${picturesMax} pictures in all.`,
    );
  }
}
