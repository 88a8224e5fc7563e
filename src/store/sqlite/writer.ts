/** The writer thread: owns the only connection that writes, and commits whatever waits as one transaction. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { collectOnceIdle } from '../../lib/collector.ts';
import { createBatchRunner, type BatchRunner, type Call } from './batch.ts';
import { openForWriting } from './connection.ts';
import { unpack, type Parcel } from './parcels.ts';
import type { WriterSettings } from './writer-client.ts';

const port = parentPort;
if (!port) throw new Error('writer.ts runs as a worker thread only');

/**
 * After a transaction that many callers shared, more of them are waited for as long as it took, and no longer than this:
 * the same changes in fewer transactions touch the same pages less often (a seventh more accepted tasks a second with 256
 * callers). Fewer callers would only be kept waiting: with 32 of them a pause cost a quarter of all tasks.
 */
const GATHER_MS_MAX = 2;
const GATHER_CALLS_MIN = 64;

const { file, busyTimeoutMs, callsPerCommit } = workerData as WriterSettings;
/** Opened for the first change: while this thread loads, the database may still be on its way to this version. */
let runner: BatchRunner | null = null;
const waiting: Call[] = [];
let closing = false;
/** Nobody rings it: to wait on it is to sleep for less than a timer can. */
const bell = new Int32Array(new SharedArrayBuffer(4));
collectOnceIdle();

function take(message: Parcel[] | 'close'): void {
  if (message === 'close') closing = true;
  else for (const parcel of message) waiting.push(unpack(parcel));
}

/** Takes what arrived while the last commit was under way, without a turn of the event loop. */
function drain(): void {
  for (let next = receiveMessageOnPort(port!); next; next = receiveMessageOnPort(port!)) {
    take(next.message as Parcel[] | 'close');
  }
}

port.on('message', (message: Parcel[] | 'close') => {
  take(message);
  drain();
  while (waiting.length > 0) {
    const calls = waiting.splice(0, callsPerCommit);
    const startedAt = performance.now();
    runner ??= createBatchRunner(() => openForWriting(file, busyTimeoutMs));
    port.postMessage(runner.run(calls));
    drain();
    if (calls.length < GATHER_CALLS_MIN || closing) continue;
    Atomics.wait(bell, 0, 0, Math.min(GATHER_MS_MAX, performance.now() - startedAt));
    drain();
  }
  if (closing) {
    runner?.close();
    port.close();
  }
});
