/** What the commands share that work on an installation's own files instead of its API. */
import { ConfigError, loadConfig, type Config } from '../config.ts';
import { CliError, type Context } from './command.ts';
import { elapsed, size } from './text.ts';

/** The configuration as the gateway itself would read it here. */
export function readConfig({ env, cwd }: Context): Config {
  try {
    return loadConfig(env, cwd);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message);
    throw error;
  }
}

/** Failures that carry a sentence for the operator become the command's own. */
export async function orSay<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && isForTheOperator(error)) throw new CliError(error.message);
    throw error;
  }
}

/** Ours, and what the disk, the database or the network say: a full disk needs no stack. */
function isForTheOperator(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return (
    ['UpkeepError', 'ConfigError', 'ConnectionLost', 'GatewayError'].includes(error.name) ||
    (typeof code === 'string' && /^(E[A-Z]+|ERR_SQLITE_ERROR)$/.test(code))
  );
}

const REDRAW_MS = 250;

/** One live line in a terminal; elsewhere a line per step. */
export function stepProgress(
  { terminal }: Context,
  amountOf: (done: number) => string = size,
): {
  show(step: string, done: number, total: number | null): void;
  end(): void;
} {
  const startedAt = Date.now();
  let step = '';
  let drawnAt = 0;
  return {
    show(name, done, total) {
      const isNew = name !== step;
      step = name;
      if (!terminal.isInteractive) {
        if (isNew) terminal.err(`${name} …\n`);
        return;
      }
      if (!isNew && Date.now() - drawnAt < REDRAW_MS) return;
      drawnAt = Date.now();
      const amount = done === 0 ? '' : `  ${amountOf(done)}${total === null ? '' : ` of ${amountOf(total)}`}`;
      terminal.err(`\r\u001b[2K${name}${amount}  ${elapsed(Date.now() - startedAt)}`);
    },
    end() {
      if (terminal.isInteractive) terminal.err('\r\u001b[2K');
    },
  };
}
