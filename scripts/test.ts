/**
 * `npm test`: every test file of the repository, or the ones named; three files at a time. Ends with one line of totals;
 * every skipped test is named with its reason. One PostgreSQL serves all files, unless REELAY_TEST_DATABASE_URL names one.
 */
import { globSync } from 'node:fs';
import { sep } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../test/helpers/postgres.ts';

const named = process.argv.slice(2);
const patterns = named.length > 0 ? named : ['{src,test,conformance,scripts,bench}/**/*.test.ts'];
/** Folders whose files take longest: begun first, so that the many short ones fill up the end. */
const LONGEST = ['test', 'conformance', 'bench'];
const rankOf = (file: string): number => {
  const rank = LONGEST.indexOf(file.split(sep)[0]!);
  return rank < 0 ? LONGEST.length : rank;
};
const files = globSync(patterns, { exclude: (name) => name === 'node_modules' })
  .sort()
  .sort((a, b) => rankOf(a) - rankOf(b));
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}`);
  process.exit(1);
}

const postgres = process.env.REELAY_TEST_DATABASE_URL ? null : await startPostgres();
if (postgres) process.env.REELAY_TEST_DATABASE_URL = postgres.url;

// Compiled once for all files, their threads and the gateways they start: threads are there in two thirds of the time.
process.env.NODE_COMPILE_CACHE ||= fileURLToPath(
  new URL('../node_modules/.reelay/compile-cache', import.meta.url),
);

const totals = { passed: 0, failed: 0, skipped: [] as string[] };
// One more than the cores of a small machine: many files wait for processes of their own.
const stream = run({ files, concurrency: 3, timeout: 300_000 });
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip !== undefined) totals.skipped.push(`${event.name}: ${event.skip}`);
  else totals.passed++;
});
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') totals.failed++;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () => {
  void postgres?.stop();
  // After the reporter has written its own summary.
  process.once('beforeExit', () => {
    for (const skip of totals.skipped) console.log(`skipped ${skip}`);
    const skipped = totals.skipped.length > 0 ? `, ${totals.skipped.length} skipped` : '';
    console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
    process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
  });
});
