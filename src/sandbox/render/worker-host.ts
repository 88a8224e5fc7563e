/** Keeps the renderer's one thread: starts it when there is work, feeds it one job after the other. */
import { Worker } from 'node:worker_threads';
import type { RenderJob } from './jobs.ts';

export interface RenderOrder {
  job: RenderJob;
  /** Where to write the finished file. */
  path: string;
}

export type RenderReply = { done: true } | { done: false; message: string };

interface WaitingOrder {
  order: RenderOrder;
  resolve: () => void;
  reject: (error: Error) => void;
}

export interface WorkerHost {
  /** Resolves when the file is written; rejects with the reason when it could not be made. */
  run(order: RenderOrder): Promise<void>;
  /** Ends the thread; jobs in hand and in wait are rejected. */
  close(): Promise<void>;
}

/**
 * A queue in front of one thread. A job that fails or that brings the thread down is rejected alone: the
 * next job gets a new thread, because wasm memory is not to be trusted after an abort. An idle thread does
 * not keep the process alive.
 */
export function createWorkerHost(script: URL, workerData: unknown): WorkerHost {
  const waiting: WaitingOrder[] = [];
  let current: WaitingOrder | null = null;
  let worker: Worker | null = null;
  let closed = false;

  const finish = (failure: Error | null) => {
    const finished = current;
    current = null;
    if (failure) finished?.reject(failure);
    else finished?.resolve();
    startNext();
  };

  const startWorker = (): Worker => {
    const started = new Worker(script, { workerData });
    const drop = (failure: Error) => {
      if (worker !== started) return;
      worker = null;
      finish(failure);
    };
    started.on('message', (reply: RenderReply) => {
      if (worker !== started) return;
      if (reply.done) {
        started.unref();
        finish(null);
        return;
      }
      drop(new Error(`the render failed: ${reply.message}`));
      void started.terminate();
    });
    started.on('error', (error) => drop(new Error('the render thread failed', { cause: error })));
    started.on('exit', (code) => drop(new Error(`the render thread ended with code ${code}`)));
    return started;
  };

  const startNext = () => {
    if (current || closed) return;
    const next = waiting.shift();
    if (!next) return;
    current = next;
    worker ??= startWorker();
    worker.ref();
    worker.postMessage(next.order);
  };

  return {
    run(order) {
      if (closed) return Promise.reject(new Error('the renderer is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ order, resolve, reject });
        startNext();
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      const ending = worker;
      worker = null;
      for (const { reject } of [...(current ? [current] : []), ...waiting.splice(0)]) {
        reject(new Error('the renderer is closed'));
      }
      current = null;
      await ending?.terminate();
    },
  };
}
