import { GatewayError } from '../../core/errors.ts';
import type { Gateway, Principal } from '../../core/ports.ts';
import type { KlingTask } from './task.ts';

/** The tasks that made elements, each element with `status: "deleted"` once it was (specs/kling.md §2.3). */
export function withDeletions(
  gateway: Gateway,
  principal: Principal,
  tasks: KlingTask[],
): Promise<KlingTask[]> {
  return Promise.all(
    tasks.map(async (task) => {
      const elements = task.task_result?.elements;
      if (elements === undefined) return task;
      const marked = elements.map(async (element) => {
        const isThere = await exists(gateway, principal, String(element.element_id));
        return isThere ? element : { ...element, status: 'deleted' };
      });
      return { ...task, task_result: { ...task.task_result, elements: await Promise.all(marked) } };
    }),
  );
}

async function exists(gateway: Gateway, principal: Principal, id: string): Promise<boolean> {
  try {
    await gateway.findResource(principal, 'element', id);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'not_found') return false;
    throw error;
  }
}
