import assert from 'node:assert/strict';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { watchPassing } from './passing-bytes.ts';

test('bytes pass as they are, and the nursery is emptied every 8 MiB of them', async () => {
  const chunkBytes = 64 * 1024;
  const chunks = (200 * 1024 * 1024) / chunkBytes;
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as { detail: { kind: number } }[]) {
      if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  let made = 0;
  const stream = watchPassing(
    new Readable({
      read() {
        this.push(made < chunks ? Buffer.allocUnsafeSlow(chunkBytes).fill(made++ % 251) : null);
      },
    }),
  );
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    assert.equal(chunk.length, chunkBytes);
    assert.equal(chunk[0], seen++ % 251);
  }
  assert.equal(seen, chunks);
  // The observer is told some turns later.
  for (let turn = 0; turn < 100 && collections < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  observer.disconnect();
  assert.ok(collections >= 20, `${collections} times`);
});

test('the collector is not left open to everybody', () => {
  assert.equal(runInNewContext('typeof gc'), 'undefined');
});
