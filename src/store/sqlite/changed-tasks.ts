/** Which tasks a connection changes, whatever statement does it: whoever keeps tasks in memory has to know. */
import type { DatabaseSync } from 'node:sqlite';

/**
 * Watches the writing connection. Answers a function that takes the ids of all tasks whose rows were changed or deleted
 * since it was last called, each once; those of a transaction that was undone are among them.
 */
export function watchTasks(connection: DatabaseSync): () => string[] {
  const changed = new Set<string>();
  connection.function('note_changed_task', (id) => {
    changed.add(id as string);
    return null;
  });
  // Triggers of this connection only: they are no part of the file.
  connection.exec(`
    create temp trigger task_changed after update on tasks begin select note_changed_task(old.id); end;
    create temp trigger task_deleted after delete on tasks begin select note_changed_task(old.id); end;
  `);
  return () => {
    if (changed.size === 0) return [];
    const taken = [...changed];
    changed.clear();
    return taken;
  };
}
