/** What goes wrong below us, in our own words. Result codes: sqlite.org/rescode.html (2026-11-20). */
import { failureBecause, toError, unavailableBecause, type BrokenRule, type Failure } from '../failure.ts';

export { toError, type Failure };

const CONSTRAINT = 19;
const CONSTRAINT_FOREIGN_KEY = 787;
const CONSTRAINT_PRIMARY_KEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** Primary result codes after which nothing can be said of the transaction but that it must end. */
const ENGINE_FAILURES = new Map([
  [5, 'busy'],
  [6, 'locked'],
  [7, 'out of memory'],
  [8, 'read-only'],
  [9, 'interrupted'],
  [10, 'input/output error'],
  [11, 'corrupt'],
  [13, 'disk full'],
  [14, 'cannot open'],
  [15, 'locking protocol'],
  [22, 'file size limit'],
  [26, 'not a database'],
]);

const BUSY = 5;
const LOCKED = 6;
const FULL = 13;

/** Whether the engine itself cannot go on, as opposed to one statement that was wrong. */
export function isEngineFailure(error: unknown): boolean {
  const code = resultCode(error);
  return code !== null && ENGINE_FAILURES.has(code & 0xff);
}

/** Whether somebody else holds the lock that was asked for. */
export function isLockedOut(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff;
  return code === BUSY || code === LOCKED;
}

/** The engine's failure in two words, for a sentence to the operator; null when it is none. */
export function engineFailureName(error: unknown): string | null {
  return ENGINE_FAILURES.get((resultCode(error) ?? 0) & 0xff) ?? null;
}

/** Whether the connection is as good as before once the transaction is rolled back. */
export function sparesConnection(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff;
  return code === BUSY || code === FULL;
}

/** Nothing happened; the same call may succeed later. */
export function unavailable(cause: unknown): Failure {
  return unavailableBecause(describe(cause));
}

/** A failure of one caller's own change. */
export function failureOf(error: unknown): Failure {
  return failureBecause(error, brokenRule(resultCode(error) ?? 0), describe);
}

function brokenRule(code: number): BrokenRule | null {
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARY_KEY) return 'unique';
  if (code === CONSTRAINT_FOREIGN_KEY) return 'foreign-key';
  return (code & 0xff) === CONSTRAINT ? 'other' : null;
}

function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : null;
}

function describe(cause: unknown): string {
  const code = resultCode(cause);
  const name = code === null ? undefined : ENGINE_FAILURES.get(code & 0xff);
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return code === null ? text : `SQLite result ${code}${name ? ` (${name})` : ''}: ${text}`;
}
