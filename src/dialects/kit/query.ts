import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';

/** Documents a whole number in the query; {@link wholeNumberIn} judges it, so that the refusal is a sentence. */
export function wholeNumberParameter(limits: {
  minimum: number;
  maximum: number;
  default: number;
  description: string;
}) {
  return z
    .unknown()
    .optional()
    .meta({ type: 'integer', ...limits });
}

/** Documents a text of the query that is one of a few words; judged by {@link wordIn}. */
export function wordParameter(words: readonly string[], fallback: string, description: string) {
  return z.unknown().optional().meta({ type: 'string', enum: words, default: fallback, description });
}

/** Reads `?name=12`. Absent or empty: the fallback. Throws `invalid_value` for all else outside the limits. */
export function wholeNumberIn(
  query: Record<string, unknown>,
  name: string,
  limits: { minimum: number; maximum: number; default: number },
): number {
  const value = query[name];
  if (value === undefined || value === '') return limits.default;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= limits.minimum && number <= limits.maximum) return number;
  throw new GatewayError(
    'invalid_value',
    `${name} must be a whole number from ${limits.minimum} to ${limits.maximum}.`,
    { param: name },
  );
}

/** Reads `?name=word`. Absent or empty: the fallback. Throws `invalid_value` for other words. */
export function wordIn<Word extends string>(
  query: Record<string, unknown>,
  name: string,
  words: readonly Word[],
  fallback: Word,
): Word {
  const value = query[name];
  if (value === undefined || value === '') return fallback;
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw new GatewayError('invalid_value', `${name} must be one of ${words.join(', ')}.`, { param: name });
}

/** Reads a plain text of the query. Throws `invalid_value` when it is given more than once. */
export function textIn(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new GatewayError('invalid_value', `${name} may be given only once.`, { param: name });
}
