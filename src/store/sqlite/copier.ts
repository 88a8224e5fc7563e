/** A thread that lives for one copy: the statement takes as long as the database is large. */
import { parentPort, workerData } from 'node:worker_threads';
import { openForReading } from './connection.ts';

const { file, target } = workerData as { file: string; target: string };
const connection = openForReading(file);
// One read transaction: the copy is the database of a single moment, whatever is written meanwhile.
connection.prepare('vacuum into ?').run(target);
connection.close();
parentPort?.postMessage('done');
