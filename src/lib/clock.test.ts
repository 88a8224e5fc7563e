import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestClock, systemClock } from './clock.ts';

test('time stands still until advanced', async () => {
  const clock = createTestClock(1000);
  assert.equal(clock.now(), 1000);
  await clock.advance(250);
  assert.equal(clock.now(), 1250);
});

test('due timers run in order of time, then of creation, each at its own moment', async () => {
  const clock = createTestClock(0);
  const seen: [string, number][] = [];
  const note = (name: string) => () => void seen.push([name, clock.now()]);
  clock.setTimeout(note('late'), 30);
  clock.setTimeout(note('early'), 10);
  clock.setTimeout(note('early too'), 10);
  clock.setTimeout(note('never yet'), 31);
  await clock.advance(30);
  assert.deepEqual(seen, [
    ['early', 10],
    ['early too', 10],
    ['late', 30],
  ]);
  assert.equal(clock.pending(), 1);
});

test('a loop that sleeps again and again runs as often as time allows', async () => {
  const clock = createTestClock(0);
  let rounds = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(10);
      rounds++;
    }
  })();
  await clock.advance(100);
  assert.equal(rounds, 10);
});

test('a cleared timer never runs', async () => {
  const clock = createTestClock(0);
  clock.clearTimeout(clock.setTimeout(() => assert.fail('ran'), 5));
  await clock.advance(10);
});

for (const [name, clock] of [
  ['system', systemClock],
  ['test', createTestClock(0)],
] as const) {
  test(`${name} clock: sleep ends at once with the signal's reason, leaving no timer`, async () => {
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(sleeping, /stop/);
    await assert.rejects(clock.sleep(1, controller.signal), /stop/);
    if ('pending' in clock) assert.equal(clock.pending(), 0);
  });
}

test('the system clock follows the machine', async () => {
  const before = Date.now();
  await systemClock.sleep(5);
  assert.ok(systemClock.now() >= before + 4);
  systemClock.clearTimeout(systemClock.setTimeout(() => assert.fail('ran'), 1));
});
