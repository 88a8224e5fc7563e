/** What a run says, as lines for a terminal. */
import type { Ratio, Spread, Turn } from './rounds.ts';
import { spreadOf } from './rounds.ts';

/** What a scenario brings back. */
export interface Report {
  title: string;
  lines: string[];
  ratios: Ratio[];
}

export function rateLine(name: string, turns: Turn[]): string {
  const rate = spreadOf(turns.map((turn) => turn.perSecond));
  const cpu = spreadOf(turns.map((turn) => turn.cpuMicros));
  const cores = spreadOf(turns.map((turn) => turn.cores));
  const resident = spreadOf(turns.map((turn) => turn.residentBytes));
  return (
    `${name.padEnd(24)}${spreadText(rate, (value) => value.toFixed(0))}/s, ` +
    `${(cpu.median / 100).toFixed(2)} s CPU per 10k, ` +
    `${cores.median.toFixed(2)} cores busy, ${(resident.median / 2 ** 20).toFixed(0)} MiB`
  );
}

export function figureLine(name: string, spread: Spread, digits: number, unit: string): string {
  return `${name.padEnd(24)}${spreadText(spread, (value) => value.toFixed(digits))}${unit}`;
}

export function ratioLine(ratio: Ratio): string {
  const { of, aim, verdict, reason } = ratio;
  const figures = spreadText(ratio, (value) => value.toFixed(3));
  return `${of.padEnd(33)}${figures}aim ${aim}: ${verdict} (${reason})`;
}

export function print({ title, lines, ratios }: Report): void {
  console.log(`\n${title}`);
  for (const line of [...lines, ...ratios.map(ratioLine)]) console.log(`  ${line}`);
}

function spreadText({ median, lowest, highest }: Spread, write: (value: number) => string): string {
  return `${write(median).padStart(8)}  (${write(lowest)} … ${write(highest)}) `.padEnd(30);
}
