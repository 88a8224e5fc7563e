import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LanePool } from './lane-pool.ts';

const busy = { retryAfterMs: null, now: 0, jitter: 0.5, speed: 1 };

describe('a pool', () => {
  test('has room for units up to its cap, and for what is larger only while it is empty', () => {
    const pool = new LanePool('image');
    assert.equal(pool.hasRoom(9, 5), true);
    pool.units = 3;
    assert.deepEqual([pool.hasRoom(2, 5), pool.hasRoom(3, 5), pool.hasRoom(0, 3)], [true, false, true]);
    assert.equal(pool.hasRoom(1, 5, { tasks: 1, units: 2 }), false);
  });

  test('lets one try after a refusal, then two, then four, then any number', () => {
    const pool = new LanePool('');
    assert.equal(pool.roomFor(Infinity), Infinity);
    pool.pause(busy);
    const most: number[] = [];
    for (let accepted = 0; accepted < 8; accepted++) {
      most.push(pool.roomFor(Infinity));
      pool.speedUp();
    }
    assert.deepEqual(most, [1, 2, 4, 8, 16, 32, 64, Infinity]);
  });

  test('waits ever longer while it is refused, and as long as it is told', () => {
    const pool = new LanePool('');
    const waits: number[] = [];
    for (let count = 0; count < 8; count++) {
      const now = pool.pausedUntil;
      pool.pause({ ...busy, now });
      waits.push(pool.pausedUntil - now);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const now = pool.pausedUntil;
    pool.pause({ ...busy, now, retryAfterMs: 90_000 });
    assert.equal(pool.pausedUntil - now, 90_000);
  });

  test('takes refusals of submits that were under way together for one', () => {
    const pool = new LanePool('');
    for (let count = 0; count < 20; count++) pool.pause(busy);
    assert.equal(pool.pausedUntil, 1_000);
  });

  test('knows how long a place is kept, lately', () => {
    const pool = new LanePool('');
    pool.noteEnd(1, 10_000);
    assert.equal(pool.taskMs, 10_000);
    pool.noteEnd(2, 10_000);
    assert.equal(pool.taskMs, 12_000);
  });
});
