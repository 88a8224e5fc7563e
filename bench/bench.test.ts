import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { intakePg } from './intake-pg.ts';
import { intake } from './intake.ts';
import { makeScratch } from './scratch.ts';
import { submit } from './submit.ts';

const pace = { rounds: 1, turnMs: 200, warmUpMs: 100 };

describe('the bench', () => {
  const scratch = makeScratch();

  for (const [name, scenario] of Object.entries({ intake, intakePg, submit })) {
    it(`measures ${name} against its references`, async () => {
      const { ratios } = await scenario(scratch, pace);
      assert.ok(ratios.length > 0);
      for (const { median } of ratios) assert.ok(Number.isFinite(median) && median > 0);
    });
  }
});
