/** Arguments to a command's input, with messages that say what to write instead. */
import { parseArgs } from 'node:util';
import { UsageError, type Command, type Input, type Option } from './command.ts';

/** Throws UsageError for unknown options, missing values and a wrong number of positional arguments. */
export function parseInput(command: Command, args: string[]): Input {
  const name = `reelay ${command.words.join(' ')}`;
  const parsed = read(command, args, name);
  checkPositionals(command, parsed.positionals, name);
  const { values } = parsed;
  const list = (option: string) => [values[option] ?? []].flat();
  return {
    positionals: parsed.positionals,
    text: (option) => list(option).find((value) => typeof value === 'string'),
    texts: (option) => list(option).filter((value) => typeof value === 'string'),
    flag: (option) => values[option] === true,
  };
}

/** A whole number within bounds, or UsageError naming the option. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
  );
}

function read(command: Command, args: string[], name: string) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { type, short, multiple }]) => [
      option,
      { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) },
    ]),
  );
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${faultOf(error as Error & { code?: string }, command)} See ${name} --help.`);
  }
}

function faultOf(error: Error & { code?: string }, command: Command): string {
  const option = /'(?:-\w, )?(-{1,2}[^' ]+)[^']*'/.exec(error.message)?.[1];
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && option !== undefined) {
    const near = nearest(option.replace(/^-+/, ''), Object.keys(command.options));
    return `Unknown option ${option}.${near === null ? '' : ` Did you mean --${near}?`}`;
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' && option !== undefined) {
    const known: Option | undefined = command.options[option.replace(/^-+/, '')];
    return known?.type === 'boolean' ? `${option} takes no value.` : `${option} needs a value.`;
  }
  return `${error.message.split('\n')[0]!.replace(/\.$/, '')}.`;
}

function checkPositionals(command: Command, given: string[], name: string): void {
  const wanted = command.positionals ?? [];
  const required = wanted.filter((each) => !each.startsWith('['));
  const missing = required[given.length];
  if (missing !== undefined) throw new UsageError(`${name} needs ${missing}. See ${name} --help.`);
  const extra = given[wanted.length];
  if (extra === undefined) return;
  const advice = wanted.length > 0 ? ' Put text with spaces in quotes.' : '';
  throw new UsageError(`${name} does not take ${JSON.stringify(extra)}.${advice} See ${name} --help.`);
}

/** The known word nearest to a mistyped one; null when none is near. */
export function nearest(word: string, known: string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.ceil(word.length / 2));
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
