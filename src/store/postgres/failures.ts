/** What goes wrong at PostgreSQL, in our own words. Codes: postgresql.org/docs/current/errcodes-appendix.html (2026-11-20). */
import type { GatewayError } from '../../core/errors.ts';
import { failureBecause, toError, unavailableBecause, type BrokenRule } from '../failure.ts';

/** The connection is gone, or cannot be had: what it was doing may or may not have happened. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

/** A transaction that was to be committed: nobody could be asked how it ended. */
export class CommitUnknown extends Error {
  override name = 'CommitUnknown';
}

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
const LOCK_NOT_AVAILABLE = '55P03';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
/** A prepared statement from before a migration: its rows look different now. */
const FEATURE_NOT_SUPPORTED = '0A000';
const INVALID_STATEMENT_NAME = '26000';

/**
 * Classes after which nothing can be said of the transaction but that it must end: connection, transaction state,
 * authorization, catalogue, rollback, resources, operator, system, internal.
 */
const ENGINE_FAILURE = /^(08|25|28|3D|40|53|57|58|XX)/;

/** Whether the engine itself cannot go on, as opposed to one statement that was wrong. */
export function isEngineFailure(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  const code = sqlState(error);
  return code !== null && (ENGINE_FAILURE.test(code) || code === LOCK_NOT_AVAILABLE || isOutdated(error));
}

/** Whether the same transaction may succeed at once when it is run again; nothing of it was kept. */
export function isWorthAnotherRun(error: unknown): boolean {
  const code = sqlState(error);
  return (
    error instanceof ConnectionLost ||
    code === SERIALIZATION_FAILURE ||
    code === DEADLOCK_DETECTED ||
    /^(57P|08)/.test(code ?? '') ||
    isOutdated(error)
  );
}

/** Whether the connection is as good as before once the transaction is rolled back. */
export function sparesConnection(error: unknown): boolean {
  const code = sqlState(error);
  return code !== null && /^(23|22|40|42|53|55|P0)/.test(code);
}

/** Whether a statement was prepared for tables that look different now. */
export function isOutdated(error: unknown): boolean {
  const code = sqlState(error);
  return (
    code === INVALID_STATEMENT_NAME ||
    (code === FEATURE_NOT_SUPPORTED && /cached plan/.test(String((error as Error).message)))
  );
}

/** Nothing happened; the same call may succeed later. */
export function unavailable(cause: unknown): GatewayError {
  return toError(unavailableBecause(describe(cause)));
}

/** A failure of one caller's own change. */
export function refusalOf(error: unknown): GatewayError {
  return toError(failureBecause(error, brokenRule(sqlState(error)), describe));
}

/** Five characters, or null where the error is none of the server's. */
export function sqlState(error: unknown): string | null {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' ? code : null;
}

function brokenRule(code: string | null): BrokenRule | null {
  if (code === UNIQUE_VIOLATION) return 'unique';
  if (code === FOREIGN_KEY_VIOLATION) return 'foreign-key';
  return code?.startsWith('23') ? 'other' : null;
}

function describe(cause: unknown): string {
  const code = sqlState(cause);
  const detail = (cause as { detail?: unknown } | null)?.detail;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return code === null
    ? text
    : `PostgreSQL ${code}: ${text}${typeof detail === 'string' ? ` (${detail})` : ''}`;
}
