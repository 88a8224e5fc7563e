/** A thread that lives for one verification, so that a long ledger holds up neither callers nor commits. */
import { parentPort, workerData } from 'node:worker_threads';
import { verifyLedger } from '../verify-ledger.ts';
import { openForReading } from './connection.ts';
import { createExecutor } from './executor.ts';

const connection = openForReading((workerData as { file: string }).file);
// One snapshot: sums and balances of the same moment.
connection.exec('begin');
const verdict = createExecutor(connection)(verifyLedger());
connection.exec('commit');
connection.close();
parentPort?.postMessage(verdict);
