/** The writer thread: owns the only connection that writes, and commits whatever waits as one transaction. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { collectOnceIdle } from '../../lib/collector.ts';
import { createBatchRunner, type Call } from './batch.ts';
import { openForWriting } from './connection.ts';
import { unpack, type Parcel } from './parcels.ts';
import type { WriterSettings } from './writer-client.ts';

const port = parentPort;
if (!port) throw new Error('writer.ts runs as a worker thread only');

const { file, busyTimeoutMs, callsPerCommit } = workerData as WriterSettings;
const runner = createBatchRunner(() => openForWriting(file, busyTimeoutMs));
const waiting: Call[] = [];
let closing = false;
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
    port.postMessage(runner.run(waiting.splice(0, callsPerCommit)));
    drain();
  }
  if (closing) {
    runner.close();
    port.close();
  }
});
