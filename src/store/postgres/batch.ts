/**
 * Group commit: all changes that wait are one transaction. A refusal undoes its own caller's change only; when the engine
 * fails, the whole transaction is undone and every caller is told so.
 */
import { randomUUID } from 'node:crypto';
import type { GatewayError } from '../../core/errors.ts';
import type { JobWriter, PendingJob } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { mutations, type MutationName } from '../mutations.ts';
import type { Mutation, Procedure, Tx } from '../statement.ts';
import type { Answer, Connection } from './connection.ts';
import { drive } from './executor.ts';
import {
  CommitUnknown,
  ConnectionLost,
  isEngineFailure,
  isWorthAnotherRun,
  refusalOf,
  sparesConnection,
  unavailable,
} from './failures.ts';
import { notifications } from './listener.ts';

/** A change asked for: name of the mutation, its arguments, and whom to tell. */
export interface Call {
  name: MutationName;
  args: unknown;
  resolve(result: unknown): void;
  reject(error: GatewayError): void;
}

/** What became of a call. */
type Outcome = { result: unknown } | { refusal: GatewayError };

export interface BatchOptions {
  /** A session of its own, opened when it is first needed and again when the last one was lost. */
  open: () => Promise<Connection>;
  newId: Tx['newId'];
  jobWriter: JobWriter | null;
  /** Told of what a transaction touched, after its callers were answered. */
  onCommit: (topics: string[]) => void;
}

export interface BatchRunner {
  /** Settles every call; never rejects. */
  run(calls: Call[]): Promise<void>;
  close(): Promise<void>;
}

/** A deadlock or a lost session ends with the transaction undone: the batch is run again so many times. */
const RUNS_MAX = 3;
/** A transaction that takes longer is given up with its session: the server or the way to it stands still. */
const BATCH_TIMEOUT_MS = 60_000;
/** How long to ask for the end of a transaction whose commit was not answered, and how often. */
const INQUIRY_MS = 15_000;
const INQUIRY_PAUSE_MS = 250;

/** What changes leave for the end of their transaction. */
interface Effects {
  topics: Set<string>;
  jobs: PendingJob[];
}

