/**
 * Reads fields of a request as strictly as the platform does; every refusal is 1201 and names the field.
 * `place` stands before the name of a nested one: `multi_prompt[0].`.
 */
import type { Json } from '../../lib/json.ts';
import { DataUriError, decodeBase64 } from '../../lib/data-uri.ts';
import { sniff } from '../../lib/sniff.ts';
import type { FrameSource } from '../kit/simulator.ts';
import { soundSeconds } from '../kit/sound-length.ts';
import { Refusal } from './simulator-errors.ts';
import { pictureSize } from './simulator-picture.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

export function illegal(field: string, why: string): Refusal {
  return new Refusal(1201, `${field}: ${why}`);
}

/** Null and absent are the same here; an empty string is a value. */
function given(body: WireObject, field: string): Json | undefined {
  return body[field] ?? undefined;
}

export function text(body: WireObject, field: string, lengthMax: number, place = ''): string | null {
  const value = given(body, field);
  if (value === undefined) return null;
  if (typeof value !== 'string') throw illegal(place + field, 'must be a string');
  if ([...value].length > lengthMax) throw illegal(place + field, `must not exceed ${lengthMax} characters`);
  return value;
}

export function choice<Value extends string>(
  body: WireObject,
  field: string,
  allowed: readonly Value[],
  place = '',
): Value | null {
  const value = given(body, field);
  if (value === undefined || value === '') return null;
  const found = allowed.find((candidate) => candidate === value);
  if (!found)
    throw illegal(place + field, `value '${show(value)}' is invalid, must be one of ${allowed.join(', ')}`);
  return found;
}

export function requireText(body: WireObject, field: string, lengthMax: number, place = ''): string {
  const value = text(body, field, lengthMax, place);
  if (!value) throw illegal(place + field, 'must not be empty');
  return value;
}

export function requireChoice<Value extends string>(
  body: WireObject,
  field: string,
  allowed: readonly Value[],
  place = '',
): Value {
  const value = choice(body, field, allowed, place);
  if (value === null) throw illegal(place + field, `is required, must be one of ${allowed.join(', ')}`);
  return value;
}

export function integer(
  body: WireObject,
  field: string,
  min: number,
  max: number,
  place = '',
): number | null {
  const value = number(body, field, min, max, place);
  if (value !== null && !Number.isInteger(value)) throw illegal(place + field, 'must be an integer');
  return value;
}

export function requireInteger(
  body: WireObject,
  field: string,
  min: number,
  max: number,
  place = '',
): number {
  const value = integer(body, field, min, max, place);
  if (value === null) throw illegal(place + field, 'is required');
  return value;
}

/** Whether a field says anything at all. */
export function has(body: WireObject, field: string): boolean {
  const value = given(body, field);
  return value !== undefined && value !== '';
}

/** The one of several fields that is given. */
export function exactlyOne<Field extends string>(
  body: WireObject,
  fields: readonly Field[],
  place = '',
): Field {
  const named = fields.filter((field) => has(body, field));
  if (named.length !== 1) {
    throw illegal(place + (named[1] ?? fields[0]!), `exactly one of ${fields.join(', ')} must be given`);
  }
  return named[0]!;
}

export function watermark(body: WireObject): boolean {
  const info = object(body, 'watermark_info');
  return info ? flag(info, 'enabled') : false;
}

export function list(body: WireObject, field: string, countMax: number): WireObject[] {
  const value = given(body, field);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw illegal(field, 'must be an array');
  if (value.length > countMax) throw illegal(field, `must not have more than ${countMax} entries`);
  return value.map((entry, index) => {
    if (!isObject(entry)) throw illegal(`${field}[${index}]`, 'must be an object');
    return entry;
  });
}

export function object(body: WireObject, field: string): WireObject | null {
  const value = given(body, field);
  if (value === undefined) return null;
  if (!isObject(value)) throw illegal(field, 'must be an object');
  return value;
}

/** The official samples send the strings "true" and "false", too. */
export function flag(body: WireObject, field: string): boolean {
  const value = given(body, field);
  if (value === undefined) return false;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw illegal(field, 'must be a boolean');
}

