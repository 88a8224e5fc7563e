/**
 * `ext_info`: further fields as JSON inside a string, most often encoded twice. Only an allow-list passes, the same
 * for every upstream (specs/kling.md §6.1, §8 rows 17 and 32); nothing that is priced can be set through it.
 */
import { extInfoPaths } from './precedence.ts';
import { isObject, readObject } from './read.ts';
import type { Claim } from './types.ts';

const ALLOWED = [
  'multi_shot',
  'shot_type',
  'multi_prompt',
  'negative_prompt',
  'cfg_scale',
  'camera_control',
  'element_list',
  'voice_list',
  'keep_original_sound',
  'character_orientation',
  'sound_file',
  'audio_id',
  'session_id',
  'face_choose',
] as const;

export type ExtInfoKey = (typeof ALLOWED)[number];

export interface ExtInfo {
  /** Allow-listed fields, each with the path it was found at. */
  claims: ReadonlyMap<ExtInfoKey, Claim>;
  /** Names of fields that were left out. */
  ignored: string[];
}

const NOTHING: ExtInfo = { claims: new Map(), ignored: [] };
const ENVELOPE = 'AdditionalParameters';

/** Parses `ext_info`, nested in `AdditionalParameters` or bare, each level text or object. */
export function readExtInfo(claims: readonly Claim[]): ExtInfo {
  const claim = claims[0];
  if (claim === undefined) return NOTHING;
  const outer = readObject(claim);
  const found = new Map<ExtInfoKey, Claim>();
  const ignored: string[] = [];
  const nested = outer[ENVELOPE];
  if (nested !== undefined && nested !== null && nested !== '') {
    collect(readObject({ source: `${claim.source}.${ENVELOPE}`, value: nested }), 0, found, ignored);
  }
  if (isObject(outer)) collect(outer, 1, found, ignored);
  return { claims: found, ignored };
}

function collect(
  fields: Record<string, unknown>,
  form: 0 | 1,
  found: Map<ExtInfoKey, Claim>,
  ignored: string[],
): void {
  for (const [name, value] of Object.entries(fields)) {
    if (name === ENVELOPE || value === null || value === '') continue;
    const key = ALLOWED.find((allowed) => allowed === name);
    if (key === undefined) ignored.push(name.slice(0, 64));
    else if (!found.has(key)) found.set(key, { source: extInfoPaths(key)[form]!, value });
  }
}
