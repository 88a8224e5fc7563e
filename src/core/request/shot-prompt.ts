/**
 * Shots that are written into the prompt, as Kling's new standard has them: `镜头 n, m, words; 镜头 n, m, words;`, n the
 * number and m the seconds of a shot (specs/kling.md §4; half-width punctuation).
 */
import { GatewayError } from '../errors.ts';
import { checkShots } from './controls.ts';
import type { Claim, Shot } from './types.ts';

const head = /^\s*镜头\s*\d+\s*,/u;
/** One shot up to the semicolon before the next, or to the end. */
const shot = /\s*镜头\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,([\s\S]*?)(?:;\s*(?=镜头\s*\d+\s*,)|;?\s*$)/uy;

/**
 * The shots of a prompt; null for a prompt of another form, which leaves the division to the model. Throws
 * `invalid_value` naming the prompt where it begins like shots and does not go on so, or breaks their limits.
 */
export function readShotPrompt(claim: Claim & { value: string }): Shot[] | null {
  const { source, value } = claim;
  if (!head.test(value)) return null;
  const shots: Shot[] = [];
  shot.lastIndex = 0;
  while (shot.lastIndex < value.length) {
    const match = shot.exec(value);
    if (match === null) {
      throw new GatewayError(
        'invalid_value',
        `${source} begins with shots and must go on so: 镜头 n, seconds, words; for each of them.`,
        { param: source },
      );
    }
    shots.push({ index: Number(match[1]), seconds: Number(match[2]), prompt: match[3]!.trim() });
  }
  return checkShots(shots, source);
}
