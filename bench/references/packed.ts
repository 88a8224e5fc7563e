/** How many bytes an attempt takes that is polled: the table of the product's own lanes, filled, and asked what it holds. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, newTaskId } from '../../src/lib/ids.ts';
import { PollTable } from '../../src/workers/poll-table.ts';
import { listen } from './listen.ts';

const count = Number(process.argv[2]);
const { gc } = globalThis;
if (gc === undefined) throw new Error('start it with --expose-gc');

async function held(): Promise<number> {
  // What a first round has only promised to finalise is gone after a second.
  for (let round = 0; round < 3; round++) {
    gc!();
    await sleep(10);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const table = new PollTable();
const now = Date.now();
const before = await held();
for (let index = 0; index < count; index++) {
  table.add(
    {
      taskId: newTaskId(now),
      attemptId: newId('att_', now),
      ref: { path: '/v1/videos/text2video', task_id: String(800_000_000_000_000_000n + BigInt(index)) },
      kind: 0,
      acceptedAt: now,
      deadlineAt: now + 86_400_000,
      started: false,
      jitter: Math.random(),
      failures: 0,
    },
    now + Math.random() * 15_000,
  );
}
const bytes = ((await held()) - before) / count;
listen(createServer((_request, response) => response.end(String(bytes + 0 * table.size))));
