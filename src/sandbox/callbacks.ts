/** Pushes a task's status changes to its caller, as the simulated upstreams do; some of them lie. */
import type { Clock, Timer } from '../lib/clock.ts';
import type { GuardedHttp } from '../lib/guarded-http.ts';
import type { SimulatedStatus, SimulatedTask, Simulator, SimulatorHost } from '../providers/kit/simulator.ts';
import type { Behaviour } from './behaviour.ts';
import type { SandboxState } from './state.ts';

export interface Callbacks {
  /** Plans the pushes of a task that was just accepted. */
  schedule(task: SimulatedTask): void;
  /** Plans what an earlier process left undone. */
  resume(): void;
  stop(): Promise<void>;
}

const timeoutMs = 10_000;
const tries = 3;
/** Sandbox milliseconds between tries; real upstreams' are not documented. */
const retryMs = 5000;
/** setTimeout's largest delay is 2^31 - 1; a task that ends later is looked at again then. */
const delayMsMax = 2_000_000_000;

export function createCallbacks(options: {
  state: SandboxState;
  clock: Clock;
  host: SimulatorHost;
  http: GuardedHttp;
  behaviour: () => Behaviour;
  simulatorOf: (upstream: string) => Simulator | undefined;
  trusts: (origin: string) => boolean;
}): Callbacks {
  const { state, clock, host, http, behaviour, simulatorOf, trusts } = options;
  const timers = new Set<Timer>();
  const inHand = new Set<Promise<void>>();
  const stopping = new AbortController();

  function at(time: number, then: () => Promise<void>): void {
    if (stopping.signal.aborted) return;
    const timer = clock.setTimeout(
      () => {
        timers.delete(timer);
        const work = clock.now() < time ? async () => at(time, then) : then;
        const running = work()
          // What could not be noted down is told again by the next process.
          .catch(() => {})
          .finally(() => inHand.delete(running));
        inHand.add(running);
      },
      Math.min(Math.max(0, time - clock.now()), delayMsMax),
    );
    timers.add(timer);
  }

  /** Changes are told in order: the second is planned when the first is through. */
  function plan(task: SimulatedTask, notified: number): void {
    if (task.callbackUrl === null || notified >= 2) return;
    if (notified === 0) at(task.processingAt, () => tell(task, 'processing', 1));
    else if (task.endsAt !== null) {
      at(task.endsAt, () => tell(task, task.fate.end === 'failed' ? 'failed' : 'succeeded', 2));
    }
  }

  async function tell(task: SimulatedTask, status: SimulatedStatus, notified: number): Promise<void> {
    const manner = behaviour().callbacks;
    if (manner !== 'off') {
      for (let sent = 0; sent < (manner === 'duplicate' ? 2 : 1); sent++) await deliver(task, status);
    }
    if (stopping.signal.aborted) return;
    state.setNotified(task.taskId, notified);
    plan(task, notified);
  }

  async function deliver(task: SimulatedTask, status: SimulatedStatus): Promise<void> {
    const body = simulatorOf(task.upstream)?.callbackBody(task, status, host);
    if (body === undefined) return;
    for (let attempt = 1; attempt <= tries; attempt++) {
      if (await post(task.callbackUrl!, body)) return;
      try {
        if (attempt < tries) await clock.sleep(host.scaled(retryMs * attempt), stopping.signal);
      } catch {
        return;
      }
    }
  }

  async function post(url: string, body: string): Promise<boolean> {
    try {
      const response = await http.request({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        timeoutMs,
        bytesMax: 64 * 1024,
        trustedOrigins: trusts,
        signal: stopping.signal,
      });
      response.body.destroy();
      return response.status >= 200 && response.status < 300;
    } catch {
      return false;
    }
  }

  return {
    schedule(task) {
      if (task.callbackUrl === null) return;
      plan(task, 0);
      // Before anything is true: whoever believes a push without asking back is found out.
      if (behaviour().callbacks === 'forged') at(clock.now(), () => deliver(task, 'succeeded'));
    },
    resume() {
      for (const { task, notified } of state.tasksToNotify()) plan(task, notified);
    },
    async stop() {
      stopping.abort();
      for (const timer of timers) clock.clearTimeout(timer);
      timers.clear();
      await Promise.all(inHand);
    },
  };
}
