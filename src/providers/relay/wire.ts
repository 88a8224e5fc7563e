/** Small readers of far gateways' JSON, lenient: every one of them has its own idea of the same fields. */
import type { Json } from '../../lib/json.ts';

export type WireObject = { [key: string]: Json };

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Ids come as strings and as numbers beyond 2^53. Empty counts as absent. */
export function textOf(value: Json | undefined): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

/** An http(s) link; anything else is none. */
export function linkOf(value: Json | undefined): string | null {
  return typeof value === 'string' && /^https?:\/\//i.test(value) ? value : null;
}

/** Seconds, as a number or a decimal string; null when there are none. */
export function secondsOf(value: Json | undefined): number | null {
  const seconds = Number(textOf(value) ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

export function objectsIn(value: Json | undefined): WireObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
