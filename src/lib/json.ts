import { findJsonFault } from './json-fault.ts';

/** A JSON value as {@link parseJson} returns it: integers outside ±(2^53−1) are bigint. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

export type JsonErrorReason = 'too_deep' | 'too_many_values' | 'malformed';

/** The text is no JSON (`malformed`), is nested further than allowed (`too_deep`), or holds more values than that. */
export class JsonError extends Error {
  readonly reason: JsonErrorReason;
  /** Offset of the first character at fault, counted in UTF-16 units from 0. */
  readonly position: number;

  constructor(reason: JsonErrorReason, message: string, position: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JsonError';
    this.reason = reason;
    this.position = position;
  }
}

const depthMaxDefault = 32;

/**
 * Largest documents are large for the pictures in them. Small values cost tens of bytes each once built, and a document
 * of nothing else is an attack: 32 MiB of `{},` and one long number took 3.3 GB and held the process for 20 s.
 */
const valuesMax = 100_000;

/** 2^53 − 1 has 16 digits: a shorter run cannot be an integer that a double would round. */
const digitRunMin = 16;

/**
 * Longer integers stay doubles: no id or amount has so many digits, and turning a megabyte of digits into a
 * bigint takes seconds.
 */
const bigintDigitsMax = 64;

/**
 * Parses JSON from outside. Nesting and the number of values are checked before anything is built; integers a double would round come
 * back as bigint; keys named `__proto__` are dropped, so that no later copy can change a prototype.
 * Throws {@link JsonError}.
 */
export function parseJson(text: string, options: { depthMax?: number } = {}): Json {
  const depthMax = options.depthMax ?? depthMaxDefault;
  const shape = scan(text, depthMax);
  if (shape.tooDeepAt >= 0) {
    throw new JsonError(
      'too_deep',
      `JSON is nested more than ${depthMax} levels deep at ${place(text, shape.tooDeepAt)}`,
      shape.tooDeepAt,
    );
  }
  if (shape.tooManyAt >= 0) {
    throw new JsonError('too_many_values', `JSON holds more than ${valuesMax} values`, shape.tooManyAt);
  }
  try {
    // The reviver costs several times the plain parse, so it runs only for texts that need it.
    return shape.hasLongNumber || mayNamePrototype(text) ? JSON.parse(text, revive) : JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const fault = findJsonFault(text);
    throw new JsonError(
      'malformed',
      `Malformed JSON: ${fault.message} at ${place(text, fault.position)}`,
      fault.position,
      { cause },
    );
  }
}

/**
 * Writes JSON; a bigint becomes a bare integer. Throws TypeError for what JSON cannot hold (cycles,
 * undefined, functions).
 */
export function writeJson(value: unknown): string {
  let text: string | undefined;
  try {
    // Without a replacer V8 takes its fast path; only a bigint (or a cycle) makes it throw.
    text = JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    text = JSON.stringify(value, writeBigint);
  }
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  return text;
}

type RawJson = { rawJSON: string };
// TypeScript's library does not know these two parts of the "JSON.parse source text access" proposal yet.
const rawJson = (JSON as unknown as { rawJSON(text: string): RawJson }).rawJSON;
type ReviverContext = { source?: string };

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(value.toString()) : value;
}

function revive(key: string, value: unknown, context?: ReviverContext): unknown {
  if (key === '__proto__') return undefined;
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  if (source === undefined || source.length > bigintDigitsMax) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The key may be spelled with escapes: `\u005f_proto__`. A hit in a mere value only costs time. */
function mayNamePrototype(text: string): boolean {
  return text.includes('__proto__') || (text.includes('\\u005') && /\\u005f/i.test(text));
}

interface Shape {
  /** Where nesting passes the cap; −1 when it does not. */
  tooDeepAt: number;
  /** Where the values pass theirs; −1 when they do not. */
  tooManyAt: number;
  /** A run of {@link digitRunMin} digits occurs. */
  hasLongNumber: boolean;
}

/** One pass over the structure; strings are stepped over. */
function scan(text: string, depthMax: number): Shape {
  const end = text.length;
  let depth = 0;
  let digitRun = 0;
  // Every value but the first of its array or object follows a comma, the first one an opening bracket.
  let values = 0;
  const shape: Shape = { tooDeepAt: -1, tooManyAt: -1, hasLongNumber: false };
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x30 && code <= 0x39) {
      if (++digitRun === digitRunMin) shape.hasLongNumber = true;
      continue;
    }
    digitRun = 0;
    if (code === 0x22) index = stringEnd(text, index + 1);
    else if (code === 0x2c) {
      if (++values > valuesMax) return { ...shape, tooManyAt: index };
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) return { ...shape, tooDeepAt: index };
      if (++values > valuesMax) return { ...shape, tooManyAt: index };
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return shape;
}

/** Index of the quote that closes the string whose content begins at `start`; the text's end if none does. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote - 1;
    while (backslash >= start && text.charCodeAt(backslash) === 0x5c) backslash--;
    if ((quote - backslash) % 2 === 1) return quote;
  }
  return text.length;
}

function place(text: string, position: number): string {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return `position ${position} (line ${line}, column ${position - lineStart + 1})`;
}
