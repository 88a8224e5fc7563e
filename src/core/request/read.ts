/**
 * Reading single claims: what the wire wrote, as JSON or as a form's text, becomes a typed value or a refusal that
 * names the field as the caller spelled it.
 */
import { JsonError, parseJson } from '../../lib/json.ts';
import { GatewayError } from '../errors.ts';
import type { Claim } from './types.ts';

/** A refusal of one field's value. */
export function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', `${param} ${message}`, { param });
}

/** The caller's value as a short quotation for a message; never a whole picture. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (
    value === null ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint'
  ) {
    return String(value);
  }
  if (value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** `['a', 'b', 'c']` -> `a, b or c`. */
export function oneOf(words: readonly (string | number)[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Text as it is. */
export function readText(claim: Claim): string {
  if (typeof claim.value !== 'string')
    throw invalid(claim.source, `must be a string, not ${show(claim.value)}.`);
  return claim.value;
}

/** One of a closed list of words, in any case and with space around it. Answers the list's own spelling. */
export function readWord<Word extends string>(claim: Claim, words: readonly Word[]): Word {
  const text = typeof claim.value === 'string' ? claim.value.trim().toLowerCase() : null;
  for (const word of words) if (word.toLowerCase() === text) return word;
  throw invalid(claim.source, `must be ${oneOf(words)}, not ${show(claim.value)}.`);
}

const FLAG_WORDS: Readonly<Record<string, boolean>> = Object.assign(Object.create(null), {
  true: true,
  on: true,
  yes: true,
  enabled: true,
  1: true,
  false: false,
  off: false,
  no: false,
  disabled: false,
  0: false,
});

/** The meaning of a switch word, null when it is none. */
export function flagOf(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  return FLAG_WORDS[String(value).trim().toLowerCase()] ?? null;
}

/** A switch: true, "true", on, yes, Enabled, 1 and their opposites, in any case. */
export function readFlag(claim: Claim): boolean {
  const flag = flagOf(claim.value);
  if (flag === null) {
    throw invalid(
      claim.source,
      `must be on or off (also true/false, yes/no, Enabled/Disabled), not ${show(claim.value)}.`,
    );
  }
  return flag;
}

/** A finite number, or the decimal text of one. */
export function readNumber(claim: Claim): number {
  const { value } = claim;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && /^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$/.test(value)) {
    const number = Number(value);
    if (Number.isFinite(number)) return number;
  }
  throw invalid(claim.source, `must be a number, not ${show(value)}.`);
}

/** A number within bounds, both included. */
export function readNumberWithin(claim: Claim, min: number, max: number): number {
  const number = readNumber(claim);
  if (number < min || number > max) {
    throw invalid(claim.source, `must be a number from ${min} to ${max}, not ${show(claim.value)}.`);
  }
  return number;
}

/** A whole number of seconds above zero; `allowed` says in words what the model takes, should it be refused. */
export function readSeconds(claim: Claim, allowed: () => string): number {
  const { value } = claim;
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d{1,9}(\.0*)?\s*$/.test(value)
        ? Number(value)
        : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 1) {
    throw invalid(claim.source, `must be a whole number of seconds (${allowed()}), not ${show(value)}.`);
  }
  return number;
}

/** An id: text, or an integer however large. Answers its text. */
export function readId(claim: Claim): string {
  const { value } = claim;
  if (typeof value === 'string' && value.trim() !== '' && value.length <= 128) return value.trim();
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value);
  throw invalid(claim.source, `must be an id (a string or an integer), not ${show(value)}.`);
}

/** A JSON value, or the text of one (forms have nothing else). */
function readStructure(claim: Claim): unknown {
  if (typeof claim.value !== 'string') return claim.value;
  try {
    return parseJson(claim.value);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalid(claim.source, `is not valid JSON: ${error.message}.`);
  }
}

/** An object, or the JSON text of one. */
export function readObject(claim: Claim): Record<string, unknown> {
  const value = readStructure(claim);
  if (!isObject(value)) throw invalid(claim.source, `must be an object, not ${show(value)}.`);
  return value;
}

/** A list as claims of its own, or the JSON text of one. */
export function readList(claim: Claim): Claim[] {
  const value = readStructure(claim);
  if (!Array.isArray(value)) throw invalid(claim.source, `must be a list, not ${show(value)}.`);
  return value.map((entry, index) => ({ source: `${claim.source}[${index}]`, value: entry }));
}

/** Whether a value is a JSON object (bytes and lists are not). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Whether a field says anything: absent, null, empty text and an empty list do not. */
export function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '';
}
