/**
 * Starts gateways and sandboxes as processes of their own and ends exactly those.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A directory of its own for one test, removed by `dispose`. */
export function temporaryDirectory(): { path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), 'reelay-test-'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Running {
  url: string;
  child: ChildProcess;
  /** Everything it wrote to stderr so far. */
  errors(): string;
  /** Resolves with the signal or code it ended by. */
  ended: Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Runs a script under this Node until it prints its ready line. Rejects with its stderr when it ends before. */
export async function startProcess(
  script: string,
  args: string[],
  env: Record<string, string>,
): Promise<Running> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-20_000);
  });
  const ended = once(child, 'exit').then(([code, signal]) => String(signal ?? code));
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const match = /^Reelay (?:sandbox )?is ready at (http\S+)$/.exec(line);
      if (match) resolve(match[1]!);
    });
    void ended.then((how) => reject(new Error(`${script} ended (${how}) before it was ready: ${errors}`)));
  });
  const url = await ready;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return {
    url,
    child,
    ended,
    errors: () => errors,
    stop: () => stop('SIGTERM'),
    kill: () => stop('SIGKILL'),
  };
}

export interface FirstRunFile {
  base_url: string;
  admin_token: string;
  account_id: string;
  api_key: string;
  access_key: string;
  secret_key: string;
}

/** The keys a first start left in its data directory. */
export function firstRunOf(dataDir: string): FirstRunFile {
  return JSON.parse(readFileSync(join(dataDir, 'first-run.json'), 'utf8')) as FirstRunFile;
}

/** Parsed JSON that tests index freely: what they assert is the shape. */
// lint-allow: any, so that a test reads `body.data.task_id` without a cast at every step
export type LooseJson = any; // lint-allow: see above

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: LooseJson;
  text: string;
}

/** One JSON request; the body of an answer that is not JSON is in `text` only. */
export async function call(
  url: string,
  options: { method?: string; key?: string; json?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`;
  if (options.json !== undefined) headers['content-type'] = 'application/json';
  const response = await request(url, {
    method: (options.method ?? (options.json === undefined ? 'GET' : 'POST')) as 'GET',
    headers,
    ...(options.json !== undefined && { body: JSON.stringify(options.json) }),
  });
  const text = await response.body.text();
  let body: unknown = {};
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: the text is there.
  }
  return { status: response.statusCode, headers: response.headers, body, text };
}

/** Asks again until `check` answers something, at most `timeoutMs`; rejects with what was last seen. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  check: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  let last: unknown = null;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until)
      throw new Error(`${what} did not happen within ${timeoutMs} ms; last seen: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
