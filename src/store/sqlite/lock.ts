/**
 * One gateway per data directory. The lock is an open transaction on a small database of its own: the operating
 * system gives it back the moment the process is gone, however it went.
 */
import { DatabaseSync } from 'node:sqlite';
import { isLockedOut } from './failures.ts';

/** Answers the function that gives the lock back. Throws when another process has it. */
export function lockDirectory(file: string, directory: string): () => void {
  const connection = new DatabaseSync(file, { timeout: 0 });
  try {
    connection.exec('begin exclusive');
  } catch (cause) {
    connection.close();
    if (!isLockedOut(cause)) throw cause;
    throw new Error(
      `Another Reelay process is using the data directory ${directory}. Stop it first, or give this one a ` +
        'directory of its own (REELAY_DATA).',
      { cause },
    );
  }
  return () => {
    if (connection.isOpen) connection.close();
  };
}
