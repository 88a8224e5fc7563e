import { createHash } from 'node:crypto';

/**
 * SHA-256 (hex) of a decoded value: equal for equal values, whatever order their keys came in and however they were
 * encoded on the wire. Bytes count by their own SHA-256; keys whose value is undefined do not count.
 */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex');
}

/** Like JSON with sorted keys; bytes and bigints are written as no JSON value is, so that nothing else reads as them. */
function canonicalText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (value instanceof Uint8Array) return `<${createHash('sha256').update(value).digest('hex')}>`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalText(inner)}`);
  return `{${fields.join()}}`;
}
