/** A few sessions that read. Statements are sent behind each other; a statement whose session is lost is sent again. */
import type { Command, Procedure } from '../statement.ts';
import type { Connection } from './connection.ts';
import { execute } from './executor.ts';
import { ConnectionLost, isEngineFailure, isOutdated, unavailable } from './failures.ts';

export interface Readers {
  read<Result>(procedure: Procedure<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** More than the tries of one statement would hide a server that is gone. */
const TRIES_MAX = 2;

export function createReaders(open: () => Promise<Connection>, sessionsMax: number): Readers {
  const sessions: Connection[] = [];
  /** Sessions that are being opened count as there. */
  let opening = 0;
  let closed = false;

  /** The session with the least to do; another one as long as all have something. */
  async function session(): Promise<Connection> {
    let least: Connection | undefined;
    for (const one of sessions) if (!least || one.inFlight < least.inFlight) least = one;
    if (least && (least.inFlight === 0 || sessions.length + opening >= sessionsMax)) return least;
    opening++;
    try {
      const opened = await open();
      opened.onEnd(() => {
        const index = sessions.indexOf(opened);
        if (index >= 0) sessions.splice(index, 1);
      });
      if (closed) await opened.close();
      else sessions.push(opened);
      return opened;
    } finally {
      opening--;
    }
  }

  async function answer(command: Command): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      if (closed) throw unavailable('the store is closed');
      const used = await session();
      try {
        return await execute(used, command);
      } catch (error) {
        // Its prepared statements are from before a migration.
        if (isOutdated(error)) used.destroy();
        else if (!(error instanceof ConnectionLost)) throw error;
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  return {
    async read(procedure) {
      try {
        let step = procedure.next();
        while (!step.done) step = procedure.next(await answer(step.value));
        return step.value;
      } catch (error) {
        throw isEngineFailure(error) ? unavailable(error) : error;
      }
    },
    async close() {
      closed = true;
      await Promise.all([...sessions].map((one) => one.close()));
    },
  };
}
