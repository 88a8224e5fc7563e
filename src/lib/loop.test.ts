import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createTestClock, type TestClock } from './clock.ts';
import { Loop } from './loop.ts';

let clock: TestClock;
let steps: number[];
let errors: unknown[];
let answer: () => Promise<number>;

beforeEach(() => {
  clock = createTestClock(1_000);
  steps = [];
  errors = [];
  answer = async () => Infinity;
});

const loop = (retryMs?: number): Loop =>
  new Loop({
    clock,
    step() {
      steps.push(clock.now());
      return answer();
    },
    onError: (error) => void errors.push(error),
    ...(retryMs !== undefined && { retryMs }),
  });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a loop', () => {
  test('does nothing until it is woken', async () => {
    loop();
    await clock.advance(100_000);
    assert.deepEqual(steps, []);
  });

  test('steps again when the step said so, and not before', async () => {
    answer = async () => clock.now() + 500;
    loop().wake();
    await clock.advance(1_200);
    assert.deepEqual(steps, [1_000, 1_500, 2_000]);
  });

  test('steps at once when it is woken, and the earlier appointment is void', async () => {
    answer = async () => clock.now() + 500;
    const woken = loop();
    woken.wake();
    await clock.advance(100);
    woken.wake();
    await clock.advance(450);
    assert.deepEqual(steps, [1_000, 1_100]);
  });

  test('never runs two steps at once; a call meanwhile makes one more, however many there were', async () => {
    let finish = (): void => {};
    answer = () => new Promise((resolve) => (finish = () => resolve(Infinity)));
    const busy = loop();
    busy.wake();
    await turn();
    for (let call = 0; call < 5; call++) busy.wake();
    assert.equal(steps.length, 1);
    finish();
    await turn();
    assert.equal(steps.length, 2);
    finish();
    await turn();
    assert.equal(steps.length, 2);
  });

  test('hears every call, also one in the very moment a step ends', async () => {
    // Each round calls one microtask later than the one before, so that every moment around the end is met.
    for (let later = 0; later < 12; later++) {
      steps = [];
      let finish = (): void => {};
      answer = () => new Promise((resolve) => (finish = () => resolve(Infinity)));
      const ending = loop();
      ending.wake();
      await turn();
      finish();
      for (let microtask = 0; microtask < later; microtask++) await null;
      ending.wake();
      await turn();
      finish();
      await turn();
      assert.equal(steps.length, 2, `${later} microtasks after the end`);
    }
  });

  test('reports a step that fails and tries again later', async () => {
    answer = () => Promise.reject(new Error('no'));
    loop(300).wake();
    await clock.advance(700);
    assert.deepEqual(steps, [1_000, 1_300, 1_600]);
    assert.equal(errors.length, 3);
  });

  test('survives a step that throws before it begins', async () => {
    answer = () => {
      throw new Error('no');
    };
    const failing = loop(300);
    failing.wake();
    await clock.advance(100);
    answer = async () => Infinity;
    failing.wake();
    await clock.advance(0);
    assert.deepEqual(steps, [1_000, 1_100]);
  });

  test('waits for the step in hand when it is stopped, and begins none after', async () => {
    let finish = (): void => {};
    answer = () => new Promise((resolve) => (finish = () => resolve(clock.now())));
    const stopping = loop();
    stopping.wake();
    await turn();
    stopping.wake();
    let isStopped = false;
    const stopped = stopping.stop().then(() => (isStopped = true));
    await turn();
    assert.equal(isStopped, false);
    finish();
    await stopped;
    stopping.wake();
    await clock.advance(10_000);
    assert.equal(steps.length, 1);
    assert.equal(clock.pending(), 0);
  });
});
