/**
 * One task per create, however often it is sent: by the caller's own key, or by the mark that SDKs put on what they send
 * again by themselves. For the latter, what was sent is remembered for minutes, and each task goes to one sending: five
 * equal requests that are all sent again find five tasks.
 */
import { LRUCache } from 'lru-cache';
import { GatewayError } from '../core/errors.ts';
import type { Intent } from '../core/intent.ts';
import type { Clock, Principal, RememberSending, Store, TaskView } from '../core/ports.ts';
import { isFeature } from '../core/request/feature.ts';
import { isFinal, type Task } from '../core/task.ts';
import { hasKey, inProgress, type Once, type Pending } from './once.ts';

/** An SDK sends again within seconds; whoever asks for the same minutes later wants it twice. */
export const SENDING_LIFETIME_MS = 2 * 60_000;
const REFUSED_MAX = 10_000;

export interface RepeatsOptions {
  store: Pick<Store, 'claimSending' | 'getTask'>;
  clock: Clock;
  once: Once;
  viewOf(task: Task): TaskView;
}

/** Creates a task or answers a repeat of its create with it. Refuses as `Once` does. */
export type Repeats = (
  principal: Principal,
  intent: Intent,
  create: (pending: Pending) => Promise<TaskView>,
) => Promise<TaskView>;

export function createRepeats({ store, clock, once, viewOf }: RepeatsOptions): Repeats {
  /** Sendings that are not committed yet. */
  const underWay = new Map<string, Set<Promise<void>>>();
  /** Sendings we refused ourselves and that will come again: so many of the next ones are no repeats. */
  const refused = new LRUCache<string, number>({
    max: REFUSED_MAX,
    ttl: SENDING_LIFETIME_MS,
    // Zero: no timer of its own behind our clock's back.
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });

  async function send(
    keyId: string,
    { requestHash, retryCount }: { requestHash: string; retryCount: number },
    create: (pending: Pending) => Promise<TaskView>,
  ): Promise<TaskView> {
    const name = `${keyId} ${requestHash}`;
    if (retryCount > 0) {
      await Promise.all(underWay.get(name) ?? []);
      if (!takeRefused(name)) {
        const since = clock.now() - SENDING_LIFETIME_MS;
        const taskId = await store.claimSending({ keyId, requestHash, retryCount, since });
        const first = taskId === null ? null : await replay(taskId);
        if (first !== null) return first;
      }
    }
    let isCommitted = false;
    const settled = Promise.withResolvers<void>();
    const accepted = (): void => {
      isCommitted = true;
      settled.resolve();
    };
    const sendings = (underWay.get(name) ?? new Set()).add(settled.promise);
    underWay.set(name, sendings);
    try {
      const remember: RememberSending = { kind: 'sending', requestHash, retryCount };
      return await create({ remember, accepted });
    } catch (error) {
      if (!isCommitted && comesAgain(error)) refused.set(name, (refused.get(name) ?? 0) + 1);
      throw error;
    } finally {
      settled.resolve();
      sendings.delete(settled.promise);
      if (sendings.size === 0 && underWay.get(name) === sendings) underWay.delete(name);
    }
  }

  function takeRefused(name: string): boolean {
    const count = refused.get(name);
    if (count === undefined) return false;
    if (count > 1) refused.set(name, count - 1);
    else refused.delete(name);
    return true;
  }

  /** Null where the task was to be answered at once and came to nothing: that answer was a refusal. */
  async function replay(taskId: string): Promise<TaskView | null> {
    const task = await store.getTask(taskId);
    if (task === null) throw new Error(`the task ${taskId} of a repeat is not there`);
    if (isFeature(task.request) && task.request.immediate) {
      if (!isFinal(task.state)) throw inProgress();
      if (task.state !== 'completed') return null;
    }
    return { ...viewOf(task), replayed: true };
  }

  return (principal, intent, create) => {
    if (!hasKey(intent)) {
      const { requestHash, retryCount } = intent;
      return send(principal.keyId, { requestHash, retryCount: retryCount ?? 0 }, create);
    }
    return once(principal.accountId, intent, { create, replay: ({ subjectId }) => replay(subjectId) });
  };
}

/** Refusals that an SDK answers by sending again, and that say for certain that nothing was created. */
function comesAgain(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'concurrency_limit_exceeded';
}
