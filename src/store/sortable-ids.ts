import { base62, randomBase62 } from '../lib/ids.ts';

/** 62^4 ids can share a millisecond before the count borrows the next one. */
const COUNT_LENGTH = 4;
const COUNT_END = 62 ** COUNT_LENGTH;
const TIME_LENGTH = 8;
const RANDOM_LENGTH = 12;

/**
 * Ids that sort in the order they were made, also within a millisecond and when the clock goes back: 8 characters
 * of time, 4 of a count, 12 that are random once per source, so that two writers never make the same.
 */
export function createSortableIds(): (prefix: `${string}_`, nowMs: number) => string {
  const source = randomBase62(RANDOM_LENGTH);
  let lastMs = -1;
  let count = 0;
  let time = '';
  return (prefix, nowMs) => {
    if (nowMs > lastMs) {
      lastMs = nowMs;
      count = 0;
      time = base62(lastMs, TIME_LENGTH);
    } else if (++count === COUNT_END) {
      lastMs++;
      count = 0;
      time = base62(lastMs, TIME_LENGTH);
    }
    return prefix + time + base62(count, COUNT_LENGTH) + source;
  };
}
