import type { DialectError } from '../core/ports.ts';
import type { ErrorCode } from '../core/errors.ts';

/** HTTP status of each code on the routes that belong to no dialect: admin, content, health, unknown paths. */
const STATUSES: Record<ErrorCode, number> = {
  invalid_json: 400,
  invalid_request: 400,
  missing_required_parameter: 400,
  invalid_value: 400,
  unsupported_parameter: 400,
  payload_too_large: 413,
  unsupported_media_type: 415,
  url_not_allowed: 400,
  duplicate_external_task_id: 409,
  idempotency_conflict: 409,
  request_in_progress: 409,
  missing_api_key: 401,
  invalid_api_key: 401,
  token_expired: 401,
  token_not_yet_valid: 401,
  account_disabled: 403,
  forbidden: 403,
  ip_not_allowed: 403,
  invalid_link: 403,
  not_found: 404,
  method_not_allowed: 405,
  model_not_found: 404,
  model_not_allowed: 403,
  task_not_found: 404,
  file_not_found: 404,
  variant_not_available: 404,
  range_not_satisfiable: 416,
  task_not_completed: 400,
  task_running: 409,
  conflict: 409,
  insufficient_quota: 429,
  max_cost_exceeded: 400,
  rate_limit_exceeded: 429,
  concurrency_limit_exceeded: 429,
  spend_limit_exceeded: 429,
  no_channel: 400,
  content_policy: 400,
  upstream_unavailable: 503,
  unavailable: 503,
  internal_error: 500,
};

/** A refusal in OpenAI's shape: `{error: {message, type, param, code}}`. */
export function renderPlainError(error: DialectError): {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
} {
  const status = STATUSES[error.code];
  return {
    status,
    body: {
      error: { message: error.message, type: typeOf(status), param: error.param, code: error.code },
      request_id: error.requestId,
    },
  };
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
