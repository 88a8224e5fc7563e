import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestDatabase } from '../test/helpers/test-database.ts';
import { content } from './content.ts';
import { crowd } from './crowd.ts';
import { fillFinished } from './filled.ts';
import { growth } from './growth.ts';
import { intake } from './intake.ts';
import { lists } from './lists.ts';
import { query } from './query.ts';
import { makeScratch } from './scratch.ts';
import { submit } from './submit.ts';
import { copyToPostgres } from './to-postgres.ts';

// Long enough for every side to answer something, on a busy machine as well.
const pace = { rounds: 1, turnMs: 500, warmUpMs: 300 };
/** Few, but more than a page. */
const TASKS = 200;

describe('the bench', () => {
  const scratch = makeScratch();

  const scenarios = {
    intake,
    submit,
    query,
    content: (directory: string) => content(directory, { ...pace, bytes: 1_000_000 }),
  };
  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`measures ${name} against its references`, async () => {
      const { ratios } = await scenario(scratch, pace);
      assert.ok(ratios.length > 0);
      for (const { median } of ratios) assert.ok(Number.isFinite(median) && median > 0);
    });
  }

  /** Both engines with the same tasks. */
  async function prepare() {
    const filled = await fillFinished(scratch, TASKS);
    const full = await createTestDatabase();
    const empty = await createTestDatabase();
    await copyToPostgres(filled.directory, full.url);
    return {
      options: {
        tasks: TASKS,
        filled: Promise.resolve(filled),
        shared: Promise.resolve({ full: full.url, empty: empty.url }),
      },
      async [Symbol.asyncDispose]() {
        await full.drop();
        await empty.drop();
      },
    };
  }

  it('measures growth on both engines', async () => {
    await using prepared = await prepare();
    const { ratios } = await growth(scratch, { ...pace, ...prepared.options });
    assert.equal(ratios.length, 2);
    for (const { median } of ratios) assert.ok(Number.isFinite(median) && median > 0);
  });

  it('follows every list over copies of one task, the same on both engines', async () => {
    await using prepared = await prepare();
    const { lines } = await lists({ times: 1, ...prepared.options });
    const shown = lines
      .map((line) => /^(.*?) {2}.* (\d+ shown)$/.exec(line)?.slice(1).join())
      .filter(Boolean);
    const half = shown.length / 2;
    assert.ok(shown.some((line) => /account_id=\S+,101 shown$/.test(line!)));
    assert.deepEqual(shown.slice(half), shown.slice(0, half));
  });

  it('watches a crowd in flight', async () => {
    const { lines } = await crowd(scratch, { tasks: TASKS, settleMs: 500, measureMs: 500 });
    assert.ok(lines.some((line) => /bytes per task/.test(line)));
  });
});
