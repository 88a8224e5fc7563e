import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Counters } from '../core/ports.ts';

export interface CountersUnderTest {
  /** As many nodes as asked for, all counting in the same place. */
  nodes: Counters[];
  dispose(): Promise<void>;
}

/** What all counters promise. `make` opens counters with a window of `windowSeconds`, for one node or several. */
export function testCounters(
  name: string,
  nodesMax: number,
  make: (windowSeconds: number, nodes: number) => Promise<CountersUnderTest>,
): void {
  describe(`counters: ${name}`, () => {
    const windowSeconds = 60;
    let made: CountersUnderTest;
    before(async () => (made = await make(windowSeconds, nodesMax)));
    after(() => made.dispose());

    test('each name is counted for itself, and knows when it begins anew', async () => {
      const [node] = made.nodes;
      assert.equal((await node!.count('a')).count, 1);
      assert.equal((await node!.count('a')).count, 2);
      const { count, resetMs } = await node!.count('b');
      assert.equal(count, 1);
      assert.ok(resetMs > 0 && resetMs <= windowSeconds * 1000, String(resetMs));
    });

    test('of a thousand at once each is counted, and none twice, on however many nodes', async () => {
      const counts = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) => made.nodes[index % nodesMax]!.count('many')),
      );
      const numbers = counts.map(({ count }) => count).sort((one, two) => one - two);
      assert.deepEqual(
        numbers,
        Array.from({ length: 1_000 }, (_, index) => index + 1),
      );
    });

    test('a window that is over begins at one', async () => {
      const short = await make(1, 1);
      const [node] = short.nodes;
      const first = await node!.count('short');
      await node!.count('short');
      const until = performance.now() + 10_000;
      let count = Infinity;
      // The window ends by the server's time: asked until it has.
      for (let pauseMs = first.resetMs + 20; count !== 1 && performance.now() < until; pauseMs = 50) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        ({ count } = await node!.count('short'));
      }
      assert.equal(count, 1);
      await short.dispose();
    });
  });
}
