/** How figures are taken and judged: turns, medians, ratios, and when a reference is too noisy for a verdict. */

/** One contestant's turn of one round. */
export interface Turn {
  perSecond: number;
  /** Processor time of the server per answer, all its threads, in microseconds. */
  cpuMicros: number;
  /** How many cores it kept busy. */
  cores: number;
  /** Resident memory at its end. */
  residentBytes: number;
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
  verdict: 'met' | 'missed' | 'no verdict';
  /** How calm the reference was, or why there is no verdict. */
  reason: string;
}

/** A reference that swings more than this cannot tell a gateway from its neighbours on the machine. */
export const NOISE_MAX = 0.15;
/**
 * A reference that is said to run as fast as it can keeps this much of a core busy. When it does not, something else
 * held it back, and the ratio would flatter the gateway.
 */
export const BUSY_MIN = 0.8;

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

/**
 * The subject over the reference, round by round; met when the median reaches the aim. No verdict when the reference
 * swings too much or, where it should be limited by its processor alone (`busy`), is not.
 */
export function ratioOf(input: {
  of: string;
  subject: Turn[];
  reference: Turn[];
  aim: number;
  busy: boolean;
}): Ratio {
  const { of, subject, reference, aim, busy } = input;
  const spread = spreadOf(subject.map((turn, round) => turn.perSecond / reference[round]!.perSecond));
  const noise = noiseOf(reference.map((turn) => turn.perSecond));
  const cores = spreadOf(reference.map((turn) => turn.cores)).median;
  const swing = `the reference swings by ${percent(noise)}`;
  if (noise > NOISE_MAX) {
    return { of, ...spread, aim, verdict: 'no verdict', reason: `${swing}, more than ${percent(NOISE_MAX)}` };
  }
  if (busy && cores < BUSY_MIN) {
    const reason = `the reference had only ${cores.toFixed(2)} of a core, less than ${BUSY_MIN}`;
    return { of, ...spread, aim, verdict: 'no verdict', reason };
  }
  return { of, ...spread, aim, verdict: spread.median >= aim ? 'met' : 'missed', reason: swing };
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}
