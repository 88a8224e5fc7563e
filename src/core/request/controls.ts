/** Camera moves, motion masks, shots, voices and elements: structures whose form does not depend on the model. */
import { GatewayError } from '../errors.ts';
import { readMedia, readUrl } from './media.ts';
import {
  invalid,
  isGiven,
  isObject,
  oneOf,
  readId,
  readList,
  readNumber,
  readNumberWithin,
  readObject,
  readSeconds,
  readText,
  readWord,
  show,
} from './read.ts';
import type { CameraControl, Claim, DynamicMask, Shot } from './types.ts';

const CAMERA_TYPES = [
  'simple',
  'down_back',
  'forward_up',
  'right_turn_forward',
  'left_turn_forward',
] as const;
const CAMERA_AXES = ['horizontal', 'vertical', 'pan', 'tilt', 'roll', 'zoom'] as const;
/** Official documentation, text2video `camera_control` (specs/kling.md §3.1). */
const cameraReach = 10;

/** `{type, config}`: a named move, or `simple` with exactly one axis that is not 0. */
export function readCameraControl(claim: Claim): CameraControl {
  const fields = readObject(claim);
  if (!isGiven(fields['type'])) {
    throw missing(`${claim.source}.type`, oneOf(CAMERA_TYPES));
  }
  const type = readWord({ source: `${claim.source}.type`, value: fields['type'] }, CAMERA_TYPES);
  const given = fields['config'];
  const configClaim: Claim = { source: `${claim.source}.config`, value: given };
  if (type !== 'simple') {
    if (
      isGiven(given) &&
      Object.values(readObject(configClaim)).some((value) => isGiven(value) && Number(value) !== 0)
    ) {
      throw invalid(configClaim.source, `goes with type simple only, not with ${type}: leave it out.`);
    }
    return { type, config: null };
  }
  if (!isGiven(given)) throw missing(configClaim.source, `an object with one of ${oneOf(CAMERA_AXES)}`);
  const config: Record<string, number> = {};
  let moves = 0;
  for (const [axis, value] of Object.entries(readObject(configClaim))) {
    if (value === null) continue;
    const source = `${configClaim.source}.${axis}`;
    const known = CAMERA_AXES.find((name) => name === axis);
    if (known === undefined) throw invalid(source, `is no axis of the camera: use ${oneOf(CAMERA_AXES)}.`);
    const reach = readNumberWithin({ source, value }, -cameraReach, cameraReach);
    config[known] = reach;
    if (reach !== 0) moves++;
  }
  if (moves !== 1) {
    throw invalid(configClaim.source, `must have exactly one of ${oneOf(CAMERA_AXES)} other than 0.`);
  }
  return { type, config };
}

/** Official limits (specs/kling.md §3.2). */
const masksMax = 6;
const trajectoryMin = 2;
const trajectoryMax = 77;

/** `[{mask, trajectories: [{x, y}]}]`. */
export function readDynamicMasks(claim: Claim): DynamicMask[] {
  const entries = readList(claim);
  if (entries.length > masksMax) throw invalid(claim.source, `takes at most ${masksMax} masks.`);
  return entries.map((entry) => {
    const fields = objectIn(entry, '{mask, trajectories}');
    const maskSource = `${entry.source}.mask`;
    if (!isGiven(fields['mask'])) throw missing(maskSource, 'an http(s) URL or base64 data');
    const points = readList({ source: `${entry.source}.trajectories`, value: fields['trajectories'] });
    if (points.length < trajectoryMin || points.length > trajectoryMax) {
      throw invalid(`${entry.source}.trajectories`, `needs ${trajectoryMin} to ${trajectoryMax} points.`);
    }
    return {
      mask: readMedia({ source: maskSource, value: fields['mask'] }),
      trajectories: points.map((point) => {
        const { x, y } = objectIn(point, '{x, y}');
        return {
          x: readNumber({ source: `${point.source}.x`, value: x }),
          y: readNumber({ source: `${point.source}.y`, value: y }),
        };
      }),
    };
  });
}

/** Official limits (specs/kling.md §3.1). */
const shotsMax = 6;
const shotPromptMax = 512;

