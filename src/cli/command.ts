/** What a command of the command line is: its words, its options, its help and what it does. */
import type { Terminal } from './terminal.ts';

export interface Option {
  type: 'string' | 'boolean';
  /** One letter, for `-o`. */
  short?: string;
  /** May be given more than once. */
  multiple?: boolean;
  /** How the value is called in the help, e.g. `<seconds>`. */
  value?: string;
  help: string;
}

export interface Command {
  /** The words that call it: `['keys', 'create']`. */
  words: string[];
  summary: string;
  /** Positional arguments as the help shows them: `<account> <amount>`; square brackets: may be left out. */
  positionals?: string[];
  options: Record<string, Option>;
  /** More to know, shown under the options. */
  notes?: string[];
  examples: string[];
  /** It deals with Ctrl-C and SIGTERM itself; `signal` is never aborted. */
  ownsSignals?: true;
  /** Answers the exit code. Throws CliError for everything a person should read. */
  run(input: Input, context: Context): Promise<number>;
}

/** The arguments of one call, checked against the command's options. */
export interface Input {
  positionals: string[];
  /** The option's text, or undefined. */
  text(name: string): string | undefined;
  /** All texts of an option that may be repeated. */
  texts(name: string): string[];
  flag(name: string): boolean;
}

/** The world as commands see it; tests pass their own. */
export interface Context {
  env: Record<string, string | undefined>;
  /** Relative paths start here. */
  cwd: string;
  terminal: Terminal;
  /** Aborted by Ctrl-C or SIGTERM, once `catchSignals` was called. */
  signal: AbortSignal;
  /** From now on the first Ctrl-C or SIGTERM aborts `signal` instead of ending the process. */
  catchSignals(): void;
}

/** A failure with a sentence for the person at the keyboard; no stack is shown. */
export class CliError extends Error {
  override name = 'CliError';
  /** 1: it failed; 2: it was asked for in a wrong way. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command was called in a wrong way: exit code 2. */
export class UsageError extends CliError {
  override name = 'UsageError';

  constructor(message: string) {
    super(message, 2);
  }
}
