/** What goes wrong below the store, in our own words, whatever the engine. */
import { GatewayError, type ErrorCode } from '../core/errors.ts';

/** A refusal as plain data. `cause` is for the log only. */
export interface Failure {
  code: ErrorCode;
  message: string;
  param: string | null;
  cause: string | null;
}

/** The rule of a table that a change broke. */
export type BrokenRule = 'unique' | 'foreign-key' | 'other';

/** Nothing happened; the same call may succeed later. */
export function unavailableBecause(cause: string): Failure {
  return {
    code: 'unavailable',
    message: 'The database cannot take changes at the moment; nothing was changed. Try again shortly.',
    param: null,
    cause,
  };
}

/** A failure of one caller's own change; `brokenRule` is null where the engine refused for no rule of a table. */
export function failureBecause(
  error: unknown,
  brokenRule: BrokenRule | null,
  describe: (cause: unknown) => string,
): Failure {
  if (error instanceof GatewayError) {
    const { code, publicMessage: message, param } = error;
    return { code, message, param, cause: error.cause === undefined ? null : describe(error.cause) };
  }
  const cause = describe(error);
  if (brokenRule === 'unique') {
    return { code: 'conflict', message: 'This already exists.', param: null, cause };
  }
  if (brokenRule === 'foreign-key') {
    return { code: 'not_found', message: 'What this belongs to does not exist.', param: null, cause };
  }
  const message = brokenRule === 'other' ? 'The change breaks a rule of the database.' : 'The change failed.';
  return { code: 'internal_error', message, param: null, cause };
}

export function toError({ code, message, param, cause }: Failure): GatewayError {
  return new GatewayError(code, message, {
    ...(param === null ? {} : { param }),
    ...(cause === null ? {} : { cause }),
    ...(code === 'unavailable' ? { retryAfterMs: 1_000 } : {}),
  });
}
