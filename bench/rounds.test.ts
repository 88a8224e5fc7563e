import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noiseOf, ratioOf, spreadOf, takeTurns, type Turn } from './rounds.ts';

describe('rounds', () => {
  it('lets everybody warm up first, then reverses the order every other round', async () => {
    const seen: string[] = [];
    const contestant = (name: string) => ({
      name,
      async turn(durationMs: number): Promise<Turn> {
        seen.push(`${name}${durationMs}`);
        return { perSecond: 1, cpuMicros: 1, cores: 1, residentBytes: 1 };
      },
    });
    const turns = await takeTurns([contestant('a'), contestant('b')], { rounds: 2, turnMs: 9, warmUpMs: 1 });
    assert.deepEqual(seen, ['a1', 'b1', 'a9', 'b9', 'b9', 'a9']);
    assert.equal(turns.get('a')!.length, 2);
  });

  it('takes the middle of an odd count and the mean of the two in the middle of an even one', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, lowest: 1, highest: 3 });
    assert.deepEqual(spreadOf([10, 1, 2, 3]), { median: 2.5, lowest: 1, highest: 10 });
  });

  it('forgives a reference one hiccup, not two', () => {
    assert.equal(noiseOf([100, 100, 20, 100, 100]), 0);
    assert.equal(noiseOf([100, 100, 20, 100, 50]), 0.5);
  });

  it('divides round by round and judges the median', () => {
    const { median, lowest, highest, verdict } = judge([20, 10, 30], [100, 100, 100]);
    assert.deepEqual(
      { median, lowest, highest, verdict },
      { median: 0.2, lowest: 0.1, highest: 0.3, verdict: 'met' },
    );
    assert.equal(judge([19, 10, 30], [100, 100, 100]).verdict, 'missed');
  });

  it('refuses a verdict when the reference is too noisy', () => {
    assert.equal(judge([90, 90, 90], [100, 50, 75]).verdict, 'no verdict');
  });

  it('refuses a verdict when something else than its processor held the reference back', () => {
    assert.equal(judge([90, 90, 90], [100, 100, 100], 0.6).verdict, 'no verdict');
  });
});

function judge(subject: number[], reference: number[], cores = 1) {
  const turns = (rates: number[]): Turn[] =>
    rates.map((perSecond) => ({ perSecond, cpuMicros: 1, cores, residentBytes: 1 }));
  return ratioOf({ of: 'a ÷ b', subject: turns(subject), reference: turns(reference), aim: 0.2, busy: true });
}
