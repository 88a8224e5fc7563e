/**
 * `npm start`, `reelay start`, and what production runs: `node src/main.ts`.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** After the ready line: the first requests come first. */
const FLUSH_AFTER_MS = 2_000;
/** V8's own value of `--semi-space-growth-factor` (V8 13.6, src/flags/flag-definitions.h). */
const GROWTH_FACTOR = 2;

/**
 * Runs the gateway; compiled code is kept for the next start, so nothing else may be imported before that is set.
 *
 * Loading leaves so many new objects that V8 grows its nursery to 64 MiB, and never gives them back: it stays small
 * until all is loaded (25 MiB less when idle, start no slower), then grows with the load. Compiled code is only
 * reused under the very flags it was compiled with, so the flag comes before the cache.
 */
export async function main(env: Record<string, string | undefined> = process.env): Promise<void> {
  setFlagsFromString('--semi-space-growth-factor=1');
  enableCompileCache();
  const { run } = await import('./run.ts');
  await run(env);
  setFlagsFromString(`--semi-space-growth-factor=${GROWTH_FACTOR}`);
  // Whoever ends us with SIGKILL would otherwise find the next start as slow as the first.
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
  const { collectOnceIdle } = await import('./lib/collector.ts');
  collectOnceIdle();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