/** `[{index, prompt, duration}]`, in any order; indexes count from 1 without a gap. */
export function readShots(claim: Claim): Shot[] {
  const entries = readList(claim);
  if (entries.length < 1 || entries.length > shotsMax)
    throw invalid(claim.source, `needs 1 to ${shotsMax} shots.`);
  const shots = entries.map((entry): Shot => {
    const fields = objectIn(entry, '{index, prompt, duration}');
    const at = (key: string): Claim => ({ source: `${entry.source}.${key}`, value: fields[key] });
    const prompt = readText(at('prompt')).trim();
    if (prompt === '' || prompt.length > shotPromptMax) {
      throw invalid(`${entry.source}.prompt`, `must be text of 1 to ${shotPromptMax} characters.`);
    }
    return {
      index: readNumber(at('index')),
      prompt,
      seconds: readSeconds(at('duration'), () => 'at least 1'),
    };
  });
  shots.sort((one, other) => one.index - other.index);
  shots.forEach((shot, position) => {
    if (shot.index !== position + 1) {
      throw invalid(claim.source, `must number its shots 1 to ${shots.length} in \`index\`, without a gap.`);
    }
  });
  return shots;
}

/** `[{voice_id}]` or bare ids. */
export function readVoiceIds(claim: Claim): string[] {
  return readIds(claim, 'voice_id');
}

/** `[{element_id}]` or bare ids; integers however large. */
export function readElementIds(claim: Claim): string[] {
  const ids = readIds(claim, 'element_id');
  ids.forEach((id, index) => {
    if (!/^\d{1,20}$/.test(id)) {
      throw invalid(`${claim.source}[${index}].element_id`, `must be a whole number, not ${show(id)}.`);
    }
  });
  return ids;
}

function readIds(claim: Claim, key: string): string[] {
  return readList(claim).map((entry) => {
    if (!isObject(entry.value)) return readId(entry);
    return readId({ source: `${entry.source}.${key}`, value: entry.value[key] });
  });
}

/** `{enabled}`, or the bare switch. */
export function watermarkClaim(claim: Claim): Claim {
  if (!isObject(claim.value) && !(typeof claim.value === 'string' && claim.value.trim().startsWith('{')))
    return claim;
  return { source: `${claim.source}.enabled`, value: readObject(claim)['enabled'] ?? false };
}

/** Long enough for any id in use (a UUID, a hash, a path), short enough for an index. */
const externalTaskIdMax = 128;

/** The caller's own name for a task; null when there is none. */
export function readExternalTaskId(claim: Claim | null): string | null {
  if (claim === null) return null;
  const id = typeof claim.value === 'string' ? claim.value.trim() : readId(claim);
  if (id === '' || id.length > externalTaskIdMax || /\p{Cc}/u.test(id)) {
    throw invalid(claim.source, `must be 1 to ${externalTaskIdMax} printable characters.`);
  }
  return id;
}

/** Receivers behind proxies refuse longer ones. */
const callbackUrlMax = 2048;

/** Where changes of a task are posted to: an http(s) URL; null when nowhere. */
export function readCallbackUrl(claim: Claim | null): string | null {
  if (claim === null) return null;
  const url = readUrl(claim);
  if (url.length > callbackUrlMax)
    throw invalid(claim.source, `must have at most ${callbackUrlMax} characters.`);
  return url;
}

/** Enough to sort by, few enough to be meant. */
const priorityReach = 10;

/** A whole number from -10 to 10: which of the account's own waiting tasks go first; 0 when nobody asked. */
export function readPriority(claim: Claim | null): number {
  if (claim === null) return 0;
  const number = readNumberWithin(claim, -priorityReach, priorityReach);
  if (Number.isInteger(number)) return number;
  throw invalid(
    claim.source,
    `must be a whole number from -${priorityReach} to ${priorityReach}, not ${show(claim.value)}.`,
  );
}

function objectIn(claim: Claim, form: string): Record<string, unknown> {
  if (!isObject(claim.value))
    throw invalid(claim.source, `must be an object ${form}, not ${show(claim.value)}.`);
  return claim.value;
}

function missing(param: string, wanted: string): GatewayError {
  return new GatewayError('missing_required_parameter', `${param} is required: ${wanted}.`, { param });
}