export function number(body: WireObject, field: string, min: number, max: number, place = ''): number | null {
  const value = given(body, field);
  if (value === undefined) return null;
  if (typeof value !== 'number' || value < min || value > max) {
    throw illegal(place + field, `must be a number from ${min} to ${max}`);
  }
  return value;
}

/** Seconds travel as a string of digits. */
export function seconds(body: WireObject, field: string, place = ''): number | null {
  const value = given(body, field);
  if (value === undefined) return null;
  if (typeof value !== 'string') throw illegal(place + field, 'must be a string');
  if (!/^\d{1,3}$/.test(value)) throw illegal(place + field, `value '${show(value)}' is invalid`);
  return Number(value);
}

/** A long: a bare integer of any size. */
export function requireLong(body: WireObject, field: string, place: string): bigint {
  const value = given(body, field);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  throw illegal(`${place}.${field}`, 'must be an integer');
}

const urlLengthMax = 4096;

export function url(value: Json | undefined, field: string): string {
  if (typeof value !== 'string' || value.length > urlLengthMax) throw illegal(field, 'must be a URL');
  const parsed = URL.parse(value);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw illegal(field, 'must be an http or https URL');
  return value;
}

export function optionalUrl(body: WireObject, field: string): string | null {
  return has(body, field) ? url(body[field], field) : null;
}

const soundBytesMax = 5 * 1024 * 1024;

/** A sound by URL (length unknown, null) or base64, of a length within bounds where it can be read. */
export function sound(
  value: Json | undefined,
  field: string,
  limits: { secondsMin: number; secondsMax: number; types: RegExp },
): { url: string | null; seconds: number | null } {
  if (typeof value !== 'string' || value === '') throw illegal(field, 'must be a URL or base64');
  if (/^https?:\/\//i.test(value)) return { url: url(value, field), seconds: null };
  const bytes = inline(value, field, soundBytesMax);
  const type = sniff(bytes)?.contentType ?? '';
  if (!limits.types.test(type)) throw illegal(field, 'audio format is invalid');
  const length = soundSeconds(bytes);
  if (length !== null && (length < limits.secondsMin || length > limits.secondsMax)) {
    throw illegal(
      field,
      `audio is ${length.toFixed(1)} s long, must be ${limits.secondsMin} to ${limits.secondsMax} s`,
    );
  }
  return { url: null, seconds: length };
}

/** Base64 without a prefix. */
function inline(value: string, field: string, bytesMax: number): Buffer {
  if (/^data:/i.test(value)) throw illegal(field, 'base64 must not have a data: prefix');
  try {
    return decodeBase64(value, bytesMax);
  } catch (error) {
    if (error instanceof DataUriError) throw illegal(field, `is neither a URL nor base64 (${error.message})`);
    throw error;
  }
}

const pictureBytesMax = 10 * 1024 * 1024;
const sideMin = 300;
/** 1:2.5 to 2.5:1. */
const ratioMax = 2.5;

/** Either a URL (fetched later) or base64 without a prefix, judged here and now. */
export function picture(
  value: Json | undefined,
  field: string,
  keep: (bytes: Uint8Array) => string,
  bytesMax = pictureBytesMax,
): FrameSource {
  if (typeof value !== 'string' || value === '') throw illegal(field, 'must be a URL or base64');
  if (/^https?:\/\//i.test(value)) return { kind: 'url', url: url(value, field) };
  const bytes = inline(value, field, bytesMax);
  const type = sniff(bytes)?.contentType;
  const size = type === 'image/png' || type === 'image/jpeg' ? pictureSize(bytes) : null;
  if (!size) throw illegal(field, 'image format is invalid, must be jpg, jpeg or png');
  const { width, height } = size;
  if (Math.min(width, height) < sideMin) {
    throw illegal(field, `image is ${width}x${height}, each side must be at least ${sideMin} px`);
  }
  if (Math.max(width, height) / Math.min(width, height) > ratioMax) {
    throw illegal(field, `image is ${width}x${height}, its aspect ratio must be within 1:2.5 and 2.5:1`);
  }
  return { kind: 'picture', pictureId: keep(bytes) };
}

function show(value: Json): string {
  return typeof value === 'object' ? 'object' : String(value).slice(0, 40);
}
