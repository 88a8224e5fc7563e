import type { Json } from '../../core/ports.ts';
import type { HttpDialect } from '../kit/fastify.ts';
import { renderError } from '../kit/kling-errors.ts';
import { doors } from './doors.ts';
import { mountDoor, mountTasks } from './routes.ts';
import { queriedNewTask } from './task.ts';

/** The official platform's standard of 2026, with the model in the path, under `/kling` beside the legacy one. */
export const klingNewStandard: HttpDialect = {
  id: 'kling-new-standard',
  prefixes: [...doors.map(({ feature }) => `/kling/${feature}`), '/kling/tasks'],
  mount(routes, gateway) {
    for (const door of doors) mountDoor(routes, gateway, door);
    mountTasks(routes, gateway);
  },
  renderError,
  renderCallback: (view) => queriedNewTask(view) as Json,
};
