import { randomFillSync } from 'node:crypto';

/** Sorted by code, so that the byte order of ids is the order of the numbers in them. */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 62^8 milliseconds last until the year 8888, so the prefix never changes its width. */
const timeLength = 8;
const taskIdLength = 32;
const otherIdLength = 24;

/** The largest multiple of 62 a byte can hold: bytes above it would favour the first letters. */
const fairByteMax = 248;
const poolBytes = 8192;

/** Source of public ids. Each sorts by the time given; two of the same millisecond are in no order. */
export interface Ids {
  /** `task_` + 32 characters of base62, of which the last 24 are random (143 bits). */
  newTaskId(nowMs: number): string;
  /** `prefix` + 24 characters of base62, of which the last 16 are random (95 bits). */
  newId(prefix: `${string}_`, nowMs: number): string;
  /**
   * An 18-digit decimal number above 2^53, as upstreams with snowflake ids make them. Strictly increasing
   * within one source, also when the clock stands still or goes back.
   */
  decimalId(nowMs: number): string;
}

/** `randomBytes` fills the buffer it is given; tests pass one that repeats itself. */
export function createIds(options: { randomBytes?: (buffer: Uint8Array<ArrayBuffer>) => void } = {}): Ids {
  const fill = options.randomBytes ?? randomFillSync;
  // One call for many ids: a call per id costs more than everything else here.
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  let lastMs = -1;
  let countInMs = 0;

  function randomCharacters(length: number): string {
    let text = '';
    while (text.length < length) {
      if (used === poolBytes) {
        fill(pool);
        used = 0;
      }
      const byte = pool[used] as number;
      pool[used++] = 0;
      if (byte < fairByteMax) text += alphabet[byte % 62];
    }
    return text;
  }

  return {
    newTaskId: (nowMs) => `task_${timePrefix(nowMs)}${randomCharacters(taskIdLength - timeLength)}`,
    newId: (prefix, nowMs) => `${prefix}${timePrefix(nowMs)}${randomCharacters(otherIdLength - timeLength)}`,
    decimalId(nowMs) {
      const wholeMs = Math.floor(nowMs);
      if (wholeMs > lastMs) {
        lastMs = wholeMs;
        countInMs = 0;
      } else if (++countInMs === 100_000) {
        lastMs++;
        countInMs = 0;
      }
      return `${String(lastMs).padStart(13, '0')}${String(countInMs).padStart(5, '0')}`;
    },
  };
}

const systemIds = createIds();

/** See {@link Ids.newTaskId}. */
export const newTaskId = systemIds.newTaskId;
/** See {@link Ids.newId}. */
export const newId = systemIds.newId;
/** See {@link Ids.decimalId}. */
export const decimalId = systemIds.decimalId;

/** Sorts before every id of this kind that was made at `nowMs` or later. */
export function idFloor(prefix: `${string}_`, nowMs: number): string {
  return prefix + timePrefix(nowMs);
}

/** Whether a text has the form of a task id; says nothing about whether the task exists. */
export function isTaskId(text: string): boolean {
  return /^task_[0-9A-Za-z]{32}$/.test(text);
}

/** `length` random characters of base62, for secrets. */
export function randomBase62(length: number): string {
  let text = '';
  const bytes = new Uint8Array(length * 2);
  while (text.length < length) {
    randomFillSync(bytes);
    for (const byte of bytes) {
      if (byte < fairByteMax && text.length < length) text += alphabet[byte % 62];
    }
  }
  return text;
}

/** A whole number as base62, padded with zeros to `width`. */
export function base62(value: number, width: number): string {
  let rest = value;
  let text = '';
  for (let digit = 0; digit < width; digit++) {
    text = (alphabet[rest % 62] as string) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

function timePrefix(nowMs: number): string {
  return base62(Math.max(0, Math.floor(nowMs)), timeLength);
}
