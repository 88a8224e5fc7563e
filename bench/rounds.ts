/** How figures are taken and judged: turns, medians, ratios, and when a reference is too noisy for a verdict. */

/** One contestant's turn of one round. */
export interface Turn {
  perSecond: number;
  /** Processor time of the server per answer, all its threads, in microseconds. */
  cpuMicros: number;
  /** How many cores it kept busy. */
  cores: number;
}

export interface Contestant {
  name: string;
  /** Loads it for so long. Called with the warm-up first. */
  turn(durationMs: number): Promise<Turn>;
}

export interface Pace {
  rounds: number;
  turnMs: number;
  warmUpMs: number;
}

/** Median with the lowest and the highest. */
export interface Spread {
  median: number;
  lowest: number;
  highest: number;
}

export interface Ratio extends Spread {
  of: string;
  aim: number;
  /** Of the reference, see `noiseOf`. */
  noise: number;
  verdict: 'met' | 'missed' | 'no verdict';
}

/** A reference that swings more than this cannot tell a gateway from its neighbours on the machine. */
export const NOISE_MAX = 0.15;

/**
 * Everybody warms up, then all take turns, so that a change of the machine's mood meets all alike. The order is
 * reversed every other round: nobody always follows the same one.
 */
export async function takeTurns(contestants: Contestant[], pace: Pace): Promise<Map<string, Turn[]>> {
  const turns = new Map<string, Turn[]>(contestants.map(({ name }) => [name, []]));
  for (const contestant of contestants) await contestant.turn(pace.warmUpMs);
  for (let round = 0; round < pace.rounds; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) turns.get(contestant.name)!.push(await contestant.turn(pace.turnMs));
  }
  return turns;
}

/** Of at least one value. */
export function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, lowest: sorted[0]!, highest: sorted.at(-1)! };
}

/**
 * How far a reference swings: highest minus lowest over the median, after the one round furthest from the median is
 * left out (a single hiccup cannot move the median of the ratios).
 */
export function noiseOf(values: number[]): number {
  const { median } = spreadOf(values);
  const kept = values
    .toSorted((left, right) => Math.abs(left - median) - Math.abs(right - median))
    .slice(0, Math.max(1, values.length - 1));
  const { lowest, highest } = spreadOf(kept);
  return (highest - lowest) / median;
}

/** The subject over the reference, round by round; met when the median reaches the aim and the reference was calm. */
export function ratioOf(of: string, subject: number[], reference: number[], aim: number): Ratio {
  const spread = spreadOf(subject.map((value, round) => value / reference[round]!));
  const noise = noiseOf(reference);
  const verdict = noise > NOISE_MAX ? 'no verdict' : spread.median >= aim ? 'met' : 'missed';
  return { of, ...spread, aim, noise, verdict };
}
