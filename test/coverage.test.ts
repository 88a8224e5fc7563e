/** reference/coverage.md is what the program says of itself: nobody writes in it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COVERAGE_PATH, renderCoverage } from '../scripts/coverage.ts';

const fresh = await renderCoverage();

/** Line by line, so that a failure names the rows and not the whole page. */
function differences(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

test('the coverage table is up to date: `node scripts/coverage.ts` writes it', () => {
  const kept = readFileSync(COVERAGE_PATH, 'utf8');
  assert.deepEqual(differences(kept, fresh), [], 'run: node scripts/coverage.ts');
  assert.ok(kept === fresh, 'its rows are out of order: run: node scripts/coverage.ts');
});

test('every create in it asks for something, and every feature has an endpoint', () => {
  const rows = fresh.split('\n').filter((line) => /^\| `/.test(line));
  assert.ok(rows.length > 50);
  const silent = rows.filter((row) => /^\| `POST [^|]*\| [^|]+ \| – \[/.test(row));
  assert.deepEqual(silent, []);
  const unreachable = rows.filter((row) => /\| (at once|as a task) \| – \|/.test(row));
  assert.deepEqual(unreachable, []);
});
