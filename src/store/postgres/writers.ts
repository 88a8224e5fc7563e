/** A few sessions that write: what waits when one is free becomes its next transaction. */
import type { MutationName } from '../mutations.ts';
import { createBatchRunner, type BatchOptions, type BatchRunner, type Call } from './batch.ts';
import { unavailable } from './failures.ts';

export interface Writers {
  write(name: MutationName, args: unknown): Promise<unknown>;
  /** Waits for everything asked for before, then closes the sessions. */
  close(): Promise<void>;
}

export interface WritersOptions extends BatchOptions {
  /** Sessions: while one waits for the disk, the next one works. */
  sessionsMax: number;
  /** Most changes in one transaction. */
  callsPerCommit: number;
}

export function createWriters({ sessionsMax, callsPerCommit, ...options }: WritersOptions): Writers {
  const idle: BatchRunner[] = Array.from({ length: sessionsMax }, () => createBatchRunner(options));
  const all = [...idle];
  const working = new Set<Promise<void>>();
  const waiting: Call[] = [];
  let scheduled = false;
  let closed = false;

  function flush(): void {
    scheduled = false;
    while (waiting.length > 0 && idle.length > 0) {
      const runner = idle.pop()!;
      const work = runner.run(waiting.splice(0, callsPerCommit)).then(() => {
        working.delete(work);
        idle.push(runner);
        flush();
      });
      working.add(work);
    }
  }

  return {
    write: (name, args) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(unavailable('the store is closed'));
          return;
        }
        waiting.push({ name, args, resolve, reject });
        if (scheduled) return;
        scheduled = true;
        setImmediate(flush);
      }),
    async close() {
      closed = true;
      flush();
      while (working.size > 0) await Promise.all(working);
      for (const runner of all) await runner.close();
    },
  };
}
