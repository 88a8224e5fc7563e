import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RenderOrder } from './worker-host.ts';
import { createWorkerHost } from './worker-host.ts';

/** A thread that does what the job's prompt says, so that each way of failing can be had at will. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, threadId, workerData } from 'node:worker_threads';
    parentPort.on('message', ({ job, path }) => {
      if (job.prompt === 'crash') setImmediate(() => { throw new Error('out of memory'); });
      else if (job.prompt === 'exit') process.exit(3);
      else if (job.prompt === 'fail') parentPort.postMessage({ done: false, message: 'no such size' });
      else if (job.prompt === 'hang') return;
      else { new Int32Array(workerData.shared)[0] = threadId; parentPort.postMessage({ done: true }); }
    });
  `)}`,
);

function order(prompt: string): RenderOrder {
  return {
    job: { kind: 'video', width: 2, height: 2, seconds: 1, sound: false, prompt, title: '' },
    path: '/nowhere',
  };
}

function createHost() {
  const shared = new SharedArrayBuffer(4);
  const host = createWorkerHost(script, { shared });
  return { host, lastThread: () => new Int32Array(shared)[0]! };
}

test('feeds one thread, one job after the other', async () => {
  const { host, lastThread } = createHost();
  const finished: string[] = [];
  await Promise.all(['a', 'b', 'c'].map((name) => host.run(order(name)).then(() => finished.push(name))));
  const thread = lastThread();
  await host.run(order('d'));
  assert.deepEqual(finished, ['a', 'b', 'c']);
  assert.equal(lastThread(), thread);
  await host.close();
});

for (const [prompt, reason] of [
  ['crash', /thread failed/],
  ['exit', /ended with code 3/],
  ['fail', /no such size/],
] as const) {
  test(`a thread that meets "${prompt}" costs that job alone: the next one gets a new thread`, async () => {
    const { host, lastThread } = createHost();
    await host.run(order('before'));
    const before = lastThread();
    const bad = host.run(order(prompt));
    const good = host.run(order('after'));
    await assert.rejects(bad, reason);
    await good;
    assert.notEqual(lastThread(), before);
    await host.close();
  });
}

test('closing rejects what is in hand and in wait, and what comes later', async () => {
  const { host } = createHost();
  const running = assert.rejects(host.run(order('hang')), /closed/);
  const waiting = assert.rejects(host.run(order('a')), /closed/);
  await host.close();
  await host.close();
  await Promise.all([running, waiting, assert.rejects(host.run(order('b')), /closed/)]);
});