export function createBatchRunner({ open, newId, jobWriter, onCommit }: BatchOptions): BatchRunner {
  let session: Connection | null = null;

  async function run(calls: Call[]): Promise<void> {
    for (let runs = 1; ; runs++) {
      try {
        if (!session?.isOpen) session = await open();
        const { outcomes, topics } = await withTimeout(session, runInTransaction(session, calls));
        calls.forEach((call, index) => settle(call, outcomes[index]!));
        onCommit(topics);
        return;
      } catch (error) {
        await rollback(error);
        if (runs < RUNS_MAX && isWorthAnotherRun(error)) continue;
        for (const call of calls) call.reject(unavailable(error));
        return;
      }
    }
  }

  /**
   * Refusals are rare and savepoints cost two more statements for each change, so a batch runs without them first. When
   * somebody is refused, nothing of that run is kept and the batch runs again, each change in a savepoint of its own.
   */
  async function runInTransaction(
    connection: Connection,
    calls: Call[],
  ): Promise<{ outcomes: Outcome[]; topics: string[] }> {
    return (await runUnguarded(connection, calls)) ?? (await runGuarded(connection, calls));
  }

  /** Null when a change was refused and others would be undone with it. */
  async function runUnguarded(connection: Connection, calls: Call[]) {
    const transaction = begin(connection);
    const effects: Effects = { topics: new Set(), jobs: [] };
    const outcomes: Outcome[] = [];
    try {
      for (const call of calls)
        outcomes.push({ result: await drive(connection, procedureOf(call, effects)) });
    } catch (error) {
      if (isEngineFailure(error)) throw error;
      await connection.execute({ text: 'rollback' });
      return calls.length === 1 ? { outcomes: [{ refusal: refusalOf(error) }], topics: [] } : null;
    }
    await commit(connection, await transaction, effects);
    return { outcomes, topics: [...effects.topics] };
  }

  async function runGuarded(connection: Connection, calls: Call[]) {
    const transaction = begin(connection);
    const effects: Effects = { topics: new Set(), jobs: [] };
    const outcomes: Outcome[] = [];
    for (const call of calls) {
      const own: Effects = { topics: new Set(), jobs: [] };
      await connection.execute({ text: 'savepoint call' });
      try {
        const result = await drive(connection, procedureOf(call, own));
        await connection.execute({ text: 'release call' });
        outcomes.push({ result });
        for (const topic of own.topics) effects.topics.add(topic);
        effects.jobs.push(...own.jobs);
      } catch (error) {
        if (isEngineFailure(error)) throw error;
        await connection.execute({ text: 'rollback to call' });
        outcomes.push({ refusal: refusalOf(error) });
      }
    }
    await commit(connection, await transaction, effects);
    return { outcomes, topics: [...effects.topics] };
  }

  function procedureOf({ name, args }: Call, effects: Effects): Procedure<unknown> {
    const tx: Tx = {
      newId,
      notify: (topic) => void effects.topics.add(topic),
      ...(jobWriter && {
        enqueue(job) {
          const id = randomUUID();
          effects.jobs.push({ id, ...job });
          return id;
        },
      }),
    };
    // Names and arguments were typed where the call was made.
    return (mutations[name] as Mutation<unknown, unknown>)(tx, args);
  }

  async function commit(
    connection: Connection,
    transaction: string,
    { topics, jobs }: Effects,
  ): Promise<void> {
    if (jobs.length > 0) {
      await jobWriter!.insert(jobs, (text, values) =>
        connection.execute(values ? { text, values } : { text }),
      );
    }
    const told = notifications([...topics]).map((query) => connection.execute(query));
    const committing = connection.execute({ text: 'commit' });
    try {
      // A statement that failed before it turns the commit into a rollback.
      const [answer] = await allOf(committing, told);
      if (answer.command !== 'COMMIT') throw new ConnectionLost('the server rolled the transaction back');
    } catch (error) {
      if (!(error instanceof ConnectionLost) || connection.isOpen) throw error;
      await askHowItEnded(transaction, error);
    }
  }

  /**
   * The session was lost between the commit and its answer. The server knows by the transaction's number whether it was
   * committed; resolves if so, and throws otherwise: ConnectionLost when nothing happened, CommitUnknown when the server
   * cannot be asked.
   */
  async function askHowItEnded(transaction: string, cause: unknown): Promise<void> {
    const until = systemClock.now() + INQUIRY_MS;
    do {
      try {
        session = await open();
        const { rows } = await session.execute({
          text: 'select pg_xact_status($1::xid8) as status',
          values: [transaction],
        });
        if (rows[0]?.status === 'committed') return;
        if (rows[0]?.status === 'aborted') throw new ConnectionLost('the transaction was undone', { cause });
      } catch (error) {
        if (error instanceof ConnectionLost && error.cause === cause) throw error;
      }
      await systemClock.sleep(INQUIRY_PAUSE_MS);
    } while (systemClock.now() < until);
    throw new CommitUnknown('the answer to a commit was lost and the server cannot be asked', { cause });
  }

  async function rollback(error: unknown): Promise<void> {
    if (!session) return;
    try {
      if (session.isOpen && sparesConnection(error)) {
        await session.execute({ text: 'rollback' });
        return;
      }
    } catch {
      // Given up below; the server undoes what a lost session had begun.
    }
    session.destroy();
    session = null;
  }

  return {
    run,
    async close() {
      await session?.close();
      session = null;
    },
  };
}

/** Opens the transaction and answers its number, which tells later how it ended. Both go out with the first statement. */
function begin(connection: Connection): Promise<string> {
  const begun = connection.execute({ text: 'begin' });
  const numbered = connection.execute({ name: 'xid', text: 'select pg_current_xact_id()::text as id' });
  const transaction = allOf(numbered, [begun]).then(([answer]) => String(answer.rows[0]?.id));
  // Awaited before the commit; a run that fails earlier tells why by itself.
  transaction.catch(() => {});
  return transaction;
}

/** The first answer once all are there; rejects with the first failure in order, none unheard. */
async function allOf(first: Promise<Answer>, rest: Promise<Answer>[]): Promise<[Answer]> {
  const settled = await Promise.allSettled([...rest, first]);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return [(settled.at(-1) as PromiseFulfilledResult<Answer>).value];
}

async function withTimeout<Result>(connection: Connection, work: Promise<Result>): Promise<Result> {
  const timer = systemClock.setTimeout(() => connection.destroy(), BATCH_TIMEOUT_MS);
  try {
    return await work;
  } finally {
    systemClock.clearTimeout(timer);
  }
}

function settle(call: Call, outcome: Outcome): void {
  if ('refusal' in outcome) call.reject(outcome.refusal);
  else call.resolve(outcome.result);
}
