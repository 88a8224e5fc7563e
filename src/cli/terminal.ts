/** The streams a command writes to, so that tests can read what a person would see. */
export interface Terminal {
  /** Results: what a script may read. */
  out(text: string): void;
  /** Everything about the results: progress, warnings, errors. */
  err(text: string): void;
  /** A person watches `err`: a line may be redrawn. */
  isInteractive: boolean;
  /** Columns of the window; 80 where there is none. */
  columns(): number;
  /** Wraps text in a colour, or leaves it alone where colours are not wanted. */
  paint(colour: Colour, text: string): string;
}

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const CODES: Record<Colour, [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/** The process's own streams. Colours only for a terminal, and not when `NO_COLOR` is set (no-color.org). */
export function processTerminal(env: Record<string, string | undefined>): Terminal {
  const hasColours = process.stdout.isTTY === true && process.stderr.isTTY === true && !env.NO_COLOR;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true && env.TERM !== 'dumb',
    columns: () => process.stderr.columns || 80,
    paint(colour, text) {
      const [on, off] = CODES[colour];
      return hasColours ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    },
  };
}
