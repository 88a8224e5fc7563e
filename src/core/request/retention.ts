/** How long our copy is kept and under which name (specs/kling.md §8 row 33), and compliance switches (row 34). */
import { PRECEDENCE, pick } from './precedence.ts';
import { invalid, readNumber, readText, readWord, show } from './read.ts';
import type { Warning } from '../errors.ts';
import type { LooseVideo, VideoRequest } from './types.ts';

/** Seed 003 §3.1: `media_name` has at most 64 characters. */
const mediaNameMax = 64;

/** What `output_config` says about our copy. `expire_time` in the past is refused. */
export function readRetention(loose: LooseVideo, nowMs: number): VideoRequest['retention'] {
  const mode = pick(loose.storageMode, PRECEDENCE.storageMode);
  const expireTime = pick(loose.expireTime, PRECEDENCE.expireTime);
  const mediaName = pick(loose.mediaName, PRECEDENCE.mediaName);
  const classId = pick(loose.classId, PRECEDENCE.classId);
  return {
    mode: mode && (readWord(mode, ['Temporary', 'Permanent']) === 'Permanent' ? 'permanent' : 'temporary'),
    expiresAt: expireTime && readExpireTime(expireTime.source, expireTime.value, nowMs),
    mediaName: mediaName && readMediaName(mediaName.source, readText(mediaName)),
    classId: classId && readClassId(classId.source, readNumber(classId)),
  };
}

/** A date with an optional time and zone; without a zone it is UTC. */
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

function readExpireTime(source: string, value: unknown, nowMs: number): number {
  const match = typeof value === 'string' ? ISO_8601.exec(value.trim()) : null;
  const zone = (match?.[3] ?? 'Z').toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const time = match ? Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}${zone}`) : Number.NaN;
  if (Number.isNaN(time)) {
    throw invalid(source, `must be a time in ISO 8601, such as 2027-01-31T12:00:00Z, not ${show(value)}.`);
  }
  if (time <= nowMs) throw invalid(source, `must lie in the future; ${show(value)} is past.`);
  return time;
}

function readMediaName(source: string, text: string): string {
  const name = text.trim();
  // It becomes a file name, so it must not walk through folders or break a header.
  if (name === '' || [...name].length > mediaNameMax || /[\p{Cc}\p{Cf}/\\]/u.test(name)) {
    throw invalid(source, `must be a name of 1 to ${mediaNameMax} characters without slashes.`);
  }
  return name;
}

function readClassId(source: string, id: number): number {
  if (!Number.isSafeInteger(id) || id < 0) throw invalid(source, `must be a whole number, not ${show(id)}.`);
  return id;
}

const SWITCH_WORDS: Readonly<Record<string, readonly string[]>> = {
  person_generation: ['AllowAdult', 'Disallowed'],
  input_compliance_check: ['Enabled', 'Disabled'],
  output_compliance_check: ['Enabled', 'Disabled'],
  enhance_switch: ['Enabled', 'Disabled'],
};

/** What an upstream does anyway when it is told nothing. */
const USUAL: Readonly<Record<string, string>> = {
  input_compliance_check: 'Enabled',
  output_compliance_check: 'Enabled',
  enhance_switch: 'Disabled',
};

/**
 * The switches that differ from the usual, by their own name. Whether one reaches an upstream is up to the operator
 * of the channel that will be chosen, so each comes with a warning.
 */
export function readCompliance(loose: LooseVideo, warnings: Warning[]): VideoRequest['compliance'] {
  const compliance: VideoRequest['compliance'] = {};
  for (const claim of loose.compliance) {
    const name = claim.source.slice(claim.source.lastIndexOf('.') + 1);
    const words = SWITCH_WORDS[name];
    if (words === undefined) continue;
    const word = readWord(claim, words);
    if (word === USUAL[name]) continue;
    compliance[name] = word;
    warnings.push({
      code: 'compliance_ignored',
      field: claim.source,
      message: `${name}: ${word} only takes effect on channels whose upstream knows it and whose operator allows it.`,
    });
  }
  return compliance;
}
