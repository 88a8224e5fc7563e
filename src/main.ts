/**
 * What production runs: `node src/main.ts`, with NODE_COMPILE_CACHE set: this file itself is read before there is a cache
 * otherwise, and what turns TypeScript into JavaScript stays in memory (14 MiB). `npm start` and `reelay start` begin in
 * plain JavaScript (bin) for the same reason.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** After the ready line: the first requests come first, and the writer's thread may still be loading. */
const SETTLED_AFTER_MS = 2_000;
/** V8's own value of `--semi-space-growth-factor` (V8 13.6, src/flags/flag-definitions.h). */
const GROWTH_FACTOR = 2;

/** Runs the gateway of this process. */
export async function main(env: Record<string, string | undefined> = process.env): Promise<void> {
  const { run } = await load();
  await run(env);
  setTimeout(() => {
    setFlagsFromString(`--semi-space-growth-factor=${GROWTH_FACTOR}`);
    // Whoever ends us with SIGKILL would otherwise find the next start as slow as the first.
    flushCompileCache();
  }, SETTLED_AFTER_MS).unref();
  const { collectOnceIdle } = await import('./lib/collector.ts');
  collectOnceIdle();
}

/**
 * Loads the gateway's modules; compiled code is kept for the next start, so nothing else may be imported before that
 * is set.
 *
 * Loading leaves so many new objects that V8 grows its nursery to 64 MiB, and never gives them back: it stays small
 * until all is loaded (25 MiB less when idle, start no slower), then grows with the load. Compiled code is only
 * reused under the very flags it was compiled with, and the name of its directory comes from those at the time the
 * cache is set: before ours, as it is where the environment names the cache.
 */
export async function load(): Promise<typeof import('./run.ts')> {
  enableCompileCache();
  setFlagsFromString('--semi-space-growth-factor=1');
  return import('./run.ts');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
