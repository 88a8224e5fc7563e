import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./test.ts', import.meta.url));

/** `npm test` of one file with this body. */
function run(
  t: { after(work: () => void): void },
  body: string,
  { ownPostgres }: { ownPostgres: boolean },
): { code: number | null; last: string } {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-npm-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'one.test.mjs');
  writeFileSync(file, `import { test } from 'node:test';\ntest('it', () => { ${body} });\n`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  if (ownPostgres) delete env.REELAY_TEST_DATABASE_URL;
  const { status, stdout } = spawnSync(process.execPath, [script, file], { env, encoding: 'utf8' });
  return { code: status, last: stdout.trimEnd().split('\n').at(-1)! };
}

test('a test that fails makes npm test fail, with a PostgreSQL of its own as on a fresh machine', (t) => {
  const ended = run(t, "throw new Error('on purpose');", { ownPostgres: true });
  assert.deepEqual(ended, { code: 1, last: '0 passed, 1 failed' });
});

test('tests that pass make npm test pass', (t) => {
  assert.deepEqual(run(t, '', { ownPostgres: false }), { code: 0, last: '1 passed, 0 failed' });
});
