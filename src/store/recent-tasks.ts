/** Tasks as they were last read: whoever waits for one asks for it again and again, and it seldom changes between. */
import { LRUCache } from 'lru-cache';
import type { Task } from '../core/task.ts';

/** A few kilobytes each. */
const TASKS_MAX = 2_000;

export interface RecentTasks {
  find(id: string): Task | null;
  keep(task: Task): void;
  /** To be called before anybody is told of a change; null: of all there are. */
  forget(ids: readonly string[] | null): void;
}

export function createRecentTasks(): RecentTasks {
  const tasks = new LRUCache<string, Task>({ max: TASKS_MAX });
  return {
    find: (id) => tasks.get(id) ?? null,
    // Many requests share it.
    keep: (task) => void tasks.set(task.id, Object.freeze(task)),
    forget(ids) {
      if (ids === null) tasks.clear();
      else for (const id of ids) tasks.delete(id);
    },
  };
}
