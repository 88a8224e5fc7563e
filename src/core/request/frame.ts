/** Sizes, grades and ratios as callers write them. */
import { invalid, oneOf, show } from './read.ts';
import type { AspectRatio, Claim, Resolution } from './types.ts';

/** What a `size` says: a bare grade (`720P`) or a picture size, from which grade and nearest ratio follow. */
export interface SizeClaim {
  source: string;
  resolution: Resolution;
  /** null where only a grade was written. */
  aspectRatio: AspectRatio | null;
  /** null where only a grade was written. */
  width: number | null;
  height: number | null;
}

const GRADES: readonly Resolution[] = ['720P', '1080P', '4K'];

/** `720P`, `1080p`, `4k` in any case; `2160P` is 4K. Null for anything else. */
function gradeOf(value: unknown): Resolution | null {
  if (typeof value !== 'string') return null;
  const text = value.trim().toUpperCase();
  if (text === '2160P') return '4K';
  return GRADES.find((grade) => grade === text) ?? null;
}

/** A grade, or a size whose grade is meant (`1080x1920` as a resolution). */
export function readResolution(claim: Claim): Resolution {
  const grade = gradeOf(claim.value) ?? sizeOf(claim)?.resolution ?? null;
  if (grade === null) throw invalid(claim.source, `must be ${oneOf(GRADES)}, not ${show(claim.value)}.`);
  return grade;
}

/** `720P` or `720x1280`, also with `*`, `X` or `×` (specs/kling.md §8 row 18). */
export function readSize(claim: Claim): SizeClaim {
  const grade = gradeOf(claim.value);
  if (grade !== null) {
    return { source: claim.source, resolution: grade, aspectRatio: null, width: null, height: null };
  }
  const size = sizeOf(claim);
  if (size === null) {
    throw invalid(claim.source, `must be 720P, 1080P, 4K or WIDTHxHEIGHT, not ${show(claim.value)}.`);
  }
  return size;
}

function sizeOf(claim: Claim): SizeClaim | null {
  if (typeof claim.value !== 'string') return null;
  const match = /^\s*(\d{2,5})\s*[xX*×]\s*(\d{2,5})\s*$/.exec(claim.value);
  if (!match) return null;
  const width = Number(match[1]);
  const height = Number(match[2]);
  if (width === 0 || height === 0) return null;
  return {
    source: claim.source,
    resolution: gradeCovered(Math.min(width, height)),
    aspectRatio: nearestRatio(width, height),
    width,
    height,
  };
}

/**
 * The highest grade that the short side reaches in full. Rounding up would charge for more than was asked: 1024x1024
 * asks for a square, not for 1080P.
 */
function gradeCovered(shortSide: number): Resolution {
  if (shortSide >= 2160) return '4K';
  return shortSide >= 1080 ? '1080P' : '720P';
}

const RATIOS: readonly [AspectRatio, number][] = [
  ['16:9', Math.log(16 / 9)],
  ['9:16', Math.log(9 / 16)],
  ['1:1', 0],
];

/** Distance is measured on a logarithmic scale, where a picture and the same picture turned are equally far from 1:1. */
function nearestRatio(width: number, height: number): AspectRatio {
  const asked = Math.log(width / height);
  let best = RATIOS[0]!;
  for (const ratio of RATIOS) if (Math.abs(ratio[1] - asked) < Math.abs(best[1] - asked)) best = ratio;
  return best[0];
}

/** `16:9`: any two whole numbers; which ones a model takes is the family's to say. */
export function readAspectRatio(claim: Claim): string {
  const match =
    typeof claim.value === 'string' ? /^\s*(\d{1,4})\s*:\s*(\d{1,4})\s*$/.exec(claim.value) : null;
  if (!match) throw invalid(claim.source, `must be a ratio such as 16:9, not ${show(claim.value)}.`);
  return `${Number(match[1])}:${Number(match[2])}`;
}
