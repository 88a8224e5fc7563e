import { GatewayError } from '../../core/errors.ts';
import type { Admin } from '../../core/ports.ts';
import { createQueuePlaces } from '../queue-places.ts';
import type { AdminContext } from './context.ts';

type TaskVerbs = Pick<Admin, 'listTasks' | 'taskRecord'>;

export function taskVerbs(context: AdminContext): TaskVerbs {
  const { store } = context;
  const places = createQueuePlaces(context);
  return {
    listTasks: (query) => store.adminTasks(query),
    async taskRecord(id) {
      const record = await store.taskRecord(id);
      if (record !== null) {
        const place = await places.of(record.task);
        return place === null ? record : { ...record, place };
      }
      throw new GatewayError('task_not_found', `There is no task '${id}'.`);
    },
  };
}
