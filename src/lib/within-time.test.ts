import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { withinTime } from './within-time.ts';

test('work that is done in time is answered, and its signal never aborts', async () => {
  const signal = await withinTime(60_000, async (given) => given);
  assert.equal(signal.aborted, false);
});

test('work that takes longer is told so, by the name that AbortSignal.timeout gives it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = withinTime(1_000, async (signal) => {
    await once(signal, 'abort');
    throw signal.reason;
  });
  t.mock.timers.tick(1_000);
  await assert.rejects(late, { name: 'TimeoutError' });
});

test('a failure of the work is passed on', async () => {
  await assert.rejects(
    withinTime(60_000, async () => {
      throw new Error('no');
    }),
    /no/,
  );
});
