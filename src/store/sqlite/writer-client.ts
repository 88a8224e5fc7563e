/** The main thread's side of the writer: one message per turn with every change that was asked for in it. */
import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Answer, Call, Outcome } from './batch.ts';
import { pack, type Parcel } from './parcels.ts';
import { failureOf, toError, unavailable, type Failure } from './failures.ts';

export interface WriterSettings {
  file: string;
  busyTimeoutMs: number;
  /** Most changes in one transaction. */
  callsPerCommit: number;
}

export interface Writer {
  write(name: Call[1], args: unknown): Promise<unknown>;
  /** Waits for everything asked for before, then closes the connection. */
  close(): Promise<void>;
}

/** New objects of the thread live for one batch: a small nursery holds them, and keeps the idle process small. */
const YOUNG_MIB = 4;

interface Waiter {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export interface WriterEvents {
  /** Called with what a transaction touched and how many changes it held, after its callers were answered. */
  onCommit(topics: string[], changes: number): void;
  /** Called before the callers are answered; null: what was changed is not known. */
  onTasksChanged(ids: string[] | null): void;
}

export function createWriter(settings: WriterSettings, events: WriterEvents): Writer {
  const waiters = new Map<number, Waiter>();
  let calls: Parcel[] = [];
  let lastId = 0;
  let closed = false;
  let worker: Worker | null = start();

  function start(): Worker {
    const started = new Worker(new URL('./writer.ts', import.meta.url), {
      workerData: settings,
      env: environment(),
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    started.on('message', receive);
    started.on('error', (error) => lose(started, error));
    started.on('exit', () => lose(started, new Error('the writer thread ended')));
    return started;
  }

  function receive({ answers, topics, changedTasks }: Outcome): void {
    events.onTasksChanged(changedTasks);
    for (const [id, result, failure] of answers as [...Answer, Failure?][]) {
      const waiter = waiters.get(id);
      waiters.delete(id);
      if (failure) waiter?.reject(toError(failure));
      else waiter?.resolve(result);
    }
    events.onCommit(topics, answers.length);
  }

  /** A thread that died takes its calls with it; the next change starts another. */
  function lose(lost: Worker, error: unknown): void {
    if (worker !== lost) return;
    worker = null;
    events.onTasksChanged(null);
    const failure = unavailable(error);
    for (const waiter of waiters.values()) waiter.reject(toError(failure));
    waiters.clear();
    calls = [];
  }

  function flush(): void {
    if (calls.length === 0) return;
    const batch = calls;
    calls = [];
    worker ??= start();
    try {
      worker.postMessage(batch);
    } catch {
      // Something in it is no plain data: that caller is told, the others go on.
      for (const call of batch) postAlone(worker, call);
    }
  }

  function postAlone(to: Worker, call: Parcel): void {
    try {
      to.postMessage([call]);
    } catch (error) {
      waiters.get(call[0])?.reject(toError(failureOf(error)));
      waiters.delete(call[0]);
    }
  }

  return {
    write: (name, args) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(toError(unavailable('the store is closed')));
          return;
        }
        const id = ++lastId;
        calls.push(pack(id, name, args));
        waiters.set(id, { resolve, reject });
        if (calls.length === 1) setImmediate(flush);
      }),
    async close() {
      if (closed) return;
      closed = true;
      flush();
      const closing = worker;
      if (!closing) return;
      await new Promise<void>((resolve) => {
        closing.once('exit', () => resolve());
        closing.postMessage('close');
      });
    },
  };
}

/** A thread finds the compiled code of earlier starts by its environment alone. */
function environment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir();
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: directory };
}
