import { z } from 'zod';
import type { DialectError } from '../../core/ports.ts';
import { errorHeaders, errorObject, errorObjectSchema, errorWords } from '../kit/error-shape.ts';
import { refusals } from '../kit/responses.ts';

export const taskErrorResponse = z
  .object({
    error: errorObjectSchema,
    code: z.string(),
    message: z.string(),
    data: z.null(),
    request_id: z.string(),
  })
  .meta({
    id: 'TaskErrorResponse',
    description:
      "A refusal in OpenAI's shape and, beside it, in that of older relays: `code`, `message`, `data`.",
    examples: [
      {
        error: {
          message: 'There is no task of this id.',
          type: 'invalid_request_error',
          param: null,
          code: 'video_not_found',
        },
        code: 'video_not_found',
        message: 'There is no task of this id.',
        data: null,
        request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
      },
    ],
  });

export const errorResponses = refusals(taskErrorResponse);

/** OpenAI's `error`, and the same code and sentence on the top level (new-api's TaskError). */
export function renderError(error: DialectError) {
  const object = errorObject(error);
  return {
    status: errorWords[error.code].status,
    headers: errorHeaders(error),
    body: {
      error: object,
      code: object.code,
      message: object.message,
      data: null,
      request_id: error.requestId,
    },
  };
}
