/** One session at the server. Statements are prepared once per session and may be sent before earlier ones are answered. */
import pg from 'pg';
import { ConnectionLost, sqlState } from './failures.ts';

export interface Query {
  /** Of a prepared statement: the same name always stands for the same text. */
  name?: string;
  text: string;
  values?: unknown[];
}

export interface Answer {
  /** `INSERT`, `COMMIT`, `ROLLBACK`, … */
  command: string;
  rows: Record<string, unknown>[];
  rowCount: number;
  fields: { name: string; dataTypeID: number }[];
}

export interface Connection {
  /** The server's number of this session, as notifications name their sender. */
  readonly processId: number;
  /** Statements that are not answered yet. */
  readonly inFlight: number;
  /** False once the session is lost or closed. */
  readonly isOpen: boolean;
  execute(query: Query): Promise<Answer>;
  onNotification(listener: (processId: number, payload: string) => void): void;
  /** Called once, when the session is over for whatever reason. */
  onEnd(listener: () => void): void;
  /** After what is under way is answered. */
  close(): Promise<void>;
  /** At once: what is under way is lost. */
  destroy(): void;
}

export interface SessionSettings {
  url: string;
  /** What the server shows of us in pg_stat_activity. */
  purpose: 'reads' | 'writes' | 'listens' | 'verifies' | 'migrates';
  /** How long a statement waits for a row or table that somebody else has locked. */
  lockWaitMs?: number;
}

/** How long the server may take to answer a new session. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * A node that stands still in the middle of a transaction (a stopped process, a broken network) holds the wallets it
 * moved: the server ends its session after so long, and what it had done is undone.
 */
const IDLE_IN_TRANSACTION_MS = 5_000;

/** A read that takes longer goes through a network that is cut: its session is given up, and it is sent over another. */
const READ_TIMEOUT_MS = 30_000;
/** Silence after which the operating system asks whether the server is still there. */
const KEEP_ALIVE_MS = 10_000;

/** Integers and sums come as text: which of them are money is known by their column only. */
const AS_TEXT = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    AS_TEXT.has(oid)
      ? (text: string) => text
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/**
 * Every query of ours is served by an index. Without this the planner reads small tables as a whole, keeps that plan
 * for the prepared statement, and goes on with it while the table grows a thousandfold.
 */
const BY_INDEX = ['set enable_seqscan = off', 'set jit = off'];
/** What is joined with a table are a few rows: each is looked up, none is found by reading the whole table beside them. */
const ROW_BY_ROW = ['set enable_hashjoin = off', 'set enable_mergejoin = off'];
const SETTINGS: Record<SessionSettings['purpose'], string[]> = {
  // A page ends long before its index does; a bitmap holds all of it, and is sorted afterwards.
  reads: [
    ...BY_INDEX,
    ...ROW_BY_ROW,
    'set enable_bitmapscan = off',
    'set default_transaction_read_only = on',
  ],
  // A batch joins a few hundred given rows with an index: the plan does not depend on what is given.
  writes: [
    ...BY_INDEX,
    ...ROW_BY_ROW,
    'set plan_cache_mode = force_generic_plan',
    `set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`,
  ],
  listens: [],
  verifies: ['set jit = off'],
  migrates: [],
};

/** Rejects with ConnectionLost when the server cannot be reached or refuses us. */
export async function openConnection({ url, purpose, lockWaitMs }: SessionSettings): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `reelay ${purpose}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    ...(purpose === 'reads' && { query_timeout: READ_TIMEOUT_MS }),
    pipeline: true,
    types,
  });
  let isOpen = true;
  let inFlight = 0;
  const endListeners: (() => void)[] = [];
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    for (const listener of endListeners) listener();
  };
  client.on('error', end);
  client.on('end', end);

  const execute = async (query: Query): Promise<Answer> => {
    if (!isOpen) throw new ConnectionLost('the connection to the database is closed');
    inFlight++;
    try {
      return (await client.query(query as pg.QueryConfig)) as unknown as Answer;
    } catch (error) {
      if (sqlState(error) !== null) throw error;
      if (error instanceof TypeError) throw error;
      throw new ConnectionLost('the connection to the database was lost', { cause: error });
    } finally {
      inFlight--;
    }
  };

  try {
    await client.connect();
    const settings = ["set default_transaction_isolation = 'read committed'", ...SETTINGS[purpose]];
    if (lockWaitMs !== undefined) settings.push(`set lock_timeout = ${lockWaitMs}`);
    await execute({ text: settings.join('; ') });
  } catch (cause) {
    end();
    void client.end().catch(() => {});
    throw cause instanceof ConnectionLost
      ? cause
      : new ConnectionLost('the database cannot be reached', { cause });
  }

  return {
    // Known after the handshake; the type definitions leave it out.
    processId: (client as unknown as { processID: number }).processID,
    get inFlight() {
      return inFlight;
    },
    get isOpen() {
      return isOpen;
    },
    execute,
    onNotification: (listener) =>
      void client.on('notification', ({ processId, payload }) => listener(processId, payload ?? '')),
    onEnd: (listener) => void endListeners.push(listener),
    async close() {
      if (!isOpen) return;
      const ended = client.end();
      end();
      await ended;
    },
    destroy() {
      end();
      // Without the goodbye, which a server that does not answer would keep us waiting for.
      (client as unknown as { connection: pg.Connection }).connection.stream.destroy();
    },
  };
}
