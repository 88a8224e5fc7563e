/**
 * `npm start`, `reelay start`, and what production runs: `node src/main.ts`.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Runs the gateway; compiled code is kept for the next start, so nothing else may be imported before that is set. */
export async function main(): Promise<void> {
  enableCompileCache();
  const { run } = await import('./run.ts');
  await run();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
