import { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import type { DialectError } from '../../core/ports.ts';
import { errorHeaders, errorObject, errorObjectSchema } from './error-shape.ts';
import { refusals } from './responses.ts';

interface KlingWords {
  status: number;
  code: number;
}

const words = (status: number, code: number): KlingWords => ({ status, code });

/**
 * Our codes on Kling's table of errors (specs/kling.md §2.5): HTTP status and number as the platform pairs them.
 * Kling's clients decide by the number. Statuses outside the table (409, 413, 415) are ours, with the nearest number.
 */
export const klingErrors: Record<ErrorCode, KlingWords> = {
  invalid_json: words(400, 1200),
  invalid_request: words(400, 1200),
  missing_required_parameter: words(400, 1201),
  invalid_value: words(400, 1201),
  unsupported_parameter: words(400, 1201),
  payload_too_large: words(413, 1200),
  unsupported_media_type: words(415, 1200),
  url_not_allowed: words(400, 1201),
  duplicate_external_task_id: words(400, 1201),
  idempotency_conflict: words(409, 1200),
  request_in_progress: words(409, 1200),
  missing_api_key: words(401, 1001),
  invalid_api_key: words(401, 1002),
  token_not_yet_valid: words(401, 1003),
  token_expired: words(401, 1004),
  account_disabled: words(429, 1100),
  forbidden: words(403, 1103),
  ip_not_allowed: words(403, 1103),
  invalid_link: words(403, 1103),
  not_found: words(404, 1202),
  method_not_allowed: words(404, 1202),
  model_not_found: words(404, 1203),
  model_not_allowed: words(403, 1103),
  task_not_found: words(404, 1203),
  file_not_found: words(404, 1203),
  variant_not_available: words(404, 1203),
  range_not_satisfiable: words(416, 1201),
  task_not_completed: words(400, 1200),
  task_running: words(409, 1200),
  conflict: words(409, 1200),
  // Wallets are paid beforehand: "resource pack depleted", the prepaid of the platform's two wordings.
  insufficient_quota: words(429, 1102),
  max_cost_exceeded: words(400, 1201),
  rate_limit_exceeded: words(429, 1302),
  concurrency_limit_exceeded: words(429, 1303),
  spend_limit_exceeded: words(429, 1102),
  no_channel: words(400, 1200),
  content_policy: words(400, 1301),
  upstream_unavailable: words(503, 5001),
  unavailable: words(503, 5001),
  internal_error: words(500, 5000),
};

export const klingErrorResponse = z
  .object({
    code: z.number().int().meta({ description: "The official platform's error number." }),
    message: z.string(),
    request_id: z.string(),
    error: errorObjectSchema.optional().meta({ description: 'Absent for keys with strict answers.' }),
  })
  .meta({
    id: 'KlingErrorResponse',
    description: "A refusal in the official platform's envelope.",
    examples: [
      {
        code: 1201,
        message: 'duration must be 5 or 10 for kling-v1-6.',
        request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
        error: {
          message: 'duration must be 5 or 10 for kling-v1-6.',
          type: 'invalid_request_error',
          param: 'duration',
          code: 'invalid_value',
        },
      },
    ],
  });

export const errorResponses = refusals(klingErrorResponse);

/** The platform tells a thing that does not exist (1203) from a path that does not (1202). */
const unknownThing = words(404, 1203);

/** How a refusal is worded; only a thing that does not exist is named by a field. */
export function klingWordsOf({ code, param }: Pick<DialectError, 'code' | 'param'>): KlingWords {
  return code === 'not_found' && param !== null ? unknownThing : klingErrors[code];
}

/** `{code, message, request_id}`; keys that are not strict also get OpenAI's `error` object with our stable word. */
export function renderError(error: DialectError) {
  const { status, code } = klingWordsOf(error);
  const envelope = { code, message: error.message, request_id: error.requestId };
  return {
    status,
    headers: errorHeaders(error),
    body: error.responseStyle === 'strict' ? envelope : { ...envelope, error: errorObject(error) },
  };
}
