/**
 * The billable variants, as a closed list (specs/kling.md §7.2, §8 rows 1 and 20): 33 follow from seed 003's axes, six
 * are ours because a seed's request would have none otherwise (kling-1.6, kling-3.0-motion).
 *
 * 3.0 Turbo, which the documents do not know, has two of its own.
 *
 * 4K: §7.4 has one price of it, 3.0 units per second on 3.0, so 3.0 gets two tiers for it beside those 39; for 3.0
 * Omni no price is known, so 4K is not sold there.
 */
import type { Resolution, VideoOperation, VideoRequest } from '../../core/request/types.ts';
import { aliasOf } from './aliases.ts';
import { featureTiers } from './features/index.ts';
import { modelOf, type KlingModel } from './models.ts';

const grades = ['720p', '1080p'] as const;
const sounds = ['mute', 'sound'] as const;
const levels = ['std', 'pro'] as const;
const references = ['noref', 'ref'] as const;

const plainStems = ['kling-1.0', 'kling-1.5', 'kling-1.6', 'kling-2.0', 'kling-2.1', 'kling-o1'];
const soundStems = ['kling-2.5', 'kling-3.0'];
const motionStems = ['kling-2.5-motion', 'kling-3.0-motion'];
const omniStem = 'kling-3.0-omni';
const lipSyncTier = 'kling-identify-face';

/** The tiers of the founding documents' grammar. */
export const seedTiers: string[] = [
  ...plainStems.flatMap((stem) => grades.map((grade) => `${stem}-${grade}`)),
  ...soundStems.flatMap((stem) =>
    grades.flatMap((grade) => sounds.map((sound) => `${stem}-${grade}-${sound}`)),
  ),
  ...motionStems.flatMap((stem) =>
    levels.flatMap((level) => grades.map((grade) => `${stem}-${level}-${grade}`)),
  ),
  ...grades.flatMap((grade) =>
    references.flatMap((ref) => sounds.map((sound) => `${omniStem}-${grade}-${ref}-${sound}`)),
  ),
  ...grades.map((grade) => `kling-avatar-${grade}`),
  lipSyncTier,
];

const turboStem = 'kling-3.0-turbo';

/** Tiers of ours beyond that grammar. */
export const extraTiers: string[] = [
  'kling-3.0-4k-mute',
  'kling-3.0-4k-sound',
  ...grades.map((grade) => `${turboStem}-${grade}`),
];

/** Tiers of films. */
export const filmTiers: string[] = [...seedTiers, ...extraTiers];

export const tiers: string[] = [...filmTiers, ...featureTiers];

/**
 * Every tier of films that a model can resolve to. An alias has a stem of its own, and may be narrowed to operations
 * and a grade.
 */
export function filmTiersOf(
  model: KlingModel,
  name: { tierStem: string; operations: readonly VideoOperation[]; resolution: Resolution | null } = {
    ...model,
    resolution: null,
  },
): string[] {
  const { tierStem } = name;
  const does = (operation: VideoOperation): boolean =>
    name.operations.includes(operation) && model.operations.includes(operation);
  const filmGrades = model.resolutions.map((resolution) => resolution.toLowerCase());
  const sceneGrades = grades.filter(
    (grade) => name.resolution === null || name.resolution.toLowerCase() === grade,
  );
  const found: string[] = [];
  if (does('text-to-video') || does('image-to-video')) {
    const heard = sounds.filter((sound) => sound === 'mute' || model.sound !== 'none');
    for (const grade of filmGrades) {
      if (tierStem === omniStem) {
        found.push(
          ...references.flatMap((ref) => heard.map((sound) => `${tierStem}-${grade}-${ref}-${sound}`)),
        );
      } else if (soundStems.includes(tierStem))
        found.push(...heard.map((sound) => `${tierStem}-${grade}-${sound}`));
      else found.push(`${tierStem}-${grade}`);
    }
  }
  if (does('motion-control') && model.motionStem !== null) {
    found.push(...levels.flatMap((level) => grades.map((grade) => `${model.motionStem}-${level}-${grade}`)));
  }
  if (does('avatar')) found.push(...sceneGrades.map((grade) => `kling-avatar-${grade}`));
  if (does('lip-sync')) found.push(lipSyncTier);
  return found;
}

/**
 * Whether references are billed: pictures in a list, a reference video, or anything in `file_infos`; a picture of its
 * own is a first frame and no reference (seed 003 §6.5, specs/kling.md §7.1).
 */
export function hasReference(request: VideoRequest): boolean {
  if (request.references.length > 0 || request.referenceVideo !== null) return true;
  return [request.firstFrame, request.lastFrame].some((media) =>
    media?.source.startsWith('metadata.file_infos'),
  );
}

/** The tier of a resolved request. */
export function tierOf(request: VideoRequest): string {
  const model = modelOf(request.model);
  const grade = request.resolution.toLowerCase();
  if (request.operation === 'lip-sync') return lipSyncTier;
  if (request.operation === 'avatar') return `kling-avatar-${grade}`;
  if (request.operation === 'motion-control') {
    return `${model.motionStem ?? model.tierStem}-${request.motion?.level ?? 'std'}-${grade}`;
  }
  const stem = aliasOf(request.requestedModel)?.tierStem ?? model.tierStem;
  const sound = request.sound ? 'sound' : 'mute';
  if (stem === omniStem) return `${stem}-${grade}-${hasReference(request) ? 'ref' : 'noref'}-${sound}`;
  return soundStems.includes(stem) ? `${stem}-${grade}-${sound}` : `${stem}-${grade}`;
}
