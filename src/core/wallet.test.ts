import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  adjustmentPostings,
  holdPostings,
  refundPostings,
  releasePostings,
  settlePostings,
  topUpPostings,
  walletChange,
  type Posting,
} from './wallet.ts';

const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });

function sum(postings: Posting[], book?: string): bigint {
  return postings
    .flatMap((posting) => posting.entries)
    .filter((entry) => book === undefined || entry.book === book)
    .reduce((total, entry) => total + entry.amountMicros, 0n);
}

test('every posting sums to zero, whatever the amount', () => {
  fc.assert(
    fc.property(amount, amount, (one, other) => {
      const [charge, held] = one < other ? [one, other] : [other, one];
      const all = [
        ...topUpPostings(one),
        ...adjustmentPostings(-one),
        ...holdPostings(held),
        ...settlePostings(held, charge),
        ...releasePostings(one),
        ...refundPostings(one),
      ];
      for (const posting of all) assert.equal(sum([posting]), 0n);
    }),
  );
});

test('a settled hold is exactly charge plus release, and leaves nothing held', () => {
  fc.assert(
    fc.property(amount, amount, (one, other) => {
      const [charge, held] = one < other ? [one, other] : [other, one];
      const postings = [...holdPostings(held), ...settlePostings(held, charge)];
      assert.equal(sum(postings, 'held'), 0n);
      assert.equal(sum(postings, 'revenue'), charge);
      assert.equal(sum(postings, 'available'), -charge);
    }),
  );
});

test('nothing moves for an amount of zero', () => {
  assert.deepEqual(
    [...holdPostings(0n), ...settlePostings(0n, 0n), ...releasePostings(0n), ...topUpPostings(0n)],
    [],
  );
});

test('a full charge releases nothing, no charge releases all', () => {
  assert.deepEqual(
    settlePostings(5n, 5n).map((posting) => posting.kind),
    ['settle'],
  );
  assert.deepEqual(
    settlePostings(5n, 0n).map((posting) => posting.kind),
    ['release'],
  );
});

test('a charge above its hold and negative amounts are faults', () => {
  assert.throws(() => settlePostings(5n, 6n), RangeError);
  for (const make of [holdPostings, releasePostings, refundPostings, topUpPostings]) {
    assert.throws(() => make(-1n), RangeError);
  }
  assert.throws(() => settlePostings(5n, -1n), RangeError);
});

type Step =
  | { do: 'top_up'; amount: bigint }
  | { do: 'hold'; amount: bigint }
  | { do: 'adjust'; amount: bigint }
  | { do: 'settle'; pick: number; part: number }
  | { do: 'fail'; pick: number };

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ do: fc.constant('top_up' as const), amount: fc.bigInt(0n, 1_000n) }),
  fc.record({ do: fc.constant('hold' as const), amount: fc.bigInt(0n, 1_000n) }),
  fc.record({ do: fc.constant('adjust' as const), amount: fc.bigInt(-500n, 500n) }),
  fc.record({ do: fc.constant('settle' as const), pick: fc.nat(), part: fc.nat(100) }),
  fc.record({ do: fc.constant('fail' as const), pick: fc.nat() }),
);

test('any sequence of movements keeps the sum at zero, nothing overdrawn, and held = outstanding holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger: Posting[] = [];
      const open: bigint[] = [];
      let available = 0n;
      let held = 0n;
      /** What the store does: both balances move together, or the movement is refused. */
      const apply = (postings: Posting[]): boolean => {
        const moved = walletChange(postings);
        if (available + moved.availableMicros < 0n || held + moved.heldMicros < 0n) return false;
        available += moved.availableMicros;
        held += moved.heldMicros;
        ledger.push(...postings);
        return true;
      };
      for (const next of steps) {
        if (next.do === 'top_up') apply(topUpPostings(next.amount));
        else if (next.do === 'adjust') apply(adjustmentPostings(next.amount));
        else if (next.do === 'hold') {
          if (apply(holdPostings(next.amount))) open.push(next.amount);
        } else if (open.length > 0) {
          const [hold = 0n] = open.splice(next.pick % open.length, 1);
          const postings =
            next.do === 'fail'
              ? releasePostings(hold)
              : settlePostings(hold, (hold * BigInt(next.part)) / 100n);
          assert.equal(apply(postings), true);
        }
        assert.equal(sum(ledger), 0n);
        assert.equal(available, sum(ledger, 'available'));
        assert.equal(held, sum(ledger, 'held'));
        assert.equal(
          held,
          open.reduce((total, one) => total + one, 0n),
        );
        assert.ok(available >= 0n && held >= 0n);
      }
    }),
  );
});
