/** The help texts, all made from the commands' own declarations. */
import type { Command, Option } from './command.ts';
import { padEnd } from './width.ts';

/** `reelay --help`: every command in one line. */
export function overview(commands: Command[]): string {
  const lines = commands.map((command) => [command.words.join(' '), command.summary] as const);
  return [
    'reelay: the command line of a Reelay gateway.',
    '',
    'Usage: reelay <command> [options]',
    '',
    ...columns(lines),
    '',
    'Each command has its own help: reelay <command> --help.',
    'The gateway is found by --url, REELAY_URL or data/first-run.json (folder: REELAY_DATA).',
    '',
  ].join('\n');
}

/** `reelay keys`: the commands that begin with these words. */
export function groupHelp(words: string[], commands: Command[]): string {
  const lines = commands.map((command) => [command.words.join(' '), command.summary] as const);
  return [`Usage: reelay ${words.join(' ')} <command> [options]`, '', ...columns(lines), ''].join('\n');
}

/** `reelay generate --help`. */
export function commandHelp(command: Command): string {
  const usage = ['reelay', ...command.words, ...(command.positionals ?? []), '[options]'].join(' ');
  const options = Object.entries(command.options).map(
    ([name, option]) => [flags(name, option), option.help] as const,
  );
  return [
    command.summary,
    '',
    `Usage: ${usage}`,
    '',
    ...columns(options),
    ...(command.notes === undefined ? [] : ['', ...command.notes]),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}

function flags(name: string, option: Option): string {
  const long = `--${name}${option.type === 'string' ? ` ${option.value ?? '<text>'}` : ''}`;
  return option.short === undefined ? `    ${long}` : `-${option.short}, ${long}`;
}

function columns(rows: (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${padEnd(first, width)}  ${second}`);
}
