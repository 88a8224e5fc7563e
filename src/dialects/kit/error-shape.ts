/**
 * How our error codes look in OpenAI's words: HTTP status, `type`, `code` and the headers that steer retries. Kling's
 * door and the generic one show the same `error` object beside their own fields.
 */
import { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import type { DialectError } from '../../core/ports.ts';

export interface ErrorWords {
  status: number;
  type: 'invalid_request_error' | 'insufficient_quota' | 'rate_limit_error' | 'server_error';
  /** Where OpenAI has a word of its own for it; otherwise our code is shown. */
  code?: string;
  /** Clients that retry this status by themselves are told not to: a second try cannot end better. */
  retryIsFutile?: true;
}

const refused = (status: number): ErrorWords => ({ status, type: 'invalid_request_error' });
/** 409 and 429 are retried by the openai SDK unless it is told otherwise (its src/client.ts, 7.5.0). */
const refusedForGood = (status: number): ErrorWords => ({ ...refused(status), retryIsFutile: true });

export const errorWords: Record<ErrorCode, ErrorWords> = {
  invalid_json: refused(400),
  invalid_request: refused(400),
  missing_required_parameter: refused(400),
  invalid_value: refused(400),
  unsupported_parameter: refused(400),
  payload_too_large: refused(413),
  unsupported_media_type: refused(415),
  url_not_allowed: refused(400),
  duplicate_external_task_id: refused(400),
  idempotency_conflict: refusedForGood(409),
  // The SDK asks again by itself, and is then given the task.
  request_in_progress: refused(409),
  missing_api_key: refused(401),
  invalid_api_key: refused(401),
  token_expired: refused(401),
  token_not_yet_valid: refused(401),
  account_disabled: refused(403),
  forbidden: refused(403),
  ip_not_allowed: refused(403),
  invalid_link: refused(403),
  not_found: refused(404),
  method_not_allowed: refused(405),
  model_not_found: refused(404),
  model_not_allowed: refused(403),
  task_not_found: { ...refused(404), code: 'video_not_found' },
  file_not_found: refused(404),
  variant_not_available: refused(404),
  range_not_satisfiable: refused(416),
  // new-api's status for it; a 409 would be retried by the SDK for nothing.
  task_not_completed: refused(400),
  task_running: refusedForGood(409),
  conflict: refusedForGood(409),
  // OpenAI's own answer to an empty balance; the SDK has no class for 402.
  insufficient_quota: { status: 429, type: 'insufficient_quota', retryIsFutile: true },
  max_cost_exceeded: refused(400),
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  concurrency_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  spend_limit_exceeded: { status: 429, type: 'insufficient_quota', retryIsFutile: true },
  no_channel: refused(400),
  content_policy: refused(400),
  upstream_unavailable: { status: 502, type: 'server_error' },
  unavailable: { status: 503, type: 'server_error' },
  internal_error: { status: 500, type: 'server_error' },
};

export interface ErrorObject {
  message: string;
  type: string;
  param: string | null;
  code: string;
}

export const errorObjectSchema = z.object({
  message: z.string(),
  type: z.string(),
  param: z.string().nullable().meta({ description: 'The field at fault, as it was spelled.' }),
  code: z.string().meta({ description: 'A stable word for the kind of refusal.' }),
});

/** The object under `error`. */
export function errorObject(error: DialectError): ErrorObject {
  const words = errorWords[error.code];
  return {
    message: error.message,
    type: words.type,
    param: error.param,
    code: words.code ?? error.code,
  };
}

/** Headers of a refusal, whatever its body looks like. */
export function errorHeaders(error: DialectError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (errorWords[error.code].retryIsFutile) headers['x-should-retry'] = 'false';
  if (error.retryAfterMs !== null) {
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs));
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  }
  return headers;
}
