/**
 * Money is an integer of micro-units of one currency (bigint): 1 USD = 1_000_000n. No floats anywhere; on the
 * wire it is a decimal string.
 */
export type Currency = 'USD' | 'CNY';

const MICROS_PER_UNIT = 1_000_000n;

/** `28000n` -> `"0.028"`: as many decimals as needed, at least two. */
export function formatMicros(amountMicros: bigint): string {
  const sign = amountMicros < 0n ? '-' : '';
  const absolute = amountMicros < 0n ? -amountMicros : amountMicros;
  const fraction = (absolute % MICROS_PER_UNIT)
    .toString()
    .padStart(6, '0')
    .replace(/0{1,4}$/, '');
  return `${sign}${absolute / MICROS_PER_UNIT}.${fraction}`;
}

/**
 * `"12.5"` -> `12_500_000n`. Null for anything that is not a plain decimal with at most six decimals, so that no
 * amount is ever rounded in silence. Numbers are read through their shortest decimal text.
 */
export function parseMicros(value: unknown): bigint | null {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return null;
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) return null;
  const micros = BigInt(match[2]!) * MICROS_PER_UNIT + BigInt((match[3] ?? '').padEnd(6, '0'));
  return match[1] === '-' ? -micros : micros;
}
