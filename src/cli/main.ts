/** The `reelay` command: finds the command, reads its arguments, runs it, says what went wrong in one sentence. */
import { commands } from './commands.ts';
import { CliError, type Command, type Context } from './command.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import { nearest, parseInput } from './parse.ts';
import { processTerminal } from './terminal.ts';

/** Exit codes: 0 done, 1 failed, 2 asked in a wrong way, 130 interrupted. */
export async function runCli(args: string[], context: Context = processContext()): Promise<number> {
  const { terminal } = context;
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (!(error instanceof CliError)) {
      if (context.signal.aborted) return 130;
      throw error;
    }
    terminal.err(`${terminal.paint('red', 'Error:')} ${error.message}\n`);
    return error.exitCode;
  }
}

async function dispatch(args: string[], context: Context): Promise<number> {
  const { terminal } = context;
  const found = findCommand(args);
  if (found !== null) {
    const rest = args.slice(found.words.length);
    if (asksForHelp(rest)) {
      terminal.out(commandHelp(found));
      return 0;
    }
    const input = parseInput(found, rest);
    if (found.ownsSignals !== true) context.catchSignals();
    return found.run(input, context);
  }
  const words = args.filter((arg) => !arg.startsWith('-'));
  const group = commands.filter((command) => command.words[0] === words[0]);
  const isAsked = asksForHelp(args) || args.length === 0 || words[0] === 'help';
  const print = isAsked ? terminal.out : terminal.err;
  if (group.length > 0 && (words.length === 1 || isAsked)) {
    print(groupHelp([words[0]!], group));
    return isAsked ? 0 : 2;
  }
  if (isAsked) {
    print(overview(commands));
    return 0;
  }
  const asked = words.slice(0, group.length > 0 ? 2 : 1).join(' ');
  const near = nearest(
    asked,
    commands.flatMap((command) => [command.words.join(' '), command.words[0]!]),
  );
  terminal.err(
    `${terminal.paint('red', 'Error:')} There is no command ${JSON.stringify(asked || args[0])}.` +
      `${near === null ? '' : ` Did you mean ${JSON.stringify(near)}?`} See reelay --help.\n`,
  );
  return 2;
}

/** The command with the longest run of words that the arguments begin with. */
function findCommand(args: string[]): Command | null {
  let found: Command | null = null;
  for (const command of commands) {
    const isCalled = command.words.every((word, index) => args[index] === word);
    if (isCalled && command.words.length > (found?.words.length ?? 0)) found = command;
  }
  return found;
}

/** `--` ends the options: what follows may be a prompt that reads `--help`. */
function asksForHelp(args: string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

function processContext(): Context {
  const controller = new AbortController();
  const stop = () => {
    // Only once: a second Ctrl-C ends the process at once.
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
    controller.abort();
  };
  return {
    env: process.env,
    cwd: process.cwd(),
    terminal: processTerminal(process.env),
    signal: controller.signal,
    catchSignals() {
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
    },
  };
}

if (import.meta.main) process.exitCode = await runCli(process.argv.slice(2));
