import { z } from 'zod';
import type { DialectError } from '../../core/ports.ts';
import { errorHeaders, errorObject, errorObjectSchema, errorWords } from '../kit/error-shape.ts';
import { refusals } from '../kit/responses.ts';

export const errorResponse = z.object({ error: errorObjectSchema, request_id: z.string() }).meta({
  id: 'ErrorResponse',
  description: "A refusal in OpenAI's shape; the SDKs turn it into the error class of its status.",
  examples: [
    {
      error: {
        message: 'seconds must be 5 or 10 for kling-2.5.',
        type: 'invalid_request_error',
        param: 'seconds',
        code: 'invalid_value',
      },
      request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
    },
  ],
});

/** `{error: {message, type, param, code}}`, and the request id that also stands in a header. */
export function renderError(error: DialectError) {
  return {
    status: errorWords[error.code].status,
    headers: errorHeaders(error),
    body: { error: errorObject(error), request_id: error.requestId },
  };
}

export const errorResponses = refusals(errorResponse);
