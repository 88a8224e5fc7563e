/** Server processes of a run: started, asked what they cost, and ended by their id. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

export interface RunningServer extends AsyncDisposable {
  url: string;
  pid: number;
  /** From the start of the process to the line that says it is ready. */
  startMs: number;
  /** Processor time of all its threads so far, user and system, in microseconds. */
  cpuMicros(): number;
  /** Resident memory, in bytes. */
  residentBytes(): number;
  /** Ends it and waits until it is gone; `await using` does so by itself. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** A script, from the repository's root. */
  script: string;
  args?: string[];
  /** For Node itself. */
  nodeArgs?: string[];
  /** Given to the script besides PATH and HOME: nothing of the caller's own settings reaches it. */
  env?: Record<string, string>;
  cwd?: string;
}

const ROOT = new URL('../', import.meta.url);
const START_TIMEOUT_MS = 60_000;
/** After that long a server is not asked any more. */
const STOP_TIMEOUT_MS = 10_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** Starts a script under this very Node and waits for its line `… ready at <url>`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [...(options.nodeArgs ?? []), fileURLToPath(new URL(options.script, ROOT)), ...(options.args ?? [])],
    {
      cwd: options.cwd ?? fileURLToPath(ROOT),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.add(child);
  const gone = new Promise<void>((resolve) =>
    child.once('exit', () => {
      running.delete(child);
      resolve();
    }),
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(patience);
  };
  let url: string;
  try {
    url = await readyUrl(child, options.script);
  } catch (error) {
    await stop();
    throw error;
  }
  const pid = child.pid!;
  return {
    url,
    pid,
    startMs: performance.now() - startedAt,
    cpuMicros: () => cpuMicrosOf(pid),
    residentBytes: () => residentBytesOf(pid),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function readyUrl(child: ChildProcess, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (reason: string) => {
      clearTimeout(timeout);
      reject(new Error(`${script} did not start: ${reason}\n${said.slice(-2000)}`));
    };
    const timeout = setTimeout(() => fail('it took too long'), START_TIMEOUT_MS);
    const listener = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /ready at (http:\/\/\S+)\n/i.exec(said)?.[1];
      if (url === undefined) return;
      clearTimeout(timeout);
      // Read on, or a full pipe would stop the server.
      for (const stream of [child.stdout!, child.stderr!]) stream.off('data', listener).resume();
      resolve(url);
    };
    child.stdout!.on('data', listener);
    child.stderr!.on('data', listener);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it ended with ${code}`));
  });
}

/** Linux counts in hundredths of a second; elsewhere `ps` is asked. */
function cpuMicrosOf(pid: number): number {
  if (process.platform === 'linux') {
    // The second field, the name, may hold spaces: count from behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }
  // [[days-]hours:]minutes:seconds.hundredths
  const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [days, clock] = text.includes('-') ? (text.split('-') as [string, string]) : ['0', text];
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1e6;
}

function residentBytesOf(pid: number): number {
  if (process.platform === 'linux') {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}
