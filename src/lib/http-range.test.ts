import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isNotModified, parseRange, rangeStillApplies } from './http-range.ts';

describe('a Range header', () => {
  const cases: [string | undefined, number, ReturnType<typeof parseRange>][] = [
    [undefined, 10, 'whole'],
    ['bytes=0-3', 10, { start: 0, end: 3 }],
    ['bytes=5-', 10, { start: 5, end: 9 }],
    ['bytes=-4', 10, { start: 6, end: 9 }],
    ['bytes=-40', 10, { start: 0, end: 9 }],
    ['bytes=8-99', 10, { start: 8, end: 9 }],
    ['Bytes = 0 - 0', 10, { start: 0, end: 0 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-12', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, 'unsatisfiable'],
    // A server may ignore what is malformed, of another unit or asks for several ranges.
    ['bytes=4-2', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=0-1,3-4', 10, 'whole'],
    ['lines=0-1', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
  ];
  for (const [header, bytes, expected] of cases) {
    it(`${header} of ${bytes} bytes`, () => assert.deepEqual(parseRange(header, bytes), expected));
  }
});

describe('a conditional request', () => {
  const file = { etag: '"a1"', modifiedAt: Date.UTC(2026, 5, 8, 4, 5, 41, 700) };
  const date = 'Mon, 08 Jun 2026 04:05:41 GMT';
  const earlier = 'Mon, 08 Jun 2026 04:05:40 GMT';

  it('needs no bytes when the client has this state', () => {
    for (const ifNoneMatch of ['"a1"', 'W/"a1"', '"b", "a1"', '*']) {
      assert.equal(isNotModified({ ifNoneMatch }, file), true, ifNoneMatch);
    }
    assert.equal(isNotModified({ ifModifiedSince: date }, file), true);
  });

  it('needs them when it has another, or none', () => {
    assert.equal(isNotModified({}, file), false);
    assert.equal(isNotModified({ ifNoneMatch: '"b"' }, file), false);
    assert.equal(isNotModified({ ifModifiedSince: earlier }, file), false);
    assert.equal(isNotModified({ ifModifiedSince: 'yesterday' }, file), false);
    // The tag decides where both are given.
    assert.equal(isNotModified({ ifNoneMatch: '"b"', ifModifiedSince: date }, file), false);
  });

  it('keeps a range only for the very same state', () => {
    assert.equal(rangeStillApplies(undefined, file), true);
    assert.equal(rangeStillApplies('"a1"', file), true);
    assert.equal(rangeStillApplies(date, file), true);
    for (const other of ['"b"', 'W/"a1"', earlier, 'nonsense', '']) {
      assert.equal(rangeStillApplies(other, file), false, other);
    }
  });
});
