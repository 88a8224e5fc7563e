import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** `last-resort` collects until nothing more is found, and puts together what is left. */
type Collect = (options: { type: 'minor' } | { type: 'major'; flavor: 'last-resort' }) => void;

let collect: Collect | null = null;

/**
 * V8's garbage collector of this thread, which ordinary code has no name for. Compiled code is only reused under the
 * flags it was compiled with, so the one that shows it does not stay.
 */
export function collector(): Collect {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
    setFlagsFromString('--no-expose-gc');
  }
  return collect;
}

/** The first requests come first. */
const tidyAfterMs = 2_000;
/** Of the thread's time: with less to do since it was ready, nobody waits for the collector. */
const idleShareMax = 0.1;

/**
 * Gives back what loading left between what stays, once, unless this thread is busy (V8 will then collect by itself,
 * though it keeps the pages). Measured: 9 MiB of a gateway's main thread in some 60 ms, 7 MiB of its writer in 20.
 */
export function collectOnceIdle(): void {
  const atReady = performance.eventLoopUtilization();
  // How long a process has been idle is no matter of the gateway's clock.
  const timer = setTimeout(() => {
    const { utilization } = performance.eventLoopUtilization(atReady);
    if (utilization < idleShareMax) collector()({ type: 'major', flavor: 'last-resort' });
  }, tidyAfterMs);
  timer.unref();
}
