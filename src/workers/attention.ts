/** Tells the operator of every task that calls for one, once per process: those of earlier times at the start. */
import type { Task } from '../core/task.ts';
import type { FlowContext } from '../flows/context.ts';
import { Loop } from '../lib/loop.ts';

/** The newest ones; where many are lost at once, the list in the admin API tells of all. */
const TOLD_MAX = 100;

/** Starts listening; `stop()` waits for what is in hand. */
export function startAttention(
  { store, clock }: Pick<FlowContext, 'store' | 'clock'>,
  { tell, onError }: { tell: (task: Task) => void; onError: (error: unknown) => void },
): { stop(): Promise<void> } {
  let told = new Set<string>();
  const loop = new Loop({
    clock,
    onError,
    async step() {
      const { rows } = await store.adminTasks({ attention: 'lost', cursor: null, limit: TOLD_MAX });
      for (const task of rows) if (!told.has(task.id)) tell(task);
      told = new Set(rows.map(({ id }) => id));
      return Infinity;
    },
  });
  const unsubscribe = store.onCommit('attention', () => loop.wake());
  loop.wake();
  return {
    async stop() {
      unsubscribe();
      await loop.stop();
    },
  };
}
