/**
 * Reads parameters as strictly as Tencent's gateway does: unknown names and wrong types are refused before the
 * values are looked at. Every refusal names the field; `place` stands before a nested one: `OutputConfig.`.
 */
import type { Json } from '../../lib/json.ts';
import { Refusal } from './simulator-errors.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

export function illegal(field: string, why: string): Refusal {
  return new Refusal('InvalidParameterValue', `${field}: ${why}`);
}

export function absent(field: string): Refusal {
  return new Refusal('MissingParameter', `The request is missing a required parameter \`${field}\`.`);
}

function wrongType(field: string, type: string): Refusal {
  return new Refusal(
    'InvalidParameter',
    `The value type of parameter \`${field}\` is not valid: ${type} is expected.`,
  );
}

/** Refuses names that the action does not have. */
export function onlyKnown(fields: WireObject, known: readonly string[], place = ''): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      throw new Refusal(
        'UnknownParameter',
        `The parameter \`${(place + name).slice(0, 80)}\` is not recognized.`,
      );
    }
  }
}

/** Null, absent and empty are the same here. */
export function text(fields: WireObject, name: string, place = ''): string | null {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw wrongType(place + name, 'a string');
  return value;
}

export function choice<Value extends string>(
  fields: WireObject,
  name: string,
  allowed: readonly Value[],
  place = '',
): Value | null {
  const value = text(fields, name, place);
  if (value === null) return null;
  const found = allowed.find((candidate) => candidate === value);
  if (!found) {
    throw illegal(
      place + name,
      `value '${value.slice(0, 40)}' is invalid, must be one of ${allowed.join(', ')}`,
    );
  }
  return found;
}

export function integer(fields: WireObject, name: string, place = ''): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(place + name, 'an integer');
  return value;
}

export function list(fields: WireObject, name: string, place = ''): WireObject[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(place + name, 'an array');
  return value.map((entry, index) => {
    if (!isObject(entry)) throw wrongType(`${place}${name}.${index}`, 'an object');
    return entry;
  });
}

export function object(fields: WireObject, name: string, place = ''): WireObject | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw wrongType(place + name, 'an object');
  return value;
}

/** Kling's own samples write booleans as text, too. */
export function flag(value: Json | undefined, field: string): boolean {
  if (value === undefined || value === null) return false;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw illegal(field, 'must be a boolean');
}

const urlLengthMax = 4096;

export function url(value: Json | undefined, field: string): string {
  if (typeof value !== 'string' || value.length > urlLengthMax) throw illegal(field, 'must be a URL');
  const parsed = URL.parse(value);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw illegal(field, 'must be an http or https URL');
  return value;
}
