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
  sqlState,
  unavailable,
} from './failures.ts';
import { notifications } from './listener.ts';
import { driveTogether } from './together.ts';

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
  /** Told of what a transaction touched and how many changes it held, after its callers were answered. */
  onCommit: (topics: string[], changes: number) => void;
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

function keep(effects: Effects, own: Effects): void {
  for (const topic of own.topics) effects.topics.add(topic);
  effects.jobs.push(...own.jobs);
}

/**
 * Changes that compare and set in one statement wherever they meet others, so that it makes no difference whether they
 * run one after another or in step. Those that read what they write later are not among them.
 */
const RUNS_IN_STEP: ReadonlySet<MutationName> = new Set([
  'acceptTask',
  'startTask',
  'cancelTask',
  'hideTask',
  'finishTask',
  'openAttempts',
  'acceptAttempt',
  'refuseAttempt',
  'reopenAttempt',
  'madeAttempt',
  'fixMessageBody',
  'enqueueJob',
  'completeJob',
  'tell',
]);

export function createBatchRunner({ open, newId, jobWriter, onCommit }: BatchOptions): BatchRunner {
  let session: Connection | null = null;

  /**
   * Refusals are rare and savepoints cost two more statements for each change, so a batch runs without them first. Who is
   * refused is set aside, nothing of that run is kept, and the others run again; when they are committed, those few run in
   * a transaction of their own, each in a savepoint. Where a statement fails, nobody knows by whose fault, and all of them
   * are run so.
   */
  async function run(calls: Call[]): Promise<void> {
    const aside = await untilItEnds(calls, runTogether);
    if (aside.length > 0) await untilItEnds(aside, runGuarded);
  }

  /** Runs a transaction, again where that helps; answers the calls it did not settle. */
  async function untilItEnds(
    calls: Call[],
    work: (connection: Connection, calls: Call[]) => Promise<Call[]>,
  ): Promise<Call[]> {
    for (let runs = 1; ; runs++) {
      try {
        if (!session?.isOpen) session = await open();
        return await withTimeout(session, work(session, calls));
      } catch (error) {
        await rollback(error);
        if (runs < RUNS_MAX && isWorthAnotherRun(error)) continue;
        for (const call of calls) call.reject(unavailable(error));
        return [];
      }
    }
  }

  async function runTogether(connection: Connection, calls: Call[]): Promise<Call[]> {
    let kept = calls;
    for (let runs = 1; kept.length > 0; runs++) {
      const outcomes = new Map<Call, Outcome>();
      const effects: Effects = { topics: new Set(), jobs: [] };
      const transaction = begin(connection);
      let refused: Call[];
      try {
        await runUnguarded(connection, kept, outcomes, effects);
        refused = kept.filter((call) => 'refusal' in outcomes.get(call)!);
      } catch (error) {
        if (isEngineFailure(error)) throw error;
        for (const call of kept) outcomes.set(call, { refusal: refusalOf(error) });
        refused = kept;
      }
      if (refused.length === 0) {
        await end(connection, await transaction, outcomes, effects);
        break;
      }
      await connection.execute({ text: 'rollback' });
      if (calls.length === 1) {
        settle(calls[0]!, outcomes.get(calls[0]!)!);
        return [];
      }
      const isRefused = new Set(runs === 1 ? refused : kept);
      kept = kept.filter((call) => !isRefused.has(call));
    }
    const done = new Set(kept);
    return calls.filter((call) => !done.has(call));
  }

  async function runGuarded(connection: Connection, calls: Call[]): Promise<Call[]> {
    const outcomes = new Map<Call, Outcome>();
    const effects: Effects = { topics: new Set(), jobs: [] };
    const transaction = begin(connection);
    for (const call of calls) await runInSavepoint(connection, call, outcomes, effects);
    await end(connection, await transaction, outcomes, effects);
    return [];
  }

  /** Commits, and tells everybody. */
  async function end(
    connection: Connection,
    transaction: string,
    outcomes: Map<Call, Outcome>,
    effects: Effects,
  ): Promise<void> {
    await commit(connection, transaction, effects);
    for (const [call, outcome] of outcomes) settle(call, outcome);
    try {
      onCommit([...effects.topics], outcomes.size);
    } catch (error) {
      // A listener's own fault: what is committed is not to be run again for it.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** Changes that may run in step do so; the others follow, one after another. Rejects when a statement fails. */
  async function runUnguarded(
    connection: Connection,
    calls: Call[],
    outcomes: Map<Call, Outcome>,
    effects: Effects,
  ): Promise<void> {
    const inStep = calls.filter(({ name }) => RUNS_IN_STEP.has(name));
    const own = inStep.map((): Effects => ({ topics: new Set(), jobs: [] }));
    const ends = await driveTogether(
      connection,
      inStep.map((call, index) => procedureOf(call, own[index]!)),
    );
    ends.forEach((end, index) => {
      outcomes.set(inStep[index]!, 'thrown' in end ? { refusal: refusalOf(end.thrown) } : end);
      if ('result' in end) keep(effects, own[index]!);
    });
    for (const call of calls) {
      if (RUNS_IN_STEP.has(call.name)) continue;
      const left: Effects = { topics: new Set(), jobs: [] };
      try {
        outcomes.set(call, { result: await drive(connection, procedureOf(call, left)) });
        keep(effects, left);
      } catch (error) {
        // The server refused a statement: the transaction is lost.
        if (sqlState(error) !== null || isEngineFailure(error)) throw error;
        outcomes.set(call, { refusal: refusalOf(error) });
      }
    }
  }

  async function runInSavepoint(
    connection: Connection,
    call: Call,
    outcomes: Map<Call, Outcome>,
    effects: Effects,
  ): Promise<void> {
    const left: Effects = { topics: new Set(), jobs: [] };
    // Sent with the first statement; it fails only together with that.
    connection.execute({ text: 'savepoint call' }).catch(() => {});
    try {
      const result = await drive(connection, procedureOf(call, left));
      connection.execute({ text: 'release call' }).catch(() => {});
      outcomes.set(call, { result });
      keep(effects, left);
    } catch (error) {
      if (isEngineFailure(error)) throw error;
      await connection.execute({ text: 'rollback to call' });
      outcomes.set(call, { refusal: refusalOf(error) });
    }
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
