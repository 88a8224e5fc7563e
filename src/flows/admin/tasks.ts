import { GatewayError } from '../../core/errors.ts';
import type { Admin } from '../../core/ports.ts';
import type { AdminContext } from './context.ts';

type TaskVerbs = Pick<Admin, 'listTasks' | 'taskRecord'>;

export function taskVerbs({ store }: AdminContext): TaskVerbs {
  return {
    listTasks: (query) => store.adminTasks(query),
    async taskRecord(id) {
      const record = await store.taskRecord(id);
      if (record !== null) return record;
      throw new GatewayError('task_not_found', `There is no task '${id}'.`);
    },
  };
}
