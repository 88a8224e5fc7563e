/** Grade, ratio and the upstream's quality switch. */
import { oneOf } from '../../core/request/read.ts';
import type { AspectRatio, Quality, Resolution } from '../../core/request/types.ts';
import { frameSize } from '../../core/task.ts';
import { aspectRatioDefault, resolutionDefault } from './limits.ts';
import { invalid, missing, nameOf, sourceOf, warn, type Case } from './refuse.ts';

const gradeOfQuality: Readonly<Record<Quality, Resolution>> = { std: '720P', pro: '1080P', '4k': '4K' };
const qualityOfGrade: Readonly<Record<Resolution, Quality>> = { '720P': 'std', '1080P': 'pro', '4K': '4k' };

/**
 * The grade that is asked for and charged: the two resolution fields, then `mode` (outside motion control), then
 * `size`, then the door's own default, then 720P (specs/kling.md §8 row 21).
 */
export function settleResolution(judged: Case, allowed: readonly Resolution[]): Resolution {
  const { draft, alias } = judged;
  const { sources } = draft;
  const modeCounts = judged.operation !== 'motion-control' && draft.mode !== null && hasMode(judged);
  let resolution: Resolution;
  if (draft.resolution !== null) resolution = draft.resolution;
  else if (modeCounts && draft.mode !== null) {
    resolution = gradeOfQuality[draft.mode];
    sources['resolution'] = sources['mode'] ?? 'mode';
  } else if (draft.size !== null) {
    resolution = draft.size.resolution;
    sources['resolution'] = draft.size.source;
  } else {
    const { mode } = draft.loose.surface;
    resolution =
      mode === null || judged.model.qualities.length === 0 ? resolutionDefault : gradeOfQuality[mode];
    sources['resolution'] = 'default';
  }
  if (alias?.resolution) resolution = takeFromName(judged, resolution, alias.resolution);
  if (!allowed.includes(resolution)) {
    const param = sourceOf(judged, 'resolution', 'mode');
    throw invalid(param, `${param}: ${nameOf(judged)} makes ${oneOf(allowed)} here, not ${resolution}.`);
  }
  return resolution;
}

/** Masters have no such switch and ignore it (row 16). */
function hasMode(judged: Case): boolean {
  if (judged.model.qualities.length > 0) return true;
  const field = sourceOf(judged, 'mode', 'mode');
  warn(judged, 'mode_ignored', field, `${judged.model.id} has one quality: ${field} is ignored.`);
  return false;
}

/** `kling-avatar-1080p` says itself what it makes. */
function takeFromName(judged: Case, asked: Resolution, named: Resolution): Resolution {
  const { sources } = judged.draft;
  const source = sources['resolution'] ?? 'default';
  if (asked !== named && source !== 'default') {
    warn(judged, 'resolution_ignored', source, `${nameOf(judged)} makes ${named}: ${source} is ignored.`);
  }
  sources['resolution'] = 'derived:model';
  return named;
}

/** The upstream's switch for a grade; null for models without one. */
export function qualityOf(judged: Case, resolution: Resolution): Quality | null {
  const { sources } = judged.draft;
  if (judged.model.qualities.length === 0) {
    delete sources['mode'];
    return null;
  }
  if (sources['mode'] === undefined || sources['resolution'] !== sources['mode'])
    sources['mode'] = 'derived:resolution';
  return qualityOfGrade[resolution];
}

/** What the model does only at pro is made at pro; the asked grade is charged (row 22). */
export function raiseToPro(
  judged: Case,
  quality: Quality | null,
  field: string,
  what: string,
): Quality | null {
  if (quality !== 'std') return quality;
  judged.draft.sources['mode'] = `derived:${field}`;
  warn(
    judged,
    'quality_raised',
    field,
    `${judged.model.id} makes ${what} in mode pro only: the film is made so, at the price of the grade you asked for.`,
  );
  return 'pro';
}

/**
 * The ratio of the film; null where it follows a picture or a film (`follows` says which), and then a ratio that was
 * asked for is dropped with a warning (row 29).
 */
export function settleAspectRatio(
  judged: Case,
  resolution: Resolution,
  follows: string | null,
): AspectRatio | null {
  const { draft, model } = judged;
  const { sources, size } = draft;
  const sized = size?.aspectRatio ?? null;
  const asked = draft.aspectRatio ?? sized;
  const source =
    draft.aspectRatio === null
      ? (size?.source ?? 'aspect_ratio')
      : sourceOf(judged, 'aspectRatio', 'aspect_ratio');
  if (follows !== null) {
    sources['aspectRatio'] = `derived:${follows}`;
    if (asked !== null) {
      warn(
        judged,
        'aspect_ratio_ignored',
        source,
        `The film takes its shape from ${follows}: ${asked} is ignored.`,
      );
    }
    return null;
  }
  if (asked === null && draft.loose.surface.requiresAspectRatio) {
    throw missing(
      'aspect_ratio',
      `aspect_ratio is required without a first frame: ${oneOf(model.aspectRatios)}.`,
    );
  }
  sources['aspectRatio'] = asked === null ? 'default' : source;
  const ratio = asked ?? aspectRatioDefault;
  if (!isSold(ratio, model.aspectRatios)) {
    throw invalid(
      source,
      `${source} must be ${oneOf(model.aspectRatios)} for ${nameOf(judged)}, not ${ratio}.`,
    );
  }
  noteAdjustedSize(judged, resolution, ratio);
  return ratio;
}

function isSold(ratio: string, allowed: readonly string[]): ratio is AspectRatio {
  return allowed.includes(ratio);
}

/** Films come in the maker's frame sizes: whoever wrote another one is told which. */
function noteAdjustedSize(judged: Case, resolution: Resolution, ratio: AspectRatio): void {
  const { size } = judged.draft;
  if (size === null || size.width === null || size.height === null) return;
  const made = frameSize(resolution, ratio);
  if (made.width === size.width && made.height === size.height) return;
  warn(
    judged,
    'size_adjusted',
    size.source,
    `${size.width}x${size.height} is made as ${made.width}x${made.height} (${resolution}, ${ratio}).`,
  );
}
